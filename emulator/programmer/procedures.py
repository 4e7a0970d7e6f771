"""What a programmer does, step by step: generators that yield a request and are sent its reply.

It may yield a list of requests too, none of which changes the pump: they are under way together,
and it is sent the list of their replies.

Each is one text for every way of running it: in virtual time, over a blocking serial port, in
asyncio.  A procedure never sees a refusal or a lost connection as a value: those are raised into it
(`RequestRefused`, `ConnectionLost`, `OutcomeUnknown`), and it may catch them.
"""

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from mockpump.emulator.programmer.errors import LogBroken, ReadbackDiffers, UnexpectedReply
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.catalogue import Message
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Record
from mockpump.protocol.log import ENTRY_SIZE, LogEntry, chain, entries_of
from mockpump.protocol.program import Program, ProgramError

T = TypeVar("T")
Procedure = Generator[Message | Sequence[Message], Any, T]

# How many pieces of the log are asked for at once: less than a link keeps waiting, and with the
# longest payload more than a whole log has.
_AHEAD = 32
# How often more of it is asked for; a log is kept no longer than a small part of this.
_MOST_ROUNDS = 1_000
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

    `ReadbackDiffers` when the pieces are not of one image, which may have changed meanwhile, or of
    one that is no program's.
    """
    image, digest = yield from _read_image(slot)
    if image and programs.digest(image) != digest:
        raise ReadbackDiffers("the pieces that the pump sent do not make up one image")
    try:
        return ProgramRead(programs.from_image(image) if image else None, image, digest)
    except (DecodeError, ProgramError) as error:
        raise ReadbackDiffers(f"the pump sent the image of no program: {error}") from None


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
    if known.asked != transaction:
        raise UnexpectedReply(f"the pump spoke of transaction {known.asked}, not {transaction}")
    return known


def read_log(first: int = 1) -> Procedure[LogRead]:
    """Read the event log from an entry on, and verify its chain up to the newest entry.

    The log goes on while it is read; what is read ends at an entry that was the newest once.
    `LogBroken` when an entry was altered, left out or put in.
    """
    reading = _Reading((yield m.ReadLog(first)))
    rounds = 0
    while reading.following <= reading.piece.newest:
        rounds += 1
        if rounds > _MOST_ROUNDS:
            raise LogBroken(f"after {len(reading.entries):,} entries it still has no end")
        step = max(len(reading.piece.entries) // ENTRY_SIZE, 1)
        ahead = range(reading.following, reading.piece.newest + 1, step)[:_AHEAD]
        pieces: list[m.LogPiece] = yield [m.ReadLog(each) for each in ahead]
        for piece in pieces:
            if piece.first != reading.following and piece is not pieces[0]:
                break  # The one before was not as long as those before it: ask again from its end.
            reading.take(piece)
    if reading.reached != reading.piece.newest_chain:
        raise LogBroken(f"up to entry {reading.piece.newest} the chain does not fit")
    return LogRead(reading.first, tuple(reading.entries))


class _Reading:
    """A log as it is read: the entries so far, the chain after them, and the last piece of it."""

    def __init__(self, piece: m.LogPiece) -> None:
        self.first = piece.first
        self.entries: list[LogEntry] = []
        self.reached = piece.before
        self.take(piece)

    @property
    def following(self) -> int:
        """The number of the entry that comes next."""
        return self.first + len(self.entries)

    def take(self, piece: m.LogPiece) -> None:
        """The next piece; `LogBroken` when it does not begin where the last one ended."""
        try:
            entries = entries_of(piece.entries)
        except DecodeError as error:
            raise LogBroken(f"from entry {piece.first} on: {error}") from None
        if piece.before != self.reached:
            raise LogBroken(f"before entry {piece.first} the chain does not fit")
        if not entries and self.following <= piece.newest:
            raise LogBroken(f"entry {self.following} is missing")
        self.reached = chain(self.reached, entries)
        self.entries += entries
        self.piece = piece
