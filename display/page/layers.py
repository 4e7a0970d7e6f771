"""The layers of a frame, byte by byte: what each byte of the line is part of.

A byte has three places: on the line, in the frame without its stuffing, and in a field.  COBS keeps
the first two almost in step: the byte at place n of the line (from 1, the delimiter is 1) is byte
n - 3 of the frame (from 0), and a code byte stands where the frame has a zero.  Only a block of 254
bytes without a zero puts one more byte in between; so a few `Span`s say it all.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import msgspec

from mockpump.emulator.trace.run import Transmission
from mockpump.protocol import messages as m
from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Declaration, Fixed, Integer, Octets, Record, Records, fields_of
from mockpump.protocol.framing import (
    HEADER_SIZE,
    OVERHEAD,
    VERSION,
    Frame,
    Header,
    Kind,
    encode_body,
)
from mockpump.protocol.link.arq import SACK_BITS
from mockpump.protocol.link.types import Offer
from mockpump.protocol.messages.base import Message
from mockpump.protocol.session import SEAL_SIZE
from mockpump.protocol.units import words_of

_HEADER, _OFFER = codec_for(Header), codec_for(Offer)
# A block of COBS without a zero has this many bytes, and no zero stands behind it.
_FULL_BLOCK = 254
_SHORT = 16
_NAMES = {"version_kind": "version, kind"}


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Some bytes of a frame without its stuffing: from `begin` up to `end`, from 0."""

    layer: str
    name: str
    value: str
    begin: int
    end: int


class Span(msgspec.Struct, frozen=True, array_like=True):
    """`size` bytes of the line from place `line` on are those of the frame from `body` on."""

    line: int
    body: int
    size: int


class Image(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bytes of a frame: on the line, in hex; `codes` are the places of its COBS code bytes."""

    line: str
    parts: list[Part] = []
    spans: list[Span] = []
    codes: list[int] = []


def image_of(sent: Transmission) -> Image:
    """The layers of a transmission as it was sent; the line alone when it is not a frame."""
    if sent.frame is None:
        return Image(line=sent.data.hex())
    body = encode_body(sent.frame)
    spans, codes = _places(sent.data)
    parts = list(_parts(sent, sent.frame, body))
    return Image(line=sent.data.hex(), parts=parts, spans=spans, codes=codes)


def _places(line: bytes) -> tuple[list[Span], list[int]]:
    encoded = line.strip(b"\0")
    spans: list[Span] = []
    codes: list[int] = []
    at = body = 0
    while at < len(encoded):
        codes.append(at + 2)
        code = encoded[at]
        size = code - 1
        # The zero that the next code byte stands for; none behind a full block, nor at the end.
        zero = code <= _FULL_BLOCK and at + code < len(encoded)
        _put(spans, Span(at + 3, body, size + zero))
        body += size + zero
        at += code
    return spans, codes


def _put(spans: list[Span], span: Span) -> None:
    last = spans[-1] if spans else None
    if last and (last.line + last.size, last.body + last.size) == (span.line, span.body):
        spans[-1] = Span(last.line, last.body, last.size + span.size)
    elif span.size:
        spans.append(span)


def _parts(sent: Transmission, frame: Frame, body: bytes) -> Iterator[Part]:
    at, end = HEADER_SIZE, len(body) - (OVERHEAD - HEADER_SIZE)
    yield from _laid_out("header", _HEADER.decode(body[:at]), 0, _header_words(frame))
    if sent.seal is not None:
        yield from _laid_out("seal", sent.seal, at, {"mark": "sealed"})
        at += SEAL_SIZE
    content = sent.content if sent.content is not None else _offer_of(frame)
    if isinstance(content, Message):
        number = m.entry_of(type(content)).number
        yield Part("message", "message", f"{sent.message} ({number:02x})", at, at + 1)
        yield from _laid_out("message", content, at + 1, {})
    elif content is not None:
        yield from _laid_out("offer", content, at, {})
    elif at < end:
        yield Part("payload", "payload", "makes no sense", at, end)
    yield Part("checksum", "CRC-16", "good as sent", end, len(body))


def _offer_of(frame: Frame) -> Record | None:
    if frame.kind not in (Kind.OPEN, Kind.OPEN_ACK):
        return None
    try:
        offer: Record = _OFFER.decode(frame.payload)
    except DecodeError:
        return None
    return offer


def _header_words(frame: Frame) -> dict[str, str]:
    ahead = [(frame.ack + 1 + bit) & 0xFF for bit in range(SACK_BITS) if frame.sack >> bit & 1]
    return {
        "version_kind": f"{VERSION}, {frame.kind.name}",
        "connection": f"{frame.connection:04x}",
        "ack": f"{frame.ack}, the next one expected",
        "sack": f"{', '.join(map(str, ahead)) or 'nothing'} ahead of it",
    }


def _laid_out(layer: str, record: Record, at: int, words: dict[str, str]) -> Iterator[Part]:
    """The fields of a record, one after the other from `at` on."""
    for name, declaration in fields_of(type(record)):
        value = getattr(record, name)
        size = _size(declaration, value)
        text = words.get(name) or shown(declaration, value)
        yield Part(layer, _NAMES.get(name) or name.replace("_", " "), text, at, at + size)
        at += size


def _size(declaration: Declaration, value: Any) -> int:
    return len(declaration.construct.build(value))


def shown(declaration: Declaration, value: Any) -> str:
    """A value with its unit."""
    if isinstance(value, Enum):
        return words_of(value)
    if isinstance(declaration, Records):
        return f"{len(value)} of them"
    if isinstance(declaration, Fixed | Octets):
        return value.hex() if len(value) <= _SHORT else f"{len(value)} bytes"
    if isinstance(declaration, Integer):
        return f"{value:,} {declaration.unit}".strip() if declaration.unit else str(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
