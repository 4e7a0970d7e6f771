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

from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import construct
import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """The base of everything that has a layout on the wire.  Immutable, compared by value."""


class Declaration(msgspec.Struct, frozen=True):
    """What every declaration has: one line of doc, a construct and a rule in words."""

    doc: str

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
