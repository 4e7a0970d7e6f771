"""What goes on beside the lifelines: timers, what is in flight or kept, and the pump's own day."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from mockpump.display.page import model as page
from mockpump.display.page.model import SIDES
from mockpump.display.page.times import span
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.run import Run, Transmission

# A curve of fewer points shows nothing.
_LEAST_OF_A_DAY = 8


def bars_of(run: Run) -> Iterator[page.Bar]:
    """What is in flight, and what is kept behind a gap."""
    yield from _flights(run)
    yield from _kept(run)


def timers_of(run: Run) -> Iterator[page.Timer]:
    """Every retransmission timer that ran out."""
    sent = _by_side_and_time(run)
    for timer in run.timers:
        if timer.how == "expired":
            yield page.Timer(
                SIDES.index(timer.side),
                timer.starts,
                timer.ends,
                sent.get((timer.side, timer.starts), 0),
                sent.get((timer.side, timer.ends), 0),
                span(timer.timeout),
            )


def _by_side_and_time(run: Run) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for frame in run.frames:
        if not frame.line:
            found.setdefault((frame.sender, frame.at), frame.number)
    return found


def _flights(run: Run) -> Iterator[page.Bar]:
    sendings = _sendings(run)
    for flight in run.flights:
        key = flight.side, flight.connection, flight.seq
        frames = [
            each.number for each in sendings.get(key, []) if flight.starts <= each.at <= flight.ends
        ]
        kind: Literal["flight", "given up"] = "given up" if flight.how == "given up" else "flight"
        side = SIDES.index(flight.side)
        yield page.Bar(side, flight.lane, flight.starts, flight.ends, frames, kind)


def _sendings(run: Run) -> dict[tuple[str, int, int], list[Transmission]]:
    found: dict[tuple[str, int, int], list[Transmission]] = {}
    for frame in run.frames:
        if frame.kind == "DATA" and frame.frame is not None and not frame.line:
            key = frame.sender, frame.frame.connection, frame.frame.seq
            found.setdefault(key, []).append(frame)
    return found


def _kept(run: Run) -> Iterator[page.Bar]:
    """What a side keeps behind a gap, until it is handed up; beside what is in flight itself."""
    lanes = Counter({flight.side: 0 for flight in run.flights})
    for flight in run.flights:
        lanes[flight.side] = max(lanes[flight.side], flight.lane + 1)
    busy: dict[tuple[str, int], int] = {}
    for frame in run.frames:
        kept = [each for each in frame.arrivals if each.verdict.word == "kept"]
        if not kept or frame.line:
            continue
        starts, ends = kept[0].at, frame.handed_up or run.ends
        lane = next(n for n in range(len(run.frames)) if busy.get((frame.receiver, n), -1) < starts)
        busy[frame.receiver, lane] = ends
        side = SIDES.index(frame.receiver)
        yield page.Bar(side, lanes[frame.receiver] + lane, starts, ends, [frame.number], "kept")


def day_of(run: Run) -> page.Day | None:
    """The pump over its own time, as often as the trace says how it is."""
    pumps = [note.line for note in run.notes if isinstance(note.line, lines.Pump)]
    if len(pumps) < _LEAST_OF_A_DAY:
        return None
    return page.Day(
        elapsed=[each.elapsed for each in pumps],
        rate=[each.rate for each in pumps],
        reservoir=[each.reservoir for each in pumps],
    )
