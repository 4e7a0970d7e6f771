"""Records that between them use every kind of declaration, and values that no declaration allows.

The catalogue uses only some of what a declaration can say; these use all of it, in odd orders.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any, TypeVar

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
    choice,
    exactly,
    fields_of,
    fixed,
    i64,
    many,
    octets,
    text,
    u8,
    u16,
    u32,
    u64,
)
from mockpump.protocol.messages import CATALOGUE
from mockpump.protocol.program import Program

R = TypeVar("R", bound=Record)


class Colour(IntEnum):
    """Numbers that do not begin at zero."""

    RED = 3
    GREEN = 4
    BLUE = 5


class Nothing(Record, frozen=True):
    """No field at all."""


class Pair(Record, frozen=True):
    """Plain integers, which the fast codec packs inside the loop over a list of them."""

    left: Annotated[int, u8("", "narrow", minimum=2, maximum=9)]
    right: Annotated[int, i64("", "signed", minimum=-5, maximum=5)]


class Wide(Record, frozen=True):
    """Plain integers of which none can be out of range."""

    only: Annotated[int, u32("", "anything")]


class Named(Record, frozen=True):
    """Not flat: it has a codec of its own inside another."""

    name: Annotated[str, text("a name", maximum=5)]
    pairs: Annotated[tuple[Pair, ...], many(Pair, "some", maximum=3)]
    colour: Annotated[Colour, choice(Colour, "after the tails")]


class Everything(Record, frozen=True):
    """One field of each kind, fixed and variable ones in turn."""

    small: Annotated[int, u8("", "narrow", minimum=1, maximum=200)]
    big: Annotated[int, u64("", "wide")]
    signed: Annotated[int, i64("", "signed")]
    colour: Annotated[Colour, choice(Colour, "one of three")]
    word: Annotated[str, text("a word", maximum=7)]
    blob: Annotated[bytes, octets("bytes", maximum=9)]
    key: Annotated[bytes, fixed("four bytes", size=4)]
    triple: Annotated[tuple[int, ...], exactly(3, u16("", "narrow", minimum=1, maximum=500))]
    pairs: Annotated[tuple[Pair, ...], many(Pair, "flat ones", minimum=1, maximum=4)]
    wide: Annotated[tuple[Wide, ...], many(Wide, "flat and wide ones", maximum=3)]
    named: Annotated[tuple[Named, ...], many(Named, "deep ones", maximum=2)]
    last: Annotated[int, u16("", "after the tails", maximum=1000)]


MESSAGES = [entry.message for entry in CATALOGUE.values()]
# What the codec tests run over: (record, the number in front of it, if any).
CODED = [
    *((entry.message, number) for number, entry in CATALOGUE.items()),
    *((record, None) for record in (Everything, Named, Pair, Nothing, Program)),
]
CODED_NAMES = [record.__name__ for record, _ in CODED]
# Every field of those, as (record, number, field's name).
CODED_FIELDS = [(record, number, name) for record, number in CODED for name, _ in fields_of(record)]
CODED_FIELD_NAMES = [f"{record.__name__}.{name}" for record, _, name in CODED_FIELDS]
CODED_INTEGERS = [
    (record, number, name)
    for record, number, name in CODED_FIELDS
    if isinstance(dict(fields_of(record))[name], Integer | Integers)
]


def declaration_of(record: type[Record], name: str) -> Any:
    return dict(fields_of(record))[name]


def ends_of_fields(record: type[Record], value: Record) -> list[int]:
    """Where each field ends, counted by building one at a time."""
    ends, at = [], 0
    for name, declaration in fields_of(record):
        at += len(declaration.construct.build(getattr(value, name)))
        ends.append(at)
    return ends


def _bad_integers(declaration: Integer) -> list[Any]:
    outside = [declaration.minimum - 1, declaration.maximum + 1, 2**64, -(2**63) - 1, -(10**5000)]
    return [*outside, 10**5000, 1.5, float(declaration.minimum), float("nan"), "1", b"\1", [1]]


def _bad_choices(declaration: Choice) -> list[Any]:
    members = declaration.values
    return [members[0] - 1, members[-1] + 1, 256, 10**5000, float(members[0]), "RED", [0], ()]


def _bad_texts(declaration: Text) -> list[Any]:
    longer = ["x" * (declaration.maximum + 1), "é" * (declaration.maximum // 2 + 1), "x" * 300]
    return [*longer, "\x1b[m", "a\nb", "\x7f", "\u2028", "\ud800", b"ab", 5, ["a"], ()]


def _bad_octets(declaration: Octets) -> list[Any]:
    return [b"x" * (declaration.maximum + 1), b"x" * 70_000, "", "ab", 5, [1], [], (), {}]


def _bad_fixed(declaration: Fixed) -> list[Any]:
    size = declaration.size
    return [b"x" * (size - 1), b"x" * (size + 1), b"", "x" * size, size, 0, [1] * size]


def _bad_tuples(declaration: Integers) -> list[Any]:
    good, count = declaration.element.minimum, declaration.count
    one_bad = [
        (good,) * place + (bad,) + (good,) * (count - place - 1)
        for place in range(count)
        for bad in BAD[Integer](declaration.element)
    ]
    return [
        *one_bad,
        (good,) * (count - 1),
        (good,) * (count + 1),
        (),
        5,
        {},
        dict.fromkeys(range(count), good),
        iter([good] * count),
    ]


def _bad_records(declaration: Records) -> list[Any]:
    fewer = [()] if declaration.minimum else []
    return [
        *fewer,
        5,
        {},
        set(),
        (5,),
        (None,),
        ("ab",),
        iter(()),
        [None] * (declaration.maximum + 1),
    ]


def least(record: type[R]) -> R:
    """The record whose every integer is its least and whose every text and list is its shortest."""
    return record(*(_LEAST[type(declaration)](declaration) for _, declaration in fields_of(record)))


_LEAST: dict[type[Declaration], Callable[[Any], Any]] = {
    Integer: lambda declaration: declaration.minimum,
    Choice: lambda declaration: declaration.values[0],
    Text: lambda _: "",
    Octets: lambda _: b"",
    Fixed: lambda declaration: bytes(declaration.size),
    Integers: lambda declaration: (declaration.element.minimum,) * declaration.count,
    Records: lambda declaration: (least(declaration.record),) * declaration.minimum,
}

# For each kind of declaration, values that it does not allow; None stands for all of them.
BAD: dict[type[Declaration], Callable[[Any], list[Any]]] = {
    Integer: _bad_integers,
    Choice: _bad_choices,
    Text: _bad_texts,
    Octets: _bad_octets,
    Fixed: _bad_fixed,
    Integers: _bad_tuples,
    Records: _bad_records,
}


def bad_values(declaration: Declaration) -> list[Any]:
    """What must not be let onto the wire in the place of such a field."""
    return [None, *BAD[type(declaration)](declaration)]
