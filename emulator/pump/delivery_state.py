"""What delivery is made of, as values that can be kept: a filling, a pending program, all of it."""

import msgspec

from mockpump.emulator.pump.clock import PumpClock
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.emulator.pump.rolling_window import RollingVolume
from mockpump.protocol.messages import When
from mockpump.protocol.program import UNITS_PER_NL
from mockpump.protocol.quick_enum import QuickEnum

STEP = 10
UNITS_PER_STEP = STEP * UNITS_PER_NL


class DeliveryEvent(QuickEnum):
    """What can come of itself while time goes by."""

    EMPTY = "the reservoir cannot give another whole micro-step"
    LOW = "the reservoir falls to its mark"
    LIMIT_RATE = "the rates of what runs together would be above the limit"
    LIMIT_DAILY = "the next second would break the limit of 24 h"
    BOLUS_ENDED = "a bolus has been given"
    BOLUS_CUT = "a bolus has ended early, because delivery has stopped"
    TEMPORARY_ENDED = "a temporary rate has ended"
    PROGRAM = "the program that was pending rules"


class ReservoirFill(msgspec.Struct, frozen=True):
    """A filling of the reservoir: `volume` nL, when `delivered` nL had been moved in all."""

    volume: int
    delivered: int = 0

    def level(self, left: int) -> int:
        """The sum due (1/3600 nL) at which no more than `left` nL, by whole steps, are left."""
        return (self.delivered + max(self.volume - left, 0)) // STEP * UNITS_PER_STEP


class Pending(msgspec.Struct, frozen=True):
    """When a program is to rule: at the next edge, or when the clock's day is after `day`."""

    when: When
    day: int


class DeliveryState(msgspec.Struct, frozen=True):
    """All that delivery knows, but for the programs and the limits, which are kept elsewhere."""

    elapsed: int
    due: int
    running: bool
    clock: PumpClock
    filling: ReservoirFill
    rolling: RollingVolume
    start_day: int
    held_day: int | None
    bolus: Bolus | None
    temporary: TemporaryRate | None
    pending: Pending | None
