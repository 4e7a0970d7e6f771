"""A procedure is a text of requests, played by hand against an honest pump or a lying one."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pump_state import Line

from mockpump.emulator.memory.ram import ChainedLog
from mockpump.emulator.programmer.errors import (
    LogBroken,
    LogUnsettled,
    ReadbackDiffers,
    UnexpectedReply,
)
from mockpump.emulator.programmer.procedures import (
    LogRead,
    Procedure,
    ask,
    learn_outcome,
    read_log,
    read_program,
    set_program,
)
from mockpump.emulator.pump.factory import FACTORY_PROGRAM, new_pump
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.log import (
    ENTRY_SIZE,
    GENESIS,
    LOG_ENTRIES,
    LogEntry,
    chain,
    encode_entry,
    entries_of,
)
from mockpump.protocol.messages import LogKind
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import FORMAT, DayPattern, Program, Segment
from mockpump.protocol.strategies import programs as any_programs

PROGRAMS = any_programs(max_patterns=4, max_segments=48)
BIG = Program(
    FORMAT,
    "big",
    (0, 1, 2, 3, 0, 1, 2),
    tuple(
        DayPattern(f"day {n}", tuple(Segment(s * 30, n * 100 + s) for s in range(48)))
        for n in range(4)
    ),
    (),
)


def play(
    procedure: Procedure[Any], answer: Callable[[Message], Message]
) -> tuple[Any, list[Message]]:
    """What it returns, and what it asked on the way; every request fits into its message."""
    asked: list[Message] = []
    reply = None
    try:
        while True:
            request = procedure.send(reply)
            m.encode(request)
            asked.append(request)
            reply = answer(request)
    except StopIteration as end:
        return end.value, asked


def play_until_it_fails(
    procedure: Procedure[Any], answer: Callable[[Message], Message], error: type[Exception]
) -> list[Message]:
    asked: list[Message] = []

    def note(request: Message) -> Message:
        asked.append(request)
        return answer(request)

    with pytest.raises(error):
        play(procedure, note)
    return asked


@given(PROGRAMS, st.integers(64, 1_000), st.integers(1, 960))
def test_a_program_is_set_and_read_back(program: Program, payload: int, piece: int) -> None:
    line = Line(new_pump(), largest_payload=piece + 15)
    set_ = set_program(program, line.pump.digest, 1, payload)
    committed, asked = play(set_, line.ask)
    assert committed == m.ProgramCommitted(programs.digest(programs.image(program)), 0)
    assert all(len(m.encode(request)) <= payload for request in asked)
    assert [type(asked[0]), type(asked[-1])] == [m.BeginProgram, m.CommitProgram]
    read, _ = play(read_program(), line.ask)
    assert read.program == program
    assert (read.image, read.digest) == (programs.image(program), line.pump.digest)


@pytest.mark.parametrize("payload", [64, 240, 992, 993, 1_000])
def test_the_largest_image_goes_through_any_payload(payload: int) -> None:
    assert len(programs.image(BIG)) > m.MAX_CHUNK
    line = Line(new_pump(), largest_payload=payload)
    play(set_program(BIG, line.pump.digest, 1, payload), line.ask)
    assert programs.from_image(line.pump.image) == BIG


def test_a_pump_without_a_program_says_so() -> None:
    read, asked = play(read_program(), Line(new_pump(program=None)).ask)
    assert (read.program, read.image, read.digest) == (None, b"", programs.digest(b""))
    assert len(asked) == 1
    staged, _ = play(read_program(m.Slot.STAGED), Line(new_pump()).ask)
    assert (staged.program, staged.image) == (None, b"")


def test_to_ask_is_one_request() -> None:
    assert play(ask(m.Identify()), Line(new_pump()).ask)[0] == new_pump().describe()


# -- a pump that lies ------------------------------------------------------------------------------


LIES: dict[str, Callable[[m.ProgramData], m.ProgramData]] = {
    "another byte": lambda d: replace(d, data=bytes((d.data[0] ^ 1,)) + d.data[1:]),
    "too short": lambda d: replace(d, length=d.length - 1, data=d.data[: d.length - 1 - d.offset]),
    "too long": lambda d: replace(d, length=d.length + 9, data=d.data + bytes(9)),
    "more than it says": lambda d: replace(d, data=d.data + bytes(2)),
    "nothing": lambda d: replace(d, length=0, data=b""),
    "never the end": lambda d: replace(d, data=b""),
    "another piece": lambda d: replace(d, offset=d.offset + 1),
}


class Liar(Line):
    """Answers reads with something else than it holds."""

    def __init__(self, lie: str) -> None:
        super().__init__(new_pump(), largest_payload=975)
        self.lie = LIES[lie]

    def ask(self, request: Message) -> Any:
        reply = super().ask(request)
        return self.lie(reply) if isinstance(reply, m.ProgramData) else reply


@pytest.mark.parametrize("lie", LIES)
def test_a_readback_that_differs_is_never_committed(lie: str) -> None:
    line = Liar(lie)
    set_ = set_program(Program.flat("new", 9_000), line.pump.digest, 1, 240)
    asked = play_until_it_fails(set_, line.ask, ReadbackDiffers)
    assert type(asked[-1]) is m.AbortProgram
    assert m.CommitProgram not in map(type, asked)
    assert line.peer.staging.length == 0
    assert programs.from_image(line.pump.image) == FACTORY_PROGRAM


@pytest.mark.parametrize("lie", sorted(set(LIES) - {"nothing"}))
def test_a_program_that_is_read_must_be_one(lie: str) -> None:
    with pytest.raises(ReadbackDiffers):
        play(read_program(), Liar(lie).ask)


def test_a_program_that_changes_while_it_is_read_is_noticed() -> None:
    pump = new_pump(program=Program.flat("old", 1))
    line, other = Line(pump, largest_payload=35), Line(pump)
    procedure = read_program()
    data = line.ask(next(procedure))
    other.commit(Program.flat("new", 2))
    with pytest.raises(ReadbackDiffers, match="one image"):
        play_on(procedure, line, data)


def play_on(procedure: Procedure[Any], line: Line, reply: Message) -> None:
    while True:
        reply = line.ask(procedure.send(reply))


def test_a_pump_that_never_stops_is_not_read_for_ever() -> None:
    def endless(request: Message) -> Message:
        assert isinstance(request, m.ReadProgram)
        return m.ProgramData(m.MAX_IMAGE, bytes(8), request.offset, bytes(500))

    asked = play_until_it_fails(read_program(), endless, ReadbackDiffers)
    assert len(asked) == 5


def test_what_is_no_program_cannot_be_read() -> None:
    image = b"garbage"

    def garbage(request: Message) -> Message:
        return m.ProgramData(len(image), programs.digest(image), 0, image)

    asked = play_until_it_fails(read_program(), garbage, ReadbackDiffers)
    assert [type(request) for request in asked] == [m.ReadProgram]


def test_the_outcome_of_another_transaction_is_no_answer() -> None:
    def of_another(request: Message) -> Message:
        return m.OutcomeKnown(6, m.OutcomeStatus.DONE, 0x20, m.encode(m.Suspended(0)), 1)

    asked = play_until_it_fails(learn_outcome(5), of_another, UnexpectedReply)
    assert asked == [m.QueryOutcome(5)]


def test_a_log_without_an_end_is_given_up() -> None:
    """A pump that always has more, each piece in a good chain."""
    entry = LogEntry(0, 0, LogKind.MADE, 0, 0)

    def more(asked: Message | list[Message]) -> Any:
        if isinstance(asked, list):
            return [more(each) for each in asked]
        assert isinstance(asked, m.ReadLog)
        while len(chains) <= asked.first:
            chains.append(chain(chains[-1], [entry]))
        before = chains[asked.first - 1]
        return m.LogPiece(asked.first, 2**32 - 1, before, bytes(8), encode_entry(entry))

    chains = [GENESIS]

    def read_on() -> None:
        procedure = read_log()
        asked: Any = next(procedure)
        while True:
            asked = procedure.send(more(asked))

    with pytest.raises(LogBroken, match="no end"):
        read_on()


# -- a log that goes on while it is read -----------------------------------------------------------


class Logbook:
    """A log of a pump, asked piece by piece, that grows by this many entries before each piece.

    `meddle` may change a piece on its way.
    """

    def __init__(
        self,
        length: int,
        growth: Iterator[int],
        piece: int = 13,
        meddle: Callable[[m.LogPiece], m.LogPiece] = lambda piece: piece,
    ) -> None:
        self.log = ChainedLog()
        self.growth = growth
        self.piece = piece
        self.meddle = meddle
        self.count = 0
        self.grow(length)

    def grow(self, count: int) -> None:
        self.log.append(self.entries(self.count + 1, count))
        self.count += count

    def entries(self, first: int, count: int) -> list[LogEntry]:
        """As they were written."""
        numbers = range(first, first + count)
        return [LogEntry(n, n, LogKind.CLOCK_SET, n, n) for n in numbers]

    def answer(self, asked: Message | list[Message]) -> Any:
        if isinstance(asked, list):
            return [self.answer(each) for each in asked]
        assert isinstance(asked, m.ReadLog)
        self.grow(next(self.growth, 0))
        page = self.log.page(asked.first, self.piece)
        entries = b"".join(map(encode_entry, page.entries))
        piece = m.LogPiece(page.first, page.newest, page.before, page.newest_chain, entries)
        return self.meddle(piece)

    def read(self, first: int = 1) -> LogRead:
        procedure = read_log(first)
        asked: Any = next(procedure)
        try:
            while True:
                asked = procedure.send(self.answer(asked))
        except StopIteration as end:
            read: LogRead = end.value
            return read


LENGTHS = st.integers(0, 60) | st.integers(LOG_ENTRIES - 60, LOG_ENTRIES + 60)
GROWTH = st.lists(st.sampled_from([0, 0, 0, 1, 5, 40, 400, 1_500]), max_size=40)


@given(LENGTHS, GROWTH, st.integers(1, 1_200), st.integers(1, 40))
def test_a_log_that_grows_and_folds_while_it_is_read_is_not_broken(
    length: int, growth: list[int], first: int, piece: int
) -> None:
    book = Logbook(length, iter(growth), piece)
    try:
        read = book.read(first)
    except LogUnsettled:
        assert sum(growth) > LOG_ENTRIES
        return
    assert list(read.entries) == book.entries(read.first, len(read.entries))
    assert read.first + len(read.entries) - 1 >= min(length, read.first - 1)
    assert read.folded == 0 or book.count > LOG_ENTRIES


def test_a_log_that_only_grows_is_read_to_what_was_its_end() -> None:
    book = Logbook(100, itertools.repeat(7))
    read = book.read()
    assert (read.first, len(read.entries), read.folded) == (1, 107, 0)


def test_what_was_folded_away_while_it_was_read_is_counted() -> None:
    # Before the second piece this many entries come that the next ten to be read are gone.
    book = Logbook(LOG_ENTRIES, iter([0, 13 + 10]))
    read = book.read()
    assert (read.first, len(read.entries), read.folded) == (24, LOG_ENTRIES, 23)


def test_a_log_that_is_never_there_long_enough_is_given_up_and_not_called_broken() -> None:
    with pytest.raises(LogUnsettled, match="faster than it can be read"):
        Logbook(LOG_ENTRIES, itertools.repeat(2_000)).read()


def altered(piece: m.LogPiece, at: int, bit: int) -> m.LogPiece:
    data = bytearray(piece.entries)
    data[at % len(data)] ^= 1 << bit
    return replace(piece, entries=bytes(data))


def left_out(piece: m.LogPiece, at: int, _: int) -> m.LogPiece:
    """Not the last one: that is a shorter piece, and the rest is asked for."""
    at = at % (len(piece.entries) // ENTRY_SIZE - 1) * ENTRY_SIZE
    return replace(piece, entries=piece.entries[:at] + piece.entries[at + ENTRY_SIZE :])


def put_in(piece: m.LogPiece, at: int, _: int) -> m.LogPiece:
    at = at % (len(piece.entries) // ENTRY_SIZE) * ENTRY_SIZE
    extra = encode_entry(LogEntry(1, 1, LogKind.SUSPENDED, 0, 0))
    return replace(piece, entries=piece.entries[:at] + extra + piece.entries[at:])


def begun_late(piece: m.LogPiece, at: int, _: int) -> m.LogPiece:
    """As if its first entries had been folded away, with the chain that would fit."""
    gone = 1 + at % (len(piece.entries) // ENTRY_SIZE)
    entries = entries_of(piece.entries)
    before = chain(piece.before, entries[:gone])
    rest = b"".join(map(encode_entry, entries[gone:]))
    return replace(piece, first=piece.first + gone, before=before, entries=rest)


@given(
    st.integers(40, 300) | st.integers(LOG_ENTRIES, LOG_ENTRIES + 60),
    st.lists(st.sampled_from([0, 0, 1, 3]), max_size=40),
    st.sampled_from([altered, left_out, put_in, begun_late]),
    st.integers(0, 2),
    st.integers(0, 10_000),
    st.integers(0, 7),
)
def test_what_was_altered_left_out_or_put_in_is_always_found(
    length: int,
    growth: list[int],
    trick: Callable[[m.LogPiece, int, int], m.LogPiece],
    which: int,
    at: int,
    bit: int,
) -> None:
    """While the log grows and folds.

    A piece that is not the next one is asked for again, and what was read before entries were
    folded away is given up with whatever was wrong in it: what is read in the end is true.
    """
    pieces = itertools.count()

    def meddle(piece: m.LogPiece) -> m.LogPiece:
        if next(pieces) != which or not piece.entries:
            return piece
        return trick(piece, at, bit)

    book = Logbook(length, iter(growth), 13, meddle)
    try:
        read = book.read()
    except LogBroken:
        return
    assert which > 0
    assert trick is begun_late or read.folded
    assert list(read.entries) == book.entries(read.first, len(read.entries))


@pytest.mark.parametrize("folded", [0, 1, 30])
def test_a_log_that_begins_late_is_whole_and_not_one_entry_short(folded: int) -> None:
    """What a full log has folded away is nobody's fault; one entry more is missing."""
    length = LOG_ENTRIES + folded
    read = Logbook(length, iter([])).read()
    assert (read.first, len(read.entries)) == (1 + folded, LOG_ENTRIES)
    with pytest.raises(LogBroken, match=f"entries 1 to {1 + folded} are missing"):
        Logbook(length, iter([]), meddle=lambda piece: begun_late(piece, 0, 0)).read()


def test_a_log_does_not_begin_in_the_middle_of_its_chain() -> None:
    with pytest.raises(LogBroken, match="before entry 1"):
        Logbook(5, iter([]), meddle=lambda piece: replace(piece, before=bytes(7) + b"x")).read()
