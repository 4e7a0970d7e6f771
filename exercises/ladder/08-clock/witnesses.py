"""What shows each defect of exercise 8, in a few lines."""

from mockpump.emulator.pump.clock import PumpClock
from mockpump.emulator.pump.delivery import Delivery
from mockpump.protocol.program import DayPattern, Program, Segment


def a_new_drift() -> int:
    clock = PumpClock()
    clock.set_drift(1_000, 1_000_000)
    return clock.at(1_000_000)


def set_twice() -> int:
    clock = PumpClock()
    clock.set(100, 0)
    clock.set(100, 50)
    return clock.shown(50)


def when_it_says_it() -> int:
    clock = PumpClock()
    clock.set_drift(100_000, 0)
    return clock.when(10)


def after_a_change() -> int:
    pattern = DayPattern("day", (Segment(0, 1_000), Segment(720, 2_000)))
    delivery = Delivery(10**9)
    delivery.set_program(Program(1, "two halves", (0,) * 7, (pattern,), ()))
    delivery.set_clock(50_000)
    return delivery.rate


def a_slow_clock() -> int:
    clock = PumpClock()
    clock.set_drift(-10, 0)
    return clock.at(1_000_000)
