"""One connection's traffic: both windows, the retransmission timer, and when to acknowledge.

A transfer knows nothing of opening and closing; `mockpump.protocol.link` makes one when both sides
have agreed on a window, and throws it away with the connection.

An acknowledgement rides on the next DATA frame.  Where none comes it goes out alone: at once for
every second frame in order (every one under a window below 4), for anything that is not in order
and for what fills a gap; otherwise after `ack_delay`.
"""

from mockpump.protocol.framing import OVERHEAD, Frame, Kind
from mockpump.protocol.link_events import LinkStatistics
from mockpump.protocol.link_settings import LinkSettings
from mockpump.protocol.retransmission import RetransmissionTimer
from mockpump.protocol.window import Arrival, InFlight, ReceiveWindow, SendWindow


class Arq:
    """The traffic of one open connection.  Times in microseconds of line time.

    `waiting` are the payloads to be sent as soon as the window allows; whoever has one appends it.
    """

    __slots__ = (
        "_ack_delay",
        "_ack_every",
        "_ack_now",
        "_connection",
        "_receive",
        "_send",
        "_statistics",
        "_timer",
        "_unacknowledged",
        "ack_at",
        "waiting",
    )

    def __init__(
        self,
        connection: int,
        window: int,
        settings: LinkSettings,
        timer: RetransmissionTimer,
        statistics: LinkStatistics,
    ) -> None:
        self._connection = connection
        self._send = SendWindow(window)
        self.waiting = self._send.queue
        self._receive = ReceiveWindow()
        self._timer = timer
        self._statistics = statistics
        self._ack_delay = settings.ack_delay
        self._ack_every = 2 if window >= 4 else 1
        self._ack_now = False
        self._unacknowledged = 0
        self.ack_at: int | None = None

    @property
    def ready(self) -> bool:
        """Whether the window has room and nothing waits before it."""
        return self._send.ready

    @property
    def outstanding(self) -> int:
        """Payloads of which it is not known that they were delivered."""
        return self._send.outstanding

    def receive(self, frame: Frame, now: int) -> tuple[Arrival, list[bytes]]:
        """Take a DATA frame; return what it is, and the payloads that are now in order."""
        window = self._receive
        gap = window.holding
        arrival, delivered = window.receive(frame.seq, frame.payload)
        self._unacknowledged += 1
        if arrival is not Arrival.IN_ORDER or gap or self._unacknowledged >= self._ack_every:
            self._ack_now = True
        else:
            self.ack_at = now + self._ack_delay
        return arrival, delivered

    def acknowledge(self, frame: Frame, now: int) -> bool:
        """Take the acknowledgement that a frame carries; False when it makes no sense."""
        done = self._send.acknowledge(frame.ack, frame.sack)
        if not done:
            return done is not None
        self._measure(done, now, OVERHEAD + len(frame.payload))
        awaited = self._send.in_flight
        if awaited:
            self._timer.progress(now, self._send.last_sent_at, awaited[0].size)
        else:
            self._timer.stop()
        return True

    def _measure(self, done: list[InFlight], now: int, answer: int) -> None:
        """Time the latest of what has arrived (RFC 6298, 3: Karn's algorithm).

        `answer` is how many bytes the frame has that says so.
        Where a repeated frame is among it, the others may only have waited for that one.
        """
        latest = done[0]
        for sent in done:
            if sent.transmissions > 1:
                return
            if sent.sent_at >= latest.sent_at:
                latest = sent
        self._timer.measure(now - latest.sent_at, latest.size, answer)
        self._statistics.round_trip = self._timer.round_trip.smoothed

    def frames_to_send(self, now: int) -> list[Frame]:
        """What must go out now: lost frames, new ones as far as the window goes, or an ACK."""
        sending = self._send.to_send(now)
        if not sending and not self._ack_now:
            return []
        if not sending:
            return [self.control_frame(Kind.ACK)]
        self._ack_now = False
        self.ack_at = None
        self._unacknowledged = 0
        if self._timer.due_at is None:
            self._timer.start(now, sending[0].size)
        connection, ack, sack = self._connection, self._receive.expected, self._receive.sack
        frames = []
        for sent in sending:
            if sent.transmissions > 1:
                self._statistics.retransmissions += 1
            frames.append(Frame(Kind.DATA, connection, sent.seq, ack, sack, sent.payload))
        return frames

    def control_frame(self, kind: Kind) -> Frame:
        """A frame without payload that carries the present acknowledgement; none is owed then."""
        self._ack_now = False
        self.ack_at = None
        self._unacknowledged = 0
        return Frame(kind, self._connection, 0, self._receive.expected, self._receive.sack)

    def acknowledge_soon(self) -> None:
        """Have the next frames_to_send carry an acknowledgement, with an ACK if need be."""
        self._ack_now = True

    def resend_oldest(self, ack_unambiguous: bool) -> bool:
        """Have the oldest unacknowledged payload sent again; False when there is none.

        `ack_unambiguous`: whether it is known that it is this that will be acknowledged.
        """
        return self._send.mark_oldest_lost(ack_unambiguous)
