"""Frames as they go by: the first ones in full, layer by layer, the others on a line each."""

from collections.abc import Iterator

from mockpump.cli.render import show
from mockpump.protocol import messages as m
from mockpump.protocol.catalogue import Message
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.framing import (
    HEADER_SIZE,
    Frame,
    FrameDecoder,
    Kind,
    RejectedFrame,
    encode_body,
    encode_frame,
)

_ARROWS = {True: "programmer -> pump", False: "pump -> programmer"}
_STYLES = {True: "cyan", False: "magenta"}


class FrameTrace:
    """A tap on a line, for either direction.  `full` frames are shown in full, `brief` on a line.

    What comes after those is only counted.
    """

    def __init__(self, full: int, brief: int) -> None:
        self._decoders = {True: FrameDecoder(), False: FrameDecoder()}
        self._full = full
        self._brief = brief
        self.frames = 0

    def __call__(self, sent: bool, data: bytes) -> None:
        """Take bytes that went by; `sent` when the programmer sent them."""
        for found in self._decoders[sent].receive_data(data):
            self.frames += 1
            if isinstance(found, RejectedFrame):
                show(f"  {_ARROWS[sent]}  rejected: {found.reason.value}", style="red")
            elif self.frames <= self._full:
                _show_full(sent, found)
            elif self.frames <= self._full + self._brief:
                show((f"  {_ARROWS[sent]}  ", _STYLES[sent]), brief(found))


def _show_full(sent: bool, frame: Frame) -> None:
    show((f"  {_ARROWS[sent]}  ", _STYLES[sent]), (brief(frame), "bold"))
    for label, value in layers(frame):
        show((f"    {label:<8}", "dim"), value)


def layers(frame: Frame) -> Iterator[tuple[str, str]]:
    """A frame taken apart: the bytes of each layer, and the fields of its message."""
    yield "line", encode_frame(frame).hex(" ")
    body = encode_body(frame)
    yield "header", f"{body[:HEADER_SIZE].hex(' ')}   connection {frame.connection:#06x}"
    if frame.payload:
        yield "payload", frame.payload.hex(" ")
    yield "CRC-16", body[-2:].hex(" ")
    if frame.kind is Kind.DATA and (message := _message(frame)) is not None:
        for name in message.__struct_fields__:
            value = getattr(message, name)
            yield "", f"{name} = {value.hex() if isinstance(value, bytes) else value}"


def brief(frame: Frame) -> str:
    """A frame on one line."""
    numbers = f"seq {frame.seq} ack {frame.ack}" if frame.kind is Kind.DATA else f"ack {frame.ack}"
    message = _message(frame) if frame.kind is Kind.DATA else None
    name = f"  {type(message).__name__}" if message else ""
    return f"{frame.kind.name} {numbers}{name}"


def _message(frame: Frame) -> Message | None:
    try:
        return m.decode(frame.payload)
    except DecodeError:
        return None
