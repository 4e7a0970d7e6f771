"""The fast codec, generated once at import from a record's declaration.

A record is cut into *fixed blocks*, runs of values with a fixed size and place, and the *variable
fields* between them; from those the source of three plain functions is written and compiled, so
that the hot path has no loop over fields:

    declaration          layout                       generated
    mode: u8     \
    elapsed: u32  >  FixedBlock(">BI")     ->  mode, elapsed = unpack_from(data, at)
    name: text      VariableField          ->  length byte, slice, utf-8
    rate: u32       FixedBlock(">I")       ->  ...

What must hold of them, and is a property test against construct (`construct_codec`), which does the
same job slowly from the same declaration:

* Decoding is strict.  Every byte is accounted for, every value is in its range; anything else is a
  `DecodeError` with the field and its place.
* Both agree on every value and on every byte string, also on which are refused.
* Nothing of a declaration is written twice: a new kind of field is one class in `fields` and one
  line here.

Errors cost nothing on the way: the generated code only tells good from bad, and what exactly is
wrong is found by asking construct again (`_Explain`).  The only text that is compiled is made here
from declarations; no byte from outside gets into it.
"""

import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from mockpump.protocol import construct_codec as reference
from mockpump.protocol.errors import InternalError
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
    u8,
)


class FixedBlock(msgspec.Struct):
    """Fixed-size values: their struct letters, the locals that hold them, where these come from.

    `checks` are expressions that are true of a value out of range, in either direction; `guards`
    are those that only a value on its way out can break.
    """

    code: str = ""
    targets: list[str] = msgspec.field(default_factory=list)
    sources: list[str] = msgspec.field(default_factory=list)
    checks: list[str] = msgspec.field(default_factory=list)
    guards: list[str] = msgspec.field(default_factory=list)

    def add(self, code: str, target: str, source: str) -> None:
        """Append one value."""
        self.code += code
        self.targets.append(target)
        self.sources.append(source)


class VariableField(msgspec.Struct):
    """A variable part: its declaration, the local that holds it, its length's and its source."""

    declaration: Text | Octets | Records
    target: str
    length: str
    source: str


class Layout:
    """The parts of one record in wire order.

    `arguments` are the expressions that rebuild the record from the locals, `names` the objects
    that those expressions need.
    """

    def __init__(self, record: type[Record]) -> None:
        self.parts: list[FixedBlock | VariableField] = []
        self.arguments: list[str] = []
        self.names: dict[str, Any] = {}
        for place, (name, declaration) in enumerate(fields_of(record)):
            _PLACE[type(declaration)](self, f"v{place}", f"r.{name}", declaration)

    @property
    def flat(self) -> bool:
        """Whether one run is the whole record."""
        return len(self.parts) == 1 and isinstance(self.parts[0], FixedBlock)

    @property
    def run(self) -> FixedBlock:
        """The run that the next fixed value joins."""
        if not self.parts or isinstance(self.parts[-1], VariableField):
            self.parts.append(FixedBlock())
        last = self.parts[-1]
        assert isinstance(last, FixedBlock)
        return last


def range_checks(target: str, declaration: Integer) -> Iterator[str]:
    """What must not hold of a value, where its range is narrower than its bytes."""
    low, high = declaration.widest
    if declaration.minimum > low:
        yield f"{target} < {declaration.minimum}"
    if declaration.maximum < high:
        yield f"{target} > {declaration.maximum}"


def _place_integer(layout: Layout, target: str, source: str, declaration: Integer) -> None:
    layout.run.add(declaration.code, target, source)
    layout.run.checks += range_checks(target, declaration)
    layout.arguments.append(target)


def _place_choice(layout: Layout, target: str, source: str, declaration: Choice) -> None:
    members = declaration.values
    low, high = int(members[0]), int(members[-1])
    layout.names[f"members_{target}"] = (None,) * low + members
    layout.run.add("B", target, source)
    layout.run.checks += range_checks(target, u8("", "", minimum=low, maximum=high))
    layout.arguments.append(f"members_{target}[{target}]")


def _place_fixed(layout: Layout, target: str, source: str, declaration: Fixed) -> None:
    layout.run.add(f"{declaration.size}s", target, source)
    # struct would pad a short value and cut a long one; both must be refused.
    layout.run.guards.append(f"len({target}) != {declaration.size}")
    layout.arguments.append(target)


def _place_integers(layout: Layout, target: str, source: str, declaration: Integers) -> None:
    targets = [f"{target}_{place}" for place in range(declaration.count)]
    for place, each in enumerate(targets):
        layout.run.add(declaration.element.code, each, f"{source}[{place}]")
        layout.run.checks += range_checks(each, declaration.element)
    layout.run.guards.append(_no_sequence(layout, source))
    layout.run.guards.append(f"len({source}) != {declaration.count}")
    layout.arguments.append(f"({', '.join(targets)},)")


def _no_sequence(layout: Layout, target: str) -> str:
    # A dictionary or a set would pass for a list, in an order of its own.
    layout.names["sequence"] = (tuple, list)
    return f"not isinstance({target}, sequence)"


def _place_tail(
    layout: Layout, target: str, source: str, declaration: Text | Octets | Records
) -> None:
    length = f"n{target}"
    layout.run.add("H" if isinstance(declaration, Octets) else "B", length, f"len({target})")
    layout.run.checks.append(f"{length} > {declaration.maximum}")
    if isinstance(declaration, Records) and declaration.minimum:
        layout.run.checks.append(f"{length} < {declaration.minimum}")
    if isinstance(declaration, Text):
        layout.run.guards.append(f"not {source}.isprintable()")
    if isinstance(declaration, Records):
        layout.run.guards.append(_no_sequence(layout, target))
    layout.parts.append(VariableField(declaration, target, length, source))
    layout.arguments.append(target)


_PLACE: dict[type[Declaration], Callable[..., None]] = {
    Integer: _place_integer,
    Choice: _place_choice,
    Fixed: _place_fixed,
    Integers: _place_integers,
    Text: _place_tail,
    Octets: _place_tail,
    Records: _place_tail,
}


R = TypeVar("R", bound=Record)

# What the generated functions may meet in a value, or in bytes, that are out of order.
_FAULTS = "(error, ValueError, TypeError, AttributeError, LookupError)"


class Codec(msgspec.Struct, Generic[R], frozen=True):
    """How one kind of record becomes bytes and back.

    `encode(record)` raises `LocalProtocolError` for a value out of range; `decode(data)` raises
    `DecodeError` for anything but exactly one well-formed record.  `read(data, at)` returns the
    record and where it ended, for a record that stands inside another; it raises `ValueError` or
    `struct.error`.  `source` is the generated Python, for those who want to see it.
    """

    encode: Callable[[R], bytes]
    decode: Callable[[bytes], R]
    read: Callable[[bytes, int], tuple[R, int]]
    source: str


@cache
def codec_for(record: type[R], number: int | None = None) -> Codec[R]:
    """The codec of a record; with `number`, that byte stands in front (a message's number)."""
    layout = Layout(record)
    names = {
        "cls": record,
        "error": struct.error,
        "blame": _Explain(record, number),
        **layout.names,
    }
    lead = b"" if number is None else bytes((number,))
    lines = (
        *_encoder(layout, names, lead),
        *_reader(layout, names),
        *_decoder(layout, names, lead),
    )
    source = "\n".join(lines)
    exec(compile(source, f"<codec of {record.__name__}>", "exec"), names)
    return Codec(names["encode"], names["decode"], names["read"], source)


class _Explain:
    """Asks the reference to say what is wrong; it must find something, or the codec has a bug."""

    def __init__(self, record: type[Record], number: int | None) -> None:
        self.record = record
        self.lead = 0 if number is None else 1

    def encoding(self, value: Record) -> NoReturn:
        reference.encode(self.record, value)
        raise InternalError(f"the fast codec refused a good {value!r}")

    def decoding(self, data: bytes) -> NoReturn:
        reference.decode(self.record, data[self.lead :])
        raise InternalError(f"the fast codec refused a good {self.record.__name__}: {data.hex()}")


class _Row:
    """A record of plain integers: flat enough to be packed inside the loop over its list."""

    def __init__(self, record: type[Record]) -> None:
        named = fields_of(record)
        integers = [
            (f"e{place}", name, each)
            for place, (name, each) in enumerate(named)
            if isinstance(each, Integer)
        ]
        self.flat = len(integers) == len(named)
        self.targets = [target for target, _, _ in integers]
        self.struct = struct.Struct(">" + "".join(each.code for _, _, each in integers))
        self.broken = " or ".join(
            check for target, _, each in integers for check in range_checks(target, each)
        )
        # `for x in (y,)` is how a comprehension binds a local; CPython makes it a plain assignment.
        self.bind = " ".join(f"for {target} in (e.{name},)" for target, name, _ in integers)

    def unless_broken(self, blame: str, expression: str) -> str:
        return f"{blame} if {self.broken} else {expression}" if self.broken else expression


def _refuse(checks: list[str], blame: str) -> Iterator[str]:
    if checks:
        yield f"  if {' or '.join(checks)}: {blame}"


# -- encoding ------------------------------------------------------------------------------------


def _encoder(layout: Layout, names: dict[str, Any], lead: bytes) -> Iterator[str]:
    names["lead"] = lead
    pieces = (
        ["lead"] if lead and not (layout.parts and isinstance(layout.parts[0], FixedBlock)) else []
    )
    yield "def encode(r):"
    yield " try:"
    for tail in (part for part in layout.parts if isinstance(part, VariableField)):
        encoded = ".encode()" if isinstance(tail.declaration, Text) else ""
        yield f"  {tail.target} = {tail.source}{encoded}"
    for place, part in enumerate(layout.parts):
        if isinstance(part, VariableField):
            pieces.append(_tail_bytes(part, names))
            continue
        for target, source in zip(part.targets, part.sources, strict=True):
            yield f"  {target} = {source}"
        yield from _refuse(part.checks + part.guards, "blame.encoding(r)")
        first = [str(byte) for byte in lead] if place == 0 else []
        names[f"pack{place}"] = struct.Struct(">" + "B" * len(first) + part.code).pack
        pieces.append(f"pack{place}({', '.join(first + part.targets)})")
    yield (
        f"  return {pieces[0]}" if len(pieces) == 1 else f"  return b''.join([{', '.join(pieces)}])"
    )
    yield f" except {_FAULTS}: blame.encoding(r)"


def _tail_bytes(tail: VariableField, names: dict[str, Any]) -> str:
    if not isinstance(tail.declaration, Records):
        return tail.target
    row = _Row(tail.declaration.record)
    if not row.flat:
        names[f"inner_{tail.target}"] = codec_for(tail.declaration.record).encode
        return f"b''.join([inner_{tail.target}(e) for e in {tail.target}])"
    names[f"row_{tail.target}"] = row.struct.pack
    packed = row.unless_broken("blame.encoding(r)", f"row_{tail.target}({', '.join(row.targets)})")
    return f"b''.join([{packed} for e in {tail.target} {row.bind}])"


# -- decoding ------------------------------------------------------------------------------------


def _decoder(layout: Layout, names: dict[str, Any], lead: bytes) -> Iterator[str]:
    yield "def decode(data):"
    yield " try:"
    if layout.flat:
        run = layout.run
        names["unpack"] = struct.Struct(">" + "x" * len(lead) + run.code).unpack
        yield f"  {', '.join(run.targets)}, = unpack(data)"
        yield from _refuse(run.checks, "blame.decoding(data)")
        yield f"  return cls({', '.join(layout.arguments)})"
    else:
        yield f"  r, at = read(data, {len(lead)})"
        yield "  if at == len(data): return r"
    yield f" except {_FAULTS}: pass"
    yield " blame.decoding(data)"


def _reader(layout: Layout, names: dict[str, Any]) -> Iterator[str]:
    yield "def read(data, at):"
    for place, part in enumerate(layout.parts):
        if isinstance(part, FixedBlock):
            shape = struct.Struct(">" + part.code)
            names[f"unpack{place}"] = shape.unpack_from
            yield f"  {', '.join(part.targets)}, = unpack{place}(data, at)"
            yield f"  at += {shape.size}"
            yield from _refuse(part.checks, "raise ValueError")
        elif isinstance(part.declaration, Records):
            yield from _read_records(part, part.declaration, names)
        else:
            yield from _read_bytes(part)
    yield f"  return cls({', '.join(layout.arguments)}), at"


def _read_bytes(tail: VariableField) -> Iterator[str]:
    yield f"  {tail.target} = data[at:at + {tail.length}]"
    yield f"  at += {tail.length}"
    yield "  if at > len(data): raise ValueError"
    if isinstance(tail.declaration, Text):
        yield f"  {tail.target} = {tail.target}.decode()"
        yield f"  if not {tail.target}.isprintable(): raise ValueError"


def _read_records(
    tail: VariableField, declaration: Records, names: dict[str, Any]
) -> Iterator[str]:
    row, target = _Row(declaration.record), tail.target
    if not row.flat:
        names[f"read_{target}"] = codec_for(declaration.record).read
        yield f"  {target} = []"
        yield f"  for _ in range({tail.length}):"
        yield f"    item, at = read_{target}(data, at)"
        yield f"    {target}.append(item)"
        yield f"  {target} = tuple({target})"
        return
    names[f"rows_{target}"] = row.struct.iter_unpack
    names[f"cls_{target}"] = declaration.record
    names["fail"] = _fail
    made = row.unless_broken("fail()", f"cls_{target}({', '.join(row.targets)})")
    yield f"  end = at + {row.struct.size} * {tail.length}"
    # A slice cut short by the end of the data is not a whole number of rows, or leaves `at` too
    # far.
    loop = f"for {', '.join(row.targets)}, in rows_{target}(data[at:end])"
    yield f"  {target} = tuple([{made} {loop}])"
    yield "  at = end"
    yield "  if at > len(data): raise ValueError"


def _fail() -> NoReturn:
    raise ValueError
