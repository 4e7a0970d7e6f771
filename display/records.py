"""A run as plain objects, one for each thing in it, for programs that read it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from mockpump.display.selection import Selection
from mockpump.emulator.trace.explain import fate
from mockpump.emulator.trace.run import Arrival, Run, Transmission


def records(run: Run, selection: Selection) -> Iterator[dict[str, Any]]:
    """A head, the frames of a part of the run, then its knots and changes, and the trace's holes.

    Each says in `what` which of these it is.  Times are microseconds of line time; bytes are hex.
    """
    yield {
        "what": "head",
        "title": run.head.title,
        "mockpump": run.head.mockpump,
        "protocol": run.head.protocol,
        "time": run.head.time,
        "ends": run.ends,
        "frames": len(run.frames),
        "before": run.before,
    }
    yield from (frame_record(frame) for frame in run.frames if frame.number in selection.frames)
    yield from ({"what": "knot", **_plain(knot)} for knot in run.knots)
    yield from ({"what": "change", **_plain(change)} for change in run.changes)
    yield from ({"what": "hole", **hole._asdict()} for hole in run.holes)


def _plain(record: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(record)


def frame_record(frame: Transmission) -> dict[str, Any]:
    """A frame with all that is known of it."""
    return {
        "what": "frame",
        "number": frame.number,
        "at": frame.at,
        "begins": frame.begins,
        "ends": frame.ends,
        "line": frame.line,
        "sender": frame.sender,
        "receiver": frame.receiver,
        "kind": frame.kind,
        "name": frame.name,
        "fate": fate(frame),
        "lost": frame.lost,
        "first": frame.first,
        "count": frame.count,
        "counts": frame.counts,
        "handed_up": frame.handed_up,
        "cause": frame.cause._asdict(),
        "effects": frame.effects,
        "frame": frame.frame,
        "seal": frame.seal,
        "message": frame.message,
        "content": frame.content,
        "arrivals": [_arrival(each) for each in frame.arrivals],
        "bytes": frame.data,
    }


def _arrival(arrival: Arrival) -> dict[str, Any]:
    return {
        "at": arrival.at,
        "begins": arrival.begins,
        "faults": arrival.faults,
        "garbage": arrival.garbage,
        "flips": [{**each._asdict(), "bits": each.bits} for each in arrival.flips],
        "verdict": arrival.verdict._asdict(),
        "bytes": arrival.data,
    }
