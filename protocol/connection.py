"""A connection: frames, link and messages in one sans-IO object.

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

from collections import deque

import msgspec

from mockpump.protocol import messages
from mockpump.protocol.catalogue import Direction, Message
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Record
from mockpump.protocol.framing import Frame, FrameDecoder, RejectedFrame, encode_frame
from mockpump.protocol.link import Link
from mockpump.protocol.link_events import (
    FrameDropped,
    LinkClosed,
    LinkOpened,
    LinkStatistics,
    PayloadReceived,
    Role,
)
from mockpump.protocol.link_settings import LinkSettings
from mockpump.protocol.link_table import State


class MessageReceived(Record, frozen=True):
    """A message of the catalogue that this side may receive."""

    message: Message


class MessageRejected(Record, frozen=True, gc=True):
    """A payload that is no message for this side.  `number` is its first byte, 0 when empty."""

    number: int
    error: DecodeError


ConnectionEvent = (
    LinkOpened | LinkClosed | MessageReceived | MessageRejected | FrameDropped | RejectedFrame
)


class WrongDirection(DecodeError):
    """A message that is in the catalogue, but only the other side may say it."""


class ConnectionStatistics(msgspec.Struct, frozen=True):
    """What a connection has counted: the link's figures, and the line's."""

    link: LinkStatistics
    bytes_sent: int
    bytes_received: int
    frames_rejected: int
    bytes_discarded: int


class Connection:
    """One side of the whole protocol.  Times in microseconds of line time."""

    __slots__ = ("_bytes_received", "_bytes_sent", "_decoder", "_events", "link")

    def __init__(self, role: Role, settings: LinkSettings | None = None) -> None:
        self.link = Link(role, settings)
        self._decoder = FrameDecoder()
        self._events: deque[ConnectionEvent] = deque()
        self._bytes_sent = 0
        self._bytes_received = 0

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent."""
        return self.link.state is State.OPEN

    @property
    def room(self) -> int:
        """How many messages `send` would take now."""
        return self.link.room

    def open(self, connection: int, now: int) -> None:
        """Start a connection under a fresh id (0..65535); initiator only."""
        self.link.open(connection, now)

    def send(self, message: Message, now: int) -> None:
        """Queue a message.

        Raises `LocalProtocolError` for a value out of range, a message too long for the payload
        agreed on, a link that is not open or a full backlog.
        """
        self.link.send(messages.encode(message), now)

    def close(self, now: int) -> None:
        """Have everything sent acknowledged, then end the connection."""
        self.link.close(now)
        self._take_link_events()

    def abort(self, now: int) -> None:
        """End the connection at once; what is unacknowledged may never arrive."""
        self.link.abort(now)
        self._take_link_events()

    def receive_data(self, data: bytes, now: int) -> None:
        """Take bytes from the line.  Never raises, whatever they are."""
        self._bytes_received += len(data)
        for found in self._decoder.receive_data(data):
            if isinstance(found, Frame):
                self.link.receive_frame(found, now)
                self._take_link_events()
            else:
                self._events.append(found)

    def handle_timer(self, now: int) -> None:
        """Do what is due by now; harmless when nothing is."""
        self.link.handle_timer(now)
        self._take_link_events()

    def _take_link_events(self) -> None:
        while (event := self.link.next_event()) is not None:
            if isinstance(event, PayloadReceived):
                self._events.append(self._message(event.payload))
            else:
                self._events.append(event)

    def _message(self, payload: bytes) -> MessageReceived | MessageRejected:
        try:
            message = messages.decode(payload)
            self._check_direction(message)
        except DecodeError as error:
            return MessageRejected(payload[0] if payload else 0, error)
        return MessageReceived(message)

    def _check_direction(self, message: Message) -> None:
        is_request = messages.entry_of(type(message)).direction is Direction.REQUEST
        if is_request is not (self.link.role is Role.ACCEPTOR):
            name = type(message).__name__
            raise WrongDirection(f"not for a {self.link.role.value} to receive", message=name)

    def next_event(self) -> ConnectionEvent | None:
        """What happened, oldest first; None when there is nothing more."""
        return self._events.popleft() if self._events else None

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
    def statistics(self) -> ConnectionStatistics:
        """What has been counted so far."""
        decoder = self._decoder
        return ConnectionStatistics(
            self.link.statistics,
            self._bytes_sent,
            self._bytes_received,
            decoder.rejected,
            decoder.discarded,
        )
