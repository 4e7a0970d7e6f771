"""A solution of exercise 12: an hour by hour model of what 24 h give, and limits drawn near to it.

All that changes here does so at whole hours, so between two of them every volume is a straight
line: also that of the last 24 h.
"""

from collections.abc import Iterator
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.limits import program_excesses
from mockpump.emulator.pump.overrides import Bolus
from mockpump.emulator.pump.state import DeliveryEvent
from mockpump.protocol.messages import (
    MAX_BOLUS,
    NO_RISE_LIMIT,
    BolusKind,
    Limits,
    RampMove,
    Reason,
)
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

HOUR, DAY = 3_600, 86_400
# The last second of three days: at midnight another day would begin.
END = 72 * HOUR - 1
BOTTOMLESS = 10**15
ANY_RATE = 2**32 - 1
# In steps of the motor, 10 nL: so a limit can be reached to the unit.
RATES = st.integers(0, 300).map(lambda steps: steps * 10)
NEAR = st.integers(-20, 5)


@st.composite
def patterns(draw: st.DrawFn, name: str) -> DayPattern:
    hours = [0, *sorted(draw(st.sets(st.integers(1, 23), min_size=1, max_size=3)))]
    return DayPattern(name, tuple(Segment(hour * 60, draw(RATES)) for hour in hours))


@st.composite
def ramps(draw: st.DrawFn) -> tuple[RampStep, ...]:
    days = sorted(draw(st.sets(st.integers(0, 6), max_size=3)))
    return tuple(RampStep(day, draw(st.integers(0, 200))) for day in days)


def week(bits: int) -> tuple[int, ...]:
    """One drawn number is quicker than seven."""
    return tuple(bits >> day & 1 for day in range(7))


def programs(ramp: st.SearchStrategy[tuple[RampStep, ...]]) -> st.SearchStrategy[Program]:
    both = st.tuples(patterns("a"), patterns("b"))
    weeks = st.integers(0, 127).map(week)
    return st.builds(Program, st.just(1), st.just("drawn"), weeks, both, ramp)


def even(ramp: tuple[RampStep, ...]) -> Program:
    """Where only the ramp is of interest."""
    even = Program.flat("even", 1_000)
    return Program(even.format, even.name, even.week, even.patterns, ramp)


WITH_RAMPS, WITHOUT = programs(ramps()), programs(st.just(()))
# One at most: by the hour in which it begins, for so many hours, at so many nL/h.
BOLUSES = st.tuples(st.integers(0, 70), st.integers(1, 20), RATES.map(lambda rate: rate + 10))


def steps(program: Program) -> list[int]:
    """The percentages of the ramp, with the 100 % before it if there is a before."""
    begins_late = not program.ramp or program.ramp[0].after > 0
    return [100] * begins_late + [step.percent for step in program.ramp]


def hourly(program: Program, percent: int = 100) -> list[int]:
    """The rate in each hour of the week."""
    rates = []
    for hour in range(7 * 24):
        segments = program.patterns[program.week[hour // 24]].segments
        rate = [each.rate for each in segments if each.start <= hour % 24 * 60][-1]
        rates.append(rate * percent // 100)
    return rates


def last_days(rates: list[int]) -> list[int]:
    """What was given in the 24 h before the beginning of each hour and of the one after all."""
    given = list(accumulate(rates, initial=0))
    return [given[hour] - given[max(hour - 24, 0)] for hour in range(len(given))]


def refused(program: Program, limits: Limits, reason: Reason) -> set[int]:
    """The figures for which a program is refused."""
    return {each.figure for each in program_excesses(program, limits) if each.reason is reason}


@given(WITH_RAMPS, NEAR)
def test_a_program_is_refused_above_the_highest_rate(program: Program, near: int) -> None:
    # Also of a pattern that no day picks.
    rates = [segment.rate for pattern in program.patterns for segment in pattern.segments]
    highest = max(rates) * max(steps(program)) // 100
    limit = max(highest + near, 0)
    limits = Limits(limit, MAX_BOLUS, ANY_RATE, NO_RISE_LIMIT)
    assert refused(program, limits, Reason.LIMIT_RATE) == {highest} - {min(highest, limit)}


@given(WITH_RAMPS, NEAR)
def test_a_program_is_refused_for_its_fullest_24_hours(program: Program, near: int) -> None:
    rates = hourly(program, max(steps(program)))
    # The week is followed by itself.
    fullest = max(last_days(rates * 2))
    limit = max(fullest + near, 0)
    limits = Limits(ANY_RATE, MAX_BOLUS, limit, NO_RISE_LIMIT)
    # Whole steps of the motor, 10 nL, have to be within the limit.
    too_much = {fullest} if fullest > limit // 10 * 10 else set()
    assert refused(program, limits, Reason.LIMIT_DAILY) == too_much


@given(ramps().map(even), st.integers(0, 150))
def test_a_program_is_refused_for_a_steep_step(program: Program, rise: int) -> None:
    limits = Limits(ANY_RATE, MAX_BOLUS, ANY_RATE, rise)
    steep = {
        -(-(after - before) * 100 // before)
        for before, after in pairwise(steps(program))
        if before and (after - before) * 100 > rise * before
    }
    told = refused(program, limits, Reason.LIMIT_RISE)
    # How many of them are told is not said anywhere.
    assert told <= steep
    assert bool(told) is bool(steep)


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[int], Program, Limits, tuple[int, int, int]]:
    """Three days: the rate that is asked for in each hour, of what, and under which limits."""
    program, bolus = draw(WITHOUT), draw(BOLUSES)
    begins, hours, more = bolus
    rates = [
        rate + more * (begins <= hour < begins + hours)
        for hour, rate in enumerate(hourly(program)[:72])
    ]
    # A limit that one of the days just reaches, or nearly.
    most = draw(st.sampled_from(last_days(rates)[12:])) + draw(st.sampled_from([0, 0, 5, -10]))
    return rates, program, Limits(ANY_RATE, MAX_BOLUS, max(most, 0), NO_RISE_LIMIT), bolus


def hours_of(
    program: Program, limits: Limits, bolus: tuple[int, int, int], *, resume: bool
) -> Iterator[Delivery]:
    """A pump at the beginning of each hour of three days, and at their end."""
    begins, hours, more = bolus
    pump = Delivery(BOTTOMLESS, limits)
    pump.set_program(program)
    for hour in range(73):
        pump.advance(min(hour * HOUR, END))
        if resume and not pump.running:
            pump.resume()
        if hour == begins and pump.running:
            whole = Bolus(BolusKind.BOLUS, more * hours, hours * HOUR, pump.elapsed)
            pump.start_bolus(whole)
        yield pump


@given(lives())
def test_no_24_hours_give_more_than_they_may(
    life: tuple[list[int], Program, Limits, tuple[int, int, int]],
) -> None:
    _, program, limits, bolus = life
    pumps = hours_of(program, limits, bolus, resume=True)
    moved = [pump.delivered for pump in pumps]
    for hour, now in enumerate(moved):
        assert now - moved[max(hour - 24, 0)] <= limits.daily


def first_break(rates: list[int], limit: int) -> int | None:
    """The last second before the limit (units of 1/3600 nL) is broken for the first time."""
    for hour, (before, after) in enumerate(pairwise(last_days(rates))):
        if after * HOUR > limit:
            return hour * HOUR + (limit - before * HOUR) // (after - before)
    return None


@given(lives())
def test_it_stops_in_the_last_second_that_is_allowed(
    life: tuple[list[int], Program, Limits, tuple[int, int, int]],
) -> None:
    rates, program, limits, bolus = life
    *_, pump = hours_of(program, limits, bolus, resume=False)
    stopped = [when for when, what, _ in pump.events if what is DeliveryEvent.LIMIT_DAILY]
    expected = first_break(rates, limits.daily // 10 * 10 * HOUR)
    assert stopped == [expected] * (expected is not None)
    end = END if expected is None else expected
    asked = sum(rates[: end // HOUR]) * HOUR + rates[end // HOUR] * (end % HOUR)
    assert pump.delivered * 3_600 + pump.remainder == asked


@given(ramps().map(even), *[st.integers(0, 9)] * 4)
def test_days_on_which_the_ramp_is_held_are_none(
    program: Program, start: int, first: int, held: int, more: int
) -> None:
    one, other = Delivery(BOTTOMLESS), Delivery(BOTTOMLESS)
    for pump in (one, other):
        pump.set_clock(start * DAY)
        pump.set_program(program)
        pump.advance(first * DAY)
    one.move_ramp(RampMove.HOLD)
    one.advance((first + held) * DAY)
    assert one.percent == other.percent
    one.move_ramp(RampMove.GO_ON)
    one.advance((first + held + more) * DAY)
    other.advance((first + more) * DAY)
    assert one.percent == other.percent
