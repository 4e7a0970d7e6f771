"""Hypothesis strategies for what this protocol is made of; use them in tests of your own.

The one idea: a strategy draws everything that is allowed and nothing that is not, so whatever it
draws must work.  This is the only module that imports Hypothesis.

>>> from hypothesis import given
>>> @given(programs())
... def test_mine(program): ...

The values: `records`, `message`, `messages`, `requests`, `programs` and their parts.  What travels:
`frames`, `garbage`, `line_bytes`, and `chunked` for the ways in which bytes may arrive.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

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
from mockpump.protocol.framing import MAX_ENCODED, MAX_PAYLOAD, Frame, Kind, encode_frame
from mockpump.protocol.link.types import Offer
from mockpump.protocol.messages import MAX_NAME, encode
from mockpump.protocol.messages.base import CATALOGUE, Direction, Message
from mockpump.protocol.program import (
    DAY_MINUTES,
    FORMAT,
    MAX_PATTERN_NAME,
    MAX_PATTERNS,
    MAX_PERCENT,
    MAX_RAMP,
    MAX_RATE,
    MAX_SEGMENTS,
    DayPattern,
    Program,
    RampStep,
    Segment,
)

R = TypeVar("R", bound=Record)
M = TypeVar("M", bound=Message)

# What `str.isprintable` lets through: no control, format or unassigned characters, and of all the
# separators only the plain space.
_PRINTABLE = st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ")


def printable(maximum: int, *, minimum: int = 0) -> SearchStrategy[str]:
    """Printable text of at most `maximum` bytes of UTF-8 and at least `minimum` characters."""
    texts = st.text(_PRINTABLE, min_size=minimum, max_size=maximum)
    return texts.map(lambda drawn: drawn.encode()[:maximum].decode(errors="ignore"))


# -- values, derived from their declarations -----------------------------------------------------


def records(record: type[R]) -> SearchStrategy[R]:
    """Records of a class, every field within its declared range.

    Ranges are all that it knows: of a `Program`, say, it draws ones that break the rules between
    fields as well.  `programs()` draws those that break none.
    """
    return _records(record)


def message(message: type[M]) -> SearchStrategy[M]:
    """Messages of one class of the catalogue; `LookupError` for any other class."""
    if all(entry.message is not message for entry in CATALOGUE.values()):
        raise LookupError(f"{message.__name__} is not in the catalogue")
    return records(message)


def messages(direction: Direction | None = None) -> SearchStrategy[Message]:
    """Messages of every kind in the catalogue, or of every kind that goes in one direction."""
    wanted = [e.message for e in CATALOGUE.values() if direction in (None, e.direction)]
    return st.one_of([records(each) for each in wanted])


def requests() -> SearchStrategy[Message]:
    """Messages that a programmer may send."""
    return messages(Direction.REQUEST)


@cache
def _records(record: type[Record]) -> SearchStrategy[Any]:
    return st.builds(record, *(_declared(declaration) for _, declaration in fields_of(record)))


def _declared(declaration: Declaration) -> SearchStrategy[Any]:
    return _DECLARED[type(declaration)](declaration)


def _integers(declaration: Integer) -> SearchStrategy[int]:
    # Both ends of the range, where the mistakes are, more often than Hypothesis would try them.
    ends = st.sampled_from((declaration.minimum, declaration.maximum))
    return st.integers(declaration.minimum, declaration.maximum) | ends


def _many(declaration: Records) -> SearchStrategy[tuple[Record, ...]]:
    items = records(declaration.record)
    lists = st.lists(items, min_size=declaration.minimum, max_size=declaration.maximum)
    return lists.map(tuple)


# A kind of declaration that is missing here cannot be drawn: one line for each.
_DECLARED: dict[type[Declaration], Callable[[Any], SearchStrategy[Any]]] = {
    Integer: _integers,
    Choice: lambda declaration: st.sampled_from(declaration.values),
    Text: lambda declaration: printable(declaration.maximum),
    Octets: lambda declaration: st.binary(max_size=declaration.maximum),
    Fixed: lambda declaration: st.binary(min_size=declaration.size, max_size=declaration.size),
    Integers: lambda declaration: st.tuples(*[_integers(declaration.element)] * declaration.count),
    Records: _many,
}


# -- programs that break no rule -----------------------------------------------------------------

# Rates of the size that a demo shows, or anything; and days within two months, or anything.
_RATES = st.integers(0, 50_000) | st.integers(0, MAX_RATE)
_DAYS = st.integers(0, 60) | st.integers(0, 2**16 - 1)


def patterns(*, max_segments: int = MAX_SEGMENTS) -> SearchStrategy[DayPattern]:
    """Day patterns of 1 to `max_segments` segments, at rates of 0 to `MAX_RATE` nL/h."""
    later = st.dictionaries(st.integers(1, DAY_MINUTES - 1), _RATES, max_size=max_segments - 1)
    return st.builds(_pattern, printable(MAX_PATTERN_NAME, minimum=1), _RATES, later)


def ramps(*, max_steps: int = MAX_RAMP) -> SearchStrategy[tuple[RampStep, ...]]:
    """Ramps of up to `max_steps` steps, most of them within two months."""
    percents = st.integers(0, MAX_PERCENT)
    return st.builds(_ramp, st.dictionaries(_DAYS, percents, max_size=max_steps))


def programs(
    *,
    max_patterns: int = MAX_PATTERNS,
    max_segments: int = MAX_SEGMENTS,
    max_steps: int = MAX_RAMP,
) -> SearchStrategy[Program]:
    """Programs that break no rule, with at most this many patterns, segments and ramp steps."""
    days = st.lists(
        patterns(max_segments=max_segments),
        min_size=1,
        max_size=max_patterns,
        unique_by=lambda pattern: pattern.name,
    )
    week = st.tuples(*[st.integers(0, max_patterns - 1)] * 7)
    return st.builds(_program, printable(MAX_NAME), week, days, ramps(max_steps=max_steps))


def _pattern(name: str, first: int, later: dict[int, int]) -> DayPattern:
    segments = (Segment(start, rate) for start, rate in sorted(later.items()))
    return DayPattern(name, (Segment(0, first), *segments))


def _ramp(steps: dict[int, int]) -> tuple[RampStep, ...]:
    return tuple(RampStep(day, percent) for day, percent in sorted(steps.items()))


def _program(
    name: str, week: tuple[int, ...], days: list[DayPattern], ramp: tuple[RampStep, ...]
) -> Program:
    """Brings what was drawn apart into agreement, so that nothing drawn has to be thrown away."""
    steepest = max((step.percent for step in ramp), default=100)
    # The highest rate that the steepest step scales to no more than MAX_RATE, floored as it is.
    highest = min(MAX_RATE, ((MAX_RATE + 1) * 100 - 1) // max(steepest, 1))
    slower = tuple(
        DayPattern(day.name, tuple(Segment(s.start, min(s.rate, highest)) for s in day.segments))
        for day in days
    )
    return Program(FORMAT, name, tuple(day % len(days) for day in week), slower, ramp)


# -- what travels on the line --------------------------------------------------------------------

_U8 = st.integers(0, 2**8 - 1)
_U16 = st.integers(0, 2**16 - 1)


def frames() -> SearchStrategy[Frame]:
    """Frames of every kind with a payload that suits it.

    OPEN and OPEN_ACK carry an `Offer`, DATA a message (or anything else that fits), ACK, CLOSE and
    RESET nothing.  Only what carries an acknowledgement has one.
    """
    opening = st.sampled_from((Kind.OPEN, Kind.OPEN_ACK))
    offers = records(Offer).map(codec_for(Offer).encode)
    payloads = messages().map(encode) | st.binary(max_size=MAX_PAYLOAD)
    bare = st.sampled_from((Kind.ACK, Kind.CLOSE, Kind.RESET))
    return (
        st.builds(Frame, st.just(Kind.DATA), _U16, _U8, _U8, _U16, payloads)
        | st.builds(Frame, bare, _U16, st.just(0), _U8, _U16)
        | st.builds(Frame, opening, _U16, payload=offers)
    )


def garbage() -> SearchStrategy[bytes]:
    """Bytes that a bad line may bring: noise, silence, a long run, a frame damaged or cut short."""
    runs = st.builds(lambda byte, n: bytes([byte]) * n, _U8, st.integers(0, 2 * MAX_ENCODED))
    damaged = st.builds(_damaged, frames().map(encode_frame), _U16, _U8, st.booleans())
    return st.binary(max_size=64) | runs | damaged


def line_bytes(*, max_pieces: int = 6) -> SearchStrategy[bytes]:
    """What a line may carry: up to `max_pieces` frames and pieces of garbage, in any order."""
    pieces = st.lists(frames().map(encode_frame) | garbage(), max_size=max_pieces)
    return pieces.map(b"".join)


def chunked(data: bytes) -> SearchStrategy[list[bytes]]:
    """Ways to cut bytes into chunks: at drawn places, into single bytes, or not at all.

    The chunks joined are the bytes again; some may be empty.
    """
    cuts = st.lists(st.integers(0, len(data)), max_size=12).map(sorted)
    singly = [data[at : at + 1] for at in range(len(data))]
    return st.just(singly) | cuts.map(
        lambda places: [data[a:b] for a, b in pairwise([0, *places, len(data)])]
    )


def _damaged(line: bytes, place: int, flip: int, cut: bool) -> bytes:
    """A frame's bytes without what stands behind a place, or with one byte damaged there."""
    place %= len(line)
    if cut:
        return line[:place]
    return line[:place] + bytes([line[place] ^ flip]) + line[place + 1 :]
