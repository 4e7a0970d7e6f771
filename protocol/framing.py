"""Frames: where one starts and ends on a line of bytes, and whether it is whole.

    00 | COBS( header | payload | CRC-16 ) | 00

The one idea: COBS takes every zero out of a frame, so a zero is always a delimiter.  After any
garbage the next zero is a fresh start, and a receiver needs no memory beyond one frame.  COBS is
Cheshire and Baker's Consistent Overhead Byte Stuffing; the checksum is CRC-16/GENIBUS (polynomial
0x1021, initial value and final XOR 0xFFFF, not reflected), over header and payload.

Why the final XOR: without one the checksum of a frame with its checksum is zero, and stays zero
whatever zeros follow.  In COBS one more zero is the last bit of the closing delimiter (00 become
01), so that bit would be unguarded.  With it the register stands at a constant other than zero
(`_RESIDUE`), and a zero more moves it on from there.
"""

import struct
from binascii import crc_hqx
from enum import Enum, IntEnum
from typing import Annotated

from cobs import cobs

from mockpump.protocol.codec import Layout
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.fields import Record, u8, u16

VERSION = 1
MAX_PAYLOAD = 1000
DELIMITER = b"\x00"


class Kind(IntEnum):
    """What a frame is for."""

    OPEN = 1
    OPEN_ACK = 2
    DATA = 3
    ACK = 4
    CLOSE = 5
    RESET = 6


# Bound once, for what is done at every frame (see `mockpump.protocol.link.states`).
DATA = Kind.DATA


class Header(Record, frozen=True):
    """The seven bytes in front of every payload."""

    version_kind: Annotated[int, u8("", "version in the high four bits, kind in the low four")]
    connection: Annotated[int, u16("", "connection id, chosen by the side that opens")]
    seq: Annotated[int, u8("", "sequence number of a DATA frame; 0 in the others")]
    ack: Annotated[int, u8("", "the sequence number expected next from the other side")]
    sack: Annotated[int, u16("", "bit i: the frame numbered ack + 1 + i is here already")]


class Frame(Record, frozen=True):
    """A whole frame.  `sack` has bit i set when frame `ack + 1 + i` has arrived."""

    kind: Kind
    connection: int
    seq: int = 0
    ack: int = 0
    sack: int = 0
    payload: bytes = b""


class RejectReason(Enum):
    """Why bytes between two delimiters are no frame, in the order in which it is checked."""

    TOO_LONG = "longer than any frame can be"
    BAD_COBS = "not the COBS encoding of anything"
    SHORT = "shorter than header and checksum"
    BAD_CRC = "checksum does not match"
    UNKNOWN_VERSION = "version is not 1"
    UNKNOWN_KIND = "kind is none of the six"


class RejectedFrame(Record, frozen=True):
    """Bytes that were no frame: why, and (at most a frame's worth of) the bytes as they came."""

    reason: RejectReason
    raw: bytes


_HEADER = struct.Struct(">" + Layout(Header).run.code)
_CRC = struct.Struct(">H")
# The checksum's name in the usual catalogue.
CHECKSUM = "CRC-16/GENIBUS"
# Where the register stands after a body and its checksum, whatever the body.
_RESIDUE = 0x1D0F
HEADER_SIZE = _HEADER.size
OVERHEAD = HEADER_SIZE + _CRC.size
_MAX_BODY = OVERHEAD + MAX_PAYLOAD
# COBS adds one byte, and one more for each full 254 bytes without a zero.
MAX_ENCODED = _MAX_BODY + _MAX_BODY // 254 + 1

_KINDS: tuple[Kind | None, ...] = tuple(
    Kind(byte & 15) if byte >> 4 == VERSION and byte & 15 in set(Kind) else None
    for byte in range(256)
)
_FIRST_BYTE = {kind: VERSION << 4 | kind for kind in Kind}


def checksum(data: bytes) -> int:
    """CRC-16/GENIBUS of some bytes; 0xD64E for the ASCII digits 1 to 9."""
    return crc_hqx(data, 0xFFFF) ^ 0xFFFF


def encode_body(frame: Frame) -> bytes:
    """Header, payload and checksum, before COBS: what the checksum's guarantees are about."""
    try:
        size = len(frame.payload)
        header = _HEADER.pack(
            _FIRST_BYTE[frame.kind], frame.connection, frame.seq, frame.ack, frame.sack
        )
        body = header + frame.payload
    except KeyError:
        raise LocalProtocolError("frame header: no such kind of frame") from None
    except (struct.error, TypeError) as error:
        raise LocalProtocolError(f"frame: {error}") from None
    if size > MAX_PAYLOAD:
        raise LocalProtocolError(f"payload of {size} bytes; at most {MAX_PAYLOAD}")
    return body + _CRC.pack(crc_hqx(body, 0xFFFF) ^ 0xFFFF)


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame on the line, both delimiters included.

    Raises `LocalProtocolError` for a payload over `MAX_PAYLOAD` or a header value out of range.
    """
    encoded: bytes = cobs.encode(encode_body(frame))
    return b"\x00" + encoded + b"\x00"


class FrameDecoder:
    """Finds the frames in a stream of bytes, however it is chunked, in bounded memory.

    The result does not depend on the chunking: the same bytes give the same list in the end.
    `rejected` counts what was no frame, `discarded` the bytes of it.
    """

    __slots__ = ("_partial", "_skipping", "discarded", "rejected")

    def __init__(self) -> None:
        self._partial = b""
        self._skipping = False
        self.rejected = 0
        self.discarded = 0

    def receive_data(self, data: bytes) -> list[Frame | RejectedFrame]:
        """Take the next bytes; return the frames that end in them, and what was none."""
        pieces = (self._partial + data).split(b"\x00")
        self._partial = pieces.pop()
        found: list[Frame | RejectedFrame] = []
        if self._skipping and pieces:
            # What is left of a frame that was turned down when it grew too long.
            self.discarded += len(pieces.pop(0))
            self._skipping = False
        for piece in pieces:
            if not piece:
                continue
            try:
                body = cobs.decode(piece)
            except cobs.DecodeError:
                found.append(self._reject(piece, None))
                continue
            if crc_hqx(body, 0xFFFF) != _RESIDUE or not OVERHEAD <= len(body) <= _MAX_BODY:
                found.append(self._reject(piece, body))
                continue
            first, connection, seq, ack, sack = _HEADER.unpack_from(body)
            kind = _KINDS[first]
            if kind is None:
                found.append(self._reject(piece, body))
                continue
            found.append(Frame(kind, connection, seq, ack, sack, body[HEADER_SIZE:-2]))
        if self._partial:
            self._bound_partial(found)
        return found

    def _reject(self, piece: bytes, body: bytes | None) -> RejectedFrame:
        self.rejected += 1
        self.discarded += len(piece)
        return RejectedFrame(_why(piece, body), piece[: MAX_ENCODED + 1])

    def _bound_partial(self, found: list[Frame | RejectedFrame]) -> None:
        if self._skipping:
            self.discarded += len(self._partial)
            self._partial = b""
        elif len(self._partial) > MAX_ENCODED:
            found.append(self._reject(self._partial, None))
            self._partial = b""
            self._skipping = True


def _why(piece: bytes, body: bytes | None) -> RejectReason:
    if len(piece) > MAX_ENCODED or (body is not None and len(body) > _MAX_BODY):
        return RejectReason.TOO_LONG
    if body is None:
        return RejectReason.BAD_COBS
    if len(body) < OVERHEAD:
        return RejectReason.SHORT
    if crc_hqx(body, 0xFFFF) != _RESIDUE:
        return RejectReason.BAD_CRC
    return RejectReason.UNKNOWN_VERSION if body[0] >> 4 != VERSION else RejectReason.UNKNOWN_KIND
