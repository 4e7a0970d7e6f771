"""What shows each defect of exercise 5, in a few lines."""

from collections.abc import Iterator
from heapq import heappop, heappush

from mockpump.protocol.framing import Frame
from mockpump.protocol.link.link import Link
from mockpump.protocol.link.types import LinkClosed, LinkEvent, LinkSettings, PayloadReceived, Role

# How late the copies of a frame arrive; none: it is lost.
Fate = tuple[int, ...]
LATENCY = 5_000


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


def told(window: int, fates: list[Fate], count: int, *, close: bool = False) -> list[bytes]:
    line = Line(window, fates)
    for number in range(count):
        line.ends[0].send(b"%d" % number, line.now)
    if close:
        line.ends[0].close(line.now)
    line.run(120_000_000)
    return line.delivered


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
    line = Line(8, [])
    side, call = line.sent[0]
    line.open(2)
    before = len(line.events[1])
    line.put(1 - side, call)
    line.run(10_000_000)
    return [
        type(event).__name__ for event in line.events[1][before:] if isinstance(event, LinkClosed)
    ]
