"""A run as a ladder of text: a line a frame, the programmer on the left and the pump on the right.

From left to right: the number of the frame, line time, the programmer's lifeline, the wire, the
pump's lifeline, and a remark.  What is asked hangs on the left lifeline, what the pump records on
the right one.  Nothing is printed here, and nothing about the protocol is worked out here.
"""

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec

from mockpump.display import words
from mockpump.display.glyphs import UNICODE, Glyphs
from mockpump.display.legend import legend
from mockpump.display.plan import Item, plan
from mockpump.display.selection import Selection, select
from mockpump.display.spans import Line, Span, Style, line
from mockpump.display.text import cells, cut, wrapped
from mockpump.display.wire import Arrows, Row, style_of
from mockpump.emulator.trace.format import (
    PROGRAMMER,
    PUMP,
    SIDES,
    Alarm,
    AnyLine,
    Began,
    Channel,
    Log,
    Power,
    Sender,
    Told,
)
from mockpump.emulator.trace.format import Programmer as ProgrammerEvent
from mockpump.emulator.trace.knots import seconds
from mockpump.emulator.trace.run import Run, Transmission
from mockpump.emulator.trace.shadow import LinkState
from mockpump.protocol.units import clock_time

NARROWEST = 60
# From this width on a remark has room for what a message says.
_WIDE = 100
_REMARK, _WIDEST_REMARK = 20, 48
_FLIGHT = 6
# A wait is worth a line of its own when it is longer than this, in microseconds, and than three
# times the usual step from one frame to the next.
_SHORTEST_PAUSE = 15_000
# This many lines of what one action had to tell.
_MOST_TOLD = 4
# Behind every line of a trace.
_LAST = sys.maxsize
# What begins with a frame that is sent.
_SENT = ("frame", "leaves", "folded", "knot")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is to be drawn.  `subject` says which run it is, where its title does not."""

    width: int = 80
    glyphs: Glyphs = UNICODE
    subject: str = ""
    windows: bool = False


def ladder(run: Run, look: Look, selection: Selection | None = None) -> Iterator[Line]:
    """The lines of a ladder, or of a part of it."""
    yield from Ladder(run, look, selection or select(run)).lines()


class Ladder:
    """Draws the lines of a ladder, from the first to the last."""

    def __init__(self, run: Run, look: Look, selection: Selection) -> None:
        self._run, self._look, self._glyphs = run, look, look.glyphs
        self._selection = selection
        self._number = max(3, len(str(run.last)))
        self._time = max(6, len(words.stamp(run.ends)))
        self._flight = _FLIGHT if look.windows else 0
        spare = (look.width - 80) // 2
        self._remark = min(_WIDEST_REMARK, max(_REMARK + min(spare, 0) // 2, _REMARK + spare))
        fixed = self._number + self._time + 2 + 2 * self._flight + 2 + 1 + self._remark
        self._arrows = Arrows(look.width - fixed, look.glyphs)
        self._states = _StatesOverTime(run.states)
        self._unknown = _unknown_times(run)
        self._steps = _usual_step(run.frames)
        # The columns of the wire that frames under way go down in, by the numbers of the frames.
        self._under_way: dict[int, tuple[int, Transmission]] = {}
        # Until when everything was drawn, and how many lines were told in a row.
        self._now = 0
        self._told = 0
        # The number of the last line of the trace that what is being drawn comes after.
        self._order = _LAST
        self._blank = True

    def lines(self) -> Iterator[Line]:
        """All of them."""
        yield from self._heading()
        previous: Item | None = None
        for item in plan(self._run, self._selection):
            yield from self._pause(previous, item)
            yield from self._drawn(item)
            if item.kind != "knot":
                self._now = max(self._now, _until(item))
                previous = item

    def _drawn(self, item: Item) -> Iterator[Line]:
        self._order = item.order[0] or _LAST
        for each in _DRAW[item.kind](self, item):
            self._blank = not each
            yield each

    # -- the heading -----------------------------------------------------------------------------

    def _heading(self) -> Iterator[Line]:
        for text, style in self._heading_texts():
            for place, part in enumerate(wrapped(self._glyphs.clean(text), self._look.width - 2)):
                yield line(Span(f"  {part}" if place else part, style))
        names = f"{'programmer':<{self._arrows.width - 3}} pump"
        flight = " " * self._flight
        yield ()
        yield line(
            Span(f"{'no.':>{self._number}} {'s':>{self._time}} {flight}", "dim"),
            Span(names[:-4], "programmer"),
            Span(names[-4:], "pump"),
        )

    def _heading_texts(self) -> Iterator[tuple[str, Style]]:
        run = self._run
        if run.head.title:
            yield run.head.title, "strong"
        subject = f"{self._look.subject}: " if self._look.subject else ""
        yield f"{subject}{words.changes(run)}.", ""
        yield f"{words.score(run)}.", "dim"
        if run.before:
            yield f"This is a part: {run.before:,} frames come before those counted here.", "look"
        for channel in words.lines_in_force(run)[:1]:
            yield f"The line: {words.impairments(channel)}.", "dim"
        if run.holes:
            yield _holes(run), "fault"
        yield legend(run, self._glyphs), "dim"

    # -- lines -----------------------------------------------------------------------------------

    def _row(
        self,
        at: int,
        wire: Row,
        remark: Line = (),
        *,
        frame: int = 0,
        stamp: bool = True,
        ends: tuple[Span | None, Span | None] = (None, None),
        pause: bool = False,
    ) -> Line:
        """Number, time, lifelines with what is between them, and a remark."""
        for column, other in self._under_way.values():
            wire.under_way(column, self._glyphs, style_of(other))
        number = f"{frame or '':>{self._number}}"
        time = words.stamp(at) if stamp else self._glyphs.pause if pause else ""
        left, right = ends
        return line(
            Span(f"{number} {time:>{self._time}} ", "dim"),
            *self._flights(PROGRAMMER, at, stamp),
            left or self._life(PROGRAMMER, at, pause),
            *wire.spans(),
            right or self._life(PUMP, at, pause),
            *self._flights(PUMP, at, stamp),
            *([Span(" "), *remark] if remark else []),
        )

    def _life(self, side: Sender, at: int, pause: bool = False) -> Span:
        """A lifeline at a moment."""
        if side == PROGRAMMER and bisect_right(self._unknown, at) % 2:
            return Span(self._glyphs.unknown, "strong")
        state = self._states.at(side, at, self._order)
        # Of a live line a shadow cannot know the microsecond, but whether there is a connection.
        sees = state is not None and (not state.blind or self._run.head.time == "real")
        is_open = state is not None and sees and state.link.state == "open"
        style: Style = "programmer" if side == PROGRAMMER else "pump"
        return Span(self._glyphs.open if is_open and not pause else self._glyphs.closed, style)

    def _flights(self, side: Sender, at: int, stamp: bool) -> Iterator[Span]:
        """The numbers that a side has in flight."""
        if not self._flight:
            return
        state = self._states.at(side, at, self._order) if stamp else None
        numbers = [each.seq for each in state.link.in_flight] if state else []
        text = _ranges(numbers)
        if len(text) >= self._flight:
            text = f"{numbers[0]}+{len(numbers) - 1}"
        style: Style = "programmer" if side == PROGRAMMER else "pump"
        room = self._flight - 1 - len(text)
        blank = " " * room
        yield Span(f"{blank}{text} " if side == PROGRAMMER else f" {text}{blank}", style)

    def _words(self, text: str, style: Style, indent: int = 2) -> Iterator[Line]:
        """A paragraph from one edge to the other."""
        for part in wrapped(self._glyphs.clean(text), self._look.width - indent - 1):
            yield line(" " * indent, Span(part, style))

    def _joined(self, parts: list[Span]) -> Line:
        """A remark of several parts, as far as there is room, the weightiest first."""
        found: list[Span] = []
        room = self._remark
        for part in parts:
            text = self._glyphs.clean(part.text)
            need = cells(text) + (2 if found else 0)
            if found and need > room:
                break
            text = cut(text, room)
            found += (
                [Span("; ", "dim"), Span(text, part.style)] if found else [Span(text, part.style)]
            )
            room -= need
        return line(*found)

    # -- frames ----------------------------------------------------------------------------------

    def _frame(self, item: Item) -> Iterator[Line]:
        (frame,) = item.frames
        told = [*words.outcome(frame), *words.reason(self._run, frame), *self._fields(frame)]
        wire = self._arrows.level(frame)
        yield self._row(frame.at, wire, self._joined(told), frame=frame.number)

    def _leaves(self, item: Item) -> Iterator[Line]:
        (frame,) = item.frames
        taken = {column for column, _ in self._under_way.values()}
        free = [each for each in self._arrows.columns(frame) if each not in taken]
        # Rather with room beside it.
        free.sort(key=lambda column: bool(taken & {column - 1, column + 1}))
        if not free:
            yield from self._frame(item)
            return
        told = [*words.twice(frame), *words.reason(self._run, frame), *self._fields(frame)]
        wire = self._arrows.leaving(frame, free[0])
        yield self._row(frame.at, wire, self._joined(told), frame=frame.number)
        self._under_way[frame.number] = free[0], frame

    def _lands(self, item: Item) -> Iterator[Line]:
        (frame,) = item.frames
        if frame.number not in self._under_way or item.arrival is None:
            return
        column, _ = self._under_way[frame.number]
        if item.arrival is frame.arrivals[-1]:
            del self._under_way[frame.number]
        wire = self._arrows.landing(frame, item.arrival, column)
        yield self._row(item.at, wire, self._joined(list(words.landed(item.arrival))))

    def _fields(self, frame: Transmission) -> Iterator[Span]:
        if self._look.width >= _WIDE and (text := words.fields(frame)):
            yield Span(text, "dim")

    def _folded(self, item: Item) -> Iterator[Line]:
        first, last = item.frames[0], item.frames[-1]
        count = f" {len(item.frames):,} keep-alives"
        which = f"{count}, {first.number} to {last.number}"
        whole = f"{which}, until {words.stamp(_until(item))}"
        text = next((each for each in (whole, which) if cells(each) < self._arrows.width), count)
        wire = self._centred(f"{text} ", self._glyphs.quiet, "dim")
        yield self._row(item.at, wire, frame=first.number)

    def _centred(self, text: str, around: str, style: Style) -> Row:
        row = Row(self._arrows.width)
        if around != " ":
            row.put(0, around * self._arrows.width, style)
        text = cut(text, self._arrows.width)
        row.put((self._arrows.width - cells(text)) // 2, text, style)
        return row

    # -- beside the frames -----------------------------------------------------------------------

    def _knot(self, item: Item) -> Iterator[Line]:
        knot = item.knot
        if knot is None:
            return
        number = self._glyphs.number(knot.number)
        indent = 2 + cells(number) + 1
        room = self._look.width - indent - 1
        title = f"{self._glyphs.clean(knot.title)}."
        text = wrapped(f"{title} {self._glyphs.clean(knot.text)}", room)
        left = len(title)
        for place, part in enumerate(text):
            lead = Span(f"  {number} ", "look") if place == 0 else " " * indent
            yield line(lead, Span(part[:left], "look"), Span(part[left:], "dim"))
            left = max(0, left - len(part) - 1)

    def _note(self, item: Item) -> Iterator[Line]:
        if item.line is not None:
            yield from _DRAW_NOTE[type(item.line)](self, item.at, item.line)

    def _said(self, at: int, told: Told) -> Iterator[Line]:
        if told.kind == "say":
            self._told = 0
            yield from () if self._blank else ((),)
            yield from self._words(told.text, "strong")
            yield ()
        elif told.kind == "do":
            self._told = 0
            yield from self._hung(at, told.text, self._glyphs.deed, "strong")
        else:
            self._told += 1
            style: Style = "fault" if told.kind == "failed" else "pump"
            if self._told <= _MOST_TOLD or told.kind == "failed":
                yield from self._hung(at, told.text, self._glyphs.heard, style)
            elif self._told == _MOST_TOLD + 1:
                yield from self._hung(at, "...", " ", style)

    def _hung(self, at: int, text: str, mark: str, style: Style) -> Iterator[Line]:
        """A text behind the programmer's lifeline: a deed is on it, the others are beside it."""
        is_deed = mark == self._glyphs.deed
        begin = self._number + self._time + 2 + self._flight
        lead = 1 if is_deed else 3
        room = self._look.width - begin - 1 - lead - 1
        for place, part in enumerate(wrapped(self._glyphs.clean(text), room)):
            life = self._life(PROGRAMMER, at)
            if is_deed and place == 0:
                life = Span(mark, "programmer")
            before = " " if is_deed else f" {mark if place == 0 else ' '} "
            yield line(" " * begin, life, Span(before, "dim"), Span(part, style))

    def _logged(self, at: int, entry: Log) -> Iterator[Line]:
        clock = Span(clock_time(entry.clock).partition(",")[0][:9], "dim")
        yield from self._at_the_pump(at, words.log_words(entry), clock, self._glyphs.deed)

    def _alarm(self, at: int, alarm: Alarm) -> Iterator[Line]:
        text = f"alarm {alarm.alarm.replace('_', ' ')}: {alarm.state}"
        yield from self._at_the_pump(at, text, Span("on its panel", "dim"), self._glyphs.alarm)

    def _at_the_pump(self, at: int, text: str, remark: Span, mark: str) -> Iterator[Line]:
        """A text in front of the pump's lifeline, with a mark on it."""
        width = self._arrows.width
        for place, part in enumerate(wrapped(self._glyphs.clean(text), width - 2)):
            row = Row(width)
            row.put(width - 1 - cells(part), part, "pump")
            end = Span(mark, "pump") if place == 0 else None
            shown = line(remark) if place == 0 else ()
            yield self._row(at, row, shown, stamp=place == 0, ends=(None, end))

    def _power(self, at: int, power: Power) -> Iterator[Line]:
        text = f" power lost; it starts again: {power.mode} "
        yield self._row(at, self._centred(text, self._glyphs.event, "fault"))

    def _channel(self, at: int, channel: Channel) -> Iterator[Line]:
        what = "the line" if channel.line == 0 else f"line {channel.line}"
        text = f"from now on {what}: {words.impairments(channel)}"
        begin = self._number + self._time + 2 + self._flight + 2
        for part in wrapped(self._glyphs.clean(text), self._look.width - begin - 1):
            yield line(" " * begin, Span(part, "look"))

    def _began(self, at: int, began: Began) -> Iterator[Line]:
        name = "calls the pump" if began.kind == "call" else began.name.replace("_", " ")
        yield from self._hung(at, name, self._glyphs.deed, "strong")

    def _failed(self, at: int, event: ProgrammerEvent) -> Iterator[Line]:
        yield from self._hung(at, str(event.facts.get("error", "")), self._glyphs.heard, "fault")

    def _out(self, item: Item) -> Iterator[Line]:
        text = f" out of range for {seconds(item.amount)} "
        yield self._row(item.at, self._centred(text, self._glyphs.event, "fault"))

    def _back(self, item: Item) -> Iterator[Line]:
        yield self._row(item.at, self._centred(" in range again ", self._glyphs.event, "dim"))

    def _hidden(self, item: Item) -> Iterator[Line]:
        plural = "s" * (item.amount > 1)
        text = f" {item.amount:,} other frame{plural} "
        yield self._row(item.at, self._centred(text, " ", "dim"), stamp=False, pause=True)

    def _pause(self, previous: Item | None, item: Item) -> Iterator[Line]:
        """A wait before an item, with who waits."""
        wait = item.at - self._now
        if item.kind == "hidden" or wait <= max(3 * self._steps, _SHORTEST_PAUSE):
            return
        if previous is None or previous.kind in ("folded", "hidden"):
            return
        who = words.waiting(item.frames[0]) if item.kind in _SENT else ""
        if self._under_way and not who:
            # Then time is seen to pass.
            return
        text = f" {seconds(wait)}{': ' if who else ''}{who} "
        row = self._centred(text, " ", "dim")
        self._blank, self._order = False, _LAST
        yield self._row(self._now, row, stamp=False, pause=True)
        self._now = item.at


_DRAW: dict[str, Callable[[Ladder, Item], Iterator[Line]]] = {
    "frame": Ladder._frame,
    "leaves": Ladder._leaves,
    "lands": Ladder._lands,
    "folded": Ladder._folded,
    "note": Ladder._note,
    "knot": Ladder._knot,
    "out": Ladder._out,
    "back": Ladder._back,
    "hidden": Ladder._hidden,
}
_DRAW_NOTE: dict[type[AnyLine], Callable[..., Iterator[Line]]] = {
    Told: Ladder._said,
    Log: Ladder._logged,
    Alarm: Ladder._alarm,
    Power: Ladder._power,
    Channel: Ladder._channel,
    Began: Ladder._began,
    ProgrammerEvent: Ladder._failed,
}


class _StatesOverTime:
    """Where the link of either side stood at a moment."""

    def __init__(self, states: list[LinkState]) -> None:
        self._states = {side: [each for each in states if each.side == side] for side in SIDES}
        self._places = {
            side: [(each.at, each.order) for each in own] for side, own in self._states.items()
        }

    def at(self, side: Sender, moment: int, order: int) -> LinkState | None:
        """Where it stood at that moment, when that line of the trace had been."""
        place = bisect_right(self._places[side], (moment, order))
        return self._states[side][place - 1] if place else None


def _unknown_times(run: Run) -> list[int]:
    """When it begins and ends, by turns, that a change is done and not known to be."""
    found: list[int] = []
    for done, known in sorted(
        (change.done, run.ends + 1 if change.known is None else change.known)
        for change in run.changes
        if change.done is not None
    ):
        if known <= done:
            continue
        if found and done <= found[-1]:
            found[-1] = max(found[-1], known)
        else:
            found += [done, known]
    return found


def _until(item: Item) -> int:
    """When all of an item is over."""
    if item.kind == "leaves":
        return item.at
    return max([item.at, *(each.at for frame in item.frames for each in frame.arrivals)])


def _usual_step(frames: list[Transmission]) -> int:
    steps = sorted(later.at - one.at for one, later in pairwise(frames) if later.at > one.at)
    return steps[len(steps) // 2] if steps else 0


def _holes(run: Run) -> str:
    first = run.holes[0]
    more = f", and {len(run.holes) - 1} more" if len(run.holes) > 1 else ""
    return (
        f"The trace is not whole: at {words.stamp(first.at)} s the {first.side}'s link would have"
        f" done something else ({', '.join(first.missing)}){more}."
    )


def _ranges(numbers: list[int]) -> str:
    """Numbers, those that follow one another joined, as in `3-6 9`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == (found[-1][-1] + 1) % 256:
            found[-1].append(number)
        else:
            found.append([number])
    return " ".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in found)
