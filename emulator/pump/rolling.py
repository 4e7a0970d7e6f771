"""The volume of the last 24 hours, at every second, without looking at every second.

The one idea: delivery is a line of straight pieces, and the volume of the last 24 h is that line
minus itself a day before.  So between two corners it is straight too, and the first second in which
it would be too much comes out of one division.

Volumes are in units of 1/3600 nL, times in elapsed seconds: a clock that is set or drifts does not
bend a day.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise

DAY = 86_400
# When the piece began, what had been delivered by then, and its rate in units a second.
Piece = tuple[int, int, int]


class RollingVolume:
    """The last day's pieces.  At most one for each second of it, however often the rate changes.

    `corners` are where they begin, oldest first; the oldest began a day ago or before, so nothing
    before it matters.
    """

    __slots__ = ("corners",)

    def __init__(self, pieces: Iterable[Piece] = ((0, 0, 0),)) -> None:
        self.corners = deque(pieces)

    def turn(self, elapsed: int, due: int, rate: int) -> None:
        """From `elapsed` on, when `due` was delivered, the rate is another."""
        pieces = self.corners
        if pieces[-1][0] == elapsed:
            pieces[-1] = (elapsed, due, rate)
        elif pieces[-1][2] != rate:
            pieces.append((elapsed, due, rate))
        before = elapsed - DAY
        while len(pieces) > 1 and pieces[1][0] <= before:
            pieces.popleft()

    def delivered_by(self, elapsed: int) -> int:
        """What had been delivered by a second of the last day."""
        for began, due, rate in reversed(self.corners):
            if began <= elapsed:
                return due + rate * (elapsed - began)
        return self.corners[0][1]

    def volume(self, elapsed: int, due: int) -> int:
        """What was delivered in the 24 h before `elapsed`, when `due` had been delivered in all."""
        return due - self.delivered_by(elapsed - DAY)

    def safe_until(self, elapsed: int, until: int, limit: int) -> int:
        """The last second up to `until` until which the present piece may go on.

        At every second up to there at most `limit` is delivered within 24 h; in the next it would
        be more.
        """
        began, due, rate = self.corners[-1]
        if due + rate * (until - began) - self.corners[0][1] <= limit:
            return until
        for start, end, then, slower in self._a_day_before(elapsed, until):
            room = limit - (due + rate * (start - began) - then)
            if room < 0:
                return start
            if rate > slower and start + room // (rate - slower) < end:
                return start + room // (rate - slower)
        return until

    def _a_day_before(self, elapsed: int, until: int) -> Iterator[tuple[int, int, int, int]]:
        """The spans of the seconds ahead, each with what had been delivered a day before it began
        and the rate of that time."""
        pieces = [*self.corners, (until, 0, 0)]
        if pieces[0][0] > elapsed - DAY:
            # Nothing was delivered before the first piece.
            pieces.insert(0, (elapsed - DAY, pieces[0][1], 0))
        for (began, due, rate), (ended, _, _) in pairwise(pieces):
            start, end = max(elapsed, began + DAY), min(until, ended + DAY)
            if start <= end:
                yield start, end, due + rate * (start - DAY - began), rate

    def pieces(self) -> list[Piece]:
        """What to make another one from."""
        return list(self.corners)

    def assume(self, elapsed: int, due: int, units: int) -> None:
        """Count so much more as delivered just before `elapsed`: nobody knows that it was not."""
        earlier = [(began, before - units, rate) for began, before, rate in self.corners]
        if len(earlier) > 1 and earlier[-1][0] == elapsed:
            earlier.pop()
        self.corners = deque([*earlier, (elapsed, due, self.corners[-1][2])])
