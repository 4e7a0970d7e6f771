"""Exercise 5: exactly once, in order."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.link.types import LinkSettings
from mockpump.testing import FrameFate, LinkPair

# How late the copies of a frame arrive, in microseconds; none: it is lost.
Fate = tuple[int, ...]


def line(window: int, fates: list[Fate]) -> LinkPair:
    """Two links that are connected, and what becomes of the first frames that they send then."""
    pair = LinkPair(settings=LinkSettings(window=window)).open(1)
    pair.spoil(map(FrameFate, fates))
    return pair


@given(st.lists(st.binary(max_size=3), max_size=12))
def test_on_a_good_line_everything_arrives(payloads: list[bytes]) -> None:
    """A worked property: what is asked of a line that does nothing wrong."""
    pair = line(8, [])
    for payload in payloads:
        pair.ends[0].send(payload, pair.now)
    pair.run(1_000_000)
    assert pair.payloads(1) == payloads


# Yours. Draw what becomes of the frames, and how many may be under way.
