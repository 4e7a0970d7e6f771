"""A whole run in a line or two: what was asked, what was done, what happened to the frames."""

from mockpump.display.page.times import moment
from mockpump.emulator.trace.format import Log
from mockpump.emulator.trace.knots import number
from mockpump.emulator.trace.run import Run


def claim_of(run: Run) -> str:
    """What was asked for, and whether it was done, in a line."""
    asked = len(run.changes)
    if not asked:
        return "nothing was asked to be changed"
    plural = "s" * (asked > 1)
    if not any(isinstance(note.line, Log) for note in run.notes):
        return f"{number(asked)} change{plural} asked for; what the pump did was not recorded"
    done = sum(each.done is not None for each in run.changes)
    known = sum(each.known is not None for each in run.changes)
    return f"{number(asked)} change{plural} asked for, {_of(done)} done, {_of(known)} known"


def _of(count: int) -> str:
    return number(count) if count else "none"


def source_of(run: Run) -> str:
    """Where the figures come from, and whether the trace is whole."""
    told = "Frames, faults and log entries: recorded; windows, timers and causes follow from them"
    if None in (run.head.ends.programmer, run.head.ends.pump):
        return f"{told}, as far as the trace says how the links were set."
    if run.holes:
        return f"{told}, but the trace lacks something at {moment(run.holes[0].at)}."
    return f"{told}: two links that are fed with the trace send the same frames."
