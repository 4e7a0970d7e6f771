"""Which second is meant by a time of the week, and what lies between it and now."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given
from naive_program import naive_percent
from pump_state import Line, give

from mockpump.emulator.programmer.errors import RequestRefused
from mockpump.emulator.programmer.preview import (
    FIRST_TO_LAST,
    Crossed,
    WeekTime,
    percents_after,
    plan_clock,
    read_crossed,
)
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.schedule import DAY, WEEK
from mockpump.protocol import messages as m
from mockpump.protocol.program import Program, RampStep
from mockpump.protocol.strategies import programs

PENDING = st.sampled_from([None, m.When.EDGE, m.When.MIDNIGHT])
SECONDS = st.integers(0, WEEK - 1) | st.sampled_from([0, DAY - 1, DAY, WEEK - 1, WEEK // 2])


def ramped(*steps: tuple[int, int]) -> Program:
    plain = Program.flat("ramped", 1_000)
    ramp = tuple(RampStep(*each) for each in steps)
    return Program(plain.format, plain.name, plain.week, plain.patterns, ramp)


@given(st.integers(0, 2**31), SECONDS)
def test_it_is_the_nearest_second_of_the_week_and_ahead_where_two_are(
    clock: int, second: int
) -> None:
    target = WeekTime(second).near(clock)
    assert target % WEEK == second
    assert -WEEK < 2 * (target - clock) <= WEEK


@given(st.integers(0, 2**31), SECONDS, st.integers(0, 3_000))
def test_a_week_that_is_named_is_that_week(clock: int, second: int, week: int) -> None:
    assert WeekTime(second, week).near(clock) == week * WEEK + second


def asked(line: Line, procedure: Any) -> Any:
    """Drive a procedure at a pump without a line between them."""
    reply: Any = None
    while True:
        try:
            reply = line.ask(procedure.send(reply))
        except StopIteration as ended:
            return ended.value


@given(programs(max_patterns=1, max_segments=1, max_steps=4), st.integers(-9, 60), st.integers())
def test_the_step_that_will_rule_is_among_those_that_may(
    program: Program, ramp_day: int, days: int
) -> None:
    days = days % 80 - 40
    before = naive_percent(program, 0, ramp_day * DAY)
    after = naive_percent(program, 0, (ramp_day + days) * DAY)
    assert after in percents_after(program, before, days)


@pytest.mark.parametrize(
    ("steps", "percent", "days", "after"),
    [
        (((6, 200),), 100, 1, (100, 200)),
        (((6, 200),), 100, -3, (100,)),
        (((6, 200),), 100, 7, (100, 200)),
        (((6, 200),), 200, -1, (100, 200)),
        (((0, 50), (2, 70)), 50, 1, (50, 70)),
        (((1, 50), (2, 70)), 50, 1, (70,)),
        ((), 100, 40, (100,)),
    ],
)
def test_what_may_rule_after_so_many_days(
    steps: tuple[tuple[int, int], ...], percent: int, days: int, after: tuple[int, ...]
) -> None:
    assert percents_after(ramped(*steps), percent, days) == after


@given(
    st.integers(0, 12 * DAY),
    SECONDS,
    st.booleans(),
    PENDING,
)
def test_what_was_planned_is_what_comes(
    lived: int, second: int, held: bool, when: m.When | None
) -> None:
    line = Line(new_pump(program=ramped((2, 150), (6, 200))))
    line.pump.advance(lived)
    if held:
        line.ask(m.MoveRamp(line.fresh(), m.RampMove.HOLD))
    if when is not None:
        give(line.pump, Program.flat("later", 500), when)
    plan = asked(line, plan_clock(WeekTime(second)))
    assume(plan.target in FIRST_TO_LAST)
    line.ask(m.SetClock(line.fresh(), plan.target))
    crossed = asked(line, read_crossed(plan))
    assert crossed.percent in plan.percents or not plan.crosses
    if crossed.program is not None:
        assert crossed == Crossed(100, "later")
        assert plan.pending == "later"
    if not plan.crosses:
        assert (line.pump.program or Program.flat("", 0)).name == "ramped"


def test_a_clock_that_goes_back_brings_no_pending_program() -> None:
    line = Line(new_pump(program=ramped((30, 200))))
    line.pump.advance(3 * DAY)
    give(line.pump, Program.flat("later", 500), m.When.MIDNIGHT)
    plan = asked(line, plan_clock(WeekTime(DAY)))
    assert plan.target == DAY
    assert (plan.pending, plan.crosses) == (None, False)


def test_within_a_day_only_its_clock_is_asked() -> None:
    procedure = plan_clock(WeekTime(7_200))
    assert next(procedure) == m.GetClock()
    with pytest.raises(StopIteration) as ended:
        procedure.send(m.Clock(3_600, 0))
    assert not ended.value.value.crosses


@pytest.mark.parametrize("lacks", [m.GetDetails, m.ReadProgram])
def test_a_pump_that_knows_no_such_question_is_set_all_the_same(lacks: type[m.Message]) -> None:
    line = Line(new_pump(program=ramped((1, 200))))
    procedure = plan_clock(WeekTime(2 * DAY))
    request: Any = next(procedure)
    while not isinstance(request, lacks):
        request = procedure.send(line.ask(request))
    no = m.Refused(m.entry_of(lacks).number, m.Reason.UNKNOWN_MESSAGE, 0, 0, 0)
    with pytest.raises(StopIteration) as ended:
        procedure.throw(RequestRefused(request, no))
    plan = ended.value.value
    assert (plan.target, plan.crosses) == (2 * DAY, False)
    procedure = plan_clock(WeekTime(2 * DAY))
    next(procedure)
    procedure.send(line.ask(m.GetClock()))
    other = m.Refused(2, m.Reason.NO_SESSION, 0, 0, 0)
    with pytest.raises(RequestRefused):
        procedure.throw(RequestRefused(m.GetStatus(), other))
