"""`mockpump programmer`: every command, in words and as JSON, and every way it can be let down."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from msgspec.structs import replace
from outside import (
    NEW_PROGRAM,
    Command,
    in_process,
    program_file,
    pump_thread,
)
from pump_state import Line, give

from mockpump.cli.programmer import program as programmer_module
from mockpump.cli.programmer import read as programmer_ask
from mockpump.cli.programmer.read import status_and_details
from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.programmer.errors import RequestRefused
from mockpump.emulator.programmer.procedures import LogRead
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol.log import LogEntry
from mockpump.protocol.program_toml import loads

EXAMPLE = Path(__file__).parents[2] / "examples" / "programs" / "day.toml"
DEMO = ("programmer", "--port", "mockpump://demo?speed=1000")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    with PumpProcess("--speed", "0") as pump:
        yield pump.port


# -- every command, in words and as JSON ----------------------------------------------------------

COMMANDS = [
    (("identify",), "mock pump (fictional)", {"version", "serial", "reservoir", "step", "name"}),
    (("status",), "running", {"mode", "elapsed", "delivered", "reservoir", "rejected", "dropped"}),
    (("clock",), "week 0", {"clock", "elapsed"}),
    (("clock", "--set", "Tue 07:30"), "to Tue 07:30:00, week 0", {"before", "clock"}),
    (("suspend",), "delivery suspended", {"elapsed"}),
    (("resume",), "delivery resumed", {"elapsed"}),
    (("program", "show"), 'name = "factory"', {"program", "image", "digest"}),
]


def test_every_command_in_words_and_as_json(command: Command, port: str) -> None:
    for arguments, words, _ in COMMANDS:
        ended = command("programmer", "--port", port, *arguments)
        assert (ended.code, ended.err) == (0, "")
        assert words in ended.out
        assert "\x1b" not in ended.out
        assert all(len(line) <= 80 for line in ended.out.splitlines())
    for arguments, _, keys in COMMANDS:
        ended = command("programmer", "--port", port, "--json", *arguments)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.count("\n") == 1
        assert keys <= json.loads(ended.out).keys()


def test_status_of_a_pump_that_knows_no_details_is_told_without() -> None:
    status = new_pump_status()
    asked = status_and_details()
    assert next(asked) == m.GetStatus()
    request = asked.send(status)
    refused = m.Refused(m.entry_of(type(request)).number, m.Reason.UNKNOWN_MESSAGE, 0, 0, 0)
    with pytest.raises(StopIteration) as told:
        asked.throw(RequestRefused(request, refused))
    assert told.value.value == (status, None)
    again = status_and_details()
    next(again)
    again.send(status)
    with pytest.raises(RequestRefused):
        again.throw(RequestRefused(request, replace(refused, reason=m.Reason.FORBIDDEN)))


def new_pump_status() -> m.Status:
    status = handle(new_pump(), m.GetStatus(), Peer())
    assert isinstance(status, m.Status)
    return status


def test_watch_piped_is_a_line_a_change(command: Command) -> None:
    ended = command(*DEMO, "watch", "--interval", "10", "--count", "3")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 3
    assert "\x1b" not in ended.out
    assert "\r" not in ended.out
    reports = command(*DEMO, "--json", "watch", "--interval", "10", "--count", "2").out
    assert [json.loads(line)["elapsed"] % 10 for line in reports.splitlines()] == [0, 0]


def test_watch_piped_is_silent_while_only_time_goes_by(command: Command) -> None:
    with pump_thread(pump=_suspended()) as pump:
        at = ("programmer", "--port", pump.path)
        ended = command(*at, "watch", "--interval", "1", "--count", "2")
        assert len(ended.out.splitlines()) == 1
        assert "suspended" in ended.out
        as_json = command(*at, "--json", "watch", "--interval", "1", "--count", "2")
        assert len(as_json.out.splitlines()) == 2


def _suspended() -> Pump:
    line = Line(new_pump())
    line.ask(m.Suspend(1))
    return line.pump


def test_the_port_may_come_from_the_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKPUMP_PORT", "mockpump://hello")
    assert "hello" in command("programmer", "identify").out


def test_a_refusal_ends_with_1_and_one_line(command: Command) -> None:
    ended = command(*DEMO, "resume")
    assert ended.code == 1
    assert ended.line.startswith("mockpump: the pump refused Resume")


@pytest.mark.parametrize(
    "options", [("--window", "1"), ("--window", "16"), ("--payload", "64"), ("--payload", "1000")]
)
def test_any_window_and_payload_carry_a_program(
    command: Command, tmp_path: Path, options: tuple[str, str]
) -> None:
    file = str(Path(__file__).parents[2] / "examples" / "programs" / "week.toml")
    ended = command(*DEMO, *options, "program", "set", file, "--yes")
    assert (ended.code, ended.err) == (0, "")


# -- program set ----------------------------------------------------------------------------------


def test_a_program_is_set_shown_and_then_unchanged(command: Command, tmp_path: Path) -> None:
    file = program_file(tmp_path)
    with PumpProcess("--speed", "0") as pump:
        at = ("programmer", "--port", pump.port)
        first = command(*at, "program", "set", file, "--yes")
        assert first.code == 0
        assert "+50.0 %" in first.out
        assert '"evening" is the active program' in first.out
        shown = command(*at, "program", "show").out
        assert loads(shown.encode(), "shown") == NEW_PROGRAM
        again = command(*at, "program", "set", file, "--yes")
        assert (again.code, again.out) == (0, "already the active program\n")
        as_json = json.loads(command(*at, "--json", "program", "set", file, "--yes").out)
        assert as_json["changed"] is False


def test_json_of_a_program_that_changes(command: Command, tmp_path: Path) -> None:
    ended = command(*DEMO, "--json", "program", "set", program_file(tmp_path), "--yes")
    assert json.loads(ended.out)["changed"] is True


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_dry_run_sends_nothing_that_changes_anything(
    command: Command, tmp_path: Path, options: tuple[str, ...]
) -> None:
    with pump_thread() as pump:
        old = pump.pump.digest
        at = ("programmer", "--port", pump.path, *options)
        ended = command(*at, "program", "set", program_file(tmp_path), "--dry-run")
        assert (ended.code, ended.err) == (0, "")
        asked = {type(each) for each in pump.received}
        assert asked == {m.Identify, m.ReadProgram, m.GetStatus}
        assert pump.pump.digest == old
    if options:
        assert json.loads(ended.out)["changed"] is False


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_with_nobody_to_ask_it_ends_before_anything_is_sent(
    command: Command, tmp_path: Path, options: tuple[str, ...]
) -> None:
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path, *options)
        ended = command(*at, "program", "set", program_file(tmp_path))
        assert ended.code == 2
        assert "--yes" in ended.err
        assert pump.received == []


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_the_answer_decides(
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: bool,
    code: int,
) -> None:
    monkeypatch.setattr(programmer_module, "_require_somebody", lambda options: None)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: answer)
    with pump_thread() as pump:
        old = pump.pump.digest
        ended = command("programmer", "--port", pump.path, "program", "set", program_file(tmp_path))
        assert ended.code == code
        assert (pump.pump.digest != old) is answer
    if not answer:
        assert ended.line == "mockpump: not confirmed; nothing was changed"


def test_a_refill_says_what_still_comes_out_first_for_every_fluid(command: Command) -> None:
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path)
        for concentration in (900, 900, 700, 900):
            pump.pump.advance(pump.pump.elapsed + 600)
            ended = command(*at, "refill", "10_000_000", "--concentration", str(concentration))
            assert (ended.code, ended.err) == (0, "")
            assert "what is in the catheter comes out first: " in ended.out
            assert f"before the {concentration} du/mL arrive" in ended.out
            assert all(len(line) <= 80 for line in ended.out.splitlines())
        pump.pump.advance(pump.pump.elapsed + 90 * 3_600)
        ended = command(*at, "refill", "10_000_000")
        assert ended.out.splitlines()[1] == "900 du/mL is what comes out of the catheter already"


def test_another_program_in_between_is_refused(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is closed while somebody thinks; what they saw must still be so when they agree."""
    with pump_thread() as pump:

        def meanwhile(*_: object, **__: object) -> bool:
            give(pump.pump, NEW_PROGRAM)
            return True

        monkeypatch.setattr(programmer_module, "_require_somebody", lambda options: None)
        monkeypatch.setattr(click, "confirm", meanwhile)
        file = str(Path(__file__).parents[2] / "examples" / "programs" / "day.toml")
        ended = command("programmer", "--port", pump.path, "program", "set", file)
        assert ended.code == 1
        assert "stale base" in ended.line


# -- what can go wrong with the line --------------------------------------------------------------


@pytest.mark.parametrize("at", [m.ReadProgram, m.BeginProgram, m.WriteProgram])
def test_before_the_commit_it_ends_with_3_and_nothing_was_changed(
    command: Command, tmp_path: Path, at: type[m.Message]
) -> None:
    with pump_thread(at) as pump:
        old = pump.pump.digest
        ended = command(
            *("programmer", "--port", pump.path, "program", "set", program_file(tmp_path), "--yes")
        )
        assert pump.pump.digest == old
    assert ended.code == 3
    assert ended.line.endswith("nothing was changed")


def test_a_program_for_later_pends_and_can_be_dropped(command: Command, tmp_path: Path) -> None:
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path)
        file = program_file(tmp_path)
        ended = command(*at, "program", "set", file, "--yes", "--at", "midnight")
        assert ended.code == 0
        assert "will rule from" in ended.out
        assert loads(command(*at, "program", "show", "--pending").out, "x") == NEW_PROGRAM
        assert "pending" in command(*at, "status").out
        again = command(*at, "program", "set", str(EXAMPLE), "--yes", "--dry-run")
        assert 'the pending program "evening" is forgotten with it' in again.out
        assert command(*at, "program", "drop").out == "the active program goes on\n"
        assert command(*at, "program", "drop").code == 1


def test_a_difference_is_shown_line_by_line_and_in_volumes(
    command: Command, tmp_path: Path
) -> None:
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path)
        ended = command(*at, "program", "diff", program_file(tmp_path))
        assert ended.code == 0
        assert '-name = "factory"' in ended.out.splitlines()
        assert f'+name = "{NEW_PROGRAM.name}"' in ended.out.splitlines()
        assert "before" in ended.out
        as_data = json.loads(command(*at, "--json", "program", "diff", program_file(tmp_path)).out)
        assert as_data["same"] is False
        assert as_data["unit"] == "1/3600 nL"


def test_reading_from_a_line_that_closes_ends_with_3(command: Command) -> None:
    with pump_thread(m.GetStatus) as pump:
        ended = command("programmer", "--port", pump.path, "status")
    assert ended.code == 3
    assert "has closed" in ended.line
    assert "changed" not in ended.line


@pytest.mark.parametrize("url", ["/no/such/port", "/dev/null", "tcp:127.0.0.1:1", "x://y"])
def test_a_port_that_cannot_be_opened_ends_with_3(command: Command, url: str) -> None:
    ended = command("programmer", "--port", url, "status")
    assert ended.code == 3
    assert "cannot open" in ended.line


@pytest.mark.end_to_end
def test_nobody_at_the_port_ends_with_3_in_good_time(command: Command) -> None:
    """The one test that lets the real five seconds of an unanswered call pass."""
    master, slave = os.openpty()
    before = time.monotonic()
    ended = command("programmer", "--port", os.ttyname(slave), "status")
    assert ended.code == 3
    assert "nobody answered; is a pump running at" in ended.line
    assert time.monotonic() - before < 9
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"not toml", b"a = 1", b"\x00" * 100, b"[" * 60_000, b"#" * 10_000_000],
)
def test_a_file_that_is_no_program_ends_with_2_and_nothing_is_sent(
    command: Command, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path)
        ended = command(*at, "program", "set", str(file), "--yes")
        assert ended.code == 2
        assert str(file) in ended.line
        assert pump.received == []


@pytest.mark.parametrize("name", ["missing.toml", "", "x" * 300, "file/below"])
def test_a_file_that_is_none_ends_with_2(command: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    ended = command(*DEMO, "program", "set", str(tmp_path / name), "--yes")
    assert ended.code == 2
    assert str(tmp_path) in ended.line


@pytest.mark.parametrize(
    ("folded", "text"),
    [
        (1, "1 more entry was folded away while it was read"),
        (1_234, "1,234 more entries were fold"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_entries_that_were_folded_away_meanwhile_are_counted(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    folded: int,
    text: str,
) -> None:
    read = LogRead(8, (LogEntry(1, 2, m.LogKind.SUSPENDED, 0, 0),), folded)
    monkeypatch.setattr(programmer_ask, "run_pump", lambda *_: read)
    ended = command(*DEMO, *options, "log")
    assert ended.code == 0
    assert text in ended.err
    assert ended.out.count("\n") == (1 if options else 3)


def test_an_interrupt_while_it_hangs_up_does_not_hide_what_was_answered(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: SerialProgrammer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SerialProgrammer, "_say_goodbye", interrupted)
    with pump_thread() as pump:
        ended = command("programmer", "--port", pump.path, "suspend")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("delivery suspended")
