"""A solution of exercise 3: cuts make no difference, and there is a life after garbage."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.framing import (
    MAX_ENCODED,
    Frame,
    FrameDecoder,
    Kind,
    RejectedFrame,
    RejectReason,
    encode_frame,
)

GARBAGE = st.binary(max_size=12)
FRAMES = st.builds(
    Frame,
    st.just(Kind.DATA),
    st.integers(0, 65_535),
    seq=st.integers(0, 255),
    payload=st.binary(max_size=8),
)
LONG = st.integers(MAX_ENCODED + 1, 3 * MAX_ENCODED).map(lambda size: b"\x55" * size)


@st.composite
def lines(draw: st.DrawFn) -> list[bytes]:
    """Small frames and garbage, cut anywhere: often just before a zero, and just after."""
    small = FRAMES.map(encode_frame)
    data = b"".join(draw(st.lists(small | GARBAGE, min_size=1, max_size=4)))
    zeros = [at + after for at, byte in enumerate(data) if not byte for after in (0, 1)]
    places = st.sampled_from(zeros) if zeros else st.just(0)
    cuts = sorted(draw(st.sets(places | st.integers(0, len(data)), max_size=4)))
    edges = [0, *cuts, len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


def received(decoder: FrameDecoder, chunks: list[bytes]) -> list[Frame | RejectedFrame]:
    return [found for chunk in chunks for found in decoder.receive_data(chunk)]


@given(lines())
def test_cuts_make_no_difference(chunks: list[bytes]) -> None:
    whole, cut = FrameDecoder(), FrameDecoder()
    assert received(cut, chunks) == whole.receive_data(b"".join(chunks))
    assert (cut.rejected, cut.discarded) == (whole.rejected, whole.discarded)


@given(GARBAGE, FRAMES)
def test_a_frame_is_found_after_any_garbage(garbage: bytes, frame: Frame) -> None:
    assert FrameDecoder().receive_data(garbage + encode_frame(frame))[-1] == frame


@given(LONG, st.lists(FRAMES, min_size=2, max_size=3))
def test_life_goes_on_after_a_flood(flood: bytes, sent: list[Frame]) -> None:
    decoder = FrameDecoder()
    decoder.receive_data(flood)
    data = b"".join(map(encode_frame, sent))
    assert received(decoder, [data[at : at + 5] for at in range(0, len(data), 5)]) == sent


@given(LONG)
def test_what_is_too_long_is_noticed_at_once(flood: bytes) -> None:
    (found,) = FrameDecoder().receive_data(flood)
    assert isinstance(found, RejectedFrame)
    assert found.reason is RejectReason.TOO_LONG
    assert len(found.raw) <= MAX_ENCODED + 1


@given(LONG, st.integers(1, 500))
def test_every_byte_of_a_flood_is_counted(flood: bytes, size: int) -> None:
    decoder = FrameDecoder()
    for at in range(0, len(flood), size):
        decoder.receive_data(flood[at : at + size])
    decoder.receive_data(b"\x00")
    assert (decoder.rejected, decoder.discarded) == (1, len(flood))
