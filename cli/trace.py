"""Frames as they pass: the first ones in full, layer by layer, the others on a line each."""

import sys
import time
from collections import deque

from mockpump.cli.render import show
from mockpump.cli.wire.decode import parts_of, payload_of, stretches
from mockpump.cli.wire.render import show_parts
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, RejectedFrame, encode_frame

_ARROWS = {True: "programmer -> pump", False: "pump -> programmer"}
_STYLES = {True: "cyan", False: "magenta"}


class FrameTrace:
    """A tap on a line, for either direction.  `full` frames are shown in full, `brief` on a line.

    What comes after those is only counted; where `brief` is None, all are shown.  Frames pass as
    they please; `catch_up` shows those that were not shown yet, `pause` seconds apart: the display
    is held, and never the line.
    """

    def __init__(self, full: int, brief: int | None, pause: float = 0.0) -> None:
        self._decoders = {True: FrameDecoder(), False: FrameDecoder()}
        self._full = full
        self._most = None if brief is None else full + brief
        self.pause = pause
        self._waiting: deque[tuple[int, bool, Frame | RejectedFrame]] = deque()
        self.frames = 0

    def __call__(self, sent: bool, data: bytes) -> None:
        """Take bytes that went by; `sent` when the programmer sent them."""
        for found in self._decoders[sent].receive_data(data):
            self.frames += 1
            if self._most is None or self.frames <= self._most:
                self._waiting.append((self.frames, sent, found))

    def catch_up(self) -> None:
        """Show what has gone by."""
        while self._waiting:
            self._show(*self._waiting.popleft())
            if self.pause:
                sys.stdout.flush()
                time.sleep(self.pause)

    def _show(self, number: int, sent: bool, found: Frame | RejectedFrame) -> None:
        arrow = (f"  {_ARROWS[sent]}  ", _STYLES[sent])
        if isinstance(found, RejectedFrame):
            show(arrow, (f"rejected: {found.reason.value}", "red"))
        elif number <= self._full:
            show(arrow, (brief(found), "bold"))
            show_frame_parts(found)
        else:
            show(arrow, brief(found))


def show_frame_parts(frame: Frame) -> None:
    """A frame taken apart: the bytes of each layer, and the fields of its message."""
    for stretch in stretches(encode_frame(frame)):
        show_parts(parts_of(stretch))


def brief(frame: Frame) -> str:
    """A frame on one line."""
    numbers = f"seq {frame.seq} ack {frame.ack}" if frame.kind is Kind.DATA else f"ack {frame.ack}"
    payload = payload_of(frame)
    message = payload.content if frame.kind is Kind.DATA else None
    name = f"  {type(message).__name__}" if message else ""
    sealed = f", sealed {payload.seal.counter}" if payload.seal else ""
    return f"{frame.kind.name} {numbers}{name}{sealed}"
