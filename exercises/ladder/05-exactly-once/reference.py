"""A solution of exercise 5: what is never so, and what is so in the end."""

from collections.abc import Iterator
from heapq import heappop, heappush

from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.framing import Frame
from mockpump.protocol.link.link import Link
from mockpump.protocol.link.types import LinkClosed, LinkEvent, LinkSettings, PayloadReceived, Role

# How late the copies of a frame arrive; none: it is lost.
Fate = tuple[int, ...]
LATENCY = 5_000


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


class Line:
    """Two links and the line between them, in virtual time: microseconds.

    `fates`: for each frame, in the order in which they are sent once the connection is open, how
    late its copies arrive.
    """

    def __init__(self, window: int, fates: list[Fate]) -> None:
        settings = LinkSettings(window=window)
        self.ends = Link(Role.INITIATOR, settings), Link(Role.ACCEPTOR, settings)
        # What each end has told its user, and every frame that was ever sent.
        self.events: tuple[list[LinkEvent], list[LinkEvent]] = ([], [])
        self.sent: list[tuple[int, Frame]] = []
        self.now = 0
        self._fates: Iterator[Fate] = iter(())
        self._under_way: list[tuple[int, int, int, Frame]] = []
        self._copies = 0
        self.open(1)
        self._fates = iter(fates)

    def open(self, connection: int) -> None:
        """Have a connection, in place of the one there was."""
        if connection > 1:
            self.ends[0].abort(self.now)
            self.run(1_000_000)
        self.ends[0].open(connection, self.now)
        self.run(1_000_000)

    def put(self, to: int, frame: Frame, late: int = 0) -> None:
        """Have a frame arrive at one end."""
        self._copies += 1
        heappush(self._under_way, (self.now + LATENCY + late, self._copies, to, frame))

    def run(self, span: int) -> None:
        """Let time go by."""
        end = self.now + span
        while True:
            self._flush()
            deadlines = [at for link in self.ends if (at := link.next_deadline()) is not None]
            arrivals = [self._under_way[0][0]] if self._under_way else []
            self.now = max(self.now, min([*deadlines, *arrivals, end]))
            if self.now >= end:
                return
            while self._under_way and self._under_way[0][0] <= self.now:
                _, _, to, frame = heappop(self._under_way)
                self.ends[to].receive_frame(frame, self.now)
            for link in self.ends:
                link.handle_timer(self.now)

    def _flush(self) -> None:
        for side, link in enumerate(self.ends):
            for frame in link.frames_to_send(self.now):
                self.sent.append((side, frame))
                for late in next(self._fates, (0,)):
                    self.put(1 - side, frame, late)
            while (event := link.next_event()) is not None:
                self.events[side].append(event)

    @property
    def delivered(self) -> list[bytes]:
        """What the second end has got."""
        return [each.payload for each in self.events[1] if isinstance(each, PayloadReceived)]

    def say(self, first: int, count: int) -> list[bytes]:
        """Have some payloads sent, no two of which are alike."""
        payloads = [b"%d" % number for number in range(first, first + count)]
        for payload in payloads:
            self.ends[0].send(payload, self.now)
        return payloads


def calmed(window: int, plan: list[Fate], count: int) -> Line:
    """A line on which so many were sent, when it has long been good."""
    line = Line(window, plan)
    line.say(0, count)
    line.run(CALM)
    return line


@given(WINDOWS, PLANS, COUNTS)
def test_nothing_is_delivered_twice(window: int, plan: list[Fate], count: int) -> None:
    delivered = calmed(window, plan, count).delivered
    assert len(set(delivered)) == len(delivered)


@given(WINDOWS, PLANS, COUNTS)
def test_nothing_is_delivered_before_what_was_sent_before_it(
    window: int, plan: list[Fate], count: int
) -> None:
    numbers = [int(each) for each in dict.fromkeys(calmed(window, plan, count).delivered)]
    assert numbers == sorted(numbers)


@given(WINDOWS, PLANS, COUNTS)
def test_everything_is_delivered_in_the_end(window: int, plan: list[Fate], count: int) -> None:
    assert len(set(calmed(window, plan, count).delivered)) == count


@given(WINDOWS, PLANS, COUNTS)
def test_what_is_said_later_arrives_too(window: int, plan: list[Fate], count: int) -> None:
    line = calmed(window, plan, count)
    line.say(count, 1)
    line.run(CALM)
    assert len(set(line.delivered)) == count + 1


@given(WINDOWS, PLANS, COUNTS)
def test_what_was_sent_before_the_close_is_delivered(
    window: int, plan: list[Fate], count: int
) -> None:
    line = Line(window, plan)
    line.say(0, count)
    line.ends[0].close(line.now)
    line.run(CALM)
    assert len(set(line.delivered)) == count


@given(WINDOWS, COUNTS, st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_an_earlier_connection_is_over(window: int, count: int, late: list[int]) -> None:
    line = Line(window, [])
    line.say(0, count)
    line.run(1_000_000)
    old = list(line.sent)
    line.open(2)
    so_far = len(line.events[1])
    payloads = line.say(100, count)
    for place in [0, *late]:
        side, frame = old[place % len(old)]
        line.put(1 - side, frame)
    line.run(CALM)
    heard = line.events[1][so_far:]
    assert not any(isinstance(event, LinkClosed) for event in heard)
    assert [each.payload for each in heard if isinstance(each, PayloadReceived)] == payloads
