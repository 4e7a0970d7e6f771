"""Reading a trace into a run: the one place in which the lines of a trace are made sense of."""

from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.format import PROGRAMMER
from mockpump.emulator.trace.knots import knots_of
from mockpump.emulator.trace.reading import Recording
from mockpump.emulator.trace.run import Change, Doing, Note, Run, Transmission
from mockpump.emulator.trace.shadow import Shadow
from mockpump.emulator.trace.timers import flights_of, timers_of
from mockpump.emulator.trace.transmissions import Transmissions, count_all
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Message

_BYTES = (lines.Sent, lines.Arrived, lines.Waiting)
# Entries that a request does not make by itself.
_NOT_OF_A_CHANGE = ("made", "session_started", "turned_away", "proof_failed")


def read_run(recording: Recording) -> Run:
    """The run that a trace tells of."""
    shadow = Shadow(recording.head.ends, recording.lines)
    transmissions = Transmissions(shadow)
    for order, line in enumerate(recording.lines, start=1):
        transmissions.take(order, line)
    ends = recording.lines[-1].t if recording.lines else 0
    shadow.finish(ends)
    frames = transmissions.frames
    count_all(frames)
    notes = [
        Note(line.t, order, line)
        for order, line in enumerate(recording.lines, start=1)
        if not isinstance(line, _BYTES)
    ]
    run = Run(
        head=recording.head,
        ends=ends,
        frames=frames,
        notes=notes,
        states=shadow.states,
        timers=timers_of(shadow.states),
        flights=flights_of(shadow.states, ends),
        doings=doings_of(recording.lines),
        changes=changes_of(frames, notes),
        holes=shadow.holes,
    )
    run.knots = knots_of(run)
    return run


def doings_of(recorded: list[lines.AnyLine]) -> list[Doing]:
    """The doings, each inside the one that was going on when it began."""
    found: list[Doing] = []
    open_: list[Doing] = []
    for line in recorded:
        if isinstance(line, lines.Began):
            inside = open_[-1].number if open_ else 0
            doing = Doing(
                number=line.id, kind=line.kind, name=line.name, starts=line.t, inside=inside
            )
            found.append(doing)
            open_.append(doing)
        elif isinstance(line, lines.Ended):
            doing = next(each for each in reversed(open_) if each.number == line.id)
            doing.ends, doing.error = line.t, line.error
            open_.remove(doing)
    return found


def changes_of(frames: list[Transmission], notes: list[Note]) -> list[Change]:
    """What was asked of the pump: when it was asked, when done, and when that was known.

    A change is done in the instant in which its request is handed up, when the pump makes an entry
    then; it is known when its reply is handed up, or the outcome that was asked for.
    """
    entries = {note.order: note.line for note in notes if isinstance(note.line, lines.Log)}
    found: dict[int, Change] = {}
    for frame in frames:
        if frame.transaction is not None and frame.sender == PROGRAMMER:
            _asked(found, frame, entries)
        elif isinstance(frame.content, Message) and frame.receiver == PROGRAMMER:
            _answered(found, frame, frames)
    return sorted(found.values(), key=lambda change: change.asked)


def _asked(found: dict[int, Change], frame: Transmission, entries: dict[int, lines.Log]) -> None:
    number = frame.transaction or 0
    change = found.setdefault(
        number, Change(transaction=number, name=frame.message, asked=frame.at, frames=[])
    )
    change.frames.append(frame.number)
    if frame.handed_up is None or change.done is not None:
        return
    made = [
        entry
        for entry in entries.values()
        if entry.t == frame.handed_up and entry.kind not in _NOT_OF_A_CHANGE
    ]
    if made:
        change.done, change.entry = made[0].t, made[0].number


def _answered(found: dict[int, Change], frame: Transmission, frames: list[Transmission]) -> None:
    change = _change_of(found, frame, frames)
    if change is None:
        return
    change.replies.append(frame.number)
    if frame.handed_up is not None and change.known is None and not _never_seen(frame):
        change.known, change.answer = frame.handed_up, frame.number


def _change_of(
    found: dict[int, Change], frame: Transmission, frames: list[Transmission]
) -> Change | None:
    """The change of which a message of the pump speaks."""
    asked = frames[frame.cause.frame - 1] if frame.cause.why == "answer" else None
    if frame.first != frame.number:
        return _change_of(found, frames[frame.first - 1], frames)
    if asked is None:
        return None
    about = getattr(asked.content, "asked", asked.transaction)
    return found.get(about) if about is not None else None


def _never_seen(frame: Transmission) -> bool:
    content = frame.content
    return isinstance(content, m.OutcomeKnown) and content.fate is m.Fate.NEVER_SEEN
