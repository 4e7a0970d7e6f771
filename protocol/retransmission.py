"""The retransmission timer: how long to wait before sending again, and how often.

RFC 6298's estimator in integer microseconds: a smoothed round-trip time and its mean deviation
(gains 1/8 and 1/4), the timeout their sum SRTT + 4 * RTTVAR, doubled at every expiry.  Karn's
algorithm is the caller's part of it: never measure a frame that was sent more than once, so that a
doubled timeout stays until a fresh frame has been measured.
"""

from mockpump.protocol.link_settings import LinkSettings


class RetransmissionTimer:
    """The timer of one connection.  All times in microseconds of line time.

    `timeout` is the present retransmission timeout, `due_at` when it runs out (None: stopped),
    `expiries` how often it has in a row without progress, `smoothed` the round-trip time.
    """

    __slots__ = ("_deviation", "_highest", "_lowest", "due_at", "expiries", "smoothed", "timeout")

    def __init__(self, settings: LinkSettings) -> None:
        self._lowest = settings.min_timeout
        self._highest = max(settings.max_timeout, settings.min_timeout)
        self._deviation = 0
        self.smoothed: int | None = None
        self.timeout = self._clamp(settings.initial_timeout)
        self.due_at: int | None = None
        self.expiries = 0

    def start(self, now: int) -> None:
        """Start it, or start it over."""
        self.due_at = now + self.timeout

    def progress(self, now: int, awaited: bool) -> None:
        """Something new was acknowledged (RFC 6298, 5.2 and 5.3)."""
        self.expiries = 0
        self.due_at = now + self.timeout if awaited else None

    def expire(self, now: int) -> None:
        """It ran out: double the timeout and start over (RFC 6298, 5.5 and 5.6)."""
        self.expiries += 1
        self.timeout = self._clamp(2 * self.timeout)
        self.due_at = now + self.timeout

    def measure(self, round_trip: int) -> None:
        """Take in the round-trip time of a frame that was sent once (RFC 6298, 2.2 and 2.3)."""
        if self.smoothed is None:
            self.smoothed = round_trip
            self._deviation = round_trip // 2
        else:
            error = abs(self.smoothed - round_trip)
            self._deviation += (error - self._deviation) // 4
            self.smoothed += (round_trip - self.smoothed) // 8
        self.timeout = self._clamp(self.smoothed + 4 * self._deviation)

    def _clamp(self, timeout: int) -> int:
        return min(max(timeout, self._lowest), self._highest)
