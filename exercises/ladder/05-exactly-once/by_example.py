"""Exercise 5 as one would write it without properties: right, and caught nothing."""

from mockpump.protocol.link.types import LinkSettings
from mockpump.testing import FrameFate, LinkPair

# How late the copies of a frame arrive, in microseconds; none: it is lost.
Fate = tuple[int, ...]


def line(window: int, fates: list[Fate]) -> LinkPair:
    """Two links that are connected, and what becomes of the first frames that they send then."""
    pair = LinkPair(settings=LinkSettings(window=window)).open(1)
    pair.spoil(map(FrameFate, fates))
    return pair


def connect_again(pair: LinkPair) -> None:
    """Have a connection, in place of the one there was."""
    pair.ends[0].abort(pair.now)
    pair.run(1_000_000)
    pair.open(2)


def test_three_arrive() -> None:
    pair = line(8, [])
    for payload in (b"a", b"b", b"c"):
        pair.ends[0].send(payload, pair.now)
    pair.run(1_000_000)
    assert pair.payloads(1) == [b"a", b"b", b"c"]
    assert pair.ends[0].unacknowledged == 0


def test_one_that_is_lost_goes_again() -> None:
    pair = line(8, [()])
    pair.ends[0].send(b"a", pair.now)
    pair.run(10_000_000)
    assert pair.payloads(1) == [b"a"]


def test_one_that_comes_late() -> None:
    pair = line(8, [(40_000,)])
    pair.ends[0].send(b"a", pair.now)
    pair.run(10_000_000)
    assert pair.payloads(1) == [b"a"]


def test_a_close() -> None:
    pair = line(8, [])
    pair.ends[0].send(b"a", pair.now)
    pair.run(1_000_000)
    pair.ends[0].close(pair.now)
    pair.run(1_000_000)
    assert pair.payloads(1) == [b"a"]


def test_a_second_connection() -> None:
    pair = line(8, [])
    connect_again(pair)
    pair.ends[0].send(b"a", pair.now)
    pair.run(1_000_000)
    assert pair.payloads(1) == [b"a"]
