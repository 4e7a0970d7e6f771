"""The fast codec, generated once at import from a record's declaration.

The idea: `mockpump.protocol.layout` cuts a record into runs of fixed-size values and the variable
parts between them; from those the source of three plain functions is written and compiled, so that
the hot path has no loop over fields.  `mockpump.protocol.construct_codec` does the same job with
construct and is what a property test compares this against.

Decoding is strict: every byte accounted for, every value in its range.
"""

import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from mockpump.protocol import construct_codec as reference
from mockpump.protocol.errors import InternalError
from mockpump.protocol.fields import Integer, Record, Records, Text, fields_of
from mockpump.protocol.layout import Layout, Run, Tail, range_checks

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
    pieces = ["lead"] if lead and not (layout.parts and isinstance(layout.parts[0], Run)) else []
    yield "def encode(r):"
    yield " try:"
    for tail in (part for part in layout.parts if isinstance(part, Tail)):
        encoded = ".encode()" if isinstance(tail.declaration, Text) else ""
        yield f"  {tail.target} = {tail.source}{encoded}"
    for place, part in enumerate(layout.parts):
        if isinstance(part, Tail):
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


def _tail_bytes(tail: Tail, names: dict[str, Any]) -> str:
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
        if isinstance(part, Run):
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


def _read_bytes(tail: Tail) -> Iterator[str]:
    yield f"  {tail.target} = data[at:at + {tail.length}]"
    yield f"  at += {tail.length}"
    yield "  if at > len(data): raise ValueError"
    if isinstance(tail.declaration, Text):
        yield f"  {tail.target} = {tail.target}.decode()"
        yield f"  if not {tail.target}.isprintable(): raise ValueError"


def _read_records(tail: Tail, declaration: Records, names: dict[str, Any]) -> Iterator[str]:
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
    # A slice cut short by the end of the data is no whole number of rows, or leaves `at` too far.
    loop = f"for {', '.join(row.targets)}, in rows_{target}(data[at:end])"
    yield f"  {target} = tuple([{made} {loop}])"
    yield "  at = end"
    yield "  if at > len(data): raise ValueError"


def _fail() -> NoReturn:
    raise ValueError
