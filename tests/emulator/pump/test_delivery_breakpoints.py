"""The motor goes from breakpoint to breakpoint, in strides and leaps: none of them makes a
difference.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pump_state import Line

from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.emulator.pump.pump import LAST_SECOND, Pump
from mockpump.emulator.pump.state import DeliveryEvent, PumpIdentity
from mockpump.emulator.schedule import DAY
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import BolusKind, Limits, When
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment, daily_volume
from mockpump.protocol.strategies import programs

PROGRAMS = programs(max_patterns=3, max_segments=4, max_steps=3)
HOURS = DayPattern("h", (Segment(0, 1_000), Segment(60, 2_000), Segment(120, 500)))
HOURLY = Program(1, "hourly", (0,) * 7, (HOURS,), ())
SEEN = "elapsed clock delivered remainder reservoir rate percent pattern empty last_day running"
EXTRAS = st.one_of(
    st.none(),
    st.builds(TemporaryRate, st.integers(0, 250), st.integers(1, 5 * DAY)),
    st.builds(
        Bolus, st.just(BolusKind.BOLUS), st.integers(1, 10**6), st.integers(1, DAY), st.just(0)
    ),
    st.tuples(PROGRAMS, st.sampled_from([When.EDGE, When.MIDNIGHT])),
)


def seen(delivery: Delivery) -> dict[str, Any]:
    values = {name: getattr(delivery, name) for name in SEEN.split()}
    return {**values, "happened": delivery.events, "on top": (delivery.bolus, delivery.temporary)}


def prepared(program: Program, reservoir: int, limits: Limits, drift: int, extra: Any) -> Delivery:
    delivery = Delivery(reservoir, limits)
    delivery.set_drift(drift)
    delivery.set_program(program)
    if isinstance(extra, TemporaryRate):
        delivery.set_temporary(extra)
    elif isinstance(extra, Bolus):
        delivery.start_bolus(extra)
    elif extra is not None:
        delivery.set_pending(*extra)
    return delivery


RATES = st.lists(st.sampled_from([0, 300, 900]) | st.integers(0, 1_000), min_size=2, max_size=8)


LONG = st.sampled_from([2 * DAY, 2 * DAY + 5, 7 * DAY, 12 * DAY])


@st.composite
def lively(draw: st.DrawFn) -> tuple[Program, int, Limits]:
    """A program of many edges, a reservoir of some days, and limits that may be met on the way."""
    days = [
        DayPattern(name, tuple(Segment(at * minutes, rate) for at, rate in enumerate(rates)))
        for name, minutes, rates in (("a", 157, draw(RATES)), ("b", 180, draw(RATES)))
    ]
    week = tuple(draw(st.lists(st.integers(0, 1), min_size=7, max_size=7)))
    ramp = draw(st.sampled_from([(), (RampStep(4, 130),), (RampStep(1, 60), RampStep(9, 110))]))
    program = Program(1, "lively", week, tuple(days), ramp)
    most = max(daily_volume(program, weekday) for weekday in range(7)) // 3_600
    daily = most * draw(st.integers(60, 140) | st.just(300)) // 100
    reservoir = draw(st.sampled_from([10**15, most * 5, most * 30 + 7]))
    return program, reservoir, Limits(draw(st.sampled_from([2**32 - 1, 1_000])), 0, daily, 0)


@settings(max_examples=settings.default.max_examples * 4)
@given(
    lively(),
    st.sampled_from([0, 0, 0, 40]),
    st.none() | EXTRAS,
    st.lists(LONG | st.integers(1, 12 * DAY), min_size=1, max_size=3),
)
def test_a_leap_is_the_same_as_every_corner_by_itself(
    pump: tuple[Program, int, Limits], drift: int, extra: Any, spans: list[int]
) -> None:
    leaping, walking = (prepared(*pump, drift, extra) for _ in range(2))
    for span in spans:
        end = leaping.elapsed + span
        leaping.advance(end)
        while (breakpoint := walking.next_edge()) is not None and breakpoint <= end:
            assert breakpoint > walking.elapsed
            walking.advance(breakpoint)
        walking.advance(end)
        assert seen(leaping) == seen(walking)
        # And they go on alike: a limit still ahead is as far away.
        later = end + 1_000
        leaping.advance(later)
        walking.advance(later)
        assert seen(leaping) == seen(walking)


@given(st.integers(0, 3 * DAY), st.booleans(), st.sampled_from([0, 40_000, -40_000]))
def test_a_program_for_the_next_edge_comes_at_the_next_edge_standing_still_too(
    waited: int, running: bool, drift: int
) -> None:
    delivery = prepared(HOURLY, 10**9, Limits(2**32 - 1, 0, 2**32 - 1, 0), drift, None)
    if not running:
        delivery.suspend()
    delivery.advance(waited)
    place = place_of(delivery.clock)
    promised = delivery.moment(When.EDGE)
    delivery.set_pending(Program.flat("later", 7), When.EDGE)
    for _ in range(2):
        assert delivery.elapsed == waited
        delivery.advance(waited)
    delivery.advance(promised - 1)
    assert place_of(delivery.clock) == place
    assert delivery.events == []
    delivery.advance(promised)
    assert place_of(delivery.clock) != place
    assert delivery.events == [(promised, DeliveryEvent.PROGRAM, None)]


def place_of(clock: int) -> tuple[int, int]:
    """The segment of `HOURLY` that rules."""
    return clock // DAY, min(clock % DAY // 3_600, 2)


@given(st.integers(0, 3 * DAY), st.integers(0, 3 * DAY))
def test_elapsed_time_never_runs_backwards(waited: int, more: int) -> None:
    line = Line(pump_of(HOURLY))
    line.ask(m.Suspend(1))
    line.pump.advance(waited)
    assert line.commit(Program.flat("later", 7), when=When.EDGE).elapsed > waited
    line.pump.advance(waited + more)
    elapsed = [entry.elapsed for entry in line.pump.memory.log(1, 99).entries]
    assert elapsed == sorted(elapsed)


def pump_of(program: Program) -> Pump:
    memory = RamMemory()
    initialize(memory, PumpConfig(PumpIdentity(reservoir=2**32 - 1), program))
    return Pump(memory)


@pytest.mark.parametrize("when", When)
def test_near_the_end_of_time_whatever_is_asked_is_answered(when: When) -> None:
    line = Line(pump_of(Program.flat("slow", 1)))
    line.pump.advance(LAST_SECOND - 10)
    replies = [
        line.ask(m.StartBolus(1, BolusKind.BOLUS, 10, 100)),
        line.ask(m.SetTemporary(2, 100, 100)),
        line.commit(Program.flat("x", 5), when=when),
    ]
    assert [m.decode(m.encode(reply)) for reply in replies] == replies


def test_a_negative_reservoir_and_a_past_second_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        Delivery(-1)
    delivery = Delivery(1)
    delivery.advance(5)
    with pytest.raises(LocalProtocolError):
        delivery.advance(4)


@pytest.mark.parametrize(("rate", "limit", "given"), [(5, 110, 110), (1, 20, 20), (1, 10, 10)])
def test_a_corner_that_only_just_breaks_the_daily_limit_is_not_let_pass(
    rate: int, limit: int, given: int
) -> None:
    """The only breakpoints are the midnights: in the first day it gives 120, or 24 nL."""
    pump = Delivery(10**6, Limits(2**32 - 1, 10_000_000, limit, 2**16 - 1))
    pump.set_program(Program.flat("always", rate))
    pump.advance(2 * DAY)
    assert pump.delivered == given
    assert pump.excess is not None
    assert pump.excess.reason is m.Reason.LIMIT_DAILY


def test_a_bolus_ends_in_its_second_standing_still_too() -> None:
    """An empty reservoir gives nothing of it, and a refill does not bring it back."""
    pump = Delivery(0)
    pump.start_bolus(Bolus(BolusKind.BOLUS, 1_000, 10, 0))
    pump.advance(15)
    assert pump.bolus is None
    pump.fill(10**6)
    pump.advance(30)
    assert (pump.due, pump.excess) == (0, None)
