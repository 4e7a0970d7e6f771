"""The volume of the last 24 hours, at every second, without looking at every second.

Let D(t) be what has been delivered by second t.  Between two breakpoints D is a straight line, so
the rolling volume

    V(t) = D(t) - D(t - 24 h)

is straight wherever neither t nor t - 24 h is at a breakpoint: the breakpoints of a day ago come
back a day later, as the other ends of their pieces.

    D  |                 ______/     now: rate r        V rises by r - s each second,
       |          ______/                               s being the rate of a day before;
       |   ______/  rate s                              it falls where r < s
       +--|--------|-------|--|---- t
         a day before         now

So to ask until when a rate r may hold, only the spans between those breakpoints are looked at, and
the first second in which V would be above the limit comes out of one division: with room w left at
the beginning of a span, it holds for w // (r - s) seconds.  Floored, because at a whole second V is
a whole number of units: the limit is reached exactly, or would be exceeded by the next second.

What must hold for that to be exact:

* The history begins a day ago or before, and ends in a straight piece.
* D bends at whole seconds only.  A second that is cut short (the reservoir ran empty in it) becomes
  a piece of its own (`cut`), or V would be taken for smaller than it is, a day later.
* Elapsed seconds, not the clock: setting the clock neither makes a day shorter nor longer.
* What may have been delivered before a crash counts as delivered (`assume`): the limit errs on the
  side of less.

A long stretch of a program alone is kept as one piece that knows how to bend (`RateProfile`), and
is laid out into its straight ones only when somebody comes near to the limit.

Volumes are in units of 1/3600 nL, times in elapsed seconds.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Protocol

DAY = 86_400
# When the piece began, what had been delivered by then, and its rate in units a second.
Piece = tuple[int, int, int]


class RateProfile(Protocol):
    """What is delivered, second by second, in a piece that is not straight."""

    def volume(self, seconds: int) -> int:
        """What is delivered in its first seconds, this many."""

    def spans(self) -> Iterator[tuple[int, int]]:
        """A rate, and the second until which it holds; then the next, and so on without end."""

    def later(self, seconds: int) -> "RateProfile":
        """The same from this many seconds later on."""


class RollingVolume:
    """The last day's pieces.  At most one for each second of it, however often the rate changes.

    `breakpoints` are where they begin, oldest first; the oldest began a day ago or before, so
    nothing before it matters.  The last of them is straight.
    """

    __slots__ = ("breakpoints",)

    def __init__(self, pieces: Iterable[tuple[int, int, int | RateProfile]] = ((0, 0, 0),)) -> None:
        self.breakpoints = deque(pieces)

    def copy(self) -> "RollingVolume":
        """The same history, which does not go on when this one does."""
        return RollingVolume(self.breakpoints)

    def turn(self, elapsed: int, due: int, rate: int) -> None:
        """From `elapsed` on, when `due` was delivered, the rate is another."""
        pieces = self.breakpoints
        began, _, held = pieces[-1]
        if began == elapsed:
            pieces[-1] = (elapsed, due, rate)
        elif held != rate:
            pieces.append((elapsed, due, rate))
        before = elapsed - DAY
        while len(pieces) > 1 and pieces[1][0] <= before:
            pieces.popleft()

    def follow(self, elapsed: int, due: int, course: RateProfile) -> None:
        """From `elapsed` on a course is followed, until the `turn` that must come next."""
        if self.breakpoints[-1][0] == elapsed:
            self.breakpoints.pop()
        self.breakpoints.append((elapsed, due, course))

    def delivered_by(self, elapsed: int) -> int:
        """What had been delivered by a second of the last day."""
        for began, due, course in reversed(self.breakpoints):
            if began <= elapsed:
                return due + _given(course, elapsed - began)
        return self.breakpoints[0][1]

    def volume(self, elapsed: int, due: int) -> int:
        """What was delivered in the 24 h before `elapsed`, when `due` had been delivered in all."""
        return due - self.delivered_by(elapsed - DAY)

    def safe_until(self, elapsed: int, due: int, rate: int, until: int, limit: int) -> int:
        """The last second up to `until` until which a rate may hold that has come to `due` by now.

        At every second up to there at most `limit` is delivered within 24 h; in the next it would
        be more.
        """
        # The oldest piece began a day ago or before: that is enough to know, nearly always.
        if due + rate * (until - elapsed) - self.breakpoints[0][1] <= limit:
            return until
        for start, end, then, slower in self._a_day_before(elapsed, until):
            room = limit - (due + rate * (start - elapsed) - then)
            if room < 0:
                return start
            if rate > slower and start + room // (rate - slower) < end:
                return start + room // (rate - slower)
        return until

    def _a_day_before(self, elapsed: int, until: int) -> Iterator[tuple[int, int, int, int]]:
        """The spans of the seconds ahead, each with what had been delivered a day before it began
        and the rate of that time."""
        straight = self.pieces()
        # Whoever comes so near to a limit will ask again.
        self.breakpoints = deque(straight)
        pieces = [*straight, (until, 0, 0)]
        if pieces[0][0] > elapsed - DAY:
            # Nothing was delivered before the first piece.
            pieces.insert(0, (elapsed - DAY, pieces[0][1], 0))
        for (began, due, rate), (ended, _, _) in pairwise(pieces):
            start, end = max(elapsed, began + DAY), min(until, ended + DAY)
            if start <= end:
                yield start, end, due + rate * (start - DAY - began), rate

    def pieces(self) -> list[Piece]:
        """The last day before the last breakpoint, in straight pieces only."""
        last = self.breakpoints[-1]
        straight: list[Piece] = []
        for (began, due, course), (ended, _, _) in pairwise([*self.breakpoints, last]):
            if isinstance(course, int):
                straight.append((began, due, course))
            else:
                gone = max(last[0] - DAY - began, 0)
                then = due + course.volume(gone)
                straight += _laid_out(began + gone, then, course.later(gone), ended)
        return straight

    def cut(self, elapsed: int, due: int) -> None:
        """The second before `elapsed` brought it to `due`, and not as far as its rate would have.

        That second is a piece of its own, with the rate at which it came out.  Without it a line
        would bend within a second, and a day later the room under the limit would be taken for
        larger than it is.
        """
        before = self.delivered_by(elapsed - 1)
        self.turn(elapsed - 1, before, due - before)

    def assume(self, elapsed: int, due: int, units: int) -> None:
        """Count this much more as delivered in the second before `elapsed`: nobody knows better."""
        before, rate = self.delivered_by(elapsed - 1), self.breakpoints[-1][2]
        earlier = [(began, sum_ - units, each) for began, sum_, each in self.breakpoints]
        while earlier and earlier[-1][0] >= elapsed - 1:
            earlier.pop()
        second = (elapsed - 1, before - units, due - before + units)
        self.breakpoints = deque([*earlier, second, (elapsed, due, rate)])


def _given(course: int | RateProfile, seconds: int) -> int:
    return course * seconds if isinstance(course, int) else course.volume(seconds)


def _laid_out(began: int, due: int, course: RateProfile, ended: int) -> Iterator[Piece]:
    """The straight pieces of a course."""
    at = began
    for rate, until in course.spans():
        yield at, due, rate
        due += rate * (began + until - at)
        at = began + until
        if at >= ended:
            return
