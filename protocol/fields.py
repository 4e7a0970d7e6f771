"""How a field is declared: once, in the annotation of the record that carries it.

A record is a frozen `msgspec.Struct` whose every field is `Annotated[type, <declaration>]`.  The
declaration holds the field's `construct` type, unit, range and one line of doc; the fast codec, the
construct reference, the documents and the Hypothesis strategies are all derived from it, so nobody
writes a field twice.

>>> class Point(Record):
...     x: Annotated[int, u16("nL", "how far along", maximum=1000)]
>>> fields_of(Point)[0].declaration.rule
'0..1000'
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum, IntEnum
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import construct
import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """The base of everything that has a layout on the wire.  Immutable, compared by value."""


class Shape(NamedTuple):
    """How a field lies on the wire.

    `prefix` are the bytes of its length or count, 0 for a field of fixed size; `least` and `most`
    what may follow, in bytes; `size` says it in words, `counted` what there are this many of.
    """

    type: str
    prefix: int
    least: int
    most: int
    size: str
    unit: str = ""
    counted: str = "bytes"


# What differs from kind to kind is a method of the kind.  Two things are not: how the fast codec is
# generated (`mockpump.protocol.codec`) and what Hypothesis draws (`mockpump.protocol.strategies`).
# The one has its whole theory in one place; the other must not be imported by what only runs.
class Declaration(msgspec.Struct, frozen=True):
    """The base of all kinds of field: one line of doc, and what the kind says of its values."""

    doc: str

    @property
    def shape(self) -> Shape:
        """How it lies on the wire."""
        raise NotImplementedError

    @property
    def range(self) -> str:
        """What a table says of its range."""
        return self.rule

    def size_of(self, value: Any) -> int:
        """How many bytes a value takes, with its length or count if it has one."""
        return self.shape.most

    def written(self, value: Any) -> str:
        """A value with its unit, on one line; long bytes are only counted."""
        return brief(value)

    def read(self, text: str) -> Any:
        """The value that somebody has typed; `ValueError` says what is wrong with it."""
        raise ValueError(f"a {type(self).__name__.lower()} cannot be typed")

    @property
    def construct(self) -> Any:
        """The strict construct: parses and builds exactly what the declaration allows."""
        raise NotImplementedError

    @property
    def rule(self) -> str:
        """The range, as the documents and the errors print it."""
        raise NotImplementedError


class Integer(Declaration, frozen=True):
    """A big-endian integer between `minimum` and `maximum`, both included."""

    format: Any
    unit: str
    minimum: int
    maximum: int

    @property
    def construct(self) -> Any:
        return construct.ExprValidator(
            self.format, lambda value, _: self.minimum <= value <= self.maximum
        )

    @property
    def rule(self) -> str:
        return f"{self.minimum}..{self.maximum}"

    @property
    def shape(self) -> Shape:
        return _fixed_shape(self.type_name, self.size, self.unit)

    @property
    def type_name(self) -> str:
        """`u16`, `i64` and so on."""
        return f"{'u' if self.code.isupper() else 'i'}{8 * self.size}"

    def written(self, value: Any) -> str:
        return f"{brief(value)} {self.unit}".rstrip()

    def read(self, text: str) -> int:
        try:
            return int(text, 0)
        except ValueError:
            raise ValueError(f"{cut(text)} is not a number; use {self.rule}") from None

    @property
    def code(self) -> str:
        """The letter by which `struct` knows the type."""
        return str(self.format.fmtstr[1:])

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return int(self.format.sizeof())

    @property
    def widest(self) -> tuple[int, int]:
        """What the bytes could hold, before `minimum` and `maximum` narrow it."""
        bits = 8 * self.size
        return (
            (0, 2**bits - 1) if self.code.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )


class Choice(Declaration, frozen=True):
    """One byte that names a member of an enumeration whose numbers run without a gap."""

    members: type[IntEnum]

    @property
    def values(self) -> tuple[IntEnum, ...]:
        """The members in the order of their numbers."""
        return tuple(sorted(self.members))

    @property
    def construct(self) -> Any:
        numbers = {member: int(member) for member in self.values}
        # A float that equals a member would otherwise pass for it.
        return construct.ExprValidator(
            construct.Mapping(construct.Int8ub, numbers), lambda value, _: isinstance(value, int)
        )

    @property
    def rule(self) -> str:
        return ", ".join(f"{int(member)} {member.name.lower()}" for member in self.values)

    @property
    def shape(self) -> Shape:
        return _fixed_shape(self.members.__name__, 1)

    @property
    def range(self) -> str:
        """The enumeration has a table of its own."""
        return f"{int(self.values[0])}..{int(self.values[-1])}"

    def written(self, value: Any) -> str:
        return f"{value.value} {value.name.lower()}"

    def read(self, text: str) -> IntEnum:
        for member in self.values:
            if text.strip().lower() in (member.name.lower(), str(int(member))):
                return member
        # The one did-you-mean is among what people write, which is made of fields.
        from mockpump.protocol.units import did_you_mean

        near = did_you_mean(text, [member.name.lower() for member in self.values])
        raise ValueError(
            f"there is no {cut(text)}; {f'did you mean {near}?' if near else f'use {self.rule}'}"
        )


class Text(Declaration, frozen=True):
    """UTF-8 behind a one-byte length; at most `maximum` bytes, every character printable.

    Printable, because these texts end up on somebody's terminal: a peer must not be able to send
    an escape sequence to it.
    """

    maximum: int

    @property
    def construct(self) -> Any:
        return construct.ExprValidator(
            construct.PascalString(construct.Int8ub, "utf8"),
            lambda value, _: value.isprintable() and len(value.encode()) <= self.maximum,
        )

    @property
    def rule(self) -> str:
        return f"printable UTF-8, at most {self.maximum} bytes"

    @property
    def shape(self) -> Shape:
        return Shape("text", 1, 0, self.maximum, f"1 + 0..{self.maximum}")

    def size_of(self, value: Any) -> int:
        return 1 + len(value.encode())

    def read(self, text: str) -> str:
        return text


class Octets(Declaration, frozen=True):
    """Raw bytes behind a two-byte length; at most `maximum` of them."""

    maximum: int

    @property
    def construct(self) -> Any:
        return construct.ExprValidator(
            construct.Prefixed(construct.Int16ub, construct.GreedyBytes),
            lambda value, _: len(value) <= self.maximum,
        )

    @property
    def rule(self) -> str:
        return f"at most {self.maximum} bytes"

    @property
    def shape(self) -> Shape:
        return Shape("bytes", 2, 0, self.maximum, f"2 + 0..{self.maximum}")

    def size_of(self, value: Any) -> int:
        return 2 + len(value)

    def read(self, text: str) -> bytes:
        return from_hex(text)


class Fixed(Declaration, frozen=True):
    """Exactly `size` raw bytes."""

    size: int

    @property
    def construct(self) -> Any:
        # construct would take an integer for bytes.
        return construct.ExprValidator(
            construct.Bytes(self.size), lambda value, _: isinstance(value, bytes | bytearray)
        )

    @property
    def rule(self) -> str:
        return f"exactly {self.size} bytes"

    @property
    def shape(self) -> Shape:
        return _fixed_shape(f"bytes[{self.size}]", self.size)

    def read(self, text: str) -> bytes:
        return from_hex(text)


class Integers(Declaration, frozen=True):
    """Exactly `count` integers of one kind, one after the other."""

    element: Integer
    count: int

    @property
    def construct(self) -> Any:
        return _AsTuple(construct.Array(self.count, self.element.construct))

    @property
    def rule(self) -> str:
        return f"{self.count} times {self.element.rule}"

    @property
    def shape(self) -> Shape:
        element = self.element
        name = f"{element.type_name}[{self.count}]"
        return _fixed_shape(name, self.count * element.size, element.unit)

    def read(self, text: str) -> tuple[int, ...]:
        return tuple(self.element.read(each) for each in text.split(","))


class Records(Declaration, frozen=True):
    """`minimum` to `maximum` records of one kind behind a one-byte count."""

    record: type[Record]
    minimum: int
    maximum: int

    @property
    def construct(self) -> Any:
        items = construct.PrefixedArray(construct.Int8ub, construct_of(self.record))
        return construct.ExprValidator(
            _AsTuple(items), lambda value, _: self.minimum <= len(value) <= self.maximum
        )

    @property
    def rule(self) -> str:
        return f"{self.minimum}..{self.maximum} of {self.record.__name__}"

    @property
    def shape(self) -> Shape:
        shapes = [declaration.shape for _, declaration in fields_of(self.record)]
        least = sum(shape.prefix + shape.least for shape in shapes)
        most = sum(shape.prefix + shape.most for shape in shapes)
        name = self.record.__name__
        counted = f"{self.minimum}..{self.maximum} x {name if least < most else most}"
        bounds = self.minimum * least, self.maximum * most
        return Shape(f"{name}[]", 1, *bounds, f"1 + {counted}", counted=f"x {name}")


def _fixed_shape(type_: str, size: int, unit: str = "") -> Shape:
    return Shape(type_, 0, size, size, str(size), unit)


# The longest bytes that are shown whole, and the longest word that is.
_SHORT, _WORD = 16, 24
_SEPARATORS = re.compile(r"[\s:,;|-]+")


def brief(value: Any) -> str:
    """A value as short as it is typed; long bytes are only counted."""
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex() or "(empty)" if len(value) <= _SHORT else f"({len(value)} bytes)"
    if isinstance(value, str):
        return f'"{value}"'
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def cut(text: str) -> str:
    """A word from outside, safe to print."""
    return ascii(text if len(text) <= _WORD else f"{text[:_WORD]}...")


def from_hex(text: str) -> bytes:
    """Bytes written as hex; `ValueError` says in words what is none.

    Spaces, newlines, colons, commas, dashes and `0x` may stand between bytes; `#` begins a remark.
    """
    lines = (line.partition("#")[0] for line in text.splitlines())
    words = [word for line in lines for word in _SEPARATORS.split(line) if word]
    return b"".join(_byte_word(word) for word in words)


def _byte_word(word: str) -> bytes:
    digits = word[2:] if word[:2] in ("0x", "0X") else word
    shown = ascii(word if len(word) <= _WORD else f"{word[:_WORD]}...")
    if not re.fullmatch("[0-9a-fA-F]*", digits, re.ASCII) or not digits:
        raise ValueError(f"{shown} is not hex")
    if len(digits) % 2:
        raise ValueError(f"{shown} has an odd number of hex digits")
    return bytes.fromhex(digits)


class NamedField(NamedTuple):
    """A declaration with the name its record gives it."""

    name: str
    declaration: Declaration


class _AsTuple(construct.Adapter):  # type: ignore[type-arg]
    def _decode(self, obj: Any, context: Any, path: Any) -> tuple[Any, ...]:
        return tuple(obj)

    def _encode(self, obj: Any, context: Any, path: Any) -> list[Any]:
        if not isinstance(obj, tuple | list):
            raise TypeError(f"no tuple: {type(obj).__name__}")
        return list(obj)


class _AsRecord(construct.Adapter):  # type: ignore[type-arg]
    """Turns construct's own containers into our records, so that none of them ever gets out."""

    def __init__(self, record: type[Record], subcon: Any) -> None:
        super().__init__(subcon)
        self.record = record

    def _decode(self, obj: Any, context: Any, path: Any) -> Record:
        return self.record(*(obj[name] for name, _ in fields_of(self.record)))

    def _encode(self, obj: Any, context: Any, path: Any) -> dict[str, Any]:
        return {name: getattr(obj, name) for name, _ in fields_of(self.record)}


@cache
def construct_of(record: type[Record]) -> Any:
    """The strict construct of a whole record; parses to the record, builds from it."""
    members = (name / declaration.construct for name, declaration in fields_of(record))
    return _AsRecord(record, construct.Struct(*members))


@cache
def fields_of(record: type[Record]) -> Sequence[NamedField]:
    """The declared fields of a record, in wire order."""
    hints = get_type_hints(record, include_extras=True)
    return tuple(_named_field(record, name, hints[name]) for name in record.__struct_fields__)


def _named_field(record: type[Record], name: str, hint: object) -> NamedField:
    if get_origin(hint) is Annotated:
        for extra in get_args(hint)[1:]:
            if isinstance(extra, Declaration):
                return NamedField(name, extra)
    raise TypeError(f"{record.__name__}.{name} has no wire declaration")


def _integer_of(format: Any) -> Callable[..., Integer]:
    widest = Integer("", format, "", 0, 0).widest

    def declare(
        unit: str, doc: str, *, minimum: int = widest[0], maximum: int = widest[1]
    ) -> Integer:
        if not widest[0] <= minimum <= maximum <= widest[1]:
            raise ValueError(f"{minimum}..{maximum} does not fit into {format}")
        return Integer(doc, format, unit, minimum, maximum)

    declare.__doc__ = f"A big-endian integer of {format.sizeof()} bytes, {widest[0]}..{widest[1]}."
    return declare


u8 = _integer_of(construct.Int8ub)
u16 = _integer_of(construct.Int16ub)
u32 = _integer_of(construct.Int32ub)
u64 = _integer_of(construct.Int64ub)
i64 = _integer_of(construct.Int64sb)


def choice(members: type[IntEnum], doc: str) -> Choice:
    """One byte, a member of an enumeration; its numbers must run without a gap."""
    numbers = [int(member) for member in sorted(members)]
    if (
        numbers != list(range(numbers[0], numbers[-1] + 1))
        or not 0 <= numbers[0] <= numbers[-1] < 256
    ):
        raise ValueError(f"{members.__name__} has a gap or does not fit into a byte")
    return Choice(doc, members)


def text(doc: str, *, maximum: int) -> Text:
    """Printable UTF-8 of at most `maximum` bytes (255 at the most)."""
    return Text(doc, maximum)


def octets(doc: str, *, maximum: int) -> Octets:
    """Raw bytes, at most `maximum` of them (65,535 at the most)."""
    return Octets(doc, maximum)


def fixed(doc: str, *, size: int) -> Fixed:
    """Raw bytes, exactly `size` of them."""
    return Fixed(doc, size)


def exactly(count: int, element: Integer) -> Integers:
    """A fixed number of integers, as a tuple."""
    return Integers(element.doc, element, count)


def many(record: type[Record], doc: str, *, minimum: int = 0, maximum: int = 255) -> Records:
    """A tuple of records, its length between `minimum` and `maximum`."""
    return Records(doc, record, minimum, maximum)
