"""The session: who says it, and is it fresh.

The one idea: both sides mix what they said to each other (`Identity`, `Hello`, `Welcome`) into the
pairing key and get four numbers out.  Two are the proofs that they exchange, so each sees that the
other holds the key and has heard the same; two are the keys with which each side seals every later
message, with a counter that never goes back.  Change a byte of the greeting or of who the pump says
it is, or take another key, another pump or yesterday's greeting, and nothing fits.

    transcript = SHA-256("TIDE/1 session" | Identity | Hello | Welcome)     as they are sent
    secret     = HKDF-Extract(salt = transcript, key = pairing key)
    each of the four = HKDF-Expand(secret, info = its name)

HKDF is RFC 5869 and HMAC RFC 2104, both with SHA-256.  A sealed payload is

    00 | counter | tag | message          tag = HMAC(key, counter | message), its first 8 bytes

The message in it stays readable on purpose: this protocol is for looking at.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Annotated

from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.fields import Record, fixed, u8, u32
from mockpump.protocol.messages import PROOF_SIZE, PROTOCOL_VERSION, Hello, Identity, Welcome
from mockpump.protocol.messages.base import CATALOGUE, encode

LABEL = b"TIDE/1 session"
# The first byte of a sealed payload, so that anybody can tell it from one in the clear.
SEALED = 0
COUNTER_SIZE = 4
TAG_SIZE = 8
SEAL_SIZE = 1 + COUNTER_SIZE + TAG_SIZE
LAST_COUNTER: int = 2 ** (8 * COUNTER_SIZE) - 1
# What each of the four is for, how long it is, and under which name it is expanded.
SCHEDULE = {
    "prove": (PROOF_SIZE, b"TIDE/1 proof of the programmer"),
    "proven": (PROOF_SIZE, b"TIDE/1 proof of the pump"),
    "requests": (32, b"TIDE/1 programmer to pump"),
    "replies": (32, b"TIDE/1 pump to programmer"),
}


class Seal(Record, frozen=True):
    """What stands before a sealed message.  No message has the number of its first byte."""

    mark: Annotated[int, u8("", "says that it is sealed", maximum=SEALED)]
    counter: Annotated[int, u32("", "how many this side has sealed before in this session")]
    tag: Annotated[bytes, fixed("of the counter and the message", size=TAG_SIZE)]


class BadTag(DecodeError):
    """A payload that was not sealed by the other side of this session, or was changed since."""


class OldCounter(DecodeError):
    """A payload that was sealed by the other side, and is older than one that has come already."""


class SessionKeys:
    """What both sides get out of a pairing key and their greeting: two proofs and two keys."""

    __slots__ = ("prove", "proven", "replies", "requests")

    def __init__(self, secret: bytes, identity: Identity, hello: Hello, welcome: Welcome) -> None:
        prk = extract(transcript(identity, hello, welcome), secret)
        self.prove, self.proven, self.requests, self.replies = (
            expand(prk, info, size) for size, info in SCHEDULE.values()
        )


def transcript(identity: Identity, hello: Hello, welcome: Welcome) -> bytes:
    """The digest of a greeting, and of who the pump says it is.

    The pump takes its own `Identity`, the programmer the one that it was answered with.
    """
    said = encode(identity) + encode(hello) + encode(welcome)
    return hashlib.sha256(LABEL + said).digest()


def extract(salt: bytes, key: bytes) -> bytes:
    """HKDF-Extract of RFC 5869."""
    return hmac.digest(salt, key, "sha256")


def expand(secret: bytes, info: bytes, size: int) -> bytes:
    """HKDF-Expand of RFC 5869, for at most 255 blocks of 32 bytes."""
    return b"".join(_blocks(secret, info, -(-size // 32)))[:size]


def _blocks(secret: bytes, info: bytes, count: int) -> Iterator[bytes]:
    block = b""
    for number in range(1, count + 1):
        block = hmac.digest(secret, block + info + bytes((number,)), "sha256")
        yield block


def offers_our_version(hello: Hello) -> bool:
    """Whether the version of this protocol is among those offered."""
    return hello.lowest <= PROTOCOL_VERSION <= hello.highest


def proof_matches(proof: bytes, expected: bytes) -> bool:
    """Whether a proof is right; how long that takes says nothing about it."""
    return hmac.compare_digest(proof, expected)


class Sealer:
    """Seals what one side says in a session."""

    __slots__ = ("_counter", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._counter = 0

    @property
    def left(self) -> int:
        """How many messages it can still seal."""
        return LAST_COUNTER + 1 - self._counter

    def seal(self, message: bytes) -> bytes:
        """A message as a sealed payload.  `LocalProtocolError` after 2**32 of them."""
        if self._counter > LAST_COUNTER:
            raise LocalProtocolError("the counter of this session is used up; begin another")
        counter = self._counter.to_bytes(COUNTER_SIZE, "big")
        self._counter += 1
        return bytes((SEALED,)) + counter + _tag(self._key, counter + message) + message


class Opener:
    """Opens what the other side of a session has sealed."""

    __slots__ = ("_key", "_least")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._least = 0

    def open(self, payload: bytes) -> bytes:
        """The message in a sealed payload; `BadTag` or `OldCounter`, and nothing changed."""
        counter = payload[1 : 1 + COUNTER_SIZE]
        message = payload[SEAL_SIZE:]
        tag = payload[1 + COUNTER_SIZE : SEAL_SIZE]
        if not hmac.compare_digest(tag, _tag(self._key, counter + message)):
            raise BadTag("its tag is not the other side's")
        number = int.from_bytes(counter, "big")
        if number < self._least:
            raise OldCounter(f"its counter is {number}, and {self._least} comes next")
        self._least = number + 1
        return message


def split_seal(payload: bytes) -> tuple[Seal | None, bytes]:
    """The seal, if there is one, and the message, for whoever has no key and checks nothing.

    `DecodeError` when it is too short for a seal.
    """
    if not is_sealed(payload):
        return None, payload
    return _SEAL.decode(payload[:SEAL_SIZE]), payload[SEAL_SIZE:]


def is_sealed(payload: bytes) -> bool:
    """Whether a payload claims to be sealed."""
    return payload[:1] == _LEAD


def claimed_number(payload: bytes) -> int:
    """The number of the message that a payload claims to carry; 0 when it is too short."""
    at = SEAL_SIZE if is_sealed(payload) else 0
    return payload[at] if len(payload) > at else 0


def claimed_name(payload: bytes) -> str:
    """The name of that message; empty when there is none of that number."""
    entry = CATALOGUE.get(claimed_number(payload))
    return entry.name if entry else ""


_SEAL = codec_for(Seal)
_LEAD = bytes((SEALED,))


def _tag(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")[:TAG_SIZE]
