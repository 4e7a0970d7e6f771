"""What shows each defect of exercise 5, in a few lines."""

from mockpump.protocol.link.types import LinkClosed, LinkSettings
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


def told(window: int, fates: list[Fate], count: int, *, close: bool = False) -> list[bytes]:
    pair = line(window, fates)
    for number in range(count):
        pair.ends[0].send(b"%d" % number, pair.now)
    if close:
        pair.ends[0].close(pair.now)
    pair.run(120_000_000)
    return pair.payloads(1)


def its_acknowledgement_is_lost() -> list[bytes]:
    return told(8, [(0,), ()], 1)


def the_first_of_two_is_lost() -> list[bytes]:
    return told(8, [()], 2)


def the_last_of_two_is_lost() -> list[bytes]:
    return told(8, [(0,), ()], 2)


def nothing_follows() -> list[bytes]:
    return told(8, [(0,), (0,), ()], 3)


def sent_and_closed() -> list[bytes]:
    return told(8, [(0,), ()], 1, close=True)


def an_old_frame_comes_late() -> list[str]:
    pair = line(8, [])
    _, call = pair.frames[0][0]
    connect_again(pair)
    before = len(pair.events[1])
    pair.put(1, call)
    pair.run(10_000_000)
    return [
        type(event).__name__ for event in pair.events[1][before:] if isinstance(event, LinkClosed)
    ]
