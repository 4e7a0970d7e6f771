"""Bytes taken apart: which stretch is a frame, what each layer of it says, and what is wrong.

The one idea: whatever lies between two delimiters is a `Stretch`, and a stretch is a list of
`Part`s: bytes, and what they mean.  Text and JSON are both made from it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cobs import cobs

from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Integer, Record, Records, brief, fields_of
from mockpump.protocol.framing import (
    HEADER_SIZE,
    Frame,
    FrameDecoder,
    Header,
    Kind,
    RejectedFrame,
    checksum,
)
from mockpump.protocol.link.types import Offer
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program, ProgramError
from mockpump.protocol.session import SEAL_SIZE, Seal, split_seal
from mockpump.reference.protocol import said

_OFFER, _HEADER, _PROGRAM = codec_for(Offer), codec_for(Header), codec_for(Program)


class Part(NamedTuple):
    """Some bytes and what they mean.  `label` names the layer, at its first part only."""

    label: str
    data: bytes
    text: str
    bad: bool = False


class Payload(NamedTuple):
    """What a payload turned out to be.  `fault` says why it is nothing; `seal` stood before it."""

    content: Record | None = None
    fault: str = ""
    seal: Seal | None = None


class Stretch(NamedTuple):
    """What lies between two delimiters.  `offset` is where it begins in the input.

    `opened` and `closed` tell whether the delimiters before and behind it are there.
    """

    offset: int
    encoded: bytes
    opened: bool
    closed: bool
    found: Frame | RejectedFrame
    payload: Payload

    @property
    def good(self) -> bool:
        """Whether it is a frame, and its payload means something."""
        return isinstance(self.found, Frame) and not self.payload.fault


def stretches(data: bytes) -> Iterator[Stretch]:
    """Everything between delimiters, in order; the rules are the frame decoder's own."""
    offset = 0
    pieces = data.split(b"\0")
    for place, encoded in enumerate(pieces):
        if encoded:
            (found,) = FrameDecoder().receive_data(encoded + b"\0")
            payload = payload_of(found) if isinstance(found, Frame) else Payload()
            closed = place < len(pieces) - 1
            yield Stretch(offset, encoded, place > 0, closed, found, payload)
        offset += len(encoded) + 1


def payload_of(frame: Frame) -> Payload:
    """What a frame carries: an offer, a message, nothing, or something that makes no sense."""
    try:
        if frame.kind in (Kind.OPEN, Kind.OPEN_ACK):
            return Payload(_OFFER.decode(frame.payload))
        if frame.kind is Kind.DATA:
            seal, message = split_seal(frame.payload)
            return Payload(m.decode(message), seal=seal)
    except DecodeError as error:
        return Payload(fault=str(error))
    return Payload(fault=f"{frame.kind.name} carries no payload" if frame.payload else "")


def program_of(image: bytes) -> Payload:
    """The program that an image is; with its fault when it breaks a rule."""
    program = None
    try:
        program = _PROGRAM.decode(image)
        programs.check(program)
    except (DecodeError, ProgramError) as error:
        return Payload(program, str(error))
    return Payload(program)


# -- parts ---------------------------------------------------------------------------------------


def parts_of(stretch: Stretch) -> Iterator[Part]:
    """A stretch from its first byte to its last, layer by layer."""
    yield Part("delimiter", b"\0" * stretch.opened, "" if stretch.opened else "missing")
    try:
        body = cobs.decode(stretch.encoded)
    except cobs.DecodeError:
        yield Part("COBS", stretch.encoded, _bad_block(stretch.encoded), True)
        return
    shown = len(stretch.encoded)
    yield Part("COBS", stretch.encoded, f"{shown} bytes, {len(body)} without the stuffing")
    if len(body) >= HEADER_SIZE + 2:
        yield from _header(body)
        yield from _payload(stretch, body[HEADER_SIZE:-2])
        yield _crc(body)
    else:
        yield Part("body", body, "shorter than header and checksum", True)
    yield Part("delimiter", b"\0" * stretch.closed, "" if stretch.closed else "missing")


def _bad_block(encoded: bytes) -> str:
    at = 0
    while at + encoded[at] <= len(encoded):
        at += encoded[at]
    return f"byte {at} announces {encoded[at] - 1} more, there are {len(encoded) - at - 1}"


def _header(body: bytes) -> Iterator[Part]:
    header = _HEADER.decode(body[:HEADER_SIZE])
    version, kind = divmod(header.version_kind, 16)
    name = Kind(kind).name if kind in set(Kind) else "unknown"
    ahead = [str((header.ack + 1 + bit) % 256) for bit in range(16) if header.sack >> bit & 1]
    texts = (
        f"version {version}, kind {kind} {name}",
        f"connection {header.connection:#06x}",
        f"seq {header.seq}",
        f"ack {header.ack}: the next one expected",
        f"sack {header.sack:#06x}: {', '.join(ahead) or 'nothing'} ahead of it",
    )
    at = 0
    for (_, declaration), text in zip(fields_of(Header), texts, strict=True):
        size = declaration.shape.most
        yield Part("" if at else "header", body[at : at + size], text)
        at += size


def _payload(stretch: Stretch, data: bytes) -> Iterator[Part]:
    if stretch.payload.content is not None:
        if stretch.payload.seal is not None:
            yield from _seal(stretch.payload.seal, data)
            data = data[SEAL_SIZE:]
        yield from content_parts(stretch.payload.content, data)
    elif data:
        yield Part("payload", data, stretch.payload.fault, bool(stretch.payload.fault))
    elif stretch.payload.fault:
        yield Part("payload", b"", stretch.payload.fault, True)


def _seal(seal: Seal, data: bytes) -> Iterator[Part]:
    texts = ("sealed", f"counter {seal.counter}", "tag: only the two sides can tell if it is right")
    at = 0
    for (_, declaration), text in zip(fields_of(Seal), texts, strict=True):
        size = declaration.shape.most
        yield Part("" if at else "session", data[at : at + size], text)
        at += size


def _crc(body: bytes) -> Part:
    right = checksum(body[:-2])
    good = body[-2:] == right.to_bytes(2, "big")
    text = "good" if good else f"bad: {right:04x} would be right"
    return Part("CRC-16", body[-2:], text, not good)


def content_parts(content: Record, data: bytes) -> Iterator[Part]:
    """A message, an offer or a program, field by field; `data` are its bytes."""
    at, label = 0, "payload"
    if isinstance(content, Message):
        entry = m.entry_of(type(content))
        yield Part(label, data[:1], f"{entry.name}: {said(entry).replace('`', '')}")
        at, label = 1, ""
    for size, text in _pieces(content, ""):
        yield Part(label, data[at : at + size], text)
        at, label = at + size, ""


def _pieces(record: Record, path: str) -> Iterator[tuple[int, str]]:
    """The bytes that each field takes, and what it says."""
    for name, declaration in fields_of(type(record)):
        value = getattr(record, name)
        if isinstance(declaration, Records):
            yield from _item_pieces(declaration, value, path + name)
        else:
            yield declaration.size_of(value), f"{path}{name} = {declaration.written(value)}"


def _item_pieces(
    declaration: Records, items: tuple[Record, ...], path: str
) -> Iterator[tuple[int, str]]:
    yield 1, f"{path}: {len(items)} of them"
    flat = all(isinstance(each, Integer) for _, each in fields_of(declaration.record))
    for place, item in enumerate(items):
        pieces = list(_pieces(item, "" if flat else f"{path}[{place}]."))
        if flat:
            text = f"{path}[{place}]: {', '.join(text for _, text in pieces)}"
            yield sum(size for size, _ in pieces), text
        else:
            yield from pieces


def summary(stretch: Stretch) -> str:
    """A stretch on one line, the fields of its message included."""
    if isinstance(stretch.found, RejectedFrame):
        return f"rejected: {stretch.found.reason.name}"
    frame = stretch.found
    words = [frame.kind.name, f"{frame.connection:#06x}"]
    if frame.kind is Kind.DATA:
        words.append(f"seq {frame.seq}")
    if frame.kind in (Kind.DATA, Kind.ACK, Kind.CLOSE):
        words.append(f"ack {frame.ack}")
    if frame.sack:
        words.append(f"sack {frame.sack:#06x}")
    if stretch.payload.seal is not None:
        words.append(f"sealed {stretch.payload.seal.counter}")
    content = stretch.payload.fault or content_summary(stretch.payload.content)
    return " ".join(words) + (f": {content}" if content else "")


def content_summary(content: Record | None) -> str:
    """A message or an offer on one line."""
    if content is None:
        return ""
    name = [type(content).__name__] if isinstance(content, Message) else []
    values = [f"{each}={brief(getattr(content, each))}" for each in content.__struct_fields__]
    return " ".join(name + values)


def stretch_json(stretch: Stretch) -> Mapping[str, Any]:
    """A stretch as an object that JSON can hold."""
    facts: dict[str, Any] = {
        "offset": stretch.offset,
        "good": stretch.good,
        "summary": summary(stretch),
        "delimiters": {"before": stretch.opened, "behind": stretch.closed},
        "bytes": stretch.encoded,
    }
    if isinstance(stretch.found, RejectedFrame):
        reason = stretch.found.reason
        return {**facts, "rejected": reason.name.lower(), "meaning": reason.value}
    frame = {name: getattr(stretch.found, name) for name in Frame.__struct_fields__}
    return {**facts, "frame": frame, **payload_json(stretch.payload)}


def payload_json(payload: Payload) -> Mapping[str, Any]:
    """A payload as an object that JSON can hold."""
    content = payload.content
    facts: dict[str, Any] = {}
    if content is not None:
        facts = {"content": type(content).__name__, "fields": content}
    if payload.seal is not None:
        facts = {"seal": payload.seal, **facts}
    return {**facts, "fault": payload.fault} if payload.fault else facts
