"""A solution of exercise 2: what was damaged is never a frame, and is reported as it came."""

from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.framing import (
    HEADER_SIZE,
    MAX_PAYLOAD,
    OVERHEAD,
    Frame,
    FrameDecoder,
    Kind,
    RejectedFrame,
    RejectReason,
    checksum,
    encode_body,
)
from mockpump.protocol.strategies import frames

ACKS = st.builds(Frame, st.just(Kind.ACK), st.integers(0, 65_535), ack=st.integers(0, 255))


def received(body: bytes) -> list[Frame | RejectedFrame]:
    return FrameDecoder().receive_data(b"\x00" + cobs.encode(body) + b"\x00")


def flipped(body: bytes, bits: set[int]) -> bytes:
    damaged = bytearray(body)
    for bit in bits:
        damaged[bit // 8] ^= 0x80 >> bit % 8
    return bytes(damaged)


def rejected(body: bytes) -> RejectReason:
    (found,) = received(body)
    assert isinstance(found, RejectedFrame)
    return found.reason


def with_checksum(body: bytes) -> bytes:
    return body + checksum(body).to_bytes(2, "big")


@given(frames(), st.data())
def test_up_to_three_flipped_bits_are_found(frame: Frame, data: st.DataObject) -> None:
    body = encode_body(frame)
    bits = st.integers(0, 8 * len(body) - 1)
    rejected(flipped(body, data.draw(st.sets(bits, min_size=1, max_size=3))))


@given(frames(), st.sampled_from([-2, -1]), st.integers(1, 255))
def test_a_damaged_checksum_is_found(frame: Frame, place: int, damage: int) -> None:
    body = bytearray(encode_body(frame))
    body[place] ^= damage
    rejected(bytes(body))


@given(ACKS, st.integers(0, 8 * HEADER_SIZE - 16), st.sets(st.integers(0, 15), min_size=1))
def test_a_burst_in_a_frame_without_payload_is_found(ack: Frame, at: int, bits: set[int]) -> None:
    rejected(flipped(encode_body(ack), {at + bit for bit in bits}))


@given(frames(), st.integers(0, 255))
def test_the_first_byte_is_one_of_six(frame: Frame, first: int) -> None:
    body = with_checksum(bytes([first]) + encode_body(frame)[1:-2])
    if first >> 4 == 1 and 1 <= first & 15 <= 6:
        assert isinstance(received(body)[0], Frame)
    else:
        assert rejected(body) in (RejectReason.UNKNOWN_VERSION, RejectReason.UNKNOWN_KIND)


@given(ACKS, st.integers(0, OVERHEAD - 3))
def test_less_than_a_header_is_no_frame(ack: Frame, size: int) -> None:
    assert rejected(with_checksum(encode_body(ack)[:size])) is RejectReason.SHORT


@given(st.integers(0, MAX_PAYLOAD))
def test_what_is_turned_down_is_shown_whole(size: int) -> None:
    body = flipped(encode_body(Frame(Kind.DATA, 1, payload=b"x" * size)), {0})
    (found,) = received(body)
    assert isinstance(found, RejectedFrame)
    assert found.raw == cobs.encode(body)
