"""Several runs on one time axis, a row for each side of each: how long each has taken.

A column is a stretch of time, the same in every run; in it stands how many frames were sent in that
stretch, or the arrow of the only one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from mockpump.display.glyphs import Glyphs
from mockpump.display.ladder import Look
from mockpump.display.spans import Line, Span, line
from mockpump.display.summary import glyph
from mockpump.display.text import padded
from mockpump.display.words import stamp
from mockpump.emulator.trace.format import SIDES
from mockpump.emulator.trace.run import Run, Transmission

_NAME, _SIDE = 15, 11
_EVERY = 12


def strip(runs: Sequence[tuple[str, Run]], look: Look) -> Iterator[Line]:
    """A ruler in seconds, then two rows for each run; acknowledgements that only keep alive are
    left out.
    """
    columns = look.width - _NAME - _SIDE
    longest = max((frame.at for _, run in runs for frame in _worth_showing(run)), default=0)
    step = longest // (columns - 1) + 1
    ticks = "".join(
        padded(stamp(at * step)[:-2], _EVERY) for at in range(0, columns - _EVERY // 2, _EVERY)
    )
    yield line(Span(" " * _NAME + f"{'s':>{_SIDE - 2}}  {ticks}".rstrip(), "dim"))
    for name, run in runs:
        for side in SIDES:
            lead = padded(name if side == SIDES[0] else "", _NAME) + f"{side:>{_SIDE - 1}} "
            mine = [frame for frame in _worth_showing(run) if frame.sender == side]
            yield line(Span(lead), *_cells(mine, columns, step, look.glyphs))


def _worth_showing(run: Run) -> list[Transmission]:
    return [frame for frame in run.frames if frame.cause.why != "keepalive"]


def _cells(frames: list[Transmission], columns: int, step: int, glyphs: Glyphs) -> Iterator[Span]:
    counts = Counter(frame.at // step for frame in frames)
    first = {frame.at // step: frame for frame in reversed(frames)}
    for column in range(columns):
        if not counts[column]:
            yield Span(" ")
        elif counts[column] == 1:
            yield glyph(first[column], glyphs)
        else:
            yield Span(str(min(counts[column], 9)), "strong")
