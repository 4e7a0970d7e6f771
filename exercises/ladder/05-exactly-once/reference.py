"""A solution of exercise 5: what is never so, and what is so in the end."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.link.types import LinkClosed, LinkSettings, PayloadReceived
from mockpump.testing import FrameFate, LinkPair

# How late the copies of a frame arrive, in microseconds; none: it is lost.
Fate = tuple[int, ...]


FATES: st.SearchStrategy[Fate] = st.sampled_from(
    [(0,), (0,), (), (), (0, 40_000), (60_000,), (30_000, 30_000)]
)
WINDOWS = st.integers(1, 16)
COUNTS = st.integers(1, 10)
# Long enough for the timers of any right link, once the line is good.
CALM = 120_000_000
# A link gives up when it has heard nothing for 16 s, and a side that has nothing to say
# speaks every 5 s: of three that are lost, all may have been those.
MOST_LOST = 2


def a_few_lost(drawn: list[Fate]) -> list[Fate]:
    lost = [at for at, fate in enumerate(drawn) if not fate]
    return [(0,) if at in lost[MOST_LOST:] else fate for at, fate in enumerate(drawn)]


PLANS = st.lists(FATES, min_size=4, max_size=24).map(a_few_lost)


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


def say(pair: LinkPair, first: int, count: int) -> list[bytes]:
    """Have some payloads sent, no two of which are alike."""
    payloads = [b"%d" % number for number in range(first, first + count)]
    for payload in payloads:
        pair.ends[0].send(payload, pair.now)
    return payloads


def calmed(window: int, plan: list[Fate], count: int) -> LinkPair:
    """A line on which so many were sent, when it has long been good."""
    pair = line(window, plan)
    say(pair, 0, count)
    pair.run(CALM)
    return pair


@given(WINDOWS, PLANS, COUNTS)
def test_nothing_is_delivered_twice(window: int, plan: list[Fate], count: int) -> None:
    delivered = calmed(window, plan, count).payloads(1)
    assert len(set(delivered)) == len(delivered)


@given(WINDOWS, PLANS, COUNTS)
def test_nothing_is_delivered_before_what_was_sent_before_it(
    window: int, plan: list[Fate], count: int
) -> None:
    numbers = [int(each) for each in dict.fromkeys(calmed(window, plan, count).payloads(1))]
    assert numbers == sorted(numbers)


@given(WINDOWS, PLANS, COUNTS)
def test_everything_is_delivered_in_the_end(window: int, plan: list[Fate], count: int) -> None:
    assert len(set(calmed(window, plan, count).payloads(1))) == count


@given(WINDOWS, PLANS, COUNTS)
def test_what_is_said_later_arrives_too(window: int, plan: list[Fate], count: int) -> None:
    pair = calmed(window, plan, count)
    say(pair, count, 1)
    pair.run(CALM)
    assert len(set(pair.payloads(1))) == count + 1


@given(WINDOWS, PLANS, COUNTS)
def test_what_was_sent_before_the_close_is_delivered(
    window: int, plan: list[Fate], count: int
) -> None:
    pair = line(window, plan)
    say(pair, 0, count)
    pair.ends[0].close(pair.now)
    pair.run(CALM)
    assert len(set(pair.payloads(1))) == count


@given(WINDOWS, COUNTS, st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_an_earlier_connection_is_over(window: int, count: int, late: list[int]) -> None:
    pair = line(window, [])
    say(pair, 0, count)
    pair.run(1_000_000)
    old = [(side, frame) for side in (0, 1) for _, frame in pair.frames[side]]
    connect_again(pair)
    so_far = len(pair.events[1])
    payloads = say(pair, 100, count)
    for place in [0, *late]:
        side, frame = old[place % len(old)]
        pair.put(1 - side, frame)
    pair.run(CALM)
    heard = pair.events[1][so_far:]
    assert not any(isinstance(event, LinkClosed) for event in heard)
    assert [each.payload for each in heard if isinstance(each, PayloadReceived)] == payloads
