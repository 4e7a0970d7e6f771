"""What the characters of a drawing mean, of those that a run is drawn with."""

from collections.abc import Callable, Iterator

from mockpump.display.glyphs import Glyphs
from mockpump.emulator.trace.run import Run, Transmission


def legend(run: Run, glyphs: Glyphs) -> str:
    """A character or a few, and what they mean, for everything that is in a run."""
    told = [
        f"{draw(glyphs)} {word}" for draw, word, is_in in _FRAMES if any(map(is_in, run.frames))
    ]
    if any(change.done is not None for change in run.changes):
        told.append(f"{glyphs.unknown} done, and not known yet")
    return ", ".join([*told, f"{glyphs.open} connected, {glyphs.closed} not"])


def _verdicts(frame: Transmission) -> Iterator[str]:
    return (arrival.verdict.word for arrival in frame.arrivals)


_Fits = Callable[[Transmission], bool]
_FRAMES: tuple[tuple[Callable[[Glyphs], str], str, _Fits], ...] = (
    (lambda g: g.first + g.right, "arrives", lambda frame: bool(frame.arrivals)),
    (lambda g: g.again + g.right, "sent again", lambda frame: frame.count > 1),
    (lambda g: g.ack + g.hollow_right, "acknowledgement", lambda frame: frame.kind == "ACK"),
    (
        lambda g: g.hollow_right,
        "dropped",
        lambda frame: frame.kind != "ACK" and "dropped" in _verdicts(frame),
    ),
    (lambda g: g.kept + g.hollow_right, "kept", lambda frame: "kept" in _verdicts(frame)),
    (lambda g: g.first + g.lost, "lost", lambda frame: bool(frame.lost)),
    (
        lambda g: g.damaged + g.lost,
        "damaged",
        lambda frame: any(arrival.flips for arrival in frame.arrivals),
    ),
    (
        lambda g: g.garbage,
        "garbage",
        lambda frame: any(arrival.garbage for arrival in frame.arrivals),
    ),
    (lambda g: g.overtaken, "overtaken", lambda frame: "reorder" in frame.faults),
    (
        lambda g: g.other,
        "somebody else",
        lambda frame: bool({frame.sender, frame.receiver} & {"somebody", "rival"}),
    ),
)
