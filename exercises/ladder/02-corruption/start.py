"""Exercise 2: corruption is rejected."""

from hypothesis import given

from mockpump.protocol.framing import Frame, FrameDecoder, encode_frame
from mockpump.protocol.strategies import frames


@given(frames())
def test_a_whole_frame_is_found(frame: Frame) -> None:
    """A worked property, the other way around: what was not damaged is not turned down."""
    assert FrameDecoder().receive_data(encode_frame(frame)) == [frame]


# Yours. `encode_body` gives the bytes to damage, `cobs.encode` makes them fit for the line.
