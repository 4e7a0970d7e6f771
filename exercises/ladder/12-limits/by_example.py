"""Exercise 12 as one would write it without properties: right, and caught nothing."""

import pytest

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.limits import FACTORY, program_excesses
from mockpump.emulator.pump.overrides import Bolus
from mockpump.emulator.pump.state import DeliveryEvent
from mockpump.protocol.messages import BolusKind, Limits, RampMove, Reason
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

DAY = 86_400
HALVES = DayPattern("halves", (Segment(0, 1_000), Segment(720, 3_000)))


def _program(*ramp: tuple[int, int]) -> Program:
    return Program(1, "halves", (0,) * 7, (HALVES,), tuple(RampStep(*step) for step in ramp))


def _reasons(program: Program, limits: Limits) -> list[Reason]:
    return [each.reason for each in program_excesses(program, limits)]


def test_a_modest_program_is_accepted() -> None:
    assert not _reasons(_program(), FACTORY)


def test_too_high_a_rate() -> None:
    assert _reasons(Program.flat("fast", 5_001), Limits(5_000, 1, 10**9, 300)) == [
        Reason.LIMIT_RATE
    ]
    assert not _reasons(Program.flat("fast", 5_000), Limits(5_000, 1, 10**9, 300))


def test_too_full_a_day() -> None:
    (excess,) = program_excesses(_program(), Limits(5_000, 1, 47_990, 300))
    assert excess == (Reason.LIMIT_DAILY, 48_000, 47_990)
    assert not _reasons(_program(), Limits(5_000, 1, 48_000, 300))


def test_the_ramp_counts() -> None:
    assert _reasons(_program((7, 120)), Limits(5_000, 1, 50_000, 300)) == [Reason.LIMIT_DAILY]


@pytest.mark.parametrize(("rise", "refused"), [(49, True), (50, False), (60, False)])
def test_a_step_that_is_too_steep(rise: int, refused: bool) -> None:
    reasons = _reasons(_program((0, 100), (3, 150)), Limits(5_000, 1, 10**9, rise))
    assert (Reason.LIMIT_RISE in reasons) is refused


def test_it_stops_when_the_day_is_full() -> None:
    delivery = Delivery(10**9, Limits(5_000, 10**6, 20_000, 300))
    delivery.set_program(_program())
    delivery.advance(DAY)
    # 12 h give 12,000 nL, and 8,000 nL at 3,000 nL/h take 9,600 s.
    assert delivery.events[-1][:2] == (12 * 3_600 + 9_600, DeliveryEvent.LIMIT_DAILY)
    assert (delivery.delivered, delivery.running) == (20_000, False)


def test_it_goes_on_when_there_is_room_again() -> None:
    delivery = Delivery(10**9, Limits(5_000, 10**6, 20_000, 300))
    delivery.set_program(_program())
    delivery.advance(2 * DAY)
    delivery.resume()
    delivery.advance(2 * DAY + 3_600)
    assert delivery.delivered == 21_000


def test_a_bolus_fills_the_day() -> None:
    delivery = Delivery(10**9, Limits(50_000, 10**6, 15_000, 300))
    delivery.set_program(Program.flat("even", 1_000))
    delivery.start_bolus(Bolus(BolusKind.BOLUS, 10_000, 3_600, 0))
    delivery.advance(DAY)
    assert delivery.delivered == 15_000


def test_the_ramp_is_held() -> None:
    delivery = Delivery(10**9)
    delivery.set_program(_program((2, 110), (5, 120)))
    delivery.advance(3 * DAY)
    delivery.move_ramp(RampMove.HOLD)
    delivery.advance(9 * DAY)
    assert delivery.percent == 110
    delivery.move_ramp(RampMove.STEP_BACK)
    assert delivery.percent == 100


def test_the_ramp_goes_on() -> None:
    delivery = Delivery(10**9)
    delivery.set_program(_program((2, 110), (5, 120)))
    delivery.advance(3 * DAY)
    delivery.move_ramp(RampMove.HOLD)
    delivery.advance(4 * DAY)
    delivery.move_ramp(RampMove.GO_ON)
    assert delivery.percent == 110
    delivery.advance(9 * DAY)
    assert delivery.percent == 120
