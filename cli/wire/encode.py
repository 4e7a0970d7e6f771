"""Words into bytes: a message or a frame from its name and `field=value` pairs.

The one idea: how a value is read, what is missing and what is out of range follow from the field's
declaration; a wrong word ends in one line that names the nearest right one.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mockpump.cli.main import EXIT_USAGE, fail
from mockpump.cli.wire.input import from_hex
from mockpump.emulator.transports.drawing import transaction
from mockpump.protocol import messages as m
from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.fields import (
    Choice,
    Declaration,
    Fixed,
    Integer,
    Integers,
    Octets,
    Record,
    Text,
    fields_of,
)
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.link.types import LinkSettings, Offer
from mockpump.protocol.messages.base import CATALOGUE, Direction, Message
from mockpump.protocol.units import did_you_mean
from mockpump.reference.diagram import shape_of

KINDS = {kind.name: kind for kind in Kind if kind is not Kind.DATA}


def build(
    name: str, words: Iterable[str], header: Mapping[str, int]
) -> tuple[Frame, Record | None, bytes]:
    """The frame, what it carries (None for nothing) and the bytes on the line."""
    try:
        kind, content, payload = _carried(name, words)
        frame = Frame(kind, payload=payload, **header)
        return frame, content, encode_frame(frame)
    except LocalProtocolError as error:
        fail(str(error), EXIT_USAGE)


def request_of(name: str, words: Iterable[str]) -> Message:
    """The request of that name; a transaction that is not among the words is drawn."""
    entry = m.entry_named(name)
    assert entry is not None
    if entry.direction is not Direction.REQUEST:
        fail(f"{entry.name} is said by the pump; send its bytes (see `wire encode`)", EXIT_USAGE)
    try:
        made: Any = _record(entry.message, words, {"transaction": transaction()})
        m.encode(made)
    except LocalProtocolError as error:
        fail(str(error), EXIT_USAGE)
    request: Message = made
    return request


def _carried(name: str, words: Iterable[str]) -> tuple[Kind, Record | None, bytes]:
    entry = m.entry_named(name)
    if entry is not None:
        message: Any = _record(entry.message, words)
        return Kind.DATA, message, m.encode(message)
    kind = KINDS.get(name.upper())
    if kind is None:
        known = [each.name for each in CATALOGUE.values()] + list(KINDS)
        near = did_you_mean(name, known)
        hint = f"; did you mean {near}?" if near else "; `mockpump wire explain` lists them"
        fail(f"there is no message {cut(name)}{hint}", EXIT_USAGE)
    if kind in (Kind.OPEN, Kind.OPEN_ACK):
        usual = LinkSettings().offer()
        offer: Any = _record(Offer, words, {n: getattr(usual, n) for n in Offer.__struct_fields__})
        return kind, offer, codec_for(Offer).encode(offer)
    for word in words:
        fail(f"{kind.name} has no fields, so {cut(word)} cannot be one", EXIT_USAGE)
    return kind, None, b""


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the right word, where there is one close by."""
    known = list(known)
    near = did_you_mean(word, known)
    return f"; did you mean {near}?" if near else f"; known are {', '.join(known)}"


def _record(
    record: type[Record], words: Iterable[str], usual: Mapping[str, Any] | None = None
) -> Record:
    declarations = dict(fields_of(record))
    values: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        name = name.strip().lower()
        if not sign:
            fail(f"{cut(word)} is not like field=value", EXIT_USAGE)
        if name not in declarations:
            has = nearest(name, declarations) if declarations else "; it has none"
            fail(f"{record.__name__} has no field {cut(name)}{has}", EXIT_USAGE)
        if name in values:
            fail(f"{record.__name__}.{name} is given twice", EXIT_USAGE)
        values[name] = _value(record, name, declarations[name], text)
    values = {**{k: v for k, v in (usual or {}).items() if k in declarations}, **values}
    for name, declaration in declarations.items():
        if name not in values:
            what = f"{shape_of(declaration).type}, {declaration.rule}: {declaration.doc}"
            fail(f"{record.__name__} needs {name}=... ({what})", EXIT_USAGE)
    return record(**values)


def _value(record: type[Record], name: str, declaration: Declaration, text: str) -> Any:
    try:
        return _READERS[type(declaration)](declaration, text)
    except ValueError as error:
        fail(f"{record.__name__}.{name}: {error}", EXIT_USAGE)


def _integer(declaration: Integer, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"{cut(text)} is no number; it must be {declaration.rule}") from None


def _integers(declaration: Integers, text: str) -> tuple[int, ...]:
    return tuple(_integer(declaration.element, each) for each in text.split(","))


def _choice(declaration: Choice, text: str) -> Any:
    for member in declaration.values:
        if text.strip().lower() in (member.name.lower(), str(int(member))):
            return member
    names = [member.name.lower() for member in declaration.values]
    raise ValueError(f"there is no {cut(text)}{nearest(text, names)}")


def cut(text: str) -> str:
    """A word from outside, safe to print."""
    return ascii(text if len(text) <= 24 else f"{text[:24]}...")


_READERS: dict[type[Declaration], Callable[[Any, str], Any]] = {
    Integer: _integer,
    Integers: _integers,
    Choice: _choice,
    Text: lambda declaration, text: text,
    Octets: lambda declaration, text: from_hex(text),
    Fixed: lambda declaration, text: from_hex(text),
}
