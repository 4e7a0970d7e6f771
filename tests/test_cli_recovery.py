"""When the reply to a change is lost, the pump is asked: done, refused, never seen, or not known.

Every command that changes something goes through all four, and is carried out once at the most.
"""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from outside import Command, Ended, in_process, program_file, pump_thread
from pump_state import Line, give

from mockpump.cli import programmer_session
from mockpump.cli.programmer import programmer
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.making import new_pump
from mockpump.protocol import messages as m
from mockpump.protocol.program import flat


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(programmer_session, "_PAUSE", 0.0)
    return in_process(capsys, monkeypatch)


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
    give(pump, flat("later", 9_000), m.When.MIDNIGHT)
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
ASKING = "mockpump: the reply was lost; asking the pump what became of it"


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
def test_what_never_arrived_changed_nothing(
    command: Command, tmp_path: Path, change: Change
) -> None:
    with pump_thread(change.request, carry_out=False, stay=True, pump=change.willing()) as pump:
        before = pump.pump.memory.log(1, 100)
        ended = run(command, pump.path, change, tmp_path)
        assert pump.pump.memory.log(1, 100) == before
    assert (ended.code, ended.out.count("\n")) == (3, 2 if "FILE" in change.arguments else 0)
    asking, never = ended.err.splitlines()
    assert asking == ASKING
    assert never.startswith("mockpump: connection lost: ")
    assert never.endswith("; the request never reached the pump; nothing was changed")


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("change", CHANGES, ids=ids)
def test_nobody_to_ask_is_an_unknown_outcome_with_how_to_ask_later(
    command: Command, tmp_path: Path, change: Change, done: bool
) -> None:
    with pump_thread(change.request, carry_out=done, pump=change.willing()) as pump:
        ended = run(command, pump.path, change, tmp_path)
        (asked,) = {each.transaction for each in pump.received if isinstance(each, change.request)}
        path = pump.path
    assert ended.code == 4
    asking, unknown = ended.err.splitlines()
    assert asking == ASKING
    assert unknown.startswith("mockpump: outcome unknown: ")
    assert f" after {change.request.__name__} was sent and before its reply" in unknown
    again = f"mockpump programmer --port {path} --open outcome {asked}"
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
    options = options_of([*given, "suspend"])
    name, group, *words = shlex.split(programmer_session.how_to_ask(options, 4711))
    assert (name, group) == ("mockpump", "programmer")
    assert words[-2:] == ["outcome", "4711"]
    assert options_of(words) == options


def options_of(words: list[str]) -> programmer_session.Options:
    shown = ["--paired"] if "--open" not in words else []
    with programmer.make_context("programmer", [*shown, *words]) as context:
        programmer.callback(**context.params)  # type: ignore[misc]
        options: programmer_session.Options = context.obj
        return options


def test_an_id_that_the_pump_has_had_lately_is_drawn_again(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([7, 7, 8])
    monkeypatch.setattr(programmer_session.secrets, "randbelow", lambda _: next(drawn))
    with pump_thread() as pump:
        ended = [command("programmer", "--port", pump.path, "identify") for _ in range(2)]
    assert [(each.code, each.err) for each in ended] == [(0, ""), (0, "")]
    assert next(drawn, None) is None


# -- a pump that answers nonsense, and somebody who will not wait --------------------------------


@pytest.mark.parametrize("reply", [b"", b"\xfe", m.encode(m.Resumed(0)), m.encode(m.Identify())])
def test_an_answer_that_is_none_leaves_the_outcome_unknown(
    command: Command, monkeypatch: pytest.MonkeyPatch, reply: bytes
) -> None:
    def answered(transaction: int) -> Procedure[m.OutcomeKnown]:
        yield m.QueryOutcome(transaction)
        return m.OutcomeKnown(transaction, m.Fate.DONE, 0x20, reply, 1)

    monkeypatch.setattr(programmer_session, "learn_outcome", answered)
    with pump_thread(m.Suspend, stay=True) as pump:
        ended = command("programmer", "--port", pump.path, "suspend")
    assert (ended.code, ended.out) == (4, "")
    assert "; ask again with: mockpump programmer --port" in ended.err


def test_ctrl_c_while_it_asks_still_says_what_is_not_known(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> Procedure[m.OutcomeKnown]:
        raise KeyboardInterrupt

    monkeypatch.setattr(programmer_session, "learn_outcome", interrupted)
    with pump_thread(m.Suspend, stay=True) as pump:
        ended = command("programmer", "--port", pump.path, "suspend")
        (asked,) = {each.transaction for each in pump.received if isinstance(each, m.Suspend)}
    assert (ended.code, ended.out) == (130, "")
    line = ended.err.splitlines()[-1]
    assert line.startswith("interrupted; outcome unknown: ")
    assert line.endswith(f"outcome {asked}")


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
    command: Command, at: type[m.Message]
) -> None:
    arguments = ("refill", "5_000_000", "--concentration", "900")
    with pump_thread(at) as pump:
        ended = command("programmer", "--port", pump.path, *arguments)
        assert ended.code == 0
        assert ended.out == "filled with 5,000,000 nL of 900 du/mL (fictional)\n"
        assert ended.line.startswith("mockpump: how long it takes to arrive is not known: ")
    with pump_thread(at) as pump:
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
            (never, "never seen, or too long ago", "never_seen"),
        ):
            ended = command(*at, "outcome", str(asked))
            assert ended == Ended(0, f"transaction {asked}: {text}\n", "")
            ended = command(*at, "--json", "outcome", str(asked))
            assert json.loads(ended.out)["fate"] == fate
