"""Which troubled frames belong together: sets of them, tied where one led to the other.

All that a frame may be tied to is found through an index of the run, made once: what went again,
by when it was first sent and when last; what was handed up together; what one outage swallowed.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.trace.explain import acknowledges
from mockpump.emulator.trace.format import RIVAL, SOMEBODY, Channel
from mockpump.emulator.trace.run import Run, Transmission


class _Sets:
    """Disjoint sets of frames (union-find)."""

    def __init__(self) -> None:
        self._up: dict[int, int] = {}

    def top(self, one: int) -> int:
        """The frame that stands for a set."""
        top = one
        while (up := self._up.get(top, top)) != top:
            top = up
        while one != top:
            self._up[one], one = top, self._up[one]
        return top

    def tie(self, one: int, other: int) -> None:
        """Two frames belong together, and with them all that belongs to either."""
        self._up[self.top(one)] = self.top(other)


def tied(run: Run) -> list[list[Transmission]]:
    """The troubled frames of the main line, those together that belong together."""
    troubled = {
        frame.number: frame for frame in run.frames if frame.is_troubled and _is_main(frame)
    }
    ties, sets = _Ties(run), _Sets()
    for frame in troubled.values():
        for other in ties.of(frame):
            if other in troubled:
                sets.tie(frame.number, other)
    groups: dict[int, list[Transmission]] = defaultdict(list)
    for number, frame in troubled.items():
        groups[sets.top(number)].append(frame)
    return list(groups.values())


def _is_main(frame: Transmission) -> bool:
    return not {frame.sender, frame.receiver} & {SOMEBODY, RIVAL}


class Outages:
    """The outages of a line, and what they swallowed."""

    def __init__(self, run: Run) -> None:
        self._spans: list[tuple[int, int]] = []
        for note in run.notes:
            if isinstance(note.line, Channel):
                outages = read_impairments(note.line.impairments).outage
                self._spans += [(each.begin, each.begin + each.span) for each in outages]
        self._lost: dict[tuple[int, int], int] = {}

    def around(self, frame: Transmission) -> tuple[int, int]:
        """From when to when the line was out when it swallowed a frame."""
        inside = (span for span in self._spans if span[0] <= frame.at < span[1])
        return next(inside, (frame.at, frame.at + 1))

    def first_lost_with(self, frame: Transmission) -> int:
        """The first frame that one outage swallowed, of those that were asked about."""
        return self._lost.setdefault(self.around(frame), frame.number)


class _Ties:
    """Knows what a troubled frame of a run belongs to."""

    def __init__(self, run: Run) -> None:
        self._outages = Outages(run)
        self._missed = _Missed(run)
        # The first frame that was handed up at a moment, of what each side has sent.
        self._handed_up: dict[tuple[str, int], list[int]] = defaultdict(list)
        for frame in run.frames:
            if frame.handed_up is not None:
                self._handed_up[frame.sender, frame.handed_up].append(frame.number)

    def of(self, frame: Transmission) -> Iterator[int]:
        """The frames that a troubled one belongs to."""
        yield frame.first
        if frame.cause.why in ("timer", "gap", "repeat", "at once"):
            yield frame.cause.frame
        if frame.kind == "ACK" and not any(each.is_good for each in frame.arrivals):
            yield from self._missed.because_of(frame)
        was_kept = any(each.verdict.word == "kept" for each in frame.arrivals)
        if was_kept and frame.handed_up is not None:
            # What it was kept for.
            yield from self._handed_up[frame.sender, frame.handed_up]
        if frame.lost == "outage":
            yield self._outages.first_lost_with(frame)


class _Missed:
    """What went again, by side: with it an acknowledgement that did not arrive is missed."""

    def __init__(self, run: Run) -> None:
        self._again: dict[str, list[list[Transmission]]] = defaultdict(list)
        for frame in run.frames:
            if frame.first == frame.number and frame.counts > 1:
                self._again[frame.sender].append(run.transmissions(frame))
        self._begins = {side: [each[0].at for each in own] for side, own in self._again.items()}
        # Until when anything is under way of what has begun so far.
        self._until = {side: list(_highest(own)) for side, own in self._again.items()}

    def because_of(self, ack: Transmission) -> Iterator[int]:
        """What was sent before an acknowledgement that tells of it, and again after it."""
        begins = self._begins.get(ack.receiver, [])
        for place in reversed(range(bisect_right(begins, ack.at))):
            if self._until[ack.receiver][place] <= ack.at:
                return
            first, *_, last = self._again[ack.receiver][place]
            if last.at > ack.at and acknowledges(ack, first):
                yield first.number


def _highest(sent: list[list[Transmission]]) -> Iterator[int]:
    until = 0
    for transmissions in sent:
        until = max(until, transmissions[-1].at)
        yield until
