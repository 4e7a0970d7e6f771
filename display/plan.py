"""What is drawn of a run, in which order: the items of a ladder.

A frame is one item, or one where it leaves and one for each time that it lands when the other side
does something in between.  Keep-alives that nothing happened to are one item together.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Literal, NamedTuple

from mockpump.display.selection import Selection
from mockpump.display.words import lines_in_force
from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.trace.format import (
    MAIN_LINE,
    Alarm,
    AnyLine,
    Began,
    Channel,
    Log,
    Power,
    Told,
)
from mockpump.emulator.trace.format import Programmer as ProgrammerEvent
from mockpump.emulator.trace.run import Arrival, Knot, Run, Transmission

# This many keep-alives are worth a line of their own together.
_FOLDED = 4

Kind = Literal["frame", "leaves", "lands", "folded", "note", "knot", "out", "back", "hidden"]


class Item(NamedTuple):
    """Something to draw, at a moment of line time.  `order` is its place, by lines of the trace.

    What it is about depends on its kind: `frames` for frames, several for those folded; a line of
    the trace; a knot; how long an outage is or how many frames are not shown (`amount`).
    """

    at: int
    order: tuple[int, int]
    kind: Kind
    frames: tuple[Transmission, ...] = ()
    arrival: Arrival | None = None
    line: AnyLine | None = None
    knot: Knot | None = None
    amount: int = 0


def plan(run: Run, selection: Selection) -> list[Item]:
    """The items of a part of a run, in order."""
    shown = [frame for frame in run.frames if frame.number in selection.frames]
    notes = [] if selection.is_filtered else list(_notes(run, selection))
    folded = _folds(shown, [item.order[0] for item in notes])
    inside = {frame.number for fold in folded for frame in fold}
    items = [*notes, *_knots(run, selection)]
    items += [Item(fold[0].at, (fold[0].order, 0), "folded", tuple(fold)) for fold in folded]
    single = [frame for frame in shown if frame.number not in inside]
    crossed = _Crossings(single)
    for frame in single:
        items += _of_frame(frame, crossed)
    if selection.is_filtered:
        items += _hidden(run, selection)
    return sorted(items, key=lambda item: (item.at, item.order))


def _of_frame(frame: Transmission, crossed: "_Crossings") -> Iterator[Item]:
    if not crossed.meets(frame):
        yield Item(frame.at, (frame.order, 0), "frame", (frame,))
        return
    yield Item(frame.at, (frame.order, 0), "leaves", (frame,))
    for arrival in frame.arrivals:
        yield Item(arrival.at, (arrival.order, 0), "lands", (frame,), arrival)


class _Crossings:
    """Which frames are under way while something comes the other way, or passes them."""

    def __init__(self, frames: list[Transmission]) -> None:
        self._frames = [frame for frame in frames if frame.line == MAIN_LINE]
        self._sent = [frame.order for frame in self._frames]
        self._marks: dict[str, list[int]] = {"programmer": [], "pump": [], "somebody": []}
        for frame in self._frames:
            orders = [frame.order, *(each.order for each in frame.arrivals)]
            self._marks.setdefault(frame.sender, []).extend(orders)
        for marks in self._marks.values():
            marks.sort()

    def meets(self, frame: Transmission) -> bool:
        """Whether a frame must be drawn in two rows for the order of things to be seen."""
        if frame.line != MAIN_LINE or not frame.arrivals:
            return False
        last = frame.arrivals[-1].order
        other = self._marks["programmer" if frame.sender == "pump" else "pump"]
        if bisect_left(other, last) > bisect_right(other, frame.order):
            return True
        behind = self._frames[bisect_right(self._sent, frame.order) : bisect_left(self._sent, last)]
        return any(each.arrivals and each.arrivals[0].order < last for each in behind)


def _folds(frames: list[Transmission], stops: list[int]) -> list[list[Transmission]]:
    """Runs of keep-alives with nothing between them, of those that are shown."""
    found: list[list[Transmission]] = []
    going: list[Transmission] = []
    for frame in frames:
        quiet = _is_quiet(frame)
        stopped = going and bisect_left(stops, going[-1].order) != bisect_left(stops, frame.order)
        gap = going and frame.number != going[-1].number + 1
        if going and (not quiet or stopped or gap):
            found.append(going)
            going = []
        if quiet:
            going.append(frame)
    return [fold for fold in [*found, going] if len(fold) >= _FOLDED]


def _is_quiet(frame: Transmission) -> bool:
    return (
        frame.kind == "ACK"
        and frame.cause.why == "keepalive"
        and bool(frame.arrivals)
        and not frame.is_troubled
    )


# -- beside the frames ---------------------------------------------------------------------------

_ALWAYS = (Told, Log, Power, Alarm)


def _notes(run: Run, selection: Selection) -> Iterator[Item]:
    """The lines of the trace that are drawn beside the frames."""
    is_told = any(isinstance(note.line, Told) for note in run.notes)
    for note in run.notes:
        inside = selection.first <= note.order <= selection.last
        if inside and (isinstance(note.line, _ALWAYS) or _is_news(note.line, is_told)):
            yield Item(note.at, (note.order, 0), "note", line=note.line)
    yield from _outages(run, selection)


def _is_news(line: AnyLine, is_told: bool) -> bool:
    """Whether a line says what a scenario would have told."""
    if is_told:
        return False
    if isinstance(line, Channel):
        return line.t > 0
    if isinstance(line, Began):
        return line.kind != "action"
    return isinstance(line, ProgrammerEvent) and line.event == "Failed"


def _outages(run: Run, selection: Selection) -> Iterator[Item]:
    begins = min((f.at for f in run.frames if f.order >= selection.first), default=0)
    ends = max((f.at for f in run.frames if f.order <= selection.last), default=0)
    channels = lines_in_force(run)
    for place, channel in enumerate(channels):
        until = channels[place + 1].t if place + 1 < len(channels) else run.ends
        for begin, span in read_impairments(channel.impairments).outage:
            if begins <= begin <= min(ends, until):
                yield Item(begin, (0, 0), "out", amount=span)
            if begins <= begin + span <= min(ends, until):
                yield Item(begin + span, (0, 0), "back")


def _knots(run: Run, selection: Selection) -> Iterator[Item]:
    """Each knot before the first of its frames that is shown."""
    for knot in run.knots:
        shown = [number for number in knot.frames if number in selection.frames]
        if shown:
            first = run.frame(shown[0])
            yield Item(first.at, (first.order, -1), "knot", (first,), knot=knot)


def _hidden(run: Run, selection: Selection) -> Iterator[Item]:
    """Where frames are left out between those that are shown."""
    count = 0
    for frame in run.frames:
        if not selection.first <= frame.order <= selection.last:
            continue
        if frame.number not in selection.frames:
            count += 1
        elif count:
            yield Item(frame.at, (frame.order, -2), "hidden", amount=count)
            count = 0
    if count:
        yield Item(run.ends, (selection.last + 1, 0), "hidden", amount=count)
