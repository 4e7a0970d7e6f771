"""A solution of exercise 7: a dull model of the week, asked where things begin and end."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.schedule import DAY, WEEK, Schedule
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

HOUR = 3_600
# Whole hours, the second before and the second after, within four weeks.
TIMES = st.builds(
    lambda hour, off: max(hour * HOUR + off, 0), st.integers(0, 672), st.integers(-1, 1)
)
DAYS = st.integers(0, 21)


@st.composite
def patterns(draw: st.DrawFn, name: str) -> DayPattern:
    hours = [0, *sorted(draw(st.sets(st.integers(1, 23), max_size=3)))]
    return DayPattern(name, tuple(Segment(hour * 60, draw(st.integers(0, 999))) for hour in hours))


@st.composite
def programs(draw: st.DrawFn, *, ramps: bool = True) -> Program:
    week = draw(st.tuples(*[st.integers(0, 1)] * 7))
    days = sorted(draw(st.sets(st.integers(0, 14), max_size=3))) if ramps else []
    ramp = tuple(RampStep(day, draw(st.integers(0, 200))) for day in days)
    return Program(1, "drawn", week, (draw(patterns("a")), draw(patterns("b"))), ramp)


def percent(program: Program, start_day: int, clock: int) -> int:
    days = max(clock // DAY - start_day, 0)
    return [100, *(step.percent for step in program.ramp if step.after <= days)][-1]


def rate(program: Program, start_day: int, clock: int) -> int:
    pattern = program.patterns[program.week[clock // DAY % 7]]
    base = [each.rate for each in pattern.segments if each.start * 60 <= clock % DAY][-1]
    return base * percent(program, start_day, clock) // 100


@given(programs(), DAYS, TIMES)
def test_the_rate_is_that_of_the_model(program: Program, start_day: int, clock: int) -> None:
    assert Schedule(program, start_day).rate_at(clock) == rate(program, start_day, clock)


@given(programs(ramps=False), st.integers(0, 6), st.integers(0, 3))
def test_a_segment_begins_in_its_first_second(program: Program, day: int, place: int) -> None:
    segments = program.patterns[program.week[day]].segments
    segment = segments[min(place, len(segments) - 1)]
    assert Schedule(program, 0).rate_at(day * DAY + segment.start * 60) == segment.rate


@given(programs(), DAYS, st.integers(0, 24 * 7), st.integers(0, 24 * 16))
def test_a_volume_is_the_sum_of_its_hours(
    program: Program, start_day: int, begin: int, hours: int
) -> None:
    found = Schedule(program, start_day).volume(begin * HOUR, hours * HOUR)
    rates = (rate(program, start_day, hour * HOUR) for hour in range(begin, begin + hours))
    assert found == sum(rates) * HOUR


@given(programs(), DAYS, st.integers(0, 2))
def test_a_step_of_the_ramp_is_taken_at_midnight(
    program: Program, start_day: int, place: int
) -> None:
    schedule = Schedule(program, start_day)
    for step in program.ramp[place : place + 1]:
        midnight = (start_day + step.after) * DAY
        assert schedule.percent_at(midnight) == step.percent
        assert schedule.percent_at(midnight + DAY - 1) == percent(
            program, start_day, midnight + DAY - 1
        )


@given(programs(ramps=False), TIMES)
def test_nothing_changes_before_the_next_edge(program: Program, clock: int) -> None:
    schedule = Schedule(program, 0)
    edge = schedule.next_edge(clock)
    assert clock < edge <= clock + DAY
    assert rate(program, 0, clock) == rate(program, 0, edge - 1)
    assert edge % DAY in {
        each.start * 60 for each in program.patterns[program.week[edge % WEEK // DAY]].segments
    }
