"""Timing in interleaved pairs: the one way to compare speeds on a machine that is not quiet.

The idea: whatever disturbs the machine disturbs neighbours alike.  So the contestants of a row take
turns in short slices (A B, then B A, and so on), a ratio is taken inside each round, and what is
printed is the median over the rounds.
"""

from collections.abc import Callable, Mapping
from itertools import repeat
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

# Does the thing to be timed this many times.
Work = Callable[[int], object]


class Effort(NamedTuple):
    """How long to look: `rounds` of slices of at least `seconds` for every contestant."""

    rounds: int
    seconds: float


THOROUGH = Effort(15, 0.05)
QUICK = Effort(5, 0.02)


class Race:
    """What a race of several contestants gave: seconds an operation, round by round."""

    def __init__(self, laps: Mapping[str, list[float]]) -> None:
        self._laps = laps

    def seconds(self, name: str) -> float:
        """The median time of one operation."""
        return median(self._laps[name])

    def times(self, name: str, other: str) -> float:
        """How many times as long `name` takes as `other`: the median of the rounds' ratios."""
        return median(a / b for a, b in zip(self._laps[name], self._laps[other], strict=True))

    def excess(self, name: str, other: str, factor: float) -> float:
        """How many seconds `name` takes beyond `factor` times `other`; the median again."""
        pairs = zip(self._laps[name], self._laps[other], strict=True)
        return median(a - factor * b for a, b in pairs)


def race(contestants: Mapping[str, Work], effort: Effort) -> Race:
    """Time all of them, in turns; every other round goes backwards."""
    counts = {name: _calibrated(work, effort.seconds) for name, work in contestants.items()}
    laps: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(effort.rounds):
        for name in order:
            laps[name].append(_timed(contestants[name], counts[name]) / counts[name])
        order.reverse()
    return Race(laps)


def calls(function: Callable[[Any], object], argument: Any) -> Work:
    """The work of calling a function with one argument, over and over."""

    def work(count: int) -> None:
        for each in repeat(argument, count):
            function(each)

    return work


def _timed(work: Work, count: int) -> float:
    begin = perf_counter()
    work(count)
    return perf_counter() - begin


def _calibrated(work: Work, seconds: float) -> int:
    """How often the work must be done to fill a slice; warms it up on the way."""
    count = 1
    while (spent := _timed(work, count)) < seconds:
        growth = seconds / spent * 1.1 if spent else 10.0
        count = int(count * min(max(growth, 1.1), 10.0)) + 1
    return count
