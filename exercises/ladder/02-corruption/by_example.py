"""Exercise 2 as one would write it without properties: right, and caught nothing."""

import pytest
from cobs import cobs

from mockpump.protocol.framing import (
    Frame,
    FrameDecoder,
    Kind,
    RejectedFrame,
    RejectReason,
    checksum,
    encode_body,
    encode_frame,
)

FRAME = Frame(Kind.DATA, 0x1234, seq=7, ack=3, payload=b"hello")


def received(body: bytes) -> Frame | RejectedFrame:
    (found,) = FrameDecoder().receive_data(b"\x00" + cobs.encode(body) + b"\x00")
    return found


def test_a_frame_is_found() -> None:
    assert FrameDecoder().receive_data(encode_frame(FRAME)) == [FRAME]


@pytest.mark.parametrize("place", [0, 3, 8, 11])
def test_a_changed_byte_is_found(place: int) -> None:
    body = bytearray(encode_body(FRAME))
    body[place] ^= 0x55
    found = received(bytes(body))
    assert isinstance(found, RejectedFrame)
    assert found.reason is RejectReason.BAD_CRC
    assert found.raw == cobs.encode(bytes(body))


def test_an_unknown_kind() -> None:
    body = b"\x1f" + encode_body(FRAME)[1:-2]
    found = received(body + checksum(body).to_bytes(2, "big"))
    assert isinstance(found, RejectedFrame)
    assert found.reason is RejectReason.UNKNOWN_KIND


def test_next_to_nothing_is_no_frame() -> None:
    found = received(b"ab")
    assert isinstance(found, RejectedFrame)
    assert found.reason is RejectReason.SHORT
