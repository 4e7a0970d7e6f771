"""What shows each defect of exercise 6, in a few lines."""

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.protocol.messages import BolusKind
from mockpump.protocol.program import DayPattern, Program, Segment


def _pump(rate: int) -> Delivery:
    delivery = Delivery(10**9)
    delivery.set_program(Program.flat("even", rate))
    return delivery


def _units(delivery: Delivery) -> int:
    return delivery.delivered * 3_600 + delivery.remainder


def an_uneven_bolus() -> int:
    delivery = Delivery(10**9)
    delivery.start_bolus(Bolus(BolusKind.BOLUS, 1_000, 7, 0))
    delivery.advance(8)
    return _units(delivery)


def half_a_step() -> int:
    delivery = _pump(1_234)
    delivery.advance(1_000)
    return _units(delivery)


def a_third_of_ten() -> int:
    delivery = _pump(10)
    delivery.set_temporary(TemporaryRate(33, 100))
    return delivery.rate


def an_hour_of_more() -> int:
    delivery = _pump(1_000)
    delivery.set_temporary(TemporaryRate(200, 3_600))
    delivery.advance(7_200)
    return _units(delivery)


def a_week_at_once() -> int:
    pattern = DayPattern("day", (Segment(0, 1_000), Segment(60, 0)))
    delivery = Delivery(10**9)
    delivery.set_clock(1_800)
    delivery.set_program(Program(1, "an hour", (0,) * 7, (pattern,), ()))
    delivery.advance(86_400)
    delivery.advance(7 * 86_400 - 900)
    return _units(delivery)
