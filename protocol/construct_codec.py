"""The reference codec: construct itself, one field at a time, slow and sure.

It is the only module that lets construct parse or build, and no construct error leaves it.  It
serves twice: a property test holds the fast codec against it, and the fast codec asks it to say in
words what was wrong with a record that it has just turned down.
"""

from io import BytesIO
from typing import Any, TypeVar

from construct import ConstructError

from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.fields import Declaration, Record, fields_of

R = TypeVar("R", bound=Record)

# How much of a wrong value an error shows.
_MOST_SHOWN = 40
# What construct and its adapters raise for a value of the wrong kind, beside their own errors.
_BAD_VALUE = (ConstructError, TypeError, ValueError, AttributeError, KeyError)


def decode(record: type[R], data: bytes) -> R:
    """The record whose bytes are exactly `data`; `DecodeError` names the first field at fault."""
    stream = BytesIO(data)
    values = [
        _parse(record, place, name, declaration, stream)
        for place, (name, declaration) in enumerate(fields_of(record), start=1)
    ]
    left = len(data) - stream.tell()
    if left:
        raise DecodeError(f"{left} bytes too many", message=record.__name__)
    return record(*values)


def _parse(
    record: type[Record], place: int, name: str, declaration: Declaration, stream: BytesIO
) -> Any:
    try:
        return declaration.construct.parse_stream(stream)
    except _BAD_VALUE:
        rule = f"cut short or not {declaration.rule}"
        raise DecodeError(rule, message=record.__name__, field=place, name=name) from None


def encode(record: type[Record], value: Record) -> bytes:
    """The bytes of a record; `LocalProtocolError` names the first field out of its range."""
    if not isinstance(value, record):
        raise LocalProtocolError(f"{_shown(value)} is no {record.__name__}")
    return b"".join(
        _build(record, name, declaration, getattr(value, name))
        for name, declaration in fields_of(record)
    )


def _build(record: type[Record], name: str, declaration: Declaration, value: Any) -> bytes:
    try:
        return bytes(declaration.construct.build(value))
    except _BAD_VALUE:
        message = f"{record.__name__}.{name}: {_shown(value)} is not {declaration.rule}"
        raise LocalProtocolError(message) from None


def _shown(value: object) -> str:
    if isinstance(value, bytes) and len(value) > _MOST_SHOWN:
        return f"{len(value)} bytes"
    try:
        shown = repr(value)
        return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}..."
    except ValueError:
        # Python refuses to print an integer of thousands of digits.
        return "so large a number"
