"""What a link is tuned by, and what it tells its user.

The settings are declared like a message, so that the document lists them by itself.
"""

from enum import Enum
from typing import Annotated, NamedTuple

import msgspec

from mockpump.protocol.fields import Record, u8, u16, u32
from mockpump.protocol.framing import MAX_PAYLOAD, Frame, RejectedFrame

MIN_PAYLOAD = 64
MAX_WINDOW = 16


class Offer(Record, frozen=True):
    """The payload of OPEN and OPEN_ACK: what this side will take.  The smaller of the two holds."""

    max_payload: Annotated[
        int, u16("B", "largest payload", minimum=MIN_PAYLOAD, maximum=MAX_PAYLOAD)
    ]
    window: Annotated[int, u8("frames", "in flight at a time", minimum=1, maximum=MAX_WINDOW)]


class LinkSettings(Record, frozen=True):
    """Sizes and timers of one side of a link.  Times are line time, in microseconds."""

    max_payload: Annotated[
        int, u16("B", "largest payload offered", minimum=MIN_PAYLOAD, maximum=MAX_PAYLOAD)
    ] = 240
    window: Annotated[
        int, u8("frames", "window offered; 1 is stop-and-wait", minimum=1, maximum=MAX_WINDOW)
    ] = 8
    backlog: Annotated[
        int, u16("payloads", "queued behind a full window before send() refuses", minimum=1)
    ] = 64
    initial_timeout: Annotated[
        int, u32("us", "retransmission timeout before the first measurement", minimum=1)
    ] = 1_000_000
    min_timeout: Annotated[int, u32("us", "least retransmission timeout", minimum=1)] = 200_000
    max_timeout: Annotated[
        int, u32("us", "greatest retransmission timeout that doubling comes to", minimum=1)
    ] = 4_000_000
    tries: Annotated[
        int, u8("", "timeouts in a row without progress before the link is lost", minimum=1)
    ] = 8
    ack_delay: Annotated[
        int, u32("us", "how long an acknowledgement may wait for a frame to ride on")
    ] = 20_000
    open_tries: Annotated[
        int,
        u8("", "OPENs sent, each `initial_timeout` after the last, before giving up", minimum=1),
    ] = 6
    keepalive: Annotated[int, u32("us", "silence here after which an ACK is sent", minimum=1)] = (
        5_000_000
    )
    idle_timeout: Annotated[int, u32("us", "silence there after which all is lost", minimum=1)] = (
        16_000_000
    )

    def offer(self) -> Offer:
        """What this side puts into OPEN and OPEN_ACK."""
        return Offer(self.max_payload, self.window)


class Role(Enum):
    """Which side of the line this is."""

    INITIATOR = "programmer"
    ACCEPTOR = "pump"


class CloseReason(Enum):
    """Why a connection ended."""

    CLOSED_HERE = "closed here"
    CLOSED_THERE = "closed by the other side"
    RESET = "the other side does not know this connection"
    NO_ANSWER = "nobody answered"
    TRIES_SPENT = "nothing was acknowledged any more"
    SILENCE = "nothing was heard any more"
    SUPERSEDED = "the other side opened a new connection"


class DropReason(Enum):
    """Why a whole frame was of no use."""

    UNEXPECTED = "not expected in this state"
    MISDIRECTED = "only this side may say it"
    STRAY = "of no or another connection"
    DUPLICATE = "already here"
    OUTSIDE = "out of reach"
    BAD_OFFER = "its offer makes no sense"
    BAD_PAYLOAD = "its payload does not belong there or is too long"
    BAD_ACK = "acknowledges what was never sent"


class LinkOpened(Record, frozen=True):
    """Payloads may travel; both sides agreed on these."""

    max_payload: int
    window: int


class LinkClosed(Record, frozen=True):
    """The connection is over; `unacknowledged` payloads may or may not have been delivered."""

    reason: CloseReason
    unacknowledged: int


class PayloadReceived(Record, frozen=True):
    """The next payload, in order, once."""

    payload: bytes


class FrameDropped(Record, frozen=True):
    """A whole frame that was of no use, and why."""

    reason: DropReason
    frame: Frame


# Whoever finds the frames puts what was none in its place among the others.
LinkEvent = LinkOpened | LinkClosed | PayloadReceived | FrameDropped | RejectedFrame


class FlightState(NamedTuple):
    """A payload in flight: its number, when it was last sent, and how often."""

    seq: int
    sent_at: int
    transmissions: int


class LinkSnapshot(Record, frozen=True):
    """Where a link stands, for whoever draws it.  Times in microseconds of line time.

    From `base` on nothing is acknowledged, `next_seq` is the next number, `window` the most in
    flight; `expected` is the number awaited from the other side, `early` those behind it that are
    kept.  `due_at` is when the retransmission timer runs out, `round_trip` the smoothed one.
    """

    state: str
    connection: int | None
    base: int
    next_seq: int
    window: int
    in_flight: tuple[FlightState, ...]
    expected: int
    early: tuple[int, ...]
    timeout: int
    due_at: int | None
    expiries: int
    round_trip: int | None
    ack_at: int | None


class LinkStatistics(msgspec.Struct):
    """What the link has counted since it was made.  `round_trip` in microseconds, once measured."""

    frames_sent: int = 0
    frames_received: int = 0
    frames_dropped: int = 0
    retransmissions: int = 0
    timeouts: int = 0
    round_trip: int | None = None
