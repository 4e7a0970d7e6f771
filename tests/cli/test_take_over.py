"""Taking over a session as a user does it, and as the user sees it who is evicted."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from outside import COMMAND, PATIENCE, Command, in_process

from mockpump.cli.keys import OPEN_VARIABLE
from mockpump.cli.programmer import recovery as programmer_recovery
from mockpump.cli.programmer.session import Options, Session
from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    OutcomeUnknown,
    SessionRefused,
    SessionTaken,
)
from mockpump.emulator.programmer.known_pump import KnownPump
from mockpump.protocol import messages as m
from mockpump.protocol.link.types import CloseReason, LinkSettings


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OPEN_VARIABLE)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


@contextmanager
def watching(at: tuple[str, ...]) -> Iterator[subprocess.Popen[str]]:
    """Somebody who watches, and so has the session."""
    call = [*COMMAND, *at, "--json", "watch", "--interval", "1"]
    with subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("{")
        try:
            yield child
        finally:
            child.kill()


@pytest.mark.end_to_end
@pytest.mark.parametrize("clients", ["1", "16"])
def test_a_clinician_takes_over_and_whoever_watched_is_told(
    command: Command, tmp_path: Path, clients: str
) -> None:
    ring = str(tmp_path / "ring.json")
    with PumpProcess("--tcp", "127.0.0.1:0", "--clients", clients, "--keyring", ring) as pump:
        at = ("programmer", "--port", pump.port, "--keyring", ring)
        with watching(at) as child:
            busy = command(*at, "suspend")
            assert busy.code == 3
            assert "a clinician may end that one with --take-over" in busy.line
            assert command(*at, "--as", "observer", "status").code == 3
            assert command(*at, "--take-over", "suspend").code == 0
            _, said = child.communicate(timeout=PATIENCE)
            assert child.returncode == 3
            assert said == "mockpump: another clinician has taken over the session\n"
        assert "taken over: the session of the clinician" in command(*at, "log").out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--open", "--take-over"), "--open opens no session"),
        (("--as", "observer", "--take-over"), "an observer takes over no session"),
    ],
)
def test_what_cannot_be_taken_over_is_said_before_anybody_is_called(
    command: Command, options: tuple[str, ...], said: str
) -> None:
    ended = command("programmer", "--port", "/no/such/port", *options, "status")
    assert ended.code == 2
    assert said in ended.err


def asked_with(monkeypatch: pytest.MonkeyPatch, cause: Exception | None) -> set[bool]:
    """Whether it takes over when it asks what happened to a change that was lost by this cause."""
    called: list[Options] = []

    @contextmanager
    def connected(options: Options) -> Iterator[Session]:
        called.append(options)
        raise ConnectionLost(CloseReason.NO_ANSWER)
        yield

    monkeypatch.setattr(programmer_recovery, "connected", connected)
    monkeypatch.setattr(programmer_recovery, "_PAUSE", 0)
    unknown = OutcomeUnknown(m.Suspend(7), 7, CloseReason.CLOSED_THERE)
    unknown.__cause__ = cause
    options = Options(
        "x", LinkSettings(), False, Path("ring"), None, False, KnownPump(), take_over=True
    )
    with pytest.raises(OutcomeUnknown):
        programmer_recovery._call_until_settled(options, unknown)
    return {each.take_over for each in called}


def test_who_took_the_session_over_is_not_evicted_by_a_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert asked_with(monkeypatch, SessionTaken()) == {False}


def test_after_any_other_loss_a_question_takes_over_as_the_request_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The session that is in the way may be the lost one."""
    assert asked_with(monkeypatch, None) == {True}


def test_whoever_is_evicted_while_asking_throws_nobody_out_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[bool] = []

    @contextmanager
    def connected(options: Options) -> Iterator[Session]:
        called.append(options.take_over)
        raise SessionTaken
        yield

    monkeypatch.setattr(programmer_recovery, "connected", connected)
    monkeypatch.setattr(programmer_recovery, "_PAUSE", 0)
    unknown = OutcomeUnknown(m.Suspend(7), 7, CloseReason.SILENCE)
    options = Options(
        "x", LinkSettings(), False, Path("ring"), None, False, KnownPump(), take_over=True
    )
    with pytest.raises(OutcomeUnknown):
        programmer_recovery._call_until_settled(options, unknown)
    assert called == [True, False, False]


def test_whoever_has_taken_the_session_over_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[bool] = []

    @contextmanager
    def connected(options: Options) -> Iterator[Session]:
        called.append(options.take_over)
        raise SessionRefused(m.Refused(8, m.Reason.BUSY, 0, 0, 0))
        yield

    monkeypatch.setattr(programmer_recovery, "connected", connected)
    monkeypatch.setattr(programmer_recovery, "_PAUSE", 0)
    unknown = OutcomeUnknown(m.Suspend(7), 7, CloseReason.CLOSED_THERE)
    unknown.__cause__ = SessionTaken()
    options = Options("x", LinkSettings(), False, Path("ring"), None, False, KnownPump())
    with pytest.raises(OutcomeUnknown):
        programmer_recovery._call_until_settled(options, unknown)
    assert len(called) == 3
