"""What shows each defect of exercise 7, in a few lines."""

from mockpump.emulator.schedule import DAY, WEEK, Schedule
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

PATTERN = DayPattern("day", (Segment(0, 100), Segment(480, 300)))
PROGRAM = Program(1, "two parts", (0,) * 7, (PATTERN,), (RampStep(2, 150),))


def the_first_second() -> int:
    return Schedule(PROGRAM, 0).rate_at(8 * 3_600)


def over_the_weekend() -> int:
    return Schedule(PROGRAM, 0).volume(WEEK - DAY, 2 * DAY)


def begun_on_thursday() -> int:
    return Schedule(PROGRAM, 3).percent_at(4 * DAY)


def at_midnight() -> int:
    return Schedule(PROGRAM, 0).percent_at(2 * DAY)


def from_an_edge() -> int:
    return Schedule(PROGRAM, 0).next_edge(8 * 3_600)
