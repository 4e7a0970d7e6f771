"""What a link tells its user: that it opened, what arrived, what it dropped, why it closed."""

from enum import Enum

import msgspec

from mockpump.protocol.fields import Record
from mockpump.protocol.framing import Frame, RejectedFrame


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


class LinkStatistics(msgspec.Struct):
    """What the link has counted since it was made.  `round_trip` in microseconds, once measured."""

    frames_sent: int = 0
    frames_received: int = 0
    frames_dropped: int = 0
    retransmissions: int = 0
    timeouts: int = 0
    round_trip: int | None = None
