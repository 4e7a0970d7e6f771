"""What shows each defect of exercise 12, in a few lines."""

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.limits import program_excesses
from mockpump.emulator.pump.overrides import Bolus
from mockpump.protocol.messages import MAX_BOLUS, NO_RISE_LIMIT, BolusKind, Limits, RampMove
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

DAY = 86_400
FLAT = (DayPattern("day", (Segment(0, 1_000),)),)


def _daily(limit: int) -> Limits:
    return Limits(10**6, MAX_BOLUS, limit, NO_RISE_LIMIT)


def up_and_down() -> int:
    program = Program(1, "hill", (0,) * 7, FLAT, (RampStep(1, 200), RampStep(2, 50)))
    return len(list(program_excesses(program, _daily(30_000))))


def steep_from_the_start() -> int:
    program = Program(1, "steep", (0,) * 7, FLAT, (RampStep(1, 200),))
    return len(list(program_excesses(program, Limits(10**6, MAX_BOLUS, 10**9, 50))))


def full_until_noon() -> int:
    """The fullest 24 h begin at noon, where nothing changes, and end with the only morning."""
    morning = DayPattern("morning", (Segment(0, 2_000), Segment(720, 0)))
    program = Program(1, "once", (1, 0, 1, 1, 1, 1, 1), (morning, *FLAT), ())
    return len(list(program_excesses(program, _daily(35_990))))


def a_bolus_on_the_second_day() -> int:
    delivery = Delivery(10**9, _daily(30_000))
    delivery.set_program(Program.flat("even", 1_000))
    delivery.advance(DAY + DAY // 2)
    delivery.start_bolus(Bolus(BolusKind.BOLUS, 40_000, 4 * 3_600, delivery.elapsed))
    delivery.advance(2 * DAY)
    return delivery.delivered


def exactly_full() -> bool:
    delivery = Delivery(10**9, _daily(24_000))
    delivery.set_program(Program.flat("even", 1_000))
    delivery.advance(3 * DAY)
    return delivery.running


def held_for_a_week() -> int:
    program = Program(1, "later", (0,) * 7, FLAT, (RampStep(5, 120),))
    delivery = Delivery(10**9)
    delivery.set_program(program)
    delivery.move_ramp(RampMove.HOLD)
    delivery.advance(7 * DAY)
    delivery.move_ramp(RampMove.GO_ON)
    return delivery.percent
