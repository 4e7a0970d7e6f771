"""How a program gets into the pump: announced, written, read back, committed."""

from typing import Annotated

from mockpump.protocol.fields import choice, fixed, octets, u16, u32
from mockpump.protocol.messages.base import Access, Message, reply, request
from mockpump.protocol.messages.types import (
    DIGEST_SIZE,
    MAX_CHUNK,
    MAX_IMAGE,
    ActiveDigest,
    Offset,
    Slot,
    Transaction,
    When,
)


@reply(0x90)
class ProgramBegun(Message, frozen=True, gc=False):
    """The pump has emptied its staging area and waits for the image."""

    active: ActiveDigest


@request(0x10, ProgramBegun, Access.CLINICIAN)
class BeginProgram(Message, frozen=True, gc=False):
    """Announce a program image; whatever was staged before is gone."""

    length: Annotated[int, u16("B", "of the whole image", minimum=1, maximum=MAX_IMAGE)]
    digest: Annotated[bytes, fixed("of the whole image", size=DIGEST_SIZE)]
    base: Annotated[bytes, fixed("digest of the program believed active", size=DIGEST_SIZE)]


@reply(0x91)
class ProgramWritten(Message, frozen=True, gc=False):
    """The piece is staged."""

    staged: Annotated[int, u16("B", "staged so far", maximum=MAX_IMAGE)]


@request(0x11, ProgramWritten, Access.CLINICIAN)
class WriteProgram(Message, frozen=True, gc=False):
    """The next piece of the image."""

    offset: Annotated[int, u16("B", "where it belongs: what is staged so far", maximum=MAX_IMAGE)]
    data: Annotated[bytes, octets("the piece", maximum=MAX_CHUNK)]


@reply(0x92)
class ProgramData(Message, frozen=True, gc=False):
    """A piece of an image."""

    length: Annotated[int, u16("B", "of the whole image, or staged so far", maximum=MAX_IMAGE)]
    digest: Annotated[bytes, fixed("of the whole image, or announced", size=DIGEST_SIZE)]
    offset: Offset
    data: Annotated[bytes, octets("the piece; empty at the end", maximum=MAX_CHUNK)]


@request(0x12, ProgramData, Access.OBSERVER)
class ReadProgram(Message, frozen=True, gc=False):
    """Read back a piece of an image."""

    slot: Annotated[Slot, choice(Slot, "which image")]
    offset: Annotated[int, u16("B", "where to begin", maximum=MAX_IMAGE)]
    count: Annotated[int, u16("B", "how much at the most", minimum=1, maximum=MAX_CHUNK)]


@reply(0x93)
class ProgramCommitted(Message, frozen=True, gc=False):
    """The staged program is the active one, or will be."""

    active: Annotated[bytes, fixed("digest of that program", size=DIGEST_SIZE)]
    elapsed: Annotated[int, u32("s", "pump time from which it rules, as things stand")]


@request(0x13, ProgramCommitted, Access.CLINICIAN)
class CommitProgram(Message, frozen=True, gc=False):
    """Make the staged program the active one, all of it, now or at a moment to come.

    A program that was pending until then is forgotten.
    """

    transaction: Transaction
    digest: Annotated[bytes, fixed("of the image meant", size=DIGEST_SIZE)]
    when: Annotated[When, choice(When, "from when on it is to rule")]


@reply(0x94)
class ProgramAborted(Message, frozen=True, gc=False):
    """Nothing is staged any more."""


@request(0x14, ProgramAborted, Access.CLINICIAN)
class AbortProgram(Message, frozen=True, gc=False):
    """Forget what is staged."""


@reply(0x95)
class PendingDropped(Message, frozen=True, gc=False):
    """The active program goes on."""

    active: ActiveDigest


@request(0x15, PendingDropped, Access.CLINICIAN)
class DropPending(Message, frozen=True, gc=False):
    """Forget the program that was committed for later."""

    transaction: Transaction
