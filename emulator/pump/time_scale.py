"""How pump time follows line time: at a speed, standing still, or up to a given second.

Only the pump's clock is scaled; the link's timers always run in line time, so that a day in 24
seconds breaks no timeout.  Line time is in microseconds, pump time in whole seconds.
"""

from mockpump.protocol.errors import LocalProtocolError

# As fast as the telemetry is carried away; without a subscriber pump time stands still.
MAX_SPEED = None
_MICROSECONDS = 1_000_000


class TimeScale:
    """The map from line time to pump time.

    `speed` is pump seconds a second (0: standing still; `MAX_SPEED`: decided by whoever drives the
    pump), `until` the pump second at which time stands still (None: never).  `LocalProtocolError`
    for a negative speed.
    """

    # `_base_ticks` is pump time at line time `_base_now`, in microseconds: the part of a second
    # that has gone by must outlive a change of speed, or changing it often would stop the pump.
    __slots__ = ("_base_now", "_base_ticks", "speed", "until")

    def __init__(
        self, speed: int | None = 1, *, now: int = 0, elapsed: int = 0, until: int | None = None
    ) -> None:
        self.rebase(elapsed, now)
        self._set(speed, until)

    def change(self, speed: int | None, now: int, *, until: int | None = None) -> None:
        """Go on from the present moment at another speed, until another second."""
        self._base_ticks, self._base_now = self._ticks(now), now
        self._set(speed, until)

    def _set(self, speed: int | None, until: int | None) -> None:
        if speed is not MAX_SPEED and speed < 0:
            raise LocalProtocolError(f"pump time runs forward: no speed is {speed}")
        self.speed = speed
        self.until = until

    def rebase(self, elapsed: int, now: int) -> None:
        """Pump time is `elapsed` now, whatever it would have been."""
        self._base_ticks = elapsed * _MICROSECONDS
        self._base_now = now

    def elapsed(self, now: int) -> int:
        """Pump time at a line time."""
        return self._ticks(now) // _MICROSECONDS

    def _ticks(self, now: int) -> int:
        ticks = self._base_ticks
        if self.speed and now > self._base_now:
            ticks += (now - self._base_now) * self.speed
        if self.until is None:
            return ticks
        return max(self._base_ticks, min(ticks, self.until * _MICROSECONDS))

    def due(self, elapsed: int) -> int | None:
        """The first line time at which pump time has come to `elapsed`; None when it never will."""
        ahead = elapsed * _MICROSECONDS - self._base_ticks
        if ahead <= 0:
            return self._base_now
        if not self.speed or (self.until is not None and elapsed > self.until):
            return None
        return self._base_now - (-ahead // self.speed)
