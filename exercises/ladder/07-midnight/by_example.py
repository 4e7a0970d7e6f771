"""Exercise 7 as one would write it without properties: right, and caught nothing."""

from mockpump.emulator.schedule import DAY, Schedule
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

WORK = DayPattern("work", (Segment(0, 100), Segment(480, 300), Segment(1_200, 200)))
REST = DayPattern("rest", (Segment(0, 50),))
PROGRAM = Program(1, "week", (0, 0, 0, 0, 0, 1, 1), (WORK, REST), (RampStep(2, 150),))


def test_the_rates_of_a_day() -> None:
    schedule = Schedule(PROGRAM, 0)
    assert schedule.rate_at(3 * 3_600) == 100
    assert schedule.rate_at(12 * 3_600) == 300
    assert schedule.rate_at(22 * 3_600) == 200


def test_the_weekend() -> None:
    assert Schedule(PROGRAM, 0).rate_at(5 * DAY + 3_600) == 75


def test_the_ramp() -> None:
    schedule = Schedule(PROGRAM, 0)
    assert schedule.percent_at(DAY) == 100
    assert schedule.percent_at(2 * DAY + 60) == 150


def test_a_day_of_it() -> None:
    assert Schedule(PROGRAM, 0).volume(0, DAY) == (8 * 100 + 12 * 300 + 4 * 200) * 3_600


def test_the_next_edge() -> None:
    assert Schedule(PROGRAM, 0).next_edge(3_600) == 8 * 3_600
