"""Switched off and on again: nothing is lost in good order, and little, and known, without it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pump_state import Line, plain_requests, state_of

from mockpump.emulator.memory.interface import Change
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.faults import Fault, inject
from mockpump.emulator.pump.pump import CHECKPOINT_EVERY, Pump
from mockpump.emulator.pump.state import (
    PumpIdentity,
    check_images,
    decode_state,
    encode_state,
)
from mockpump.protocol import messages as m
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.messages import Alarm, Limits, LogKind
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

DAY = 86_400
HOURS = DayPattern("h", (Segment(0, 9_000), Segment(60, 20_000), Segment(120, 4_001)))
PROGRAM = Program(1, "hourly", (0,) * 7, (HOURS,), (RampStep(2, 130), RampStep(5, 70)))
COMMITS = st.tuples(
    st.sampled_from([PROGRAM, Program.flat("slow", 36), Program.flat("fast", 9_000)]),
    st.sampled_from(m.When),
)
STEPS = st.lists(
    plain_requests(new_pump()) | COMMITS | st.integers(0, 90_000) | st.integers(0, 500),
    max_size=14,
)
DRIFTS = st.sampled_from([0, 0, 90_000, -77])


def line_to_pump(drift: int = 0, program: Program = PROGRAM) -> Line:
    memory = RamMemory()
    limits = Limits(90_000, 60_000, 400_000, m.NO_RISE_LIMIT)
    initialize(memory, PumpConfig(PumpIdentity(reservoir=1_000_000), program, limits, 0, drift))
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
    """All that can be seen, and what was delivered by each breakpoint of the last day."""
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
        each.pump.shut_down()
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
    line.pump.shut_down()
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
    st.sampled_from([PROGRAM, Program.flat("tiny", 1), Program.flat("slow", 36)]),
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
    line = line_to_pump(0, Program.flat("fast", 16_000))
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
    line.pump.shut_down()
    recorded = line.pump.memory.state()
    assert recorded is not None
    state = decode_state(recorded)
    assert encode_state(state) == recorded
    assert state.clean_shutdown
    assert decode_state(encode_state(msgspec.structs.replace(state, clean_shutdown=False))) != state


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff", b'{"mode": 1}'])
def test_what_is_no_state_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_state(data)


# -- a memory in which somebody has changed a value --

LIMITS = Limits(200_000, 500_000, 2_000_000, 300)


def lived_in() -> Pump:
    """A pump in which nearly everything that can be is so: a bolus, a pending program, fluids."""
    line = line_to_pump(37)
    line.pump.delivery.set_limits(LIMITS)
    line.pump.advance(100)
    for concentration in (700, 900):
        line.ask(m.Refill(line.fresh(), 500_000, concentration))
        line.pump.advance(line.pump.elapsed + 700)
    line.ask(m.StartBolus(line.fresh(), m.BolusKind.BOLUS, 50_000, 7_000))
    line.ask(m.SetTemporary(line.fresh(), 120, 90_000))
    line.commit(Program.flat("later", 9_000), when=m.When.EDGE)
    line.ask(m.MoveRamp(line.fresh(), m.RampMove.HOLD))
    line.pump.change(partial(line.pump.show, Alarm.LOW_BATTERY))
    inject(line.pump, Fault.SENSOR_STUCK)
    line.pump.advance(line.pump.elapsed + 50)
    line.pump.shut_down()
    return line.pump


LIVED_IN = lived_in()
FACTS = json.loads(LIVED_IN.memory.state() or b"")
ODD: list[Any] = [None, True, "x", "", [], {}, 1.5, 10**30, -(2**63), 2**62]
EDGES = [-1, 0, 1, 2, 255, 256, 2**16, 2**31, 2**32 - 1, 2**32]
VALUES = st.sampled_from([*EDGES, *ODD]) | st.integers(-10, 10**7)


def places(facts: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in JSON, the tables and lists among them."""
    inside = facts if isinstance(facts, dict | list) else ()
    for key in inside if isinstance(inside, dict) else range(len(inside)):
        yield (*place, key)
        yield from places(facts[key], (*place, key))


def changed(place: tuple[Any, ...], value: Any, clean: bool) -> RamMemory:
    facts = json.loads(json.dumps(FACTS))
    facts["clean"] = clean
    *way, last = place
    table = facts
    for key in way:
        table = table[key]
    table[last] = value
    memory = RamMemory()
    image = LIVED_IN.memory.image
    memory.record(Change(json.dumps(facts).encode(), None, {0: image(0), 1: image(1)}))
    return memory


def live_on(pump: Pump) -> None:
    """Ask for everything, change everything, and let weeks pass; nothing may break."""
    line = Line(pump)
    for seconds in (0, 1, 60, 3_600, DAY, 7 * DAY, 40 * DAY):
        pump.advance(pump.elapsed + seconds)
        for kind in (m.GetStatus, m.GetClock, m.GetDetails, m.GetLimits, m.GetAlarms):
            m.encode(line.ask(kind()))
        m.encode(pump.report())
        m.encode(line.ask(m.Identify()))
        for request in (
            m.Refill(line.fresh(), 400_000, 800),
            m.SetClock(line.fresh(), 3 * DAY),
            m.MoveRamp(line.fresh(), m.RampMove.STEP_BACK),
            m.MoveRamp(line.fresh(), m.RampMove.GO_ON),
            m.CancelBolus(line.fresh()),
            *(m.AcknowledgeAlarm(line.fresh(), alarm) for alarm in Alarm),
            m.Resume(line.fresh()),
            m.StartBolus(line.fresh(), m.BolusKind.BOLUS, 100, 60),
            m.SetTemporary(line.fresh(), 50, 100),
        ):
            m.encode(line.ask(request))
        m.encode(line.commit(Program.flat("again", 1_000)))
        assert 0 <= pump.delivery.last_day <= LIMITS.daily * 3_600 or pump.mode is m.Mode.FAULT
    pump.shut_down()
    assert state_of(Pump(pump.memory))["due"] == pump.delivery.due


@settings(max_examples=max(settings.default.max_examples * 4, 200))
@given(st.sampled_from(list(places(FACTS))), VALUES, st.booleans())
def test_a_value_that_cannot_be_is_refused_when_the_memory_is_opened(
    place: tuple[Any, ...], value: Any, clean: bool
) -> None:
    pump = None
    with suppress(DecodeError):
        pump = Pump(changed(place, value, clean))
    if pump is not None:
        live_on(pump)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("identity", "serial"), -1),
        (("identity", "name"), "x" * 100),
        (("limits", "rate"), -1),
        (("later",), 0),
        (("later",), None),
        (("mode",), 0),
        (("mode",), 2),
        (("panel", "shown", "5", "since"), 2**31),
        (("panel", "shown"), {"3": {"since": 0, "present": True}}),
        (("panel", "shown", "5"), {"since": 0, "present": False, "acknowledged": True}),
        (("sensor",), 2**31),
        (("checkpoint_every",), 2**40),
        (("pairing", "clinician"), "AAAA"),
        (("delivery", "due"), 2**80),
        (("delivery", "clock", "elapsed"), 10**6),
        (("delivery", "held_day"), -1),
        (("delivery", "filling", "volume"), 10),
        (("delivery", "filling", "delivered"), 10**9),
        (("delivery", "rolling", 0, 1), 5),
        (("delivery", "rolling", 0, 2), -1),
        (("delivery", "bolus", "volume"), 10**9),
        (("delivery", "bolus", "began"), 2**31),
        (("delivery", "temporary", "percent"), 251),
        (("delivery", "temporary", "ends"), 1),
        (("delivery", "pending", "when"), 0),
        (("catheter", "dead"), 2**32),
        (("catheter", "past"), -1),
        (("catheter", "fluids", 0, "since"), 1),
        (("catheter", "fluids", 1, "since"), 0),
        (("catheter", "fluids", 1, "concentration"), 2**16),
        (("catheter", "fluids", 1, "concentration"), 900),
    ],
    ids=str,
)
def test_each_kind_of_nonsense_is_named(place: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(DecodeError, match="the memory holds no state of a pump: that") as error:
        Pump(changed(place, value, clean=True))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("slot", [0, 1])
@pytest.mark.parametrize(("image", "fault"), [(b"", "there is none"), (b"\1", "no program")])
def test_a_slot_that_is_named_holds_a_program(slot: int, image: bytes, fault: str) -> None:
    memory = changed(("active",), 0, clean=True)
    memory._images[slot] = image
    with pytest.raises(DecodeError, match=fault):
        Pump(memory)
    with pytest.raises(DecodeError, match=fault):
        check_images(decode_state(memory.state() or b""), memory.image)
