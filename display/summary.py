"""A run on one screen: a column a frame, then what to look at, then what was asked of the pump."""

from bisect import bisect_left
from collections.abc import Iterator

from mockpump.display import words
from mockpump.display.glyphs import Glyphs
from mockpump.display.ladder import Look
from mockpump.display.spans import Line, Span, Style, line
from mockpump.display.text import cut, padded
from mockpump.emulator.trace.format import PUMP, RIVAL, SIDES, SOMEBODY
from mockpump.emulator.trace.knots import seconds
from mockpump.emulator.trace.run import Change, Knot, Run, Transmission
from mockpump.emulator.trace.waits import MOST_NAMED, Wait, waits_of

HEIGHT = 24
_LEAD = 13
# The figures behind a change: three columns.
_FIGURE = 10
_MOST_CHANGES = 4
# A change that was not known for longer than this stands out, in microseconds.
_LONG_UNKNOWN = 1_000_000
# A frame has its time above it when nothing was on the line for so long before it.
_SILENCE = 250_000


def summary(run: Run, look: Look) -> Iterator[Line]:
    """At most 24 lines, none wider than asked for."""
    clean, width = look.glyphs.clean, look.width
    if run.head.title:
        yield line(Span(cut(clean(run.head.title), width), "strong"))
    subject = f"{look.subject}: " if look.subject else ""
    yield line(cut(clean(f"{subject}{words.changes(run)}"), width))
    yield line(Span(cut(words.score(run), width), "dim"))
    for channel in words.lines_in_force(run)[:1]:
        yield line(Span(cut(clean(f"the line: {words.impairments(channel)}"), width), "dim"))
    yield ()
    yield from _Columns(run, look).lines()
    changes = run.changes[-_MOST_CHANGES:]
    waits = list(_waits(run, look))
    # What is above takes at most eleven lines, and a table its head and an empty line.
    room = (
        HEIGHT
        - 11
        - len(waits)
        - (len(changes) + 2 + (len(run.changes) > len(changes)) if changes else 0)
    )
    yield from _knots(run, look, room)
    yield from waits
    yield from _changes(run, look, changes)


class _Columns:
    """The frames of a run, a column each: those of the programmer above those of the pump."""

    def __init__(self, run: Run, look: Look) -> None:
        self._run, self._glyphs = run, look.glyphs
        self._width = look.width
        self._shown, self._is_part = _chosen(run, look.width - _LEAD)

    def lines(self) -> Iterator[Line]:
        """Times, two rows of frames, the numbers of what to look at, and what it all means."""
        yield line(Span(f"{'s':>{_LEAD - 1}} {self._ruler()}", "dim"))
        for side in SIDES:
            style: Style = "pump" if side == PUMP else "programmer"
            yield line(
                Span(f"{side:>{_LEAD - 1}} ", style),
                *(
                    self._cell(frame, (frame.sender == PUMP) is (side == PUMP))
                    for frame in self._shown
                ),
            )
        yield line(" " * _LEAD, Span(self._numbers(), "look"))
        yield line(" " * _LEAD, Span(self._legend(), "dim"))
        yield ()

    def _cell(self, frame: Transmission, is_here: bool) -> Span:
        return glyph(frame, self._glyphs) if is_here else Span(" ")

    def _ruler(self) -> str:
        """Times above the frames that silence came before, as far as they have room."""
        text, before = "", -_SILENCE
        for place, frame in enumerate(self._shown):
            time = _short(frame.at)
            is_first = frame.at - before >= _SILENCE
            if (
                is_first
                and (not text or len(text) < place)
                and place + len(time) <= len(self._shown)
            ):
                text = f"{text:<{place}}{time}"
            before = max([frame.at, *(arrival.at for arrival in frame.arrivals)])
        return text

    def _numbers(self) -> str:
        """The number of each knot under the first of its frames that is shown."""
        text = ""
        for knot in self._run.knots:
            at = next((i for i, f in enumerate(self._shown) if f.number in knot.frames), None)
            number = self._glyphs.number(knot.number).strip("()")
            if at is not None and max(at, len(text)) + len(number) <= self._width - _LEAD:
                text = f"{text:<{at}}{number}"
        return text

    def _legend(self) -> str:
        g = self._glyphs
        told = {
            g.right: "came",
            g.small_ack: "ack",
            g.lost: "lost",
            g.damaged: "damaged",
            g.garbage: "garbage",
            g.overtaken: "overtaken",
            g.twice: "twice",
            g.other: "somebody else",
        }
        used = {glyph(frame, g).text for frame in self._shown}
        parts = [f"{char} {word}" for char, word in told.items() if char in used or char == g.right]
        if used & set("23456789"):
            parts.append("2 3 4 sent again")
        if self._is_part:
            parts.insert(0, "a part:")
        return cut("  ".join(parts), self._width - _LEAD)


def _chosen(run: Run, room: int) -> tuple[list[Transmission], bool]:
    """The frames that have room, and whether some have not: those near trouble first."""
    if len(run.frames) <= room:
        return run.frames, False
    focus = {knot.focus for knot in run.knots}
    trouble = [f.number for f in run.frames if f.is_troubled or f.number in focus]

    def how_far(frame: Transmission) -> tuple[int, int]:
        is_quiet = frame.cause.why == "keepalive" and not frame.is_troubled
        place = bisect_left(trouble, frame.number)
        near = min(
            (abs(frame.number - each) for each in trouble[max(0, place - 1) : place + 1]), default=0
        )
        return is_quiet * len(run.frames) + near, frame.number

    kept = sorted(run.frames, key=how_far)[:room]
    return sorted(kept, key=lambda frame: frame.number), True


def glyph(frame: Transmission, glyphs: Glyphs) -> Span:
    """A frame as one character: what happened to it."""
    faults = {
        glyphs.lost: bool(frame.lost),
        glyphs.damaged: any(not arrival.is_good for arrival in frame.arrivals),
        glyphs.garbage: any(arrival.garbage for arrival in frame.arrivals),
        glyphs.overtaken: "reorder" in frame.faults,
        glyphs.twice: len(frame.arrivals) > 1,
    }
    for char, is_so in faults.items():
        if is_so:
            return Span(char, "fault")
    if {frame.sender, frame.receiver} & {RIVAL, SOMEBODY}:
        return Span(glyphs.other, "other")
    style: Style = "pump" if frame.sender == PUMP else "programmer"
    if frame.count > 1:
        return Span(str(min(frame.count, 9)), style)
    if frame.kind == "ACK":
        return Span(glyphs.small_ack, style)
    return Span(glyphs.left if frame.sender == PUMP else glyphs.right, style)


def _short(time: int) -> str:
    return f"{time / 1e6:.1f}" if time < 9_950_000 else f"{time // 1_000_000}"


def _knots(run: Run, look: Look, room: int) -> Iterator[Line]:
    """The knots with most in them, in order of time, as many as have room."""
    fits = room if len(run.knots) <= room else room - 1
    heaviest = sorted(run.knots, key=lambda knot: -knot.weight)[:fits]
    for knot in sorted(heaviest, key=lambda knot: knot.number):
        yield _knot(run, look, knot)
    if len(run.knots) > len(heaviest):
        yield line(Span(f"{'':14}and {len(run.knots) - len(heaviest)} more", "dim"))


def _knot(run: Run, look: Look, knot: Knot) -> Line:
    glyphs = look.glyphs
    drawn = [glyph(run.frame(number), glyphs) for number in knot.frames]
    most = 12 + max(0, look.width - 80) // 3
    if len(drawn) > most:
        drawn = [*drawn[: most - 1], Span(glyphs.more, "dim")]
    took = seconds(knot.ends - knot.starts) if knot.ends > knot.starts else ""
    name = look.width - 4 - 10 - most - 1 - 8
    return line(
        Span(f"{glyphs.number(knot.number):<4}", "look"),
        Span(f"{words.stamp(knot.starts):>8}  ", "dim"),
        padded(glyphs.clean(knot.title), name - 1),
        " ",
        *drawn,
        Span(" " * (most - len(drawn)) + f"{took:>9}", "dim"),
    )


def _waits(run: Run, look: Look) -> Iterator[Line]:
    """The commands that waited longest, each with the numbers of what held it up, in one line."""
    waits = waits_of(run)
    told = [_wait(each, look.glyphs) for each in waits]
    if told:
        told[0] += _advice(run, waits[0])
        lead = Span(f"{'waited':14}", "strong")
        yield line(lead, cut(look.glyphs.clean(", ".join(told)), look.width - 14))


def _advice(run: Run, wait: Wait) -> str:
    """What to ask for: why the frame was sent that went most often in what held a command up."""
    frames = [run.frame(number) for knot in wait.knots[:1] for number in knot.frames]
    again = max(frames, key=lambda frame: frame.count, default=None)
    return f" (--why {again.number})" if again and again.count > 1 else ""


def _wait(wait: Wait, glyphs: Glyphs) -> str:
    numbers = " ".join(glyphs.number(knot.number) for knot in wait.knots[:MOST_NAMED])
    return f"{words.waited(wait)} {numbers}".rstrip()


def _changes(run: Run, look: Look, shown: list[Change]) -> Iterator[Line]:
    if not shown:
        return
    wide = look.width - 4 - 3 * _FIGURE
    if run.knots:
        yield ()
    heads = "".join(f"{head:>{_FIGURE}}" for head in ("asked", "done", "known"))
    yield line(Span(f"    {'asked of the pump':<{wide}}{heads}", "dim"))
    for change in shown:
        late = change.done is not None and (
            change.known is None or change.known - change.done > _LONG_UNKNOWN
        )
        yield line(
            "    ",
            padded(look.glyphs.clean(words.asked(change, run)), wide),
            Span(f"{_when(change.asked)}{_when(change.done, run.has_log)}", "dim"),
            Span(_when(change.known, run.hears_programmer), "fault" if late else "dim"),
        )
    if len(run.changes) > len(shown):
        yield line(Span(f"    and {len(run.changes) - len(shown)} before", "dim"))


def _when(time: int | None, is_recorded: bool = True) -> str:
    otherwise = "never" if is_recorded else "?"
    return f"{otherwise if time is None else words.stamp(time):>{_FIGURE}}"
