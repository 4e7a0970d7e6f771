"""What a programmer does, step by step: generators that yield a request and are sent its reply.

Each is one text for every way of running it: in virtual time, over a blocking serial port, in
asyncio.  A procedure never sees a refusal or a lost connection as a value: those are raised into it
(`RequestRefused`, `ConnectionLost`, `OutcomeUnknown`), and it may catch them.
"""

from collections.abc import Generator
from typing import Any, TypeVar

from mockpump.emulator.programmer.errors import LogBroken, ReadbackDiffers
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.catalogue import Message
from mockpump.protocol.fields import Record
from mockpump.protocol.log import LogEntry, chain, entries_of
from mockpump.protocol.program import Program

T = TypeVar("T")
Procedure = Generator[Message, Any, T]

# Room for the other fields of the message that carries a piece of an image.
_PIECE_OVERHEAD = 32


class ProgramRead(Record, frozen=True):
    """A program as the pump holds it.  `program` is None when it holds none."""

    program: Program | None
    image: bytes
    digest: bytes


class LogRead(Record, frozen=True):
    """A verified stretch of the event log; its entries are numbered from `first`."""

    first: int
    entries: tuple[LogEntry, ...]


def ask(request: Message) -> Procedure[Any]:
    """One request, one reply."""
    return (yield request)


def read_program(slot: m.Slot = m.Slot.ACTIVE) -> Procedure[ProgramRead]:
    """Read a whole image, piece by piece, and decode it.

    `ReadbackDiffers` when the pieces are not of one image: it may have changed meanwhile.
    """
    image, digest = yield from _read_image(slot)
    if image and programs.digest(image) != digest:
        raise ReadbackDiffers("the pieces that the pump sent do not make up one image")
    return ProgramRead(programs.from_image(image) if image else None, image, digest)


def _read_image(slot: m.Slot) -> Procedure[tuple[bytes, bytes]]:
    image = b""
    while True:
        data: m.ProgramData = yield m.ReadProgram(slot, len(image), m.MAX_CHUNK)
        if data.offset != len(image) or (not data.data and len(image) < data.length):
            raise ReadbackDiffers("the pump sent another piece than was asked for")
        image += data.data
        if len(image) >= data.length:
            return image, data.digest


def set_program(
    program: Program,
    base: bytes,
    transaction: int,
    max_payload: int,
    when: m.When = m.When.NOW,
) -> Procedure[m.ProgramCommitted]:
    """Stage a program, read it back, compare, commit.

    `base` is the digest of the program believed active: if another has become active meanwhile the
    pump refuses.  `transaction` must be fresh.  `max_payload` is the link's, in bytes.  It rules
    from `when` on.  Before the commit, whatever goes wrong, the pump goes on with its old program.
    """
    image = programs.image(program)
    yield m.BeginProgram(len(image), programs.digest(image), base)
    size = min(max_payload - _PIECE_OVERHEAD, m.MAX_CHUNK)
    for offset in range(0, len(image), size):
        yield m.WriteProgram(offset, image[offset : offset + size])
    try:
        staged, _ = yield from _read_image(m.Slot.STAGED)
        if staged != image:
            raise ReadbackDiffers("the pump read back another program than was sent")
    except ReadbackDiffers:
        yield m.AbortProgram()
        raise
    committed: m.ProgramCommitted = yield m.CommitProgram(transaction, programs.digest(image), when)
    return committed


def learn_outcome(transaction: int) -> Procedure[m.OutcomeKnown]:
    """Ask what became of a transaction whose reply was lost."""
    known: m.OutcomeKnown = yield m.QueryOutcome(transaction)
    return known


def read_log(first: int = 1) -> Procedure[LogRead]:
    """Read the event log from an entry on, and verify its chain up to the newest entry.

    The log goes on while it is read; what is read ends at an entry that was the newest once.
    `LogBroken` when an entry was altered, left out or put in.
    """
    piece: m.LogPiece = yield m.ReadLog(first)
    read = LogRead(piece.first, ())
    reached = piece.before
    while True:
        entries = entries_of(piece.entries)
        if piece.before != reached:
            raise LogBroken(f"before entry {piece.first} the chain does not fit")
        reached = chain(reached, entries)
        read = LogRead(read.first, read.entries + tuple(entries))
        following = read.first + len(read.entries)
        if following > piece.newest:
            break
        if not entries:
            raise LogBroken(f"entry {following} is missing")
        piece = yield m.ReadLog(following)
    if reached != piece.newest_chain:
        raise LogBroken(f"up to entry {piece.newest} the chain does not fit")
    return read
