"""From a fuzzer's bytes to what a line may carry: half of the inputs raw, half well-formed frames.

The one idea: bytes that are mutated at random almost never have a good checksum, so a fuzzer that
only throws bytes at a pump tests the frame decoder and nothing behind it.  An input whose first
byte is odd is read as a little script instead: each op makes a whole frame, most of them with a
request whose fields are in range, or lets time pass.  Every op costs at least one byte, so that a
script ends with its input.
"""

from collections.abc import Callable, Iterator
from typing import Any

from mockpump.emulator.pump.factory import FACTORY_PROGRAM
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.codec import codec_for
from mockpump.protocol.fields import (
    Choice,
    Declaration,
    Fixed,
    Integer,
    Integers,
    Octets,
    Record,
    Records,
    Text,
    fields_of,
)
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.link.types import Offer
from mockpump.protocol.messages.base import CATALOGUE, Direction, Message
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

# What a script's wait may be, in microseconds: none, until an acknowledgement is owed, until a
# timeout, until all is lost.
WAITS = (0, 30_000, 1_000_000, 20_000_000)
_CONNECTIONS = (1, 2, 0xFFFF)
_REQUESTS = [e.message for e in CATALOGUE.values() if e.direction is Direction.REQUEST]
_KINDS = tuple(Kind)
_WHENS = (m.When.NOW, *m.When)
# What fits into the smallest payload that can be agreed on.
_PIECE = 48
_CHUNKS = (1, 7, 64, 5_000)

# A chunk of bytes, or a time to wait.
Step = bytes | int


class Source:
    """A fuzzer's bytes, taken one after the other; zeros when there are none left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes have not been taken."""
        return max(len(self._data) - self._at, 0)

    def take(self, size: int) -> bytes:
        """The next bytes; fewer at the end."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def number(self, size: int = 1) -> int:
        """The next bytes as a number."""
        return int.from_bytes(self.take(size), "big")


class Script:
    """The other end of the line, as a script has it: which connection, and how far it has come."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.connection = _CONNECTIONS[0]
        self.seq = 0
        self.base = programs.digest(programs.image(FACTORY_PROGRAM))

    def steps(self) -> Iterator[Step]:
        """What the script says, step by step."""
        while self.source.left:
            yield _OPS[self.source.number() % len(_OPS)](self)

    def noise(self) -> Step:
        """Bytes that are no frame."""
        return self.source.take(self.source.number() % 64)

    def wait(self) -> Step:
        """Let time pass."""
        return WAITS[self.source.number() % len(WAITS)]

    def open(self) -> Step:
        """Call, under one of few ids, so that old ones come back."""
        self.connection = _CONNECTIONS[self.source.number() % len(_CONNECTIONS)]
        self.seq = 0
        offer = codec_for(Offer).encode(filled(Offer, self.source))
        return encode_frame(Frame(Kind.OPEN, self.connection, payload=offer))

    def any_frame(self) -> Step:
        """A frame of whatever kind, with whatever in it."""
        kind = _KINDS[self.source.number() % len(_KINDS)]
        seq, ack, sack = (self.source.number(size) for size in (1, 1, 2))
        payload = self.source.take(self.source.number())
        return encode_frame(Frame(kind, self.connection, seq, ack, sack, payload))

    def any_payload(self) -> Step:
        """The next DATA frame, with a payload that may be no message."""
        number = self.source.number()
        return self._data(bytes((number,)) + self.source.take(self.source.number() % 64))

    def request(self) -> Step:
        """The next DATA frame, with a good request."""
        wanted = _REQUESTS[self.source.number() % len(_REQUESTS)]
        return self._data(m.encode(filled(wanted, self.source))[:240])

    def program(self) -> Step:
        """A whole transfer: begin, write piece by piece, commit.  Nobody guesses a digest."""
        source = self.source
        image, when = _image(source), _WHENS[source.number() % len(_WHENS)]
        base, self.base = self.base, programs.digest(image)
        pieces = [
            m.WriteProgram(at, image[at : at + _PIECE]) for at in range(0, len(image), _PIECE)
        ]
        begin = m.BeginProgram(len(image), self.base, base)
        commit = m.CommitProgram(source.number(2), self.base, when)
        return b"".join(self._data(m.encode(each)) for each in (begin, *pieces, commit))

    def _data(self, payload: bytes) -> bytes:
        # Each request gets one reply, so that as many have come as were asked.
        seq = self.seq & 0xFF
        self.seq += 1
        return encode_frame(Frame(Kind.DATA, self.connection, seq, seq, payload=payload))


_OPS: tuple[Callable[[Script], Step], ...] = (
    Script.open,
    Script.request,
    Script.request,
    Script.any_payload,
    Script.any_frame,
    Script.noise,
    Script.wait,
    Script.program,
)


def steps(data: bytes) -> list[Step]:
    """What an input is on the line: chunks of bytes, and waits between them."""
    if not data:
        return []
    if data[0] & 1:
        opening = encode_frame(Frame(Kind.OPEN, _CONNECTIONS[0], payload=b"\x00\xf0\x08"))
        return [opening, *Script(Source(data[1:])).steps()]
    size = _CHUNKS[data[0] >> 1 & 3]
    return [data[at : at + size] for at in range(1, len(data), size)]


def line(data: bytes) -> list[bytes]:
    """The same, without the waits."""
    return [step for step in steps(data) if isinstance(step, bytes)]


def payload(data: bytes) -> bytes:
    """What an input is as a message's payload: its own bytes, or a good message's, damaged."""
    if not data or not data[0] & 1:
        return data[1:]
    source = Source(data[1:])
    entries = list(CATALOGUE.values())
    message: type[Message] = entries[source.number() % len(entries)].message
    bend, place = source.number(), source.number(2)
    made = bytearray(m.encode(filled(message, source)))
    if bend & 1:
        made[place % len(made)] ^= bend
    return bytes(made)


def _image(source: Source) -> bytes:
    """A program that breaks no rule: two rates, and perhaps a ramp."""
    first, later = (source.number(2) % 50_001 for _ in "12")
    segments = (Segment(0, first), Segment(1 + source.number() * 5, later))
    steps = sorted({source.number() % 30 for _ in range(source.number() % 4)})
    ramp = tuple(RampStep(day, source.number() % 150) for day in steps)
    return programs.image(Program(1, "fuzz", (0,) * 7, (DayPattern("d", segments),), ramp))


# -- a record whose fields are in range ------------------------------------------------------------


def filled(record: type[Any], source: Source) -> Any:
    """A record whose fields are what the source says, brought into their ranges."""
    return record(*(_drawn(declaration, source) for _, declaration in fields_of(record)))


def _drawn(declaration: Declaration, source: Source) -> Any:
    return _DRAW[type(declaration)](declaration, source)


def _integer(declaration: Integer, source: Source) -> int:
    span = declaration.maximum - declaration.minimum + 1
    return declaration.minimum + source.number(4) % span


def _text(declaration: Text, source: Source) -> str:
    letters = source.take(source.number() % (declaration.maximum + 1))
    return "".join(chr(32 + letter % 95) for letter in letters)


def _records(declaration: Records, source: Source) -> tuple[Record, ...]:
    span = min(declaration.maximum - declaration.minimum, 3) + 1
    count = declaration.minimum + source.number() % span
    return tuple(filled(declaration.record, source) for _ in range(count))


_DRAW: dict[type[Declaration], Callable[[Any, Source], Any]] = {
    Integer: _integer,
    Choice: lambda declaration, source: declaration.values[
        source.number() % len(declaration.values)
    ],
    Text: _text,
    Octets: lambda declaration, source: source.take(
        source.number() % (min(declaration.maximum, 200) + 1)
    ),
    Fixed: lambda declaration, source: source.take(declaration.size).ljust(declaration.size, b"\0"),
    Integers: lambda declaration, source: tuple(
        _integer(declaration.element, source) for _ in range(declaration.count)
    ),
    Records: _records,
}
