"""The pump's clock: what it says, and when it will say something.

It can be set, and it drifts: in a million seconds of pump time it gains `drift` seconds.  The one
idea: what it says is one floored division of the time since it was last set, so both directions are
exact and no tick is ever needed.  Elapsed time is true and only rises; the clock need do neither.

Seconds throughout.  A reading never goes around; `shown` does, in whole weeks.
"""

import msgspec

from mockpump.emulator.schedule import CLOCK_CYCLE, nearest
from mockpump.protocol.errors import LocalProtocolError

# A clock that loses or gains more than a tenth is broken, not drifting.
MAX_DRIFT = 100_000
_MILLION = 1_000_000


class PumpClock(msgspec.Struct):
    """A clock that said `reading` when `elapsed` seconds had gone by, and drifts by `drift` ppm."""

    reading: int = 0
    elapsed: int = 0
    drift: int = 0

    def copy(self) -> "PumpClock":
        """The same clock, which does not change when this one does."""
        return PumpClock(self.reading, self.elapsed, self.drift)

    def at(self, elapsed: int) -> int:
        """What it says at an elapsed second, never gone around."""
        seconds = elapsed - self.elapsed
        if not self.drift:
            return self.reading + seconds
        return self.reading + seconds * (_MILLION + self.drift) // _MILLION

    def when(self, reading: int) -> int:
        """The first elapsed second at which it says at least `reading`."""
        ahead = reading - self.reading
        if not self.drift:
            return self.elapsed + ahead
        return self.elapsed - (-ahead * _MILLION // (_MILLION + self.drift))

    def shown(self, elapsed: int) -> int:
        """What it shows: seconds since a Monday at midnight, below `CLOCK_CYCLE`."""
        return self.at(elapsed) % CLOCK_CYCLE

    def set(self, clock: int, elapsed: int) -> None:
        """Show `clock` from this second on.  `LocalProtocolError` outside 0..`CLOCK_CYCLE` - 1."""
        if not 0 <= clock < CLOCK_CYCLE:
            raise LocalProtocolError(f"no clock says {clock} s: it is not in 0..{CLOCK_CYCLE - 1}")
        self.reading = self.reading_of(clock, elapsed)
        self.elapsed = elapsed

    def reading_of(self, clock: int, elapsed: int) -> int:
        """What it would say if it were set to `clock` in this second: the nearest such reading."""
        return self.at(elapsed) + nearest(self.shown(elapsed), clock, CLOCK_CYCLE)

    def set_drift(self, drift: int, elapsed: int) -> None:
        """Drift by this many ppm from this second on; negative: it loses."""
        if abs(drift) > MAX_DRIFT:
            raise LocalProtocolError(f"a drift of {drift} ppm is not in +-{MAX_DRIFT}")
        self.reading, self.elapsed, self.drift = self.at(elapsed), elapsed, drift
