"""A small pump leaves something out and says so: what the programmer makes of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from outside import Command, in_process, program_file, pump_thread

from mockpump.cli.programmer import recovery as programmer_recovery
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests import program, query
from mockpump.emulator.pump.requests.decision import ANY, Decision, refuse
from mockpump.emulator.pump.requests.decision import Command as Row
from mockpump.emulator.pump.requests.dispatch import COMMANDS
from mockpump.protocol import messages as m
from mockpump.protocol.messages import Reason
from mockpump.protocol.program import FORMAT, DayPattern, Program, RampStep, Segment, from_image

RAMPED = Program(
    FORMAT, "ramped", (0,) * 7, (DayPattern("day", (Segment(0, 9_000),)),), (RampStep(0, 50),)
)
Handler = Callable[[Pump, Any, Peer], Decision]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(programmer_recovery, "_PAUSE", 0.0)
    return in_process(capsys, monkeypatch)


def unknown(pump: Pump, request: m.Message, peer: Peer) -> Decision:
    return refuse(request, Reason.UNKNOWN_MESSAGE)


def no_edge_and_no_ramp(pump: Pump, request: m.CommitProgram, peer: Peer) -> Decision:
    if request.when is not m.When.NOW:
        return refuse(request, Reason.OUT_OF_RANGE, 3, request.when)
    if from_image(peer.staging.data).ramp:
        return refuse(request, Reason.BAD_PROGRAM)
    return program._commit(pump, request, peer)


def uncounted(pump: Pump, request: Any, peer: Peer) -> Decision:
    answer = (
        query._status(pump, request, peer)
        if isinstance(request, m.GetStatus)
        else query._query_outcome(pump, request, peer)
    )
    reply = type(answer.reply)
    fields = {name: getattr(answer.reply, name) for name in reply.__struct_fields__}
    return structs.replace(answer, reply=reply(**{**fields, "outcomes": 2**32 - 1}))


LEFT_OUT: dict[type[m.Message], Handler] = {
    m.MoveRamp: unknown,
    m.GetLimits: unknown,
    m.SetLimits: unknown,
    m.GetDetails: unknown,
    m.CommitProgram: no_edge_and_no_ramp,
    m.GetStatus: uncounted,
    m.QueryOutcome: uncounted,
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for request, handler in LEFT_OUT.items():
        monkeypatch.setitem(COMMANDS, request, Row(handler, ANY))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("limits",), "the pump refused GetLimits: unknown message"),
        (("limits", "--daily", "900_000"), "the pump refused GetLimits: unknown message"),
        (("ramp", "hold"), "the pump refused MoveRamp: unknown message"),
        (
            ("program", "set", "FILE", "--yes", "--at", "edge"),
            "refused CommitProgram: out of range",
        ),
        (("program", "set", "RAMPED", "--yes"), "refused CommitProgram: bad program"),
    ],
)
def test_what_it_leaves_out_is_refused_in_one_line(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    files = {"FILE": program_file(tmp_path)}
    if "RAMPED" in arguments:
        files["RAMPED"] = program_file(tmp_path, RAMPED)
    with pump_thread() as pump:
        old = pump.pump.digest
        words = [files.get(each, each) for each in arguments]
        ended = command("programmer", "--port", pump.path, *words)
        assert pump.pump.digest == old
    assert ended.code == 1
    assert said in ended.line


def test_the_rest_works(command: Command, tmp_path: Path) -> None:
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path)
        for arguments in (
            ("status",),
            ("suspend",),
            ("program", "set", program_file(tmp_path), "--yes"),
        ):
            assert command(*at, *arguments).code == 0


@pytest.mark.parametrize(("done", "code"), [(True, 0), (False, 4)])
def test_without_a_count_only_what_is_remembered_is_known(
    command: Command, done: bool, code: int
) -> None:
    with pump_thread(m.Suspend, carry_out=done, stay=True) as pump:
        ended = command("programmer", "--port", pump.path, "suspend")
        assert (pump.pump.mode is m.Mode.SUSPENDED) is done
    assert ended.code == code
    assert ("does not count outcomes any more" in ended.err) is (code == 4)
