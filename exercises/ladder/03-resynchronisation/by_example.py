"""Exercise 3 as one would write it without properties: right, and caught nothing."""

from mockpump.protocol.framing import (
    MAX_ENCODED,
    Frame,
    FrameDecoder,
    Kind,
    RejectedFrame,
    encode_frame,
)

FIRST = Frame(Kind.DATA, 1, payload=b"first")
SECOND = Frame(Kind.DATA, 1, seq=1, payload=b"second")


def test_two_frames() -> None:
    data = encode_frame(FIRST) + encode_frame(SECOND)
    assert FrameDecoder().receive_data(data) == [FIRST, SECOND]


def test_a_frame_in_two_halves() -> None:
    decoder, data = FrameDecoder(), encode_frame(FIRST)
    assert decoder.receive_data(data[:9]) == []
    assert decoder.receive_data(data[9:]) == [FIRST]


def test_a_frame_after_garbage() -> None:
    decoder = FrameDecoder()
    (found,) = decoder.receive_data(b"garbage\x00")
    assert isinstance(found, RejectedFrame)
    assert decoder.receive_data(encode_frame(FIRST)) == [FIRST]
    assert (decoder.rejected, decoder.discarded) == (1, 7)


def test_something_endless() -> None:
    decoder = FrameDecoder()
    found = decoder.receive_data(b"\x55" * 30 * MAX_ENCODED)
    assert len(found) == 1
    assert decoder.receive_data(encode_frame(FIRST)) == [FIRST]
