"""Which part of a run is looked at: a stretch of it, and of that all frames or one kind."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from mockpump.emulator.trace.run import Run, Transmission
from mockpump.protocol import messages as m

Only = Literal["faults", "session", "changes"]
# Messages by which a session begins and ends, beside the frames of the link that do.
_SESSION = (m.Identify, m.Identity, m.Hello, m.Welcome, m.Prove, m.Proven, m.SessionEnded)
_LINK = ("OPEN", "OPEN_ACK", "CLOSE", "RESET")


class Bound(NamedTuple):
    """Where a stretch begins or ends: a moment in microseconds, or the number of a frame."""

    value: int
    is_frame: bool


class Selection(NamedTuple):
    """The numbers of the frames to show, and the first and last line of the trace to look at."""

    frames: frozenset[int]
    first: int
    last: int
    is_filtered: bool


def select(
    run: Run, first: Bound | None = None, last: Bound | None = None, only: Only | None = None
) -> Selection:
    """The part of a run between two bounds, both inside; `KeyError` for a frame that is not in it.

    A frame belongs to the stretch in which it was sent.
    """
    begin = 0 if first is None else _begin(run, first)
    end = _last_order(run) if last is None else _end(run, last)
    wanted = _wanted(run, only)
    inside = (f.number for f in run.frames if begin <= f.order <= end and wanted(f))
    return Selection(frozenset(inside), begin, end, only is not None)


def _places(run: Run) -> list[tuple[int, int]]:
    """When every line of the trace was that is drawn, and its place."""
    sent = [(frame.at, frame.order) for frame in run.frames]
    came = [(each.at, each.order) for frame in run.frames for each in frame.arrivals]
    return [*sent, *came, *((note.at, note.order) for note in run.notes)]


def _last_order(run: Run) -> int:
    return max((order for _, order in _places(run)), default=0)


def _begin(run: Run, bound: Bound) -> int:
    if bound.is_frame:
        return run.frame(bound.value).order
    later = (order for at, order in _places(run) if at >= bound.value)
    return min(later, default=_last_order(run) + 1)


def _end(run: Run, bound: Bound) -> int:
    if bound.is_frame:
        frame = run.frame(bound.value)
        return max([frame.order, *(each.order for each in frame.arrivals)])
    earlier = (order for at, order in _places(run) if at <= bound.value)
    return max(earlier, default=-1)


def _wanted(run: Run, only: Only | None) -> Callable[[Transmission], bool]:
    if only is None:
        return lambda _: True
    if only == "session":
        return lambda frame: frame.kind in _LINK or isinstance(frame.content, _SESSION)
    if only == "faults":
        numbers = {number for knot in run.knots for number in knot.frames}
    else:
        numbers = {each for change in run.changes for each in (*change.frames, *change.replies)}
    return lambda frame: frame.number in numbers
