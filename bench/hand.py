"""What a careful programmer would write by hand with `struct`: the peers of the derived codec.

Honest peers: the same fields, the same range checks in both directions, the same enumeration, bytes
in and an object out.  The objects have `__slots__` and nothing else.
"""

import struct

from mockpump.protocol import messages as m
from mockpump.protocol.program import MAX_PATTERN_NAME, MAX_RATE, MAX_SEGMENTS

_STATUS = struct.Struct(">BBIIIQIIBBIII")
_STATUS_NUMBER = m.entry_of(m.Status).number
_MODES = tuple(m.Mode)
_SEGMENT = struct.Struct(">HI")
_LAST_MINUTE = 1439


class Status:
    """The status message by hand."""

    __slots__ = (
        "clock",
        "delivered",
        "dropped",
        "elapsed",
        "mode",
        "outcomes",
        "pattern",
        "percent",
        "rate",
        "rejected",
        "remainder",
        "reservoir",
    )

    def __init__(
        self,
        mode: m.Mode,
        elapsed: int,
        clock: int,
        rate: int,
        delivered: int,
        remainder: int,
        reservoir: int,
        percent: int,
        pattern: int,
        rejected: int,
        dropped: int,
        outcomes: int,
    ) -> None:
        self.mode = mode
        self.elapsed = elapsed
        self.clock = clock
        self.rate = rate
        self.delivered = delivered
        self.remainder = remainder
        self.reservoir = reservoir
        self.percent = percent
        self.pattern = pattern
        self.rejected = rejected
        self.dropped = dropped
        self.outcomes = outcomes


def decode_status(data: bytes) -> Status:
    """A status from its 44 bytes; ValueError for anything else."""
    try:
        (
            number,
            mode,
            elapsed,
            clock,
            rate,
            delivered,
            remainder,
            reservoir,
            percent,
            pattern,
            rejected,
            dropped,
            outcomes,
        ) = _STATUS.unpack(data)
    except struct.error as error:
        raise ValueError(str(error)) from None
    if number != _STATUS_NUMBER or mode > 3 or percent > 200 or pattern > 3:
        raise ValueError("out of range")
    return Status(
        _MODES[mode],
        elapsed,
        clock,
        rate,
        delivered,
        remainder,
        reservoir,
        percent,
        pattern,
        rejected,
        dropped,
        outcomes,
    )


def encode_status(status: Status) -> bytes:
    """The 44 bytes of a status; ValueError for a value out of range."""
    mode, percent, pattern = status.mode, status.percent, status.pattern
    if mode > 3 or percent > 200 or pattern > 3:
        raise ValueError("out of range")
    try:
        return _STATUS.pack(
            _STATUS_NUMBER,
            mode,
            status.elapsed,
            status.clock,
            status.rate,
            status.delivered,
            status.remainder,
            status.reservoir,
            percent,
            pattern,
            status.rejected,
            status.dropped,
            status.outcomes,
        )
    except struct.error as error:
        raise ValueError(str(error)) from None


class Segment:
    """A segment by hand."""

    __slots__ = ("rate", "start")

    def __init__(self, start: int, rate: int) -> None:
        self.start = start
        self.rate = rate


class DayPattern:
    """A day pattern by hand."""

    __slots__ = ("name", "segments")

    def __init__(self, name: str, segments: tuple[Segment, ...]) -> None:
        self.name = name
        self.segments = segments


def decode_pattern(data: bytes) -> DayPattern:
    """A day pattern from its bytes; ValueError for anything else."""
    try:
        end = 1 + data[0]
        count = data[end]
        name = data[1:end].decode()
        rows = _SEGMENT.iter_unpack(data[end + 1 :])
    except (struct.error, IndexError) as error:
        raise ValueError(str(error)) from None
    if end > 1 + MAX_PATTERN_NAME or not name.isprintable():
        raise ValueError("name out of range")
    if not 1 <= count <= MAX_SEGMENTS or len(data) != end + 1 + count * _SEGMENT.size:
        raise ValueError("count out of range")
    segments = []
    for start, rate in rows:
        if start > _LAST_MINUTE or rate > MAX_RATE:
            raise ValueError("segment out of range")
        segments.append(Segment(start, rate))
    return DayPattern(name, tuple(segments))


def encode_pattern(pattern: DayPattern) -> bytes:
    """The bytes of a day pattern; ValueError for a value out of range."""
    name, segments = pattern.name.encode(), pattern.segments
    if len(name) > MAX_PATTERN_NAME or not pattern.name.isprintable():
        raise ValueError("name out of range")
    if not 1 <= len(segments) <= MAX_SEGMENTS:
        raise ValueError("count out of range")
    rows = [bytes((len(name),)), name, bytes((len(segments),))]
    try:
        for segment in segments:
            start, rate = segment.start, segment.rate
            if start > _LAST_MINUTE or rate > MAX_RATE:
                raise ValueError("segment out of range")
            rows.append(_SEGMENT.pack(start, rate))
    except struct.error as error:
        raise ValueError(str(error)) from None
    return b"".join(rows)
