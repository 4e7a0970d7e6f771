"""The retransmission timer: how long to wait before sending again, and how often.

RFC 6298's estimator in integer microseconds: a smoothed round-trip time and its mean deviation
(gains 1/8 and 1/4), the timeout their sum SRTT + 4 * RTTVAR, doubled at every expiry.  Karn's
algorithm is the caller's part of it: never measure a frame that was sent more than once, so that a
doubled timeout stays until a fresh frame has been measured.

The end of a transfer has nothing behind it that would show a loss.  But as the line empties, its
acknowledgements come at a pace; when the last frame has had a round trip, and the next of them is
overdue, the oldest frame goes again as a probe (after RFC 8985, section 7), before the timeout has
run out and without doubling it.
"""

from mockpump.protocol.link_settings import LinkSettings


class Estimate:
    """A smoothed figure and its mean deviation (RFC 6298, 2.2 and 2.3).

    `smoothed` is None until something was measured; `bound` is what the next will hardly exceed.
    """

    __slots__ = ("_deviation", "bound", "smoothed")

    def __init__(self) -> None:
        self.smoothed: int | None = None
        self._deviation = 0
        self.bound = 0

    def measure(self, figure: int) -> None:
        """Take in a measurement."""
        if self.smoothed is None:
            self.smoothed = figure
            self._deviation = figure // 2
        else:
            error = abs(self.smoothed - figure)
            self._deviation += (error - self._deviation) // 4
            self.smoothed += (figure - self.smoothed) // 8
        self.bound = self.smoothed + 4 * self._deviation


class RetransmissionTimer:
    """The timer of one connection.  All times in microseconds of line time.

    `timeout` is the present retransmission timeout, `due_at` when the timer runs out (None:
    stopped), `expiries` how often the timeout has run out in a row without progress, `round_trip`
    what has been measured.
    """

    __slots__ = (
        "_ack_delay",
        "_gap",
        "_highest",
        "_lowest",
        "_probing",
        "_progress_at",
        "_trusted",
        "due_at",
        "expiries",
        "round_trip",
        "timeout",
    )

    def __init__(self, settings: LinkSettings) -> None:
        self._lowest = settings.min_timeout
        self._highest = max(settings.max_timeout, settings.min_timeout)
        # The other side may keep an acknowledgement back so long; ours is the best guess at that.
        self._ack_delay = settings.ack_delay
        self.round_trip = Estimate()
        # Between two acknowledgements that brought something new, while more was awaited.
        self._gap = Estimate()
        # When the last of these was; None: nothing is awaited, or the pace is broken.
        self._progress_at: int | None = None
        # Whether what was measured has not been belied since: the timer has not run out.
        self._trusted = False
        # Whether it is a probe that is due.
        self._probing = False
        self.timeout = self._clamp(settings.initial_timeout)
        self.due_at: int | None = None
        self.expiries = 0

    def start(self, now: int) -> None:
        """Start it, or start it over."""
        self.due_at = now + self.timeout
        self._probing = False

    def progress(self, now: int, last_sent_at: int | None) -> None:
        """Something new was acknowledged (RFC 6298, 5.2 and 5.3).

        `last_sent_at` is when something was last sent; None: no more is awaited.
        """
        self.expiries = 0
        if last_sent_at is None:
            self.due_at = self._progress_at = None
            return
        if self._progress_at is not None:
            self._gap.measure(now - self._progress_at)
        self._progress_at = now
        self.start(now)
        self._expect(now, last_sent_at)

    def _expect(self, now: int, last_sent_at: int) -> None:
        """Have a probe go out, if that is sooner, when the acknowledgements fall out of step."""
        round_trip, gap = self.round_trip.smoothed, self._gap
        if not self._trusted or round_trip is None or gap.smoothed is None:
            return
        probe_at = max(last_sent_at + round_trip, now + self._clamp(gap.bound + self._ack_delay))
        if probe_at < now + self.timeout:
            self.due_at = probe_at
            self._probing = True

    def expire(self, now: int) -> None:
        """It ran out: double the timeout and start over (RFC 6298, 5.5 and 5.6).

        After a probe it starts over as it is.
        """
        self._progress_at = None
        self._trusted = False
        if not self._probing:
            self.expiries += 1
            self.timeout = self._clamp(2 * self.timeout)
        self.start(now)

    def measure(self, round_trip: int) -> None:
        """Take in the round-trip time of a frame that was sent once (RFC 6298, 2.2 and 2.3)."""
        self.round_trip.measure(round_trip)
        self._trusted = True
        self.timeout = self._clamp(self.round_trip.bound)

    def _clamp(self, timeout: int) -> int:
        return min(max(timeout, self._lowest), self._highest)
