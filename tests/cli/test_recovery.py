"""When the reply to a change is lost, the pump is asked: done, refused, never seen, or not known.

Every command that changes something goes through all four, and is carried out once at the most.
"""

import contextlib
import json
import shlex
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from msgspec.structs import replace
from outside import Command, Ended, in_process, messages_in, program_file, pump_thread
from paired import KEYS
from pump_state import Line, give

from mockpump.cli import signals as ending
from mockpump.cli.keys import OPEN_VARIABLE
from mockpump.cli.programmer import program as programmer_program
from mockpump.cli.programmer import recovery as programmer_recovery
from mockpump.cli.programmer import session as programmer_session
from mockpump.cli.programmer.group import programmer
from mockpump.cli.programmer.session import Options
from mockpump.emulator.programmer import recovery
from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    OutcomeUnknown,
    RequestRefused,
    SessionRefused,
)
from mockpump.emulator.programmer.known_pump import KnownPump, PumpMet
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.programmer.recovery import Settled
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.pairing import OPEN, paired_with
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.keyring_file import changed_keyring
from mockpump.emulator.transports.serial_port import SerialPort
from mockpump.protocol import messages as m
from mockpump.protocol.link.types import CloseReason, LinkSettings
from mockpump.protocol.messages import OUTCOMES
from mockpump.protocol.messages.base import Access
from mockpump.protocol.program import Program


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(programmer_recovery, "_PAUSE", 0.0)
    return in_process(capsys, monkeypatch)


Pair = Callable[[Pump], Pump]


@pytest.fixture
def paired(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pair:
    """Have a pump take a session, and the programmer open one, with a key to every number."""
    monkeypatch.delenv(OPEN_VARIABLE)
    keyring = tmp_path / "mine" / "keyring.json"
    monkeypatch.setenv("MOCKPUMP_KEYRING", str(keyring))

    def pair(pump: Pump) -> Pump:
        pump.pairing = paired_with(KEYS)
        with changed_keyring(keyring) as ring:
            ring.add(pump.identity.serial, pump.identity.name, KEYS[Access.CLINICIAN])
        return pump

    return pair


def another(pump: Pump, **change: object) -> Pump:
    """A pump like it that is another one."""
    other = new_pump()
    other.identity = replace(pump.identity, **change)
    return other


def told(*requests: m.Message) -> Callable[[], Pump]:
    """A pump that has been asked for these things."""

    def make() -> Pump:
        line = Line(new_pump())
        for request in requests:
            assert not isinstance(line.ask(request), m.Refused), request
        return line.pump

    return make


def with_pending() -> Pump:
    pump = new_pump()
    give(pump, Program.flat("later", 9_000), m.When.MIDNIGHT)
    return pump


def with_alarm() -> Pump:
    pump = new_pump()
    faults.inject(pump, faults.Fault.LOW_BATTERY)
    return pump


class Change(NamedTuple):
    """A command, its request, a pump that does it and one that refuses it."""

    arguments: tuple[str, ...]
    request: type[m.Message]
    willing: Callable[[], Pump] = new_pump
    unwilling: Callable[[], Pump] | None = None


SUSPENDED = told(m.Suspend(1))
BUSY = told(m.StartBolus(1, m.BolusKind.BOLUS, 5_000, 3_600))
SCALED = told(m.SetTemporary(1, 150, 3_600))
STRICT = told(m.SetLimits(1, 20_000, 10, 480_000, 10))

CHANGES = [
    Change(("suspend",), m.Suspend, unwilling=SUSPENDED),
    Change(("resume",), m.Resume, SUSPENDED, new_pump),
    Change(("clock", "--set", "Wed 12:00"), m.SetClock),
    Change(("bolus", "1000", "--over", "30m"), m.StartBolus, unwilling=STRICT),
    Change(("bolus", "--cancel"), m.CancelBolus, BUSY, new_pump),
    Change(("temp", "150"), m.SetTemporary, unwilling=STRICT),
    Change(("temp", "--cancel"), m.CancelTemporary, SCALED, new_pump),
    Change(("refill", "5_000_000"), m.Refill),
    Change(("ramp", "hold"), m.MoveRamp),
    Change(("limits", "--daily", "900_000"), m.SetLimits, unwilling=BUSY),
    Change(("alarms", "--acknowledge", "low-battery"), m.AcknowledgeAlarm, with_alarm, new_pump),
    Change(("program", "drop"), m.DropPending, with_pending, new_pump),
    Change(("program", "set", "FILE", "--yes"), m.CommitProgram, unwilling=None),
]
REFUSABLE = [
    each for each in CHANGES if each.unwilling is not None and each.request is not m.SetLimits
]
ASKING = "mockpump: the reply was lost; asking the pump what happened to it"
REPEATED = (
    "mockpump: the request had not reached the pump; it was sent once more, as the same transaction"
)


def ids(change: Change) -> str:
    return " ".join(change.arguments[:2])


def run(command: Command, port: str, change: Change, folder: Path, *options: str) -> Ended:
    arguments = [program_file(folder) if each == "FILE" else each for each in change.arguments]
    return command("programmer", "--port", port, *options, *arguments)


def test_every_change_is_tried() -> None:
    """A request that is added to the protocol and to the commands is added here too."""
    changing = {
        e.message for e in m.CATALOGUE.values() if "transaction" in e.message.__struct_fields__
    }
    assert {each.request for each in CHANGES} == changing


@pytest.mark.parametrize("change", CHANGES, ids=ids)
def test_done_is_as_if_nothing_had_happened(
    command: Command, tmp_path: Path, change: Change
) -> None:
    with pump_thread(pump=change.willing()) as pump:
        expected = run(command, pump.path, change, tmp_path)
        assert (expected.code, expected.err) == (0, "")
    with pump_thread(change.request, stay=True, pump=change.willing()) as pump:
        ended = run(command, pump.path, change, tmp_path)
        assert ended == Ended(0, expected.out, f"{ASKING}\n")
        # The link may send a frame again; nobody asks for the thing again.
        asked = {each.transaction for each in pump.received if isinstance(each, change.request)}
        queries = {each.asked for each in pump.received if isinstance(each, m.QueryOutcome)}
        assert len(asked) == 1
        assert queries == asked


@pytest.mark.parametrize("change", CHANGES, ids=ids)
def test_what_is_done_is_in_the_log(command: Command, tmp_path: Path, change: Change) -> None:
    with pump_thread(pump=change.willing()) as pump:
        before = pump.pump.memory.log(1, 100).newest
        assert run(command, pump.path, change, tmp_path).code == 0
        assert pump.pump.memory.log(1, 100).newest > before


@pytest.mark.parametrize("change", CHANGES, ids=ids)
def test_done_is_one_object_of_json(command: Command, tmp_path: Path, change: Change) -> None:
    with pump_thread(change.request, stay=True, pump=change.willing()) as pump:
        ended = run(command, pump.path, change, tmp_path, "--json")
        assert ended.code == 0
        assert isinstance(json.loads(ended.out), dict)
        assert ended.out.count("\n") == 1


@pytest.mark.parametrize("change", REFUSABLE, ids=ids)
def test_a_no_that_was_lost_is_a_no(command: Command, tmp_path: Path, change: Change) -> None:
    assert change.unwilling is not None
    with pump_thread(pump=change.unwilling()) as pump:
        expected = run(command, pump.path, change, tmp_path)
        assert expected.code == 1
        assert "the pump refused" in expected.line
    with pump_thread(change.request, stay=True, pump=change.unwilling()) as pump:
        ended = run(command, pump.path, change, tmp_path)
        assert ended == Ended(1, "", f"{ASKING}\n{expected.line}\n")


@pytest.mark.parametrize("change", CHANGES, ids=ids)
def test_what_never_arrived_in_a_session_changed_nothing(
    command: Command, tmp_path: Path, paired: Pair, change: Change
) -> None:
    pump = paired(change.willing())
    with pump_thread(change.request, carry_out=False, stay=True, pump=pump) as served:
        before = pump.outcomes, pump.digest, pump.pending_image
        ended = run(command, served.path, change, tmp_path)
        assert (pump.outcomes, pump.digest, pump.pending_image) == before
        # The link may send a frame again; nobody asks for the thing again.
        assert len({each for each in served.received if isinstance(each, change.request)}) == 1
    # The preview of a program has a caption, a heading and a row.
    assert (ended.code, ended.out.count("\n")) == (3, 3 if "FILE" in change.arguments else 0)
    asking, never = ended.err.splitlines()
    assert asking == ASKING
    assert never.startswith("mockpump: connection lost: ")
    assert never.endswith("; the request never reached the pump; nothing was changed")


@pytest.mark.parametrize("change", CHANGES, ids=ids)
def test_what_never_arrived_at_an_open_pump_is_sent_once_more(
    command: Command, tmp_path: Path, change: Change
) -> None:
    """There it could arrive yet, on another line; as one transaction both are one request."""
    with pump_thread(pump=change.willing()) as pump:
        expected = run(command, pump.path, change, tmp_path)
    with pump_thread(change.request, carry_out=False, stay=True, pump=change.willing()) as pump:
        old = pump.pump.digest
        ended = run(command, pump.path, change, tmp_path)
        assert len({each for each in pump.received if isinstance(each, change.request)}) == 1
        if change.request is not m.CommitProgram:
            assert ended == Ended(0, expected.out, f"{ASKING}\n{REPEATED}\n")
            return
        # What was staged has gone with its connection, and the pump has recorded that.
        assert ended.code == 3
        assert ended.err.splitlines()[:2] == [ASKING, REPEATED]
        why = "; the staged program was lost with its connection; nothing was changed\n"
        assert ended.err.endswith(why)
        assert pump.pump.digest == old


@pytest.mark.parametrize("repeated", [False, True])
def test_only_a_repeated_commit_has_lost_what_was_staged(
    monkeypatch: pytest.MonkeyPatch, repeated: bool
) -> None:
    """The other one found nothing staged when it came, and was refused."""
    unknown = OutcomeUnknown(m.CommitProgram(7, bytes(8), m.When.NOW), 7, CloseReason.SILENCE)
    number = m.entry_of(m.CommitProgram).number
    settled = Settled(m.Refused(number, m.Reason.NOTHING_STAGED, 0, 0, 0), repeated)
    monkeypatch.setattr(programmer_recovery, "_call_until_settled", lambda *_: settled)
    options = Options("x", LinkSettings(), False, Path("ring"), None, False, KnownPump())
    with (
        pytest.raises(ConnectionLost if repeated else RequestRefused),
        programmer_recovery.recovering(options),
    ):
        raise unknown


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("change", CHANGES, ids=ids)
def test_nobody_to_ask_is_an_unknown_outcome_with_how_to_ask_later(
    command: Command, tmp_path: Path, change: Change, done: bool
) -> None:
    with pump_thread(change.request, carry_out=done, pump=change.willing()) as pump:
        ended = run(command, pump.path, change, tmp_path)
        (asked,) = {each.transaction for each in pump.received if isinstance(each, change.request)}
        path, counted = pump.path, change.willing().outcomes
    assert ended.code == 4
    asking, unknown = ended.err.splitlines()
    assert asking == ASKING
    assert unknown.startswith("mockpump: outcome unknown: ")
    assert f" after {change.request.__name__} was sent and before its reply" in unknown
    again = (
        f"mockpump programmer --port {path} --open --serial 1001 outcome {asked} --since {counted}"
    )
    assert unknown.endswith(f"; ask again with: {again}")
    assert "nothing was changed" not in unknown


@pytest.mark.parametrize(
    "given",
    [
        ["--port", "tcp:7000", "--open"],
        ["--port", "a pump", "--paired", "--keyring", "it's mine.json", "--as", "observer"],
        ["--port", "/tmp/pump", "--paired"],
    ],
)
def test_how_to_ask_later_asks_the_same_pump_with_the_same_key(given: list[str]) -> None:
    options = options_of([*given, "--serial", "1001", "suspend"])
    before = PumpMet(new_pump().describe(), 12)
    unknown = OutcomeUnknown(m.Suspend(4711), 4711, CloseReason.SILENCE, before)
    name, group, *words = shlex.split(programmer_recovery.how_to_ask(options, unknown))
    assert (name, group) == ("mockpump", "programmer")
    assert words[-4:] == ["outcome", "4711", "--since", "12"]
    assert options_of(words) == options


def test_how_to_ask_later_says_no_more_of_the_pump_than_is_known() -> None:
    options = options_of(["--port", "x", "--open", "suspend"])
    pump = new_pump().describe()
    for before, end in (
        (None, "--open outcome 7"),
        (PumpMet(pump), "--open --serial 1001 outcome 7"),
    ):
        unknown = OutcomeUnknown(m.Suspend(7), 7, CloseReason.SILENCE, before)
        assert programmer_recovery.how_to_ask(options, unknown).endswith(end)


def options_of(words: list[str]) -> programmer_session.Options:
    shown = ["--paired"] if "--open" not in words else []
    with programmer.make_context("programmer", [*shown, *words]) as context:
        programmer.callback(**context.params)  # type: ignore[misc]
        options: programmer_session.Options = context.obj
        return options


@pytest.mark.parametrize(("draws", "code"), [([7, 8], 0), ([7, 7, 7, 8], 0), ([7, 7, 7, 7], 3)])
def test_an_id_that_the_pump_has_had_lately_is_drawn_again(
    command: Command, monkeypatch: pytest.MonkeyPatch, draws: list[int], code: int
) -> None:
    drawn = iter([7, *draws])
    monkeypatch.setattr(drawing, "connection_id", lambda: next(drawn))
    with pump_thread() as pump:
        ended = [command("programmer", "--port", pump.path, "identify") for _ in range(2)]
    assert [each.code for each in ended] == [0, code]
    assert next(drawn, None) is None


# -- a pump that answers nonsense, and somebody who will not wait --------------------------------


@pytest.mark.parametrize("reply", [b"", b"\xfe", m.encode(m.Resumed(0)), m.encode(m.Identify())])
def test_an_answer_that_is_none_leaves_the_outcome_unknown(
    command: Command, monkeypatch: pytest.MonkeyPatch, reply: bytes
) -> None:
    def answered(transaction: int) -> Procedure[m.OutcomeKnown]:
        yield m.QueryOutcome(transaction)
        return m.OutcomeKnown(transaction, m.OutcomeStatus.DONE, 0x20, reply, 1)

    monkeypatch.setattr(recovery, "learn_outcome", answered)
    with pump_thread(m.Suspend, stay=True) as pump:
        ended = command("programmer", "--port", pump.path, "suspend")
    assert (ended.code, ended.out) == (4, "")
    assert "; ask again with: mockpump programmer --port" in ended.err


def test_ctrl_c_while_it_asks_still_says_what_is_not_known(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> Procedure[None]:
        raise KeyboardInterrupt

    monkeypatch.setattr(programmer_recovery, "settle", interrupted)
    with pump_thread(m.Suspend, stay=True) as pump:
        ended = command("programmer", "--port", pump.path, "suspend")
        (asked,) = {each.transaction for each in pump.received if isinstance(each, m.Suspend)}
    assert (ended.code, ended.out) == (130, "")
    line = ended.err.splitlines()[-1]
    assert line.startswith("interrupted; outcome unknown: ")
    assert line.endswith(f"outcome {asked} --since 0")


@pytest.mark.parametrize(
    ("stopped", "how"),
    [(KeyboardInterrupt(), "interrupted"), (ending.Ended(signal.SIGTERM), "told to end")],
)
def test_whoever_stops_it_before_the_reply_is_told_how_to_ask_what_became_of_it(
    command: Command, monkeypatch: pytest.MonkeyPatch, stopped: BaseException, how: str
) -> None:
    send = SerialPort.send
    asked: list[int] = []

    def send_and_stop(self: SerialPort, data: bytes) -> None:
        send(self, data)
        new = [each.transaction for each in messages_in(data) if isinstance(each, m.Suspend)]
        asked.extend(new)
        if new:
            raise stopped

    monkeypatch.setattr(SerialPort, "send", send_and_stop)
    monkeypatch.setattr(ending.Ended, "end", lambda self: None)
    with pump_thread() as pump:
        ended = command("programmer", "--port", pump.path, "suspend")
    line = ended.err.splitlines()[-1]
    assert line.startswith(f"{how}; outcome unknown: ")
    assert line.endswith(f"outcome {asked[0]} --since 0")
    assert ended.out == ""


# -- what is asked around a change ---------------------------------------------------------------

BEFORE = [
    (("clock", "--set", "Wed 12:00"), ("clock",), m.GetClock),
    (("limits", "--daily", "900_000"), ("limits",), m.GetLimits),
    (("refill", "5_000_000"), None, m.GetDetails),
]


@pytest.mark.parametrize(("change", "question", "at"), BEFORE)
def test_a_line_that_goes_before_the_change_changed_nothing(
    command: Command,
    change: tuple[str, ...],
    question: tuple[str, ...] | None,
    at: type[m.Message],
) -> None:
    with pump_thread(at) as pump:
        ended = command("programmer", "--port", pump.path, *change)
    assert ended.code == 3
    assert ended.line.endswith("; nothing was changed")
    if question is not None:
        with pump_thread(at) as pump:
            ended = command("programmer", "--port", pump.path, *question)
        assert ended.code == 3
        assert "changed" not in ended.line


@pytest.mark.parametrize("at", [m.GetStatus, m.ReadProgram])
def test_a_line_that_goes_after_the_refill_does_not_hide_it(
    command: Command, paired: Pair, at: type[m.Message]
) -> None:
    arguments = ("refill", "5_000_000", "--concentration", "900")
    with pump_thread(at, pump=paired(new_pump())) as pump:
        ended = command("programmer", "--port", pump.path, *arguments)
        assert ended.code == 0
        assert ended.out == "filled with 5,000,000 nL of 900 du/mL (fictional)\n"
        assert ended.line.startswith("mockpump: how long it takes to arrive is not known: ")
    with pump_thread(at, pump=paired(new_pump())) as pump:
        ended = command("programmer", "--port", pump.path, "--json", *arguments)
        assert ended.code == 0
        assert json.loads(ended.out)["bridging"] is None


# -- asking later --------------------------------------------------------------------------------


def test_outcomes_are_told_by_their_transaction(command: Command) -> None:
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path)
        assert command(*at, "suspend").code == 0
        assert command(*at, "suspend").code == 1
        done, refused = (each.transaction for each in pump.received if isinstance(each, m.Suspend))
        never = next(each for each in range(3) if each not in (done, refused))
        for asked, text, fate in (
            (done, "Suspend was done", "done"),
            (refused, "Suspend was refused: wrong mode", "refused"),
            (never, "not among the newest 64: it never arrived, or it is forgotten", "never_seen"),
        ):
            ended = command(*at, "outcome", str(asked))
            assert ended == Ended(0, f"transaction {asked}: {text}\n", "")
            ended = command(*at, "--json", "outcome", str(asked))
            assert json.loads(ended.out)["fate"] == fate


@pytest.mark.parametrize(
    ("others", "text"),
    [
        (0, "never recorded; nothing was changed"),
        (OUTCOMES - 1, "never recorded; nothing was changed"),
        (OUTCOMES, f"not known: {OUTCOMES} outcomes were recorded since, and the pump keeps 64"),
    ],
)
def test_what_never_seen_means_can_be_told_from_the_count(
    command: Command, paired: Pair, others: int, text: str
) -> None:
    pump = told(*(m.SetTemporary(n, 100, 60) for n in range(1, others + 2)))()
    with pump_thread(pump=paired(pump)) as served:
        at = ("programmer", "--port", served.path, "--serial", "1001")
        ended = command(*at, "outcome", "999", "--since", "1")
        assert ended == Ended(0, f"transaction 999: {text}\n", "")
        ended = command(*at, "--json", "outcome", "999", "--since", "1")
        assert json.loads(ended.out)["never_recorded"] is (others < OUTCOMES)


def test_of_an_open_pump_it_may_be_under_way_still(command: Command) -> None:
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path, "--serial", "1001")
        ended = command(*at, "outcome", "999", "--since", "0")
        assert ended.out.endswith("changed, unless it is still under way on another line\n")
        ended = command(*at, "outcome", "999", "--since", "5")
        assert ended.out.endswith("not known: the pump has recorded 0 outcomes, and had 5\n")


def test_a_count_is_of_one_pump(command: Command) -> None:
    ended = command("programmer", "--port", "/no/such", "outcome", "999", "--since", "0")
    assert ended.code == 2
    assert "--serial" in ended.err


# -- who answers the second time -------------------------------------------------------------------


@pytest.mark.parametrize("in_session", [False, True])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"serial": 2, "name": "other"}, 'pump 2 ("other") answers, not pump 1001 ("mock pump")'),
        ({"name": "other"}, 'pump 1001 ("other") answers, not pump 1001 ("mock pump")'),
    ],
)
@pytest.mark.parametrize("done", [True, False])
def test_what_another_pump_says_is_no_answer(
    command: Command,
    request: pytest.FixtureRequest,
    in_session: bool,
    change: dict[str, object],
    said: str,
    done: bool,
) -> None:
    pair: Pair = request.getfixturevalue("paired") if in_session else (lambda pump: pump)
    pump = pair(new_pump())
    other = pair(another(pump, **change))
    with pump_thread(m.Suspend, done, stay=True, pump=pump, then=lambda _: other) as served:
        ended = command("programmer", "--port", served.path, "suspend")
        assert (pump.mode is m.Mode.SUSPENDED) is done
    assert ended.code == 4
    assert f"; {said}; ask again with: " in ended.err
    assert "nothing was changed" not in ended.err
    assert other.mode is m.Mode.RUNNING
    assert type(served.received[-1]) is m.Identify


def test_an_older_copy_of_the_pump_is_another(command: Command, paired: Pair) -> None:
    pump = paired(told(m.Suspend(1), m.Resume(2))())
    older = paired(new_pump())
    with pump_thread(m.Suspend, stay=True, pump=pump, then=lambda _: older) as served:
        ended = command("programmer", "--port", served.path, "suspend")
    assert ended.code == 4
    assert "recorded 0 outcomes and had recorded 2 before: this is an older copy" in ended.err


@pytest.mark.parametrize("in_session", [False, True])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("between", [0, OUTCOMES - 1, OUTCOMES, 2 * OUTCOMES])
def test_what_may_be_forgotten_is_not_known(
    command: Command,
    request: pytest.FixtureRequest,
    in_session: bool,
    done: bool,
    between: int,
) -> None:
    pair: Pair = request.getfixturevalue("paired") if in_session else (lambda pump: pump)

    def others(pump: Pump) -> Pump:
        line, pump.pairing = Line(pump), OPEN
        for _ in range(between):
            line.ask(m.SetTemporary(line.fresh(), 100, 60))
        return pair(pump)

    with pump_thread(m.Suspend, done, stay=True, pump=pair(new_pump()), then=others) as served:
        ended = command("programmer", "--port", served.path, "suspend")
        suspended = served.pump.mode is m.Mode.SUSPENDED
    if between >= OUTCOMES:
        assert ended.code == 4
        assert f"; the pump has recorded {between + done} outcomes since and keeps 64;" in ended.err
        assert "; its event log may tell: mockpump programmer --port " in ended.err
        assert ended.err.endswith("--serial 1001 log\n")
        assert suspended is done
    elif done or not in_session:
        assert ended.code == 0
        assert suspended
    else:
        assert ended.code == 3
        assert ended.err.endswith("nothing was changed\n")
        assert not suspended


def test_a_pump_that_still_has_the_lost_session_is_asked_until_it_has_ended(
    command: Command, paired: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How often it says so, and what is said of it; `real` is what comes after that."""
    real, calls = programmer_recovery.connected, list[int]()
    busy = m.Refused(0x08, m.Reason.BUSY, 0, 0, 0)

    @contextlib.contextmanager
    def sometimes(options: programmer_session.Options) -> Iterator[object]:
        calls.append(1)
        if 1 < len(calls) <= 1 + refusals:
            raise SessionRefused(busy)
        with real(options) as session:
            yield session

    monkeypatch.setattr(programmer_recovery, "connected", sometimes)
    waiting = f"mockpump: {programmer_recovery._WAITING}"
    for refusals, code in ((1, 0), (20, 0), (22, 0), (23, 4)):
        calls.clear()
        with pump_thread(m.Suspend, stay=True, pump=paired(new_pump())) as served:
            ended = command("programmer", "--port", served.path, "suspend")
        assert ended.code == code
        assert ended.err.splitlines()[:2] == [ASKING, waiting]
        assert len(calls) == refusals + (2 if code == 0 else 1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("limits", "--daily", "900_000"), 0),
        (("refill", "5_000_000"), 0),
        (("program", "set", "FILE", "--yes"), 0),
        (("program", "set", "FILE", "--dry-run"), 0),
        (("program", "diff", "FILE"), 0),
        (("ramp",), 0),
        (("status",), 0),
    ],
)
def test_what_belongs_together_is_asked_in_one_connection(
    command: Command, tmp_path: Path, paired: Pair, arguments: tuple[str, ...], code: int
) -> None:
    words = [program_file(tmp_path) if each == "FILE" else each for each in arguments]
    with pump_thread(pump=paired(new_pump())) as pump:
        assert command("programmer", "--port", pump.path, *words).code == code
        assert sum(isinstance(each, m.Identify) for each in pump.received) == 1


@pytest.mark.parametrize("in_session", [False, True])
def test_another_pump_after_the_question_is_given_nothing(
    command: Command,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_session: bool,
) -> None:
    """While somebody thinks whether the program shown is to be set, the line is closed."""
    pair: Pair = request.getfixturevalue("paired") if in_session else (lambda pump: pump)
    pump = pair(new_pump())
    other = pair(another(pump, serial=2))
    with pump_thread(pump=pump) as served:

        def swap(*_: object, **__: object) -> bool:
            served._station.pump = other
            served._line.reboot(other)
            return True

        monkeypatch.setattr(programmer_program, "_require_somebody", lambda options: None)
        monkeypatch.setattr(click, "confirm", swap)
        ended = command(
            "programmer", "--port", served.path, "program", "set", program_file(tmp_path)
        )
        assert type(served.received[-1]) is m.Identify
    assert ended.code == 3
    assert ended.line.startswith('mockpump: pump 2 ("mock pump") answers, not pump 1001 ')
    assert ended.line.endswith("; nothing was changed")


@pytest.mark.parametrize("in_session", [False, True])
@pytest.mark.parametrize("arguments", [("suspend",), ("status",), ("identify",), ("log",)])
def test_only_the_pump_with_that_number_is_talked_to(
    command: Command,
    request: pytest.FixtureRequest,
    in_session: bool,
    arguments: tuple[str, ...],
) -> None:
    pair: Pair = request.getfixturevalue("paired") if in_session else (lambda pump: pump)
    with pump_thread(pump=pair(new_pump())) as served:
        at = ("programmer", "--port", served.path, "--serial")
        assert command(*at, "1001", *arguments).code == 0
        served.received.clear()
        ended = command(*at, "7", *arguments)
        assert [type(each) for each in served.received] == [m.Identify]
    assert ended.code == 3
    assert ended.line.startswith('mockpump: pump 1001 ("mock pump") answers, not pump 7')
    assert ended.line.endswith("nothing was changed") is (arguments == ("suspend",))
