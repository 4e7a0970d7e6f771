"""A frame is found again after anything, however the bytes are cut; damage is rejected."""

import sys
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from independent import crc16, frames_in, on_the_line, stuff, unstuff, with_crc

from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.framing import (
    DELIMITER,
    HEADER_SIZE,
    MAX_ENCODED,
    MAX_PAYLOAD,
    OVERHEAD,
    VERSION,
    Frame,
    FrameDecoder,
    Header,
    Kind,
    RejectedFrame,
    RejectReason,
    checksum,
    encode_body,
    encode_frame,
)
from mockpump.protocol.messages import GetStatus, encode
from mockpump.protocol.strategies import chunked, frames, garbage, line_bytes

HEADER = bytes.fromhex("13 1234 05 06 0007")
GOOD = Frame(Kind.DATA, 0x1234, 5, 6, 7, b"payload")
FULL = Frame(Kind.DATA, 0xFFFF, 255, 255, 0xFFFF, b"\xff" * MAX_PAYLOAD)

# What lies between two delimiters, and why it is not a frame.
REJECTED = {
    "too long": (b"\x01" * (MAX_ENCODED + 1), RejectReason.TOO_LONG),
    "too long and no COBS": (b"\xff" * (MAX_ENCODED + 1), RejectReason.TOO_LONG),
    "payload of 1001": (stuff(with_crc(HEADER + bytes(1001))), RejectReason.TOO_LONG),
    "block cut short": (b"\x05abc", RejectReason.BAD_COBS),
    "block cut at the limit": (b"\xff" * MAX_ENCODED, RejectReason.BAD_COBS),
    "nothing at all": (stuff(b""), RejectReason.SHORT),
    "one byte": (stuff(b"\x13"), RejectReason.SHORT),
    "only a checksum": (stuff(with_crc(b"")), RejectReason.SHORT),
    "header of 6": (stuff(with_crc(HEADER[:6])), RejectReason.SHORT),
    "wrong checksum": (stuff(HEADER + b"\0\0"), RejectReason.BAD_CRC),
    "checksum swapped": (stuff(HEADER + with_crc(HEADER)[:-3:-1]), RejectReason.BAD_CRC),
    "version 0": (stuff(with_crc(b"\x03" + HEADER[1:])), RejectReason.UNKNOWN_VERSION),
    "version 2": (stuff(with_crc(b"\x23" + HEADER[1:])), RejectReason.UNKNOWN_VERSION),
    "version 2, kind 0": (stuff(with_crc(b"\x20" + HEADER[1:])), RejectReason.UNKNOWN_VERSION),
    "kind 0": (stuff(with_crc(b"\x10" + HEADER[1:])), RejectReason.UNKNOWN_KIND),
    "kind 7": (stuff(with_crc(b"\x17" + HEADER[1:])), RejectReason.UNKNOWN_KIND),
    "kind 15": (stuff(with_crc(b"\x1f" + HEADER[1:])), RejectReason.UNKNOWN_KIND),
}
each_rejected = pytest.mark.parametrize(("piece", "reason"), REJECTED.values(), ids=REJECTED)


def decoded(*chunks: bytes) -> tuple[list[Frame | RejectedFrame], int, int]:
    """What a fresh decoder finds, and what it counts."""
    decoder = FrameDecoder()
    found = [each for chunk in chunks for each in decoder.receive_data(chunk)]
    return found, decoder.rejected, decoder.discarded


def singly(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


# -- one frame -----------------------------------------------------------------------------------


@given(frames())
def test_a_frame_is_encoded_as_defined_and_decoded_again(frame: Frame) -> None:
    content = bytes([VERSION << 4 | frame.kind]) + frame.connection.to_bytes(2, "big")
    content += bytes([frame.seq, frame.ack]) + frame.sack.to_bytes(2, "big") + frame.payload
    assert encode_body(frame) == with_crc(content)
    line = encode_frame(frame)
    assert line == on_the_line(content)
    assert unstuff(line[1:-1]) == encode_body(frame)
    assert decoded(line) == ([frame], 0, 0)


def test_one_frame_written_out() -> None:
    """GetStatus as the second frame of connection 0x1234, when nothing has come back yet."""
    frame = Frame(Kind.DATA, 0x1234, 1, payload=encode(GetStatus()))
    assert encode_body(frame).hex(" ") == "13 12 34 01 00 00 00 02 cf a6"
    assert encode_frame(frame).hex(" ") == "00 05 13 12 34 01 01 01 04 02 cf a6 00"


def test_the_check_value_of_the_checksum() -> None:
    assert checksum(b"123456789") == crc16(b"123456789") == 0xD64E
    assert checksum(b"") == 0


@given(st.binary(max_size=300))
def test_the_checksum_is_the_bitwise_one(data: bytes) -> None:
    assert checksum(data) == crc16(data)
    assert checksum(with_crc(data)) == 0x1D0F ^ 0xFFFF


def test_the_sizes() -> None:
    assert (HEADER_SIZE, OVERHEAD, MAX_PAYLOAD) == (7, 9, 1000)
    assert len(encode_frame(FULL)) == MAX_ENCODED + 2
    assert list(Header.__struct_fields__) == [
        "version_kind",
        "connection",
        "seq",
        "ack",
        "sack",
    ]


@pytest.mark.parametrize("byte", [0, 1, 0xFF])
def test_the_largest_payload_arrives_and_a_larger_one_is_not_sent(byte: int) -> None:
    frame = Frame(Kind.DATA, 1, payload=bytes([byte]) * MAX_PAYLOAD)
    assert decoded(encode_frame(frame)) == ([frame], 0, 0)
    assert decoded(*singly(encode_frame(frame))) == ([frame], 0, 0)
    with pytest.raises(LocalProtocolError, match="payload of 1001 bytes; at most 1000"):
        encode_frame(Frame(Kind.DATA, 1, payload=bytes([byte]) * (MAX_PAYLOAD + 1)))


@given(st.sampled_from(Kind), st.integers(0, 2 * 254 + 3), st.booleans())
def test_every_length_around_a_full_block_arrives(kind: Kind, length: int, zero: bool) -> None:
    frame = Frame(kind, 0x0101, 1, 1, 0x0101, b"\1" * length + b"\0" * zero)
    assert decoded(encode_frame(frame)) == ([frame], 0, 0)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Kind.DATA, 2**16),
        Frame(Kind.DATA, -1),
        Frame(Kind.DATA, 0, 256),
        Frame(Kind.DATA, 0, 0, -1),
        Frame(Kind.DATA, 0, 0, 0, 2**16),
        Frame(Kind.DATA, 10**5000),
        Frame(Kind.DATA, "1"),  # type: ignore[arg-type]
        Frame(Kind.DATA, 1.0),  # type: ignore[arg-type]
        Frame(0, 1),  # type: ignore[arg-type]
        Frame(7, 1),  # type: ignore[arg-type]
        Frame(None, 1),  # type: ignore[arg-type]
        Frame([], 1),  # type: ignore[arg-type]
        Frame(Kind.DATA, 1, payload=None),  # type: ignore[arg-type]
        Frame(Kind.DATA, 1, payload="text"),  # type: ignore[arg-type]
        Frame(Kind.DATA, 1, payload=5),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_frame_is_not_encoded(frame: Frame) -> None:
    with pytest.raises(LocalProtocolError, match="frame"):
        encode_frame(frame)


# -- what is turned down -------------------------------------------------------------------------


@each_rejected
def test_what_is_no_frame_is_turned_down_with_its_reason(
    piece: bytes, reason: RejectReason
) -> None:
    line = DELIMITER + piece + DELIMITER
    expected = ([RejectedFrame(reason, piece)], 1, len(piece))
    assert decoded(line) == expected
    assert decoded(*singly(line)) == expected


def test_every_reason_has_an_example() -> None:
    assert {reason for _, reason in REJECTED.values()} == set(RejectReason)


@each_rejected
@pytest.mark.parametrize("cut", [1, 2, 7, 1014])
def test_the_next_frame_is_found(piece: bytes, reason: RejectReason, cut: int) -> None:
    """Delimiters may be shared, and the same counts hold for any size of chunk."""
    shared = encode_frame(GOOD)[:-1] + DELIMITER + piece + encode_frame(GOOD)
    found, *counted = decoded(*(shared[at : at + cut] for at in range(0, len(shared), cut)))
    assert found == [GOOD, RejectedFrame(reason, piece), GOOD]
    assert counted == [1, len(piece)]


def test_empty_pieces_and_shared_delimiters_are_nothing() -> None:
    assert decoded(DELIMITER * 1000) == ([], 0, 0)
    line = encode_frame(GOOD)
    assert decoded(line[:-1] + line) == ([GOOD, GOOD], 0, 0)
    assert decoded(DELIMITER * 5 + line + DELIMITER * 5 + line) == ([GOOD, GOOD], 0, 0)


@pytest.mark.parametrize("length", [MAX_ENCODED + 1, MAX_ENCODED + 2, 5000])
def test_the_raw_bytes_of_what_is_too_long_are_bounded(length: int) -> None:
    found, rejected, discarded = decoded(b"\x01" * length + DELIMITER)
    assert found == [RejectedFrame(RejectReason.TOO_LONG, b"\x01" * (MAX_ENCODED + 1))]
    assert (rejected, discarded) == (1, length)


def test_the_rest_of_what_is_too_long_is_counted_however_it_comes() -> None:
    for rest in (b"\x02" * 500, b"", b"\x02"):
        line = b"\x01" * 1500 + rest + encode_frame(GOOD)
        found, *counted = decoded(line[:1500], line[1500:])
        assert (found, *counted) == decoded(line)
        assert found == [RejectedFrame(RejectReason.TOO_LONG, line[: MAX_ENCODED + 1]), GOOD]
        assert counted == [1, 1500 + len(rest)]


# -- any bytes, any chunks -----------------------------------------------------------------------


@given(line_bytes(), st.data())
def test_chunking_changes_neither_what_is_found_nor_what_is_counted(
    line: bytes, data: DataObject
) -> None:
    assert decoded(*data.draw(chunked(line))) == decoded(line)


@given(line_bytes(max_pieces=3))
def test_single_bytes_give_the_same(line: bytes) -> None:
    assert decoded(*singly(line)) == decoded(line)


@given(line_bytes())
@example(b"\0" + b"\x01" * 3000)
@example(b"\x01" * 3000 + b"\0\0" + b"\x02" * 3000)
def test_every_byte_is_accounted_for(line: bytes) -> None:
    """Each lies in a frame, was discarded, is a delimiter, or waits for the next one."""
    decoder = FrameDecoder()
    found = decoder.receive_data(line)
    good = [frame for frame in found if isinstance(frame, Frame)]
    assert decoder.rejected == len(found) - len(good)
    pieces = line.split(DELIMITER)
    waiting = len(pieces[-1]) if len(pieces[-1]) <= MAX_ENCODED else 0
    nonzero = len(line) - line.count(DELIMITER)
    assert decoder.discarded + waiting + sum(map(len, frames_in(line))) == nonzero


@given(line_bytes())
def test_the_frames_found_are_those_that_the_independent_code_finds(line: bytes) -> None:
    found = [each for each in decoded(line)[0] if isinstance(each, Frame)]
    assert [encode_body(frame) for frame in found] == [unstuff(each) for each in frames_in(line)]


@given(st.lists(garbage(), max_size=4).map(b"".join), frames(), st.data())
def test_the_next_good_frame_is_found_after_any_garbage(
    rubbish: bytes, frame: Frame, data: DataObject
) -> None:
    """Its own first delimiter is the fresh start; none need end the garbage."""
    found, *_ = decoded(*data.draw(chunked(rubbish + encode_frame(frame))))
    assert found[-1] == frame


@given(st.lists(frames(), min_size=1, max_size=5), st.data())
def test_frames_one_after_the_other_all_arrive(sent: list[Frame], data: DataObject) -> None:
    line = b"".join(encode_frame(frame) for frame in sent)
    assert decoded(*data.draw(chunked(line))) == (sent, 0, 0)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_make_it_raise(chunks: list[bytes]) -> None:
    decoder = FrameDecoder()
    for chunk in chunks:
        for each in decoder.receive_data(chunk):
            assert isinstance(each, Frame | RejectedFrame)
    assert len(decoder._partial) <= MAX_ENCODED


@pytest.mark.parametrize("size", [1, 100, 4000, 1_000_000])
def test_memory_is_bounded_however_long_the_line_is_silent(size: int) -> None:
    """A megabyte without a delimiter (less of it byte by byte): one event, one frame's memory."""
    decoder, total = FrameDecoder(), 1_000_000 if size > 1 else 20_000
    chunk, found = b"\xa5" * size, []
    for _ in range(total // size):
        found += decoder.receive_data(chunk)
        assert len(decoder._partial) <= MAX_ENCODED
        assert sys.getsizeof(decoder._partial) < MAX_ENCODED + 100
    assert found == [RejectedFrame(RejectReason.TOO_LONG, b"\xa5" * (MAX_ENCODED + 1))]
    assert (decoder.rejected, decoder.discarded) == (1, total)
    assert decoder.receive_data(encode_frame(GOOD)) == [GOOD]
    assert (decoder.rejected, decoder.discarded) == (1, total)


# -- what the checksum promises ------------------------------------------------------------------


def flipped(body: bytes, mask: int) -> bytes:
    return (int.from_bytes(body, "big") ^ mask).to_bytes(len(body), "big")


def assert_caught(frame: Frame, mask: int) -> None:
    bent = stuff(flipped(encode_body(frame), mask))
    found, *_ = decoded(DELIMITER + bent + DELIMITER)
    assert found == [RejectedFrame(RejectReason.BAD_CRC, bent)]


@given(frames(), st.data())
def test_up_to_three_flipped_bits_are_always_caught(frame: Frame, data: DataObject) -> None:
    bits = st.integers(0, 8 * len(encode_body(frame)) - 1)
    places = data.draw(st.sets(bits, min_size=1, max_size=3))
    assert_caught(frame, sum(1 << place for place in places))


@given(frames(), st.integers(1, 2**16 - 1), st.data())
def test_a_burst_of_up_to_16_bits_is_always_caught(
    frame: Frame, burst: int, data: DataObject
) -> None:
    last = 8 * len(encode_body(frame)) - burst.bit_length()
    assert_caught(frame, burst << data.draw(st.integers(0, last)))


def test_every_one_and_two_flipped_bits_of_a_short_frame_are_caught() -> None:
    frame = Frame(Kind.ACK, 0x1234, 0, 9, 3)
    bits = range(8 * len(encode_body(frame)))
    for places in [*combinations(bits, 1), *combinations(bits, 2)]:
        assert_caught(frame, sum(1 << place for place in places))


@given(frames(), frames(), st.integers(0, 7))
@example(GOOD, GOOD, 0)
@example(FULL, FULL, 0)
def test_no_bit_of_a_closing_delimiter_makes_a_frame_that_was_not_sent(
    frame: Frame, following: Frame, bit: int
) -> None:
    """Of 00 become 01 a checksum without a final XOR never sees anything: it is a zero more."""
    found = FrameDecoder().receive_data(
        encode_frame(frame)[:-1] + bytes([1 << bit]) + encode_frame(following)
    )
    assert found[-1] == following
    assert all(isinstance(each, RejectedFrame) or each == frame for each in found[:-1])


@given(frames(), frames())
def test_a_zero_in_front_of_a_frame_is_always_seen(frame: Frame, before: Frame) -> None:
    """An opening delimiter of 01 in place of 00."""
    line = encode_frame(before) + b"\x01" + encode_frame(frame)[1:]
    first, second = FrameDecoder().receive_data(line)
    assert first == before
    assert isinstance(second, RejectedFrame)


@given(frames(), st.integers(1, 300))
def test_no_number_of_zeros_behind_a_frame_is_as_good(frame: Frame, zeros: int) -> None:
    longer = stuff(encode_body(frame) + bytes(zeros))
    (found,) = FrameDecoder().receive_data(DELIMITER + longer + DELIMITER)
    assert isinstance(found, RejectedFrame)
