"""What a programmer does, step by step: generators that yield a request and are sent its reply.

It may yield a list of requests too, none of which changes the pump: they are under way together,
and it is sent the list of their replies.

Each is one text for every way of running it: in virtual time, over a blocking serial port, in
asyncio.  A procedure never sees a refusal or a lost connection as a value: those are raised into it
(`RequestRefused`, `ConnectionLost`, `OutcomeUnknown`), and it may catch them.
"""

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from mockpump.emulator.programmer.errors import (
    LogBroken,
    LogUnsettled,
    ReadbackDiffers,
    UnexpectedReply,
)
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Record
from mockpump.protocol.log import GENESIS, LOG_ENTRIES, LogEntry, chain, entries_of
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program, ProgramError

T = TypeVar("T")
Procedure = Generator[Message | Sequence[Message], Any, T]

# How many pieces of the log are asked for at once: less than a link keeps waiting, and with the
# longest payload more than a whole log has.
_AHEAD = 32
# How often more of it is asked for; a log is kept no longer than a small part of this.
_MOST_ROUNDS = 1_000
# How often its reading begins, since what was to be read next is folded away.
_MOST_BEGINNINGS = 20
# Room for the other fields of the message that carries a piece of an image.
_PIECE_OVERHEAD = 32


class ProgramRead(Record, frozen=True):
    """A program as the pump holds it.  `program` is None when it holds none."""

    program: Program | None
    image: bytes
    digest: bytes


class LogRead(Record, frozen=True):
    """A verified stretch of the event log; its entries are numbered from `first`.

    `folded`: this many entries before that were still kept when the reading began, and were not
    when it ended.
    """

    first: int
    entries: tuple[LogEntry, ...]
    folded: int = 0


def ask(request: Message) -> Procedure[Any]:
    """One request, one reply."""
    return (yield request)


def read_program(slot: m.Slot = m.Slot.ACTIVE) -> Procedure[ProgramRead]:
    """Read a whole image, piece by piece, and decode it.

    `ReadbackDiffers` when the pieces are not of one image, which may have changed meanwhile, or of
    one that is not a program's.
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
    """Ask what happened to a transaction whose reply was lost."""
    known: m.OutcomeKnown = yield m.QueryOutcome(transaction)
    if known.asked != transaction:
        raise UnexpectedReply(f"the pump spoke of transaction {known.asked}, not {transaction}")
    return known


def read_log(first: int = 1) -> Procedure[LogRead]:
    """Read the event log from an entry on, and verify its chain up to what was the newest entry.

    The log goes on while it is read: what was the newest when the reading began is its end.
    Entries that the pump folds away before they are read are no tampering: the reading begins again
    at the oldest that is kept.  `LogBroken` when an entry was altered, left out or put in;
    `LogUnsettled` when the log is always folded away faster than it is read.
    """
    piece: m.LogPiece = yield m.ReadLog(first)
    begun_at = piece.first
    for _ in range(_MOST_BEGINNINGS):
        reading = _Reading(piece, first)
        folded = yield from _read_on(reading)
        if folded is None:
            missed = reading.first - begun_at
            return LogRead(reading.first, tuple(reading.entries), missed)
        piece, first = folded, reading.following
    raise LogUnsettled("the pump folds its event log away faster than it can be read")


def _read_on(reading: "_Reading") -> Procedure[m.LogPiece | None]:
    """Read to the end; or up to a piece that begins later, because what was wanted is folded."""
    for _ in range(_MOST_ROUNDS):
        if reading.over:
            return None
        ahead = range(reading.following, reading.last + 1, reading.step)[:_AHEAD]
        pieces: list[m.LogPiece] = yield [m.ReadLog(each) for each in ahead]
        for piece in pieces:
            if piece is pieces[0] and piece.first > reading.following:
                return piece
            if piece is not pieces[0] and piece.first != reading.following:
                break  # The one before was not as long as those before it: ask again from its end.
            reading.take(piece)
    raise LogBroken(f"after {len(reading.entries):,} entries it still has no end")


# Why the reading is exact.
#
# The first piece says which entry is the newest, N, and the chain after it, c(N).  What is read is
# the stretch from its first entry up to N, in pieces; each must begin where the last one ended,
# with the chain that was come to, and after N the chain must be c(N).  So nothing in the stretch
# was altered, left out or put in.  That the log grows meanwhile changes nothing of it: N stays, and
# entries beyond it are not looked at.
#
# A full log folds its oldest entry away with each new one, which may be one that was not read yet.
# Then a piece begins later than was asked for, and the chain of what is between is gone with it, so
# what was read before cannot be tied to what comes: the reading begins again at that piece, with
# its N.  Whoever left entries out could say the same, but for one thing: a pump folds nothing
# before its log is full, so a piece that begins late must leave a whole log of entries, the newest
# included.  So it cannot begin later than an honest one would, and nothing that is kept is hidden.


class _Reading:
    """A log as it is read: the entries so far, and the chain after them."""

    def __init__(self, piece: m.LogPiece, asked: int) -> None:
        self.first = piece.first
        self.last = piece.newest
        self.entries: list[LogEntry] = []
        self._reached = piece.before
        self._end = piece.newest_chain
        if self.first == 1 and piece.before != GENESIS:
            raise LogBroken("before entry 1 the chain does not fit")
        if self.first > asked and self.last - self.first + 1 < LOG_ENTRIES:
            raise LogBroken(f"entries {asked} to {self.first - 1} are missing")
        self.take(piece)
        # How many fit into a piece.
        self.step = max(len(self.entries), 1)

    @property
    def following(self) -> int:
        """The number of the entry that comes next."""
        return self.first + len(self.entries)

    @property
    def over(self) -> bool:
        """Whether the last entry has been read; `LogBroken` when the chain after it differs."""
        if self.following <= self.last:
            return False
        if self._reached != self._end:
            raise LogBroken(f"up to entry {self.last} the chain does not fit")
        return True

    def take(self, piece: m.LogPiece) -> None:
        """The next piece; `LogBroken` when it does not begin where the last one ended."""
        try:
            entries = entries_of(piece.entries)[: self.last + 1 - self.following]
        except DecodeError as error:
            raise LogBroken(f"from entry {piece.first} on: {error}") from None
        if piece.first != self.following or piece.before != self._reached:
            raise LogBroken(f"before entry {piece.first} the chain does not fit")
        if not entries and not self.following > self.last:
            raise LogBroken(f"entry {self.following} is missing")
        self._reached = chain(self._reached, entries)
        self.entries += entries
