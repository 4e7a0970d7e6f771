"""Exercise 6 as one would write it without properties: right, and caught nothing."""

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.protocol.messages import BolusKind
from mockpump.protocol.program import DayPattern, Program, Segment

HALVES = DayPattern("halves", (Segment(0, 1_000), Segment(720, 3_000)))
PROGRAM = Program(1, "halves", (0,) * 7, (HALVES,), ())


def test_an_hour() -> None:
    delivery = Delivery(10**9)
    delivery.set_program(Program.flat("even", 1_000))
    delivery.advance(3_600)
    assert (delivery.delivered, delivery.remainder) == (1_000, 0)


def test_a_day() -> None:
    delivery = Delivery(10**9)
    delivery.set_program(PROGRAM)
    delivery.advance(86_400)
    assert delivery.delivered == 48_000


def test_ten_days() -> None:
    delivery = Delivery(10**9)
    delivery.set_program(PROGRAM)
    delivery.advance(10 * 86_400)
    assert delivery.delivered == 480_000


def test_half_the_rate_until_noon() -> None:
    delivery = Delivery(10**9)
    delivery.set_program(PROGRAM)
    delivery.set_temporary(TemporaryRate(50, 12 * 3_600))
    delivery.advance(86_400)
    assert delivery.delivered == 42_000


def test_a_bolus() -> None:
    delivery = Delivery(10**9)
    delivery.start_bolus(Bolus(BolusKind.BOLUS, 50_000, 3_600, 0))
    delivery.advance(3_600)
    assert delivery.delivered == 50_000
