"""Selective repeat: what was sent and is not acknowledged, what came too early, and one
connection's traffic made of both.  Opening and closing are not known here.

Sequence numbers count modulo 256.  On that circle the sender's state is three marks:

          base                    next_seq
           |  in flight            |  may be sent, if there is room
    . . . [ a  .  s  s  .  . ] . . | . . . . . |
           |<-- window: at most this many ------>|  under way at a time
           |<-- reach: 16 numbers ---------------------->|

`a` is the oldest unacknowledged one.  Those marked `s` were acknowledged selectively and are in
flight no more, but keep their numbers until everything before them has arrived.

The *window* bounds what is under way, the *reach* what a receiver may have to keep.  They are two
things so that one lost frame does not stop the others: what arrives behind a gap makes room in the
window.  Selective repeat needs the reach to be at most half of the numbers, 128; with 16, "less
than 128 ahead" tells after from before without doubt, even for a frame that the line kept back.

A frame is resent for one of three reasons:

* Three frames that were sent after it have arrived (`REORDERING`, RFC 9002, 6.1.1).  What counts
  is the number of the *transmission*, not of the frame: a resent frame is judged by when it was
  resent.
* Everything sent after it has arrived, and nothing more can be sent (RFC 5827): at the end of a
  transfer there are no three frames to come.
* The timer has run out (`mockpump.protocol.link.timer`).

After a timeout it is not known whether the frame or only its acknowledgement was late.  So what
that transmission proves of others is only used where its acknowledgement can be of no earlier one
(`ack_unambiguous`); else a slow line would be taken for a lossy one.

An acknowledgement rides on the next DATA frame.  Where none comes it goes out alone: at once for
every second frame in order (every one under a window below 4), for anything that is not in order
and for what fills a gap; otherwise after `ack_delay`.
"""

from collections import deque
from enum import Enum

import msgspec

from mockpump.protocol.framing import DATA, OVERHEAD, Frame, Kind
from mockpump.protocol.link.timer import RetransmissionTimer
from mockpump.protocol.link.types import LinkSettings, LinkStatistics

SACK_BITS = 16
# No frame is sent so far ahead of the oldest unacknowledged one, or further; so a receiver keeps
# fewer than these.
REACH = 16
# A frame is taken for lost when this many frames sent after it have arrived (RFC 9002, 6.1.1).
REORDERING = 3


def ahead(number: int, base: int) -> int:
    """How far a sequence number is ahead of another, 0..255."""
    return (number - base) & 0xFF


class InFlight(msgspec.Struct, gc=False):
    """A payload on its way, in a frame of `size` bytes.

    `transmission_number` counts transmissions over the whole connection.

    `ack_unambiguous`: its acknowledgement will be that of the latest one.
    """

    seq: int
    payload: bytes
    sent_at: int
    transmission_number: int
    size: int
    transmissions: int = 1
    lost: bool = False
    ack_unambiguous: bool = True


class SendWindow:
    """Payloads sent and not acknowledged, oldest first, and those that wait behind them."""

    __slots__ = (
        "_any_lost",
        "_highest_transmission",
        "_last_informative",
        "_next_transmission",
        "base",
        "in_flight",
        "last_sent_at",
        "next_seq",
        "queue",
        "size",
    )

    def __init__(self, size: int) -> None:
        self.size = size
        self.base = 0
        self.next_seq = 0
        # Never bound anew: whoever has payloads to send holds on to it.
        self.queue: deque[bytes] = deque()
        self.in_flight: deque[InFlight] = deque()
        # When anything was last sent, for the first time or again.
        self.last_sent_at = 0
        self._next_transmission = 0
        self._highest_transmission = -1
        # The latest transmission whose acknowledgement would prove something.
        self._last_informative = -1
        self._any_lost = False

    @property
    def ready(self) -> bool:
        """Whether a payload queued now would go out at once."""
        return not self.queue and self._has_room()

    def _has_room(self) -> bool:
        return len(self.in_flight) < self.size and (self.next_seq - self.base) & 0xFF < REACH

    @property
    def outstanding(self) -> int:
        """Payloads not known to be delivered: one that the other side keeps behind a gap is not."""
        return len(self.queue) + ((self.next_seq - self.base) & 0xFF)

    def to_send(self, now: int) -> list[InFlight]:
        """What must go out now: what was lost, then what the window has room for."""
        out = self._again(now) if self._any_lost else []
        while self.queue and self._has_room():
            payload = self.queue.popleft()
            size = OVERHEAD + len(payload)
            sent = InFlight(self.next_seq, payload, now, self._next_transmission, size)
            self._last_informative = self._next_transmission
            self._next_transmission += 1
            self.next_seq = (self.next_seq + 1) & 0xFF
            self.in_flight.append(sent)
            self.last_sent_at = now
            out.append(sent)
        return out

    def _again(self, now: int) -> list[InFlight]:
        self._any_lost = False
        self.last_sent_at = now
        out = [sent for sent in self.in_flight if sent.lost]
        for sent in out:
            sent.lost = False
            sent.sent_at = now
            sent.transmissions += 1
            sent.transmission_number = self._next_transmission
            if sent.ack_unambiguous:
                self._last_informative = self._next_transmission
            self._next_transmission += 1
        return out

    def acknowledge(self, ack: int, sack: int) -> list[InFlight] | None:
        """Forget what the other side has; return it.  None when it claims what was never sent.

        An acknowledgement from before `base` was overtaken on its way: it says nothing new.
        """
        advance = (ack - self.base) & 0xFF
        if advance > (self.next_seq - self.base) & 0xFF:
            return [] if advance >= 128 else None
        done: list[InFlight] = []
        while self.in_flight and (self.in_flight[0].seq - self.base) & 0xFF < advance:
            done.append(self.in_flight.popleft())
        self.base = ack
        if sack:
            done += self._selectively(ack, sack)
        if done and self.in_flight:
            self._mark_lost(done)
        return done

    def _selectively(self, ack: int, sack: int) -> list[InFlight]:
        def arrived(sent: InFlight) -> bool:
            place = ahead(sent.seq, ack) - 1
            return 0 <= place < SACK_BITS and bool(sack >> place & 1)

        done = [sent for sent in self.in_flight if arrived(sent)]
        if done:
            self.in_flight = deque(sent for sent in self.in_flight if not arrived(sent))
        return done

    def _mark_lost(self, done: list[InFlight]) -> None:
        """What was sent well before something that has arrived must have been lost.

        Where nothing more can be sent, all that was sent after it is proof enough (RFC 5827).
        """
        for sent in done:
            if sent.ack_unambiguous:
                self._highest_transmission = max(
                    self._highest_transmission, sent.transmission_number
                )
        more = bool(self.queue) and self._has_room()
        proof = self._highest_transmission - REORDERING
        if not more and self._highest_transmission == self._last_informative:
            proof = self._highest_transmission - 1
        for sent in self.in_flight:
            if sent.transmission_number <= proof:
                sent.lost = sent.ack_unambiguous = self._any_lost = True

    def mark_oldest_lost(self, ack_unambiguous: bool) -> bool:
        """The retransmission timer ran out: the oldest frame goes again (RFC 6298, 5.4).

        Unless `ack_unambiguous`, so that it is this transmission that will be acknowledged, it
        proves nothing about other frames.
        """
        if not self.in_flight:
            return False
        oldest = self.in_flight[0]
        oldest.lost = self._any_lost = True
        oldest.ack_unambiguous = ack_unambiguous
        return True


class Arrival(Enum):
    """What a receive window makes of a DATA frame."""

    IN_ORDER = "delivered"
    AHEAD = "kept until the gap before it is filled"
    DUPLICATE = "already here"
    OUTSIDE = "out of reach"


_IN_ORDER = Arrival.IN_ORDER


class ReceiveWindow:
    """Payloads that came too early, by their numbers in `early`, and the number expected next."""

    __slots__ = ("early", "expected")

    def __init__(self) -> None:
        self.expected = 0
        self.early: dict[int, bytes] = {}

    def receive(self, seq: int, payload: bytes) -> tuple[Arrival, list[bytes]]:
        """Take a DATA frame; return what it is, and the payloads that are now in order."""
        distance = (seq - self.expected) & 0xFF
        if distance == 0:
            delivered = [payload]
            self.expected = (seq + 1) & 0xFF
            while self.early and self.expected in self.early:
                delivered.append(self.early.pop(self.expected))
                self.expected = (self.expected + 1) & 0xFF
            return _IN_ORDER, delivered
        if distance >= REACH:
            # No older frames than these can still be under way.
            behind = 256 - distance <= REACH
            return (Arrival.DUPLICATE if behind else Arrival.OUTSIDE), []
        if seq in self.early:
            return Arrival.DUPLICATE, []
        self.early[seq] = payload
        return Arrival.AHEAD, []

    @property
    def sack(self) -> int:
        """The selective acknowledgement: bit i for `expected + 1 + i`."""
        bits = 0
        for seq in self.early:
            bits |= 1 << ahead(seq, self.expected) - 1
        return bits

    @property
    def holding(self) -> int:
        """How many payloads are kept."""
        return len(self.early)


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
        kept = len(window.early)
        arrival, delivered = window.receive(frame.seq, frame.payload)
        self._unacknowledged += 1
        if arrival is not _IN_ORDER or kept or self._unacknowledged >= self._ack_every:
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

    @property
    def sending(self) -> SendWindow:
        """What was sent and is not acknowledged; for looking at."""
        return self._send

    @property
    def receiving(self) -> ReceiveWindow:
        """What has arrived; for looking at."""
        return self._receive

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
        connection, received = self._connection, self._receive
        ack, sack = received.expected, received.sack if received.early else 0
        frames = []
        for sent in sending:
            if sent.transmissions > 1:
                self._statistics.retransmissions += 1
            frames.append(Frame(DATA, connection, sent.seq, ack, sack, sent.payload))
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
