"""A connection: frames, link, session and messages in one sans-IO object.

Bytes go in, events come out; messages go in, bytes come out; the time is an argument.  Nothing here
waits, sleeps or draws a random number, so the same object serves a pty, a socket, a test and a
world in virtual time.

    connection = Connection(Role.INITIATOR)
    connection.open(0x1234, now)
    line.write(connection.data_to_send(now))
    connection.receive_data(line.read(), now)
    while (event := connection.next_event()) is not None:
        ...

Call `handle_timer(now)` when `next_deadline()` has come, and `data_to_send(now)` after every call.
"""

import msgspec

from mockpump.protocol import messages
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.fields import Record
from mockpump.protocol.framing import Frame, FrameDecoder, RejectedFrame, encode_frame
from mockpump.protocol.link.link import Link
from mockpump.protocol.link.states import IDLE, OPEN
from mockpump.protocol.link.types import (
    CloseReason,
    FrameDropped,
    LinkClosed,
    LinkEvent,
    LinkOpened,
    LinkSettings,
    LinkStatistics,
    PayloadReceived,
    Role,
)
from mockpump.protocol.messages.base import Direction, Message
from mockpump.protocol.session import (
    SEAL_SIZE,
    Opener,
    Sealer,
    SessionKeys,
    claimed_number,
    is_sealed,
)


class MessageReceived(Record, frozen=True):
    """A message of the catalogue that this side may receive.

    `sealed`: it was sealed by the other side of the session; else anybody on the line may have
    sent it.
    """

    message: Message
    sealed: bool = False


class MessageRejected(Record, frozen=True, gc=True):
    """A payload that is not a message for this side.

    `number` is that of the message it claims to be, 0 when it is too short to claim any; `sealed`
    as for a message.
    """

    number: int
    error: DecodeError
    sealed: bool = False


ConnectionEvent = (
    LinkOpened | LinkClosed | MessageReceived | MessageRejected | FrameDropped | RejectedFrame
)


class WrongDirection(DecodeError):
    """A message that is in the catalogue, but only the other side may say it."""


class NoSession(DecodeError):
    """A sealed payload, and no session to open it with."""


# What each side may receive: requests go to the acceptor, replies and events to the initiator.
_RECEIVABLE = {
    role: frozenset(
        entry.message
        for entry in messages.CATALOGUE.values()
        if (entry.direction is Direction.REQUEST) is (role is Role.ACCEPTOR)
    )
    for role in Role
}


class ConnectionStatistics(msgspec.Struct, frozen=True):
    """What a connection has counted: the link's figures, and the line's."""

    link: LinkStatistics
    bytes_sent: int
    bytes_received: int
    frames_rejected: int
    bytes_discarded: int


class Connection:
    """One side of the whole protocol.  Times in microseconds of line time."""

    __slots__ = (
        "_bytes_received",
        "_bytes_sent",
        "_decoder",
        "_endings",
        "_events",
        "_opener",
        "_receivable",
        "_sealer",
        "link",
    )

    def __init__(self, role: Role, settings: LinkSettings | None = None) -> None:
        self.link = Link(role, settings)
        self._receivable = _RECEIVABLE[role]
        self._decoder = FrameDecoder()
        # What the link says goes into the same queue.
        self._events = self.link.events
        # How many connections of the link have ended, as far as it was looked at.
        self._endings = 0
        self._sealer: Sealer | None = None
        self._opener: Opener | None = None
        self._bytes_sent = 0
        self._bytes_received = 0

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent."""
        return self.link.state is OPEN

    @property
    def ended(self) -> CloseReason | None:
        """Why the last connection has ended; None before any has."""
        return self.link.ended

    @property
    def has_ended(self) -> bool:
        """Whether there is no connection any more, after one; `ended` says why."""
        return self.ended is not None and self.link.state is IDLE

    @property
    def room(self) -> int:
        """How many messages `send` would take now: the link, and the session if one goes on."""
        return self.link.room if self._sealer is None else min(self.link.room, self._sealer.left)

    def can_seal(self, count: int) -> bool:
        """Whether `count` messages can still be sealed, in the session that goes on if one does."""
        return self._sealer is None or count <= self._sealer.left

    @property
    def is_sealed(self) -> bool:
        """Whether a session is going on: all that is sent from now on is sealed."""
        return self._sealer is not None

    @property
    def max_message(self) -> int:
        """The longest message that fits into the payload agreed on, in bytes."""
        return self.link.max_payload - (0 if self._sealer is None else SEAL_SIZE)

    def open(self, connection: int, now: int) -> None:
        """Start a connection under a fresh id (0..65535); initiator only."""
        self.link.open(connection, now)

    def send(self, message: Message, now: int) -> None:
        """Queue a message.

        Raises `LocalProtocolError` for a value out of range, a message too long for the payload
        agreed on, a link that is not open, a full backlog or a session that can seal no more.
        """
        payload, sealer = messages.encode(message), self._sealer
        most = self.link.max_payload if sealer is None else self.max_message
        if len(payload) > most:
            name = type(message).__name__
            raise LocalProtocolError(f"{name} of {len(payload)} bytes; at most {most} fit")
        self.link.send(payload if sealer is None else sealer.seal(payload), now)

    def begin_session(self, keys: SessionKeys) -> None:
        """Seal what is sent from now on, and open what comes; the session ends with the link.

        `LocalProtocolError` when the link is not open, or a session is going on already.
        """
        if self.is_sealed or not self.is_open:
            raise LocalProtocolError("a session begins once, on an open link")
        mine, other = keys.requests, keys.replies
        if self.link.role is Role.ACCEPTOR:
            mine, other = other, mine
        self._sealer, self._opener = Sealer(mine), Opener(other)

    def close(self, now: int) -> None:
        """Have everything sent acknowledged, then end the connection."""
        self.link.close(now)
        self._look_after_session()

    def abort(self, now: int) -> None:
        """End the connection at once; what is unacknowledged may never arrive."""
        self.link.abort(now)
        self._look_after_session()

    def receive_data(self, data: bytes, now: int) -> None:
        """Take bytes from the line.  Never raises, whatever they are."""
        self._bytes_received += len(data)
        for found in self._decoder.receive_data(data):
            if isinstance(found, Frame):
                self.link.receive_frame(found, now)
            else:
                self._events.append(found)
        # Asked here too, because every byte comes this way.
        if self._endings != self.link.endings:
            self._look_after_session()

    def handle_timer(self, now: int) -> None:
        """Do what is due by now; harmless when nothing is."""
        self.link.handle_timer(now)
        self._look_after_session()

    def _look_after_session(self) -> None:
        """A session ends with its connection: nothing is sealed any more."""
        if self._endings != self.link.endings:
            self._endings = self.link.endings
            self._sealer = None

    def _message(self, payload: bytes) -> MessageReceived | MessageRejected:
        sealed, said = False, payload
        try:
            if is_sealed(payload):
                said = self._opened(payload)
                sealed = True
            message = messages.decode(said)
            if type(message) not in self._receivable:
                raise self._wrong_direction(message)
        except DecodeError as error:
            return MessageRejected(claimed_number(payload), error, sealed)
        return MessageReceived(message, sealed)

    def _opened(self, payload: bytes) -> bytes:
        if self._opener is None:
            raise NoSession("sealed, but no session is going on")
        return self._opener.open(payload)

    def _wrong_direction(self, message: Message) -> WrongDirection:
        name = type(message).__name__
        return WrongDirection(f"not for a {self.link.role.value} to receive", message=name)

    def next_event(self) -> ConnectionEvent | None:
        """What happened, oldest first; None when there is nothing more.

        A seal is opened here and not as its frame comes in: an event before it may be the one that
        begins the session.
        """
        return self._read(self._events.popleft()) if self._events else None

    def _read(self, event: LinkEvent) -> ConnectionEvent:
        """What the link says, in messages."""
        if isinstance(event, PayloadReceived):
            return self._message(event.payload)
        if isinstance(event, LinkClosed):
            self._opener = None
        return event

    def take_events(self) -> list[ConnectionEvent]:
        """All that `next_event` would give, oldest first."""
        taken = []
        while self._events:
            taken.append(self._read(self._events.popleft()))
        return taken

    def data_to_send(self, now: int) -> bytes:
        """The bytes that must go out now; empty when there are none."""
        frames = self.link.frames_to_send(now)
        if not frames:
            return b""
        data = encode_frame(frames[0]) if len(frames) == 1 else b"".join(map(encode_frame, frames))
        self._bytes_sent += len(data)
        return data

    def next_deadline(self) -> int | None:
        """When `handle_timer` must be called at the latest; None when nothing is awaited."""
        return self.link.next_deadline()

    @property
    def turned_down(self) -> tuple[int, int]:
        """How many frames were none, and how many bytes those had."""
        return self._decoder.rejected, self._decoder.discarded

    @property
    def statistics(self) -> ConnectionStatistics:
        """What has been counted so far."""
        return ConnectionStatistics(
            self.link.statistics, self._bytes_sent, self._bytes_received, *self.turned_down
        )
