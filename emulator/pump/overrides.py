"""What runs on top of the program for a while: a bolus, a temporary rate.

The one idea: a bolus of U units over D seconds is given in whole units a second.  Where that does
not come out even, its first U mod D seconds carry one unit more.  So it has two constant rates at
the most, is exact to the unit, and its rate never rises.
"""

from typing import NamedTuple

import msgspec

from mockpump.protocol.messages import BolusKind
from mockpump.protocol.program import UNITS_PER_NL


class Bolus(msgspec.Struct, frozen=True):
    """A volume (nL) that is given over a duration (s), beginning at an elapsed second."""

    kind: BolusKind
    volume: int
    duration: int
    began: int

    @property
    def ends(self) -> int:
        """The elapsed second from which nothing of it is given any more."""
        return self.began + self.duration

    @property
    def rate(self) -> int:
        """Its highest rate, in nL/h."""
        return -(-self.volume * UNITS_PER_NL // self.duration)

    def span(self, elapsed: int) -> tuple[int, int]:
        """Its rate (nL/h) at a second between `began` and `ends`, and until when that holds."""
        low, seconds_of_more = divmod(self.volume * UNITS_PER_NL, self.duration)
        turn = self.began + seconds_of_more
        return (low + 1, turn) if elapsed < turn else (low, self.ends)

    def given(self, elapsed: int) -> int:
        """What has been asked of the motor until an elapsed second, in units of 1/3600 nL."""
        seconds = min(max(elapsed - self.began, 0), self.duration)
        low, seconds_of_more = divmod(self.volume * UNITS_PER_NL, self.duration)
        return low * seconds + min(seconds, seconds_of_more)

    def left(self, elapsed: int, missing: int = 0) -> int:
        """What is not given at an elapsed second, in nL, rounded up.

        `missing` units of what was asked of the motor in the second before were not in the
        reservoir: they are missing from the bolus, as far as it asked for them.
        """
        given = self.given(elapsed)
        if missing:
            given -= min(missing, given - self.given(elapsed - 1))
        return self.volume - given // UNITS_PER_NL


class CutBolus(NamedTuple):
    """A bolus that was not given wholly: its volume, and what of it is never given, in nL."""

    volume: int
    left: int


class TemporaryRate(msgspec.Struct, frozen=True):
    """The program's rates scaled to `percent`, until the elapsed second `ends`."""

    percent: int
    ends: int
