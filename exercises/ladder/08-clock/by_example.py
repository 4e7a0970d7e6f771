"""Exercise 8 as one would write it without properties: right, and caught nothing."""

import pytest

from mockpump.emulator.pump.clock import PumpClock
from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.schedule import CLOCK_CYCLE
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.program import DayPattern, Program, Segment

PATTERN = DayPattern("day", (Segment(0, 1_000), Segment(720, 2_000)))
PROGRAM = Program(1, "two halves", (0,) * 7, (PATTERN,), ())


def test_it_is_set() -> None:
    clock = PumpClock()
    clock.set(36_000, 0)
    assert clock.shown(0) == 36_000
    assert clock.shown(60) == 36_060


def test_it_gains() -> None:
    clock = PumpClock()
    clock.set_drift(100, 0)
    assert clock.at(1_000_000) == 1_000_100
    assert clock.when(1_000_100) == 1_000_000


def test_it_goes_around() -> None:
    clock = PumpClock()
    clock.set(CLOCK_CYCLE - 1, 0)
    assert clock.shown(1) == 0
    with pytest.raises(LocalProtocolError):
        clock.set(CLOCK_CYCLE, 1)


def test_the_pump_follows_it() -> None:
    delivery = Delivery(10**9)
    delivery.set_clock(11 * 3_600)
    delivery.set_program(PROGRAM)
    assert delivery.rate == 1_000
    delivery.advance(3_600)
    assert delivery.rate == 2_000
    assert delivery.delivered * 3_600 + delivery.remainder == 1_000 * 3_600


def test_setting_it_moves_nothing() -> None:
    delivery = Delivery(10**9)
    delivery.set_program(PROGRAM)
    delivery.advance(3_600)
    before = delivery.delivered, delivery.remainder
    delivery.set_clock(7_200)
    assert (delivery.delivered, delivery.remainder) == before
