"""The catalogue's machinery: how a message gets its number, its codec and its place in the list.

The messages themselves are declared in `mockpump.protocol.messages`; import that to have them.
"""

from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any, TypeVar

import msgspec

from mockpump.protocol.codec import Codec, codec_for
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.fields import Record


class Direction(Enum):
    """Who says it, and when."""

    REQUEST = "programmer to pump"
    REPLY = "pump to programmer, in answer"
    EVENT = "pump to programmer, unasked"


class Access(IntEnum):
    """What a session lets its holder ask for; a clinician may do all that an observer may."""

    OBSERVER = 1
    CLINICIAN = 2


class Message(Record, frozen=True, gc=False):
    """The base of every message."""


M = TypeVar("M", bound=Message)


class Entry(msgspec.Struct, frozen=True):
    """One line of the catalogue.

    `reply` is None but for a request; `needs` is the access that a request takes, None for one that
    is answered without a session.
    """

    number: int
    direction: Direction
    message: type[Message]
    reply: type[Message] | None
    codec: Codec[Any]
    needs: Access | None = None

    @property
    def name(self) -> str:
        """The message's name."""
        return self.message.__name__


CATALOGUE: dict[int, Entry] = {}
_BY_TYPE: dict[type[Message], Entry] = {}
_DECODERS: list[Callable[[bytes], Message] | None] = [None] * 256
_ENCODERS: dict[type[Message], Callable[[Any], bytes]] = {}


def entry_of(message: type[Message]) -> Entry:
    """The catalogue's line about a message."""
    return _BY_TYPE[message]


def entry_named(name: str) -> Entry | None:
    """The catalogue's line about the message of that name, in any case; None when there is none."""
    return next((e for e in CATALOGUE.values() if e.name.lower() == name.lower()), None)


def encode(message: Message) -> bytes:
    """The payload of a message.  `LocalProtocolError` when a value is out of its range."""
    encoder = _ENCODERS.get(type(message))
    if encoder is None:
        raise LocalProtocolError(f"{type(message).__name__} is not in the catalogue")
    return encoder(message)


def decode(payload: bytes) -> Message:
    """The message that a payload is.  `DecodeError` for anything but exactly one."""
    decoder = _DECODERS[payload[0]] if payload else None
    if decoder is None:
        raise DecodeError(f"no message has number {payload[0]}" if payload else "empty payload")
    return decoder(payload)


def _enter(
    number: int,
    direction: Direction,
    reply: type[Message] | None = None,
    needs: Access | None = None,
) -> Callable[[type[M]], type[M]]:
    def enter(message: type[M]) -> type[M]:
        if number in CATALOGUE:
            raise ValueError(f"{message.__name__} and {CATALOGUE[number].name} share {number:#04x}")
        entry = Entry(number, direction, message, reply, codec_for(message, number), needs)
        CATALOGUE[number] = _BY_TYPE[message] = entry
        _DECODERS[number] = entry.codec.decode
        _ENCODERS[message] = entry.codec.encode
        return message

    return enter


def request(
    number: int, answer: type[Message], needs: Access | None
) -> Callable[[type[M]], type[M]]:
    """Declare a request, the reply that it gets, and the access that it takes."""
    return _enter(number, Direction.REQUEST, answer, needs)


def reply(number: int) -> Callable[[type[M]], type[M]]:
    """Declare a reply."""
    return _enter(number, Direction.REPLY)


def event(number: int) -> Callable[[type[M]], type[M]]:
    """Declare a message that comes unasked."""
    return _enter(number, Direction.EVENT)
