"""How a programmer proves that it holds a pairing key, and the pump that it holds the same.

What the numbers in them are made of, and what is done with them, is in `mockpump.protocol.session`.
The greeting and the proofs travel in the clear; every message after `Proven` is sealed.
"""

from typing import Annotated

from mockpump.protocol.fields import choice, fixed, u8, u32
from mockpump.protocol.messages.base import Access, Message, event, reply, request
from mockpump.protocol.messages.types import NONCE_SIZE, PROOF_SIZE, Outcomes, SessionEnd


@reply(0x88)
class Welcome(Message, frozen=True, gc=False):
    """The pump has chosen a version and challenges the programmer."""

    version: Annotated[int, u8("", "protocol version that both speak", minimum=1)]
    serial: Annotated[int, u32("", "serial number of this pump")]
    nonce: Annotated[bytes, fixed("drawn by the pump, for this session only", size=NONCE_SIZE)]
    outcomes: Outcomes


@request(0x08, Welcome, None)
class Hello(Message, frozen=True, gc=False):
    """Begin a session, and challenge the pump."""

    lowest: Annotated[int, u8("", "lowest protocol version spoken", minimum=1)]
    highest: Annotated[int, u8("", "highest protocol version spoken", minimum=1)]
    access: Annotated[Access, choice(Access, "what the key to be proved grants")]
    nonce: Annotated[bytes, fixed("drawn by the programmer, for this session", size=NONCE_SIZE)]
    take_over: Annotated[
        int, u8("", "1: end the session that another has, once the proof is right", maximum=1)
    ] = 0


@reply(0x89)
class Proven(Message, frozen=True, gc=False):
    """The proof was right, and here is the pump's own; from now on both sides seal."""

    proof: Annotated[bytes, fixed("that the pump holds the key", size=PROOF_SIZE)]


@request(0x09, Proven, None)
class Prove(Message, frozen=True, gc=False):
    """The answer to the pump's challenge."""

    proof: Annotated[bytes, fixed("that the programmer holds the key", size=PROOF_SIZE)]


@event(0x61)
class SessionEnded(Message, frozen=True, gc=False):
    """This session is over, by no fault of its holder; nothing sealed in it is taken any more."""

    reason: Annotated[SessionEnd, choice(SessionEnd, "why")]
