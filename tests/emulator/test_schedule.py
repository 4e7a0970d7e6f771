"""The closed form of a program agrees with walking through it minute by minute."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from naive_program import naive_percent, naive_rate, naive_volume

from mockpump.emulator.schedule import DAY, WEEK, ProgramProfile, Schedule
from mockpump.protocol.program import (
    FORMAT,
    DayPattern,
    Program,
    RampStep,
    Segment,
    daily_volume,
)
from mockpump.protocol.strategies import programs

PROGRAMS = programs(max_patterns=3, max_segments=4, max_steps=3)
START_DAYS = st.integers(-3, 30)
# Within the days that a ramp is likely to turn in, on a midnight, or anywhere at all.
CLOCKS = st.one_of(
    st.integers(0, 70 * DAY),
    st.integers(0, 70).map(lambda day: day * DAY),
    st.integers(0, 2**33),
)


@given(PROGRAMS, START_DAYS, CLOCKS)
def test_rate_percent_and_pattern_at_any_second(program: Program, start: int, clock: int) -> None:
    schedule = Schedule(program, start)
    assert schedule.rate_at(clock) == naive_rate(program, start, clock)
    assert schedule.percent_at(clock) == naive_percent(program, start, clock)
    assert schedule.pattern_at(clock) == program.week[clock // DAY % 7]


@given(PROGRAMS, START_DAYS, CLOCKS, st.integers(0, 200_000))
def test_volume_is_the_sum_over_time(
    program: Program, start: int, clock: int, seconds: int
) -> None:
    expected = naive_volume(program, start, clock, seconds)
    assert Schedule(program, start).volume(clock, seconds) == expected


@given(PROGRAMS, START_DAYS, CLOCKS, st.integers(0, 60))
def test_volume_is_the_sum_of_the_rates_of_its_seconds(
    program: Program, start: int, clock: int, seconds: int
) -> None:
    schedule = Schedule(program, start)
    clock -= clock % 60 - 30
    rates = [schedule.rate_at(second) for second in range(clock, clock + seconds)]
    assert schedule.volume(clock, seconds) == sum(rates)


@given(PROGRAMS, START_DAYS, CLOCKS, st.integers(0, 2**32), st.integers(0, 2**32))
def test_volume_is_additive(
    program: Program, start: int, clock: int, first: int, second: int
) -> None:
    schedule = Schedule(program, start)
    parts = schedule.volume(clock, first) + schedule.volume(clock + first, second)
    assert schedule.volume(clock, first + second) == parts


@given(PROGRAMS, START_DAYS, st.integers(0, 100), st.integers(0, 400))
def test_a_year_is_the_sum_of_its_days(program: Program, start: int, first: int, days: int) -> None:
    expected = sum(
        daily_volume(program, day % 7, naive_percent(program, start, day * DAY))
        for day in range(first, first + days)
    )
    assert Schedule(program, start).volume(first * DAY, days * DAY) == expected


@given(PROGRAMS, START_DAYS, CLOCKS)
def test_no_rate_changes_before_the_next_edge(program: Program, start: int, clock: int) -> None:
    schedule = Schedule(program, start)
    edge = schedule.next_edge(clock)
    rate = schedule.rate_at(clock)
    assert clock < edge
    minutes = range((clock // 60 + 1) * 60, edge, 60)
    assert {naive_rate(program, start, each) for each in (clock, *minutes, edge - 1)} == {rate}


@given(PROGRAMS, START_DAYS, CLOCKS)
def test_every_edge_is_the_start_of_a_segment(program: Program, start: int, clock: int) -> None:
    """Midnight is one of them, and with it every step of the ramp."""
    edge = Schedule(program, start).next_edge(clock)
    segments = program.patterns[program.week[edge // DAY % 7]].segments
    assert edge % DAY in {segment.start * 60 for segment in segments}


@given(PROGRAMS, START_DAYS, CLOCKS)
def test_spans_go_from_edge_to_edge(program: Program, start: int, clock: int) -> None:
    schedule = Schedule(program, start)
    begin = clock
    for rate, until in islice(ProgramProfile(schedule, begin).spans(), 100):
        assert (rate, begin + until) == (schedule.rate_at(clock), schedule.next_edge(clock))
        assert schedule.span_at(clock) == (rate, begin + until)
        clock = begin + until


def test_a_span_that_ends_about_a_step_of_the_ramp() -> None:
    ramp = (RampStep(1, 50), RampStep(3, 200))
    schedule = Schedule(replace(Program.flat("always", 1_000), ramp=ramp), 0)
    for turn in (DAY, 3 * DAY):
        for end in range(turn - 2, turn + 70):
            seconds = range(end - 65, end)
            assert schedule.volume(seconds.start, 65) == sum(map(schedule.rate_at, seconds))


@given(PROGRAMS, START_DAYS, CLOCKS, st.integers(0, 3 * WEEK), st.integers(0, 3 * WEEK))
def test_a_bare_program_is_the_same_from_later_on(
    program: Program, start: int, clock: int, gone: int, seconds: int
) -> None:
    whole = ProgramProfile(Schedule(program, start), clock)
    assert whole.volume(gone + seconds) == whole.volume(gone) + whole.later(gone).volume(seconds)


@given(PROGRAMS, START_DAYS, CLOCKS, st.integers(0, 10**14), st.integers(0, 2**32))
def test_moment_of_is_the_first_second_that_is_enough(
    program: Program, start: int, clock: int, units: int, limit: int
) -> None:
    schedule = Schedule(program, start)
    moment = schedule.moment_of(clock, units, limit)
    if moment is None:
        assert schedule.volume(clock, limit) < units
        return
    assert clock <= moment <= clock + limit
    assert schedule.volume(clock, moment - clock) >= units
    assert moment == clock or schedule.volume(clock, moment - clock - 1) < units


@given(PROGRAMS, START_DAYS, CLOCKS, st.integers(1, 100_000))
def test_moment_of_knows_exactly_what_a_span_holds(
    program: Program, start: int, clock: int, seconds: int
) -> None:
    schedule = Schedule(program, start)
    held = schedule.volume(clock, seconds)
    moment = schedule.moment_of(clock, held, seconds)
    assert moment is not None
    assert schedule.volume(clock, moment - clock) == held
    assert schedule.moment_of(clock, held + 1, seconds) is None


def test_the_ramp_turns_at_midnights_counted_from_its_first_day() -> None:
    ramp = (RampStep(2, 50), RampStep(4, 75))
    program = Program(FORMAT, "", (0,) * 7, (DayPattern("d", (Segment(0, 999),)),), ramp)
    schedule = Schedule(program, 10)
    days = [schedule.percent_at(day * DAY) for day in (0, 10, 11, 12, 13, 14, 1000)]
    assert days == [100, 100, 100, 50, 50, 75, 75]
    assert schedule.percent_at(12 * DAY - 1) == 100
    assert [schedule.rate_at(day * DAY) for day in (10, 12, 14)] == [999, 499, 749]


def test_a_ramp_that_begins_at_once_rules_before_its_first_day_too() -> None:
    ramp = (RampStep(0, 50), RampStep(1, 60))
    program = Program(FORMAT, "", (0,) * 7, (DayPattern("d", (Segment(0, 999),)),), ramp)
    assert [Schedule(program, 5).percent_at(day * DAY) for day in (0, 5, 6)] == [50, 50, 60]


def test_nothing_ever_comes_of_a_rate_of_zero() -> None:
    schedule = Schedule(Program.flat("still", 0), 0)
    assert schedule.volume(0, 10 * WEEK) == 0
    assert schedule.moment_of(0, 1, 10 * WEEK) is None
    assert schedule.moment_of(7, 0, 0) == 7


def test_the_first_unit_of_a_week_comes_after_what_stands_still() -> None:
    pattern = DayPattern("late", (Segment(0, 0), Segment(1, 0), Segment(2, 1)))
    schedule = Schedule(Program(FORMAT, "", (0,) * 7, (pattern,), ()), 0)
    week = schedule.volume(0, WEEK)
    assert schedule.moment_of(0, 1, WEEK) == 121
    assert schedule.moment_of(0, week, WEEK) == WEEK
    assert schedule.moment_of(0, week + 1, 2 * WEEK) == WEEK + 121
