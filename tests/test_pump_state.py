"""Switched off and on again: nothing is lost in good order, and little, and known, without it."""

from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pump_state import Line, plain_requests, state_of

from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.device import CHECKPOINT_EVERY, Pump
from mockpump.emulator.pump.making import Making, make, new_pump
from mockpump.emulator.pump.pump_state import PumpIdentity, decode_state, encode_state
from mockpump.protocol import messages as m
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.messages import Alarm, Limits, LogKind
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment, flat

DAY = 86_400
HOURS = DayPattern("h", (Segment(0, 9_000), Segment(60, 20_000), Segment(120, 4_001)))
PROGRAM = Program(1, "hourly", (0,) * 7, (HOURS,), (RampStep(2, 130), RampStep(5, 70)))
COMMITS = st.tuples(
    st.sampled_from([PROGRAM, flat("slow", 36), flat("fast", 9_000)]), st.sampled_from(m.When)
)
STEPS = st.lists(
    plain_requests(new_pump()) | COMMITS | st.integers(0, 90_000) | st.integers(0, 500),
    max_size=14,
)
DRIFTS = st.sampled_from([0, 0, 90_000, -77])


def line_to_pump(drift: int = 0, program: Program = PROGRAM) -> Line:
    memory = RamMemory()
    limits = Limits(90_000, 60_000, 400_000, m.NO_RISE_LIMIT)
    make(memory, Making(PumpIdentity(reservoir=1_000_000), program, limits, 0, drift))
    return Line(Pump(memory))


def live(line: Line, steps: list[Any]) -> None:
    for step in steps:
        if isinstance(step, int):
            line.pump.advance(line.pump.elapsed + step)
        elif isinstance(step, tuple):
            line.commit(step[0], when=step[1])
        else:
            line.ask(step)


def all_of(pump: Pump) -> dict[str, Any]:
    """All that can be seen, and what was delivered by each corner of the last day."""
    d = pump.delivery
    since = [max(each, d.elapsed - DAY) for each, _, _ in d.rolling.pieces()]
    history = {second: d.rolling.delivered_by(second) for second in since}
    return {**state_of(pump), "history": history, "catheter": pump.catheter}


@given(STEPS, DRIFTS, STEPS)
def test_put_down_in_good_order_it_wakes_up_the_same_and_goes_on_the_same(
    before: list[Any], drift: int, after: list[Any]
) -> None:
    line, twin = line_to_pump(drift), line_to_pump(drift)
    for each in (line, twin):
        live(each, before)
        each.pump.put_down()
    line.pump = Pump(line.pump.memory)
    assert all_of(line.pump) == all_of(twin.pump)
    for each in (line, twin):
        each.next_transaction = 5_000_000
        each.ask(m.AbortProgram())
    for step in [*after, 100_000]:
        live(line, [step])
        live(twin, [step])
        assert all_of(line.pump) == all_of(twin.pump)


@given(STEPS)
def test_bolus_temporary_and_pending_program_survive_a_restart(steps: list[Any]) -> None:
    line = line_to_pump()
    live(line, steps)
    line.pump.put_down()
    before = line.pump
    woken = Pump(line.pump.memory)
    assert woken.delivery.bolus == before.delivery.bolus
    assert woken.delivery.temporary == before.delivery.temporary
    assert woken.delivery.pending == before.delivery.pending
    assert woken.pending_image == before.pending_image
    assert Alarm.RESTARTED not in set(woken.panel.shown) - set(before.panel.shown)


@given(
    STEPS,
    DRIFTS,
    st.integers(0, CHECKPOINT_EVERY),
    st.sampled_from([PROGRAM, flat("tiny", 1), flat("slow", 36)]),
)
def test_after_a_power_cut_the_log_bounds_what_may_have_been_moved(
    steps: list[Any], drift: int, further: int, program: Program
) -> None:
    line = line_to_pump(drift, program)
    live(line, steps)
    # The last that was recorded is what it wakes up with; the twin lives on until its next record.
    line.ask(m.Refill(line.fresh(), 2**32 - 1, 0))
    pump = line.pump
    line.pump.advance(min(pump.elapsed + further, pump.delivery.next_edge() or 2**40))
    woken = Pump(deepcopy(pump.memory))
    newest = woken.memory.log(1, 1).newest
    told = woken.memory.log(max(newest - 9, 1), 10).entries
    entry = [e for e in told if e.kind is LogKind.RESTARTED][-1]
    assert Alarm.RESTARTED in woken.panel.shown
    assert entry.elapsed == woken.elapsed
    record = min(woken.elapsed + CHECKPOINT_EVERY, pump.delivery.next_edge() or 2**40)
    pump.delivery.advance(max(record, pump.elapsed))
    moved = pump.delivery.delivered - woken.delivery.delivered
    assert entry.first <= moved <= entry.second


@given(STEPS, DRIFTS)
def test_after_a_power_cut_what_may_have_been_moved_counts_against_the_day(
    steps: list[Any], drift: int
) -> None:
    line = line_to_pump(drift)
    live(line, steps)
    line.ask(m.Refill(line.fresh(), 2**32 - 1, 0))
    pump = line.pump
    before, rate = pump.delivery.last_day, pump.delivery.rate
    seconds = min((pump.delivery.next_edge() or 2**40) - pump.elapsed, CHECKPOINT_EVERY)
    woken = Pump(pump.memory)
    assert woken.delivery.last_day >= before + rate * min(seconds, CHECKPOINT_EVERY) - 36_000
    assert woken.delivery.last_day >= before
    assert woken.delivery.due == pump.delivery.due


def test_the_feared_volume_brings_the_limit_nearer() -> None:
    """10 nL a second over some minutes, the power gone in each: counted once for every time."""
    line = line_to_pump(0, flat("fast", 16_000))
    limit = 400_000 * 3_600
    for _ in range(40):
        pump = line.pump
        pump.advance(pump.elapsed + 1)
        line.ask(m.Refill(line.fresh(), 2**32 - 1, 0))
        line.pump = Pump(pump.memory)
    d = line.pump.delivery
    assert d.last_day >= 40 * 60 * 16_000 * 9 // 10
    while d.rate and d.elapsed < 2 * DAY:
        line.pump.advance(d.next_edge())
        assert d.last_day <= limit


@given(STEPS, DRIFTS)
def test_a_state_is_read_as_it_was_written(steps: list[Any], drift: int) -> None:
    line = line_to_pump(drift)
    live(line, steps)
    line.pump.put_down()
    recorded = line.pump.memory.state()
    assert recorded is not None
    state = decode_state(recorded)
    assert encode_state(state) == recorded
    assert state.clean
    assert decode_state(encode_state(msgspec.structs.replace(state, clean=False))) != state


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff", b'{"mode": 1}'])
def test_what_is_no_state_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_state(data)
