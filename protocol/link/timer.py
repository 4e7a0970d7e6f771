"""The retransmission timer: how long to wait before sending again, and how often.

RFC 6298's estimator in integer microseconds: a smoothed round-trip time and its mean deviation
(gains 1/8 and 1/4), the timeout their sum SRTT + 4 * RTTVAR, doubled at every expiry.  Karn's
algorithm is the caller's part of it: never measure a frame that was sent more than once, so that a
doubled timeout stays until a fresh frame has been measured.

    measured      timeout = SRTT + 4 * RTTVAR, within its bounds
    expires       timeout = 2 * timeout, at most `max_timeout`; expiries + 1
    acknowledged  expiries = 0; the timer starts over, or stops when nothing is in flight
    spent         `tries` expiries in a row: the link is lost

Three things go beyond the RFC, and each has its reason in a serial line.

*Probes.*  The end of a transfer has nothing behind it that would show a loss.  But as the line
empties, its acknowledgements come at a pace; when the last frame has had a round trip, and the next
of them is overdue, the oldest frame goes again as a probe (after RFC 8985, section 7), before the
timeout has run out and without doubling it.

*Bytes.*  A line of 1,200 baud needs longer for one long frame than a round trip of short ones
takes.  So what a byte takes is measured too, from the shortest and the longest exchange, and a
frame longer than the one measured last is given that much more.

*No doubling while opening.*  One OPEN at a time adds nothing to a crowd, and whoever waits for the
answer wants to know soon; OPENs are counted instead.

A measurement is bounded above as well (`LONGEST_MEASURED`): an answer that comes after a minute was
held up by something else than the line.
"""

from mockpump.protocol.link.types import LinkSettings

# What a measurement may bring the timeout to, in microseconds (RFC 6298, 2.5: no less than 60 s).
LONGEST_MEASURED = 60_000_000


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


class ByteTimeEstimator:
    """How long the line takes for a byte, from the round trips of a short and of a long exchange.

    Of what was measured, the fewest and the most bytes that went to and fro count, each with the
    quickest round trip.  Until two sizes were measured, all of the time may have been the line's.
    """

    __slots__ = ("_least", "_least_took", "_most", "_most_took", "byte_time")

    def __init__(self) -> None:
        # Bytes and microseconds of the shortest and of the longest exchange.
        self._least = self._least_took = 0
        self._most = self._most_took = 0
        self.byte_time = 0

    def measure(self, round_trip: int, size: int) -> None:
        """Take in how long it took that this many bytes went, at least one, there and back."""
        shortest = size < self._least or (size == self._least and round_trip < self._least_took)
        longest = size > self._most or (size == self._most and round_trip < self._most_took)
        if shortest or not self._least:
            self._least, self._least_took = size, round_trip
        if longest:
            self._most, self._most_took = size, round_trip
        if shortest or longest:
            self._work_out()

    def _work_out(self) -> None:
        self.byte_time = -(-self._most_took // self._most)
        if self._most > self._least:
            slope = -((self._least_took - self._most_took) // (self._most - self._least))
            self.byte_time = max(min(slope, self.byte_time), 0)


class RetransmissionTimer:
    """The timer of one connection.  All times in microseconds of line time.

    `timeout` is the present retransmission timeout, `due_at` when the timer runs out (None:
    stopped), `expiries` how often the timeout has run out in a row without progress, `round_trip`
    what has been measured.
    """

    __slots__ = (
        "_ack_delay",
        "_byte_times",
        "_expired",
        "_gap",
        "_highest",
        "_lowest",
        "_measured_size",
        "_probing",
        "_progress_at",
        "_size",
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
        # Whether the timer has run out since anything was measured.
        self._expired = False
        # Whether it is a probe that is due.
        self._probing = False
        self.timeout = max(settings.initial_timeout, settings.min_timeout)
        # What a byte takes; how many the frame had that was measured last, and how many the one has
        # that the timer runs for.
        self._byte_times = ByteTimeEstimator()
        self._measured_size = 0
        self._size = 0
        self.due_at: int | None = None
        self.expiries = 0

    def start(self, now: int, size: int) -> None:
        """Start it, or start it over; the oldest frame that it is for has `size` bytes."""
        self._size = size
        self.due_at = now + self.timeout
        if size > self._measured_size:
            self.due_at += self._allowance
        self._probing = False

    @property
    def _allowance(self) -> int:
        """What the line needs for the bytes that the frame measured last had less than this one."""
        return max(self._size - self._measured_size, 0) * self._byte_times.byte_time

    def stop(self) -> None:
        """Everything was acknowledged (RFC 6298, 5.2)."""
        self.expiries = 0
        self.due_at = self._progress_at = None

    def progress(self, now: int, last_sent_at: int, size: int) -> None:
        """Something new was acknowledged, and more is awaited (RFC 6298, 5.3).

        `last_sent_at` is when something was last sent, `size` how many bytes the oldest frame has
        that is awaited.
        """
        self.expiries = 0
        if self._progress_at is not None:
            self._gap.measure(now - self._progress_at)
        self._progress_at = now
        self.start(now, size)
        self._expect(now, last_sent_at)

    def _expect(self, now: int, last_sent_at: int) -> None:
        """Have a probe go out, if that is sooner, when the acknowledgements fall out of step."""
        round_trip, gap = self.round_trip.smoothed, self._gap
        if self._expired or round_trip is None or gap.smoothed is None:
            return
        # Acknowledgements may come in a bunch; the frames themselves take what they take.
        line = 2 * self._size * self._byte_times.byte_time
        overdue_at = now + max(gap.bound + self._ack_delay, line, self._lowest)
        probe_at = max(overdue_at, last_sent_at + round_trip + self._allowance)
        if self.due_at is None or probe_at < self.due_at:
            self.due_at = probe_at
            self._probing = True

    def expire(self, now: int, *, backoff: bool = True) -> bool:
        """It ran out: double the timeout and start over (RFC 6298, 5.5 and 5.6).

        After a probe, or without `backoff`, it starts over as it is.  True when what goes out again
        now will be what is acknowledged.  The first timeout since anything was measured may only
        mean that the line has become slower, and the frame as it first went may be acknowledged yet
        (compare RFC 5682).
        """
        ack_unambiguous = self._probing or self._expired
        self._progress_at = None
        self._expired = True
        if not self._probing:
            self.expiries += 1
        if backoff and not self._probing:
            self.timeout = max(self.timeout, min(2 * self.timeout, self._highest))
        self.start(now, self._size)
        return ack_unambiguous

    def measure(self, round_trip: int, size: int, answer: int) -> None:
        """Take in the round-trip time of a frame that was sent once (RFC 6298, 2.2 and 2.3).

        `size` is how many bytes it had, `answer` how many the frame that acknowledged it.
        """
        self.round_trip.measure(round_trip)
        self._expired = False
        bound = self.round_trip.bound
        bound = bound if bound < LONGEST_MEASURED else LONGEST_MEASURED
        self.timeout = bound if bound > self._lowest else self._lowest
        self._measured_size = size
        self._byte_times.measure(round_trip, size + answer)
