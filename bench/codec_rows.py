"""The codec: a 40-byte status and twelve segments, against struct, pymavlink and construct.

The first line of a row is like for like: both sides know which message it is.  "Of any type" is
what a connection calls, which looks the message up first.  pymavlink's only decoder does that too,
and takes a whole frame with its checksum; so "with its frame" stands beside it.
"""

from collections.abc import Callable
from typing import Any

import construct

from bench import hand
from bench.pairs import Effort, Work, calls, race
from bench.table import Contest, Finding, absent
from mockpump.protocol import messages as m
from mockpump.protocol.codec import codec_for
from mockpump.protocol.fields import Choice, Integer, construct_of, fields_of
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.program import DayPattern, Segment

STATUS = m.Status(
    m.Mode.RUNNING, 86_400, 432_000, 25_000, 1_234_560, 4_711, 18_765_440, 100, 2, 3, 240, 12
)
PAYLOAD = m.encode(STATUS)
_CODEC = m.entry_of(m.Status).codec
PATTERN = DayPattern("weekday", tuple(Segment(120 * k, 1_000 * k + 500) for k in range(12)))


def decode_status(effort: Effort) -> list[Finding]:
    """Bytes to message object."""
    works: dict[str, Work] = {
        "ours": calls(_CODEC.decode, PAYLOAD),
        "of any type": calls(m.decode, PAYLOAD),
        "with its frame": calls(
            _framed_decoder(), encode_frame(Frame(Kind.DATA, 1, 0, 0, 0, PAYLOAD))
        ),
        "struct by hand": calls(hand.decode_status, PAYLOAD),
        "construct": calls(_bare_construct().parse, PAYLOAD[1:]),
        "construct, checked": calls(construct_of(m.Status).parse, PAYLOAD[1:]),
        "construct compiled": calls(_bare_construct().compile().parse, PAYLOAD[1:]),
    }
    mavlink = _mavlink()
    if mavlink:
        works["pymavlink"] = calls(*mavlink)
    timed = race(works, effort)
    ours, any_type, framed = (
        Contest(timed, case, us)
        for case, us in (
            ("decode status", "ours"),
            ("  of any type", "of any type"),
            ("  with its frame", "with its frame"),
        )
    )
    return [
        ours.at_most("struct by hand", 1.0),
        ours.at_least("construct", 20),
        ours.beside("construct, checked"),
        ours.beside("construct compiled"),
        any_type.beside("struct by hand"),
        any_type.at_least("pymavlink", 10) if mavlink else absent(any_type.case, "pymavlink"),
        framed.beside("pymavlink") if mavlink else absent(framed.case, "pymavlink"),
    ]


def encode_status(effort: Effort) -> list[Finding]:
    """Message object to bytes."""
    works = {
        "ours": calls(_CODEC.encode, STATUS),
        "of any type": calls(m.encode, STATUS),
        "struct by hand": calls(hand.encode_status, hand.decode_status(PAYLOAD)),
        "construct": calls(_bare_construct().build, _as_dict()),
    }
    timed = race(works, effort)
    ours = Contest(timed, "encode status", "ours")
    any_type = Contest(timed, "  of any type", "of any type")
    return [
        ours.at_most("struct by hand", 1.3),
        ours.beside("construct"),
        any_type.beside("struct by hand"),
    ]


def decode_segments(effort: Effort) -> list[Finding]:
    """A day pattern of twelve segments from bytes."""
    codec = codec_for(DayPattern)
    data = codec.encode(PATTERN)
    works = {
        "ours": calls(codec.decode, data),
        "struct by hand": calls(hand.decode_pattern, data),
    }
    contest = Contest(race(works, effort), "decode 12 segments", "ours")
    return [contest.at_most("struct by hand", 1.3)]


def encode_segments(effort: Effort) -> list[Finding]:
    """A day pattern of twelve segments to bytes."""
    codec = codec_for(DayPattern)
    pattern = hand.decode_pattern(codec.encode(PATTERN))
    works = {
        "ours": calls(codec.encode, PATTERN),
        "struct by hand": calls(hand.encode_pattern, pattern),
    }
    contest = Contest(race(works, effort), "encode 12 segments", "ours")
    return [contest.at_most("struct by hand", 1.3)]


def _bare_construct() -> Any:
    """The status as people write it for construct: no range checks, an enumeration by name."""
    members = []
    for name, declaration in fields_of(m.Status):
        if isinstance(declaration, Choice):
            members.append(name / construct.Enum(construct.Int8ub, declaration.members))
        elif isinstance(declaration, Integer):
            members.append(name / declaration.format)
    return construct.Struct(*members)


def _as_dict() -> dict[str, int]:
    return {name: int(getattr(STATUS, name)) for name, _ in fields_of(m.Status)}


def _framed_decoder() -> Callable[[bytes], None]:
    decoder = FrameDecoder()

    def decode(data: bytes) -> None:
        for found in decoder.receive_data(data):
            m.decode(found.payload)  # type: ignore[union-attr]

    return decode


def _mavlink() -> tuple[Any, bytearray] | None:
    """pymavlink's decoder and a frame for it: eleven fields in 42 bytes, no byte of them cut."""
    try:
        from pymavlink.dialects.v20 import common as dialect
    except ImportError:
        return None
    link = dialect.MAVLink(None, srcSystem=1, srcComponent=1)
    values = (0.25, -0.25, 0.5, 0.75, 1.5, 2.5, 3.5, 4.5)
    frame = link.hil_controls_encode(1_234_567_890, *values, 3, 2).pack(link)
    return link.decode, bytearray(frame)
