"""How pump time follows line time: at a speed, standing still, or up to a given second.

Only the pump's clock is scaled; the link's timers always run in line time, so that a day in 24
seconds breaks no timeout.  Line time is in microseconds, pump time in whole seconds.
"""

# As fast as the telemetry is carried away; without a subscriber pump time stands still.
MAX_SPEED = None
_MICROSECONDS = 1_000_000


class Pacing:
    """The map from line time to pump time.

    `speed` is pump seconds a second (0: standing still; `MAX_SPEED`: decided by whoever drives the
    pump), `until` the pump second at which time stands still (None: never).
    """

    __slots__ = ("_base_elapsed", "_base_now", "speed", "until")

    def __init__(
        self, speed: int | None = 1, *, now: int = 0, elapsed: int = 0, until: int | None = None
    ) -> None:
        self.speed = speed
        self.until = until
        self._base_now = now
        self._base_elapsed = elapsed

    def change(self, speed: int | None, now: int, *, until: int | None = None) -> None:
        """Go on from the present moment at another speed, until another second."""
        elapsed = self._base_elapsed if self.speed is None else self.elapsed(now)
        self.rebase(elapsed, now)
        self.speed = speed
        self.until = until

    def rebase(self, elapsed: int, now: int) -> None:
        """Pump time is `elapsed` now, whatever it would have been."""
        self._base_elapsed = elapsed
        self._base_now = now

    def elapsed(self, now: int) -> int:
        """Pump time at a line time."""
        ticks = (now - self._base_now) * (self.speed or 0)
        elapsed = self._base_elapsed + ticks // _MICROSECONDS
        return elapsed if self.until is None else max(self._base_elapsed, min(elapsed, self.until))

    def due(self, elapsed: int) -> int | None:
        """The first line time at which pump time has come to `elapsed`; None when it never will."""
        if elapsed <= self._base_elapsed:
            return self._base_now
        if not self.speed or (self.until is not None and elapsed > self.until):
            return None
        seconds = elapsed - self._base_elapsed
        return self._base_now - (-seconds * _MICROSECONDS // self.speed)
