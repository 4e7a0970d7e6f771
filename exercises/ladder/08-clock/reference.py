"""A solution of exercise 8: the clock says what it should, and the pump follows it."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.clock import MAX_DRIFT, PumpClock
from mockpump.emulator.pump.delivery import Delivery
from mockpump.protocol.program import DayPattern, Program, Segment

DAY = 86_400
WEEK = 7 * DAY
BOTTOMLESS = 10**15
TIMES = st.integers(0, WEEK - 1)
SPANS = st.integers(1, 10**7)
DRIFTS = st.integers(-MAX_DRIFT, MAX_DRIFT)


@st.composite
def clocks(draw: st.DrawFn) -> tuple[PumpClock, int]:
    """A clock that was set, drifts and has run for a while; and the second it is now."""
    clock = PumpClock()
    clock.set_drift(draw(DRIFTS), 0)
    first = draw(SPANS)
    clock.set(draw(TIMES), first)
    return clock, first + draw(SPANS)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A different rate in each of a few segments, the same every day."""
    starts = draw(st.sets(st.integers(1, 1_439), min_size=1, max_size=4))
    segments = [Segment(at, 1_000 * (k + 1)) for k, at in enumerate([0, *sorted(starts)])]
    return Program(1, "drawn", (0,) * 7, (DayPattern("day", tuple(segments)),), ())


def units(delivery: Delivery) -> int:
    return delivery.delivered * 3_600 + delivery.remainder


@given(clocks(), TIMES)
def test_set_it_says_so(running: tuple[PumpClock, int], to: int) -> None:
    clock, now = running
    clock.set(to, now)
    assert clock.shown(now) == to


@given(clocks(), DRIFTS)
def test_a_new_drift_does_not_move_it(running: tuple[PumpClock, int], drift: int) -> None:
    clock, now = running
    before = clock.at(now)
    clock.set_drift(drift, now)
    assert clock.at(now) == before


@given(DRIFTS, st.integers(0, 100))
def test_a_million_seconds_gain_the_drift(drift: int, times: int) -> None:
    clock = PumpClock()
    clock.set_drift(drift, 0)
    assert clock.at(times * 1_000_000) == times * (1_000_000 + drift)


@given(clocks(), SPANS)
def test_when_is_the_first_second_that_says_it(running: tuple[PumpClock, int], more: int) -> None:
    clock, now = running
    reading = clock.at(now) + more
    when = clock.when(reading)
    assert clock.at(when) >= reading
    assert clock.at(when - 1) < reading


@given(programs(), st.integers(0, 3 * DAY), TIMES, st.integers(0, 2 * DAY))
def test_it_goes_on_as_a_fresh_one_does(program: Program, lived: int, to: int, span: int) -> None:
    old, fresh = Delivery(BOTTOMLESS), Delivery(BOTTOMLESS)
    old.set_program(program)
    old.advance(lived)
    before = units(old)
    old.set_clock(to)
    assert units(old) == before
    fresh.set_clock(to)
    fresh.set_program(program)
    assert old.rate == fresh.rate
    old.advance(lived + span)
    fresh.advance(span)
    assert units(old) - before == units(fresh)
