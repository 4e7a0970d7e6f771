"""Each operation does its one thing, says so in the log, and foretells the mode it leads to."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pump_state import FailingMemory, Line, give, state_of

from mockpump.emulator.pump import operations
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.modes import ModeInput
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages import Alarm, BolusKind, Limits, LogKind, Mode, RampMove
from mockpump.protocol.program import Program, RampStep

FLAT = Program.flat("x", 3_600)
RAMPED = Program(1, "x", FLAT.week, FLAT.patterns, (RampStep(0, 50), RampStep(1, 80)))
BOLUS = Bolus(BolusKind.BOLUS, 500, 1_000, 100)
LASTING = st.sampled_from([a for a in Alarm if a is not Alarm.MEMORY_FAULT])


def pump_at_100() -> Pump:
    memory = FailingMemory()
    initialize(memory, PumpConfig(PumpIdentity(reservoir=10_000), RAMPED, clock=86_000))
    pump = Pump(memory)
    pump.advance(100)
    return pump


CASES: dict[str, tuple[Callable[[Pump], None], list[tuple[Any, ...]]]] = {
    "clock": (lambda p: operations.set_clock(p, 77), [(LogKind.CLOCK_SET, 86_100, 77)]),
    "suspend": (operations.suspend, [(LogKind.SUSPENDED, 0, 0)]),
    "bolus": (lambda p: operations.start_bolus(p, BOLUS), [(LogKind.BOLUS_STARTED, 500, 1_000)]),
    "no bolus": (operations.end_bolus, []),
    "temporary": (
        lambda p: operations.set_temporary(p, TemporaryRate(130, 900)),
        [(LogKind.TEMPORARY_STARTED, 130, 900)],
    ),
    "normal": (lambda p: operations.set_temporary(p, None), [(LogKind.TEMPORARY_ENDED, 0, 0)]),
    "refill": (lambda p: operations.refill(p, 9_000, 7), [(LogKind.REFILLED, 9_000, 7)]),
    "ramp": (
        lambda p: operations.move_ramp(p, RampMove.HOLD),
        [(LogKind.RAMP_MOVED, RampMove.HOLD, 50)],
    ),
    "limits": (
        lambda p: operations.set_limits(p, Limits(4_000, 2, 90_000, 4)),
        [(LogKind.LIMITS_SET, 4_000, 90_000)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_logged_in_the_second_it_is_done(name: str) -> None:
    pump = pump_at_100()
    newest = pump.memory.log(1, 1).newest
    do, expected = CASES[name]
    pump.change(lambda: do(pump))
    entries = pump.memory.log(newest + 1, 99).entries
    assert [(e.kind, e.first, e.second) for e in entries] == expected
    assert all(e.elapsed == 100 for e in entries)


def test_suspending_ends_a_bolus_and_says_what_was_left() -> None:
    pump = pump_at_100()
    pump.change(lambda: operations.start_bolus(pump, BOLUS))
    pump.advance(300)
    pump.change(lambda: operations.suspend(pump))
    kinds = [(e.kind, e.first, e.second) for e in pump.memory.log(1, 99).entries[-2:]]
    assert kinds == [(LogKind.BOLUS_ENDED, 500, 400), (LogKind.SUSPENDED, 0, 0)]
    assert (pump.mode, pump.delivery.bolus, pump.delivery.rate) == (Mode.SUSPENDED, None, 0)
    pump.change(lambda: operations.resume(pump))
    assert (pump.mode, pump.delivery.rate) == (Mode.RUNNING, 1_800)


@pytest.mark.parametrize(("volume", "over"), [(10_000, True), (10, True), (9, False), (0, False)])
def test_a_refill_with_a_step_in_it_ends_low_and_empty(volume: int, over: bool) -> None:
    pump = pump_at_100()
    pump.advance(100_000)
    assert set(pump.panel.shown) == {Alarm.EMPTY, Alarm.LOW_RESERVOIR}
    pump.change(lambda: operations.refill(pump, volume, 5))
    assert pump.panel.present(Alarm.EMPTY) == (not over)
    assert pump.panel.present(Alarm.LOW_RESERVOIR) == (not over)
    assert pump.mode is Mode.FAULT
    assert pump.delivery.reservoir == volume
    assert pump.catheter.concentration == 5


@given(st.lists(st.tuples(LASTING, st.booleans()), max_size=4), st.data())
def test_the_mode_after_acknowledging_is_foretold(
    troubles: list[tuple[Alarm, bool]], data: st.DataObject
) -> None:
    pump = pump_at_100()
    for alarm, over in troubles:
        pump.show(alarm)
        if over:
            pump.end(alarm)
    pump.settle()
    if not pump.panel.shown:
        return
    alarm = Alarm(data.draw(st.sampled_from(sorted(pump.panel.shown))))
    foretold = operations.mode_after_acknowledging(pump, alarm)
    pump.change(lambda: operations.acknowledge(pump, alarm))
    assert pump.mode is foretold


@given(st.booleans())
def test_a_memory_fault_acknowledged_at_once_leaves_no_fault_without_an_alarm(wait: bool) -> None:
    line = Line(pump_at_100())
    pump = line.pump
    assert isinstance(pump.memory, FailingMemory)
    pump.memory.broken = True
    line.ask(m.Suspend(1))
    pump.memory.broken = False
    if wait:
        pump.advance(101)
    reply = line.ask(m.AcknowledgeAlarm(2, Alarm.MEMORY_FAULT))
    assert (reply.mode, pump.mode, pump.panel.shown) == (Mode.SUSPENDED, Mode.SUSPENDED, {})
    assert state_of(Pump(pump.memory))["mode"] is Mode.SUSPENDED
    assert line.ask(m.Resume(3)) == m.Resumed(pump.elapsed)


def test_standing_still_by_fault_a_refill_and_an_acknowledgement_suspend() -> None:
    pump = pump_at_100()
    pump.advance(100_000)
    pump.change(lambda: operations.refill(pump, 5_000, 5))
    for alarm in (Alarm.LOW_RESERVOIR, Alarm.EMPTY):
        assert pump.mode is Mode.FAULT
        pump.change(lambda alarm=alarm: operations.acknowledge(pump, alarm))
    assert pump.mode is Mode.SUSPENDED
    pump.enter(ModeInput.RESUME)
    assert pump.delivery.rate == 2_880


@pytest.mark.parametrize("when", m.When)
def test_the_log_says_which_program_it_is(when: m.When) -> None:
    pump = new_pump()
    program = Program.flat("next", 7_000)
    give(pump, program, when)
    pump.advance(2 * 86_400)
    start = int(programs.digest(programs.image(program)).hex()[:8], 16)
    wait = [] if when is m.When.NOW else [(m.LogKind.PENDING, when, start)]
    entries = [(e.kind, e.first, e.second) for e in pump.memory.log(2, 99).entries]
    assert entries == [*wait, (m.LogKind.PROGRAM, start, 0)]


# Whatever was done before it, and however far the pump had come.
REPEATED = st.one_of(
    st.builds(m.SetClock, st.just(0), st.integers(0, 20 * 86_400)),
    st.builds(m.Refill, st.just(0), st.integers(0, 60_000), st.sampled_from([500, 900])),
    st.builds(m.SetTemporary, st.just(0), st.integers(0, 250), st.integers(1, 9_000)),
    st.builds(m.SetLimits, st.just(0), st.just(10**6), st.just(900), st.just(10**6), st.just(300)),
    st.builds(
        m.StartBolus,
        st.just(0),
        st.sampled_from(m.BolusKind),
        st.integers(1, 900),
        st.integers(1, 9_000),
    ),
    st.builds(m.AcknowledgeAlarm, st.just(0), st.sampled_from(m.Alarm)),
    st.builds(m.MoveRamp, st.just(0), st.sampled_from([m.RampMove.HOLD, m.RampMove.GO_ON])),
    st.sampled_from([m.Suspend(0), m.Resume(0), m.CancelBolus(0), m.CancelTemporary(0)]),
    st.sampled_from([m.DropPending(0), m.AbortProgram(), m.Subscribe(60)]),
)
EARLIER = st.lists(st.tuples(st.integers(0, 90_000), REPEATED), max_size=6)


@given(EARLIER, st.integers(0, 90_000), REPEATED, st.sampled_from([0, 37, -500]))
def test_what_is_asked_for_twice_is_as_it_is_after_once(
    earlier: list[tuple[int, Any]], seconds: int, request: Any, drift: int
) -> None:
    """All but a step back: that is one more step."""
    line = Line(new_pump(PumpIdentity(reservoir=60_000), RAMPED))
    line.pump.delivery.set_drift(drift)
    for before, each in [*earlier, (seconds, request)]:
        line.pump.advance(line.pump.elapsed + before)
        line.ask(fresh(line, each))
    once = {**state_of(line.pump), "log": None}
    line.ask(fresh(line, request))
    assert {**state_of(line.pump), "log": None} == once


def fresh(line: Line, request: Any) -> Any:
    """The same request under a transaction of its own, if it takes one."""
    if "transaction" not in request.__struct_fields__:
        return request
    return replace(request, transaction=line.fresh())
