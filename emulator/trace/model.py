"""Reading a trace into a run: the one place in which the lines of a trace are made sense of."""

from collections.abc import Callable, Iterable

from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.format import PROGRAMMER
from mockpump.emulator.trace.knots import knots_of
from mockpump.emulator.trace.reading import MOST_LINES, BadTrace, Recording, Undecoded
from mockpump.emulator.trace.run import Cause, Change, Doing, Note, Run, Transmission
from mockpump.emulator.trace.shadow import Shadow
from mockpump.emulator.trace.timers import flights_of, timers_of
from mockpump.emulator.trace.transmissions import Transmissions, look_back
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Message

_BYTES = (lines.Sent, lines.Arrived, lines.Waiting)
# Entries that a request does not make by itself.
_NOT_OF_A_CHANGE = ("made", "session_started", "turned_away", "proof_failed")


def read_run(recording: Recording) -> Run:
    """The run that a trace tells of."""
    shadow = _shadow(recording.head, recording.lines)
    transmissions = Transmissions(shadow, _slack(recording.head))
    for order, line in enumerate(recording.lines, start=1):
        transmissions.take(order, line)
    ends = recording.lines[-1].t if recording.lines else 0
    shadow.finish(ends)
    kept = list(enumerate(recording.lines, start=1))
    return _run(recording.head, kept, ends, transmissions, shadow)


# How long after something what it brings about may be noted on a real clock, in microseconds.
_REAL_SLACK = 10_000


def _slack(head: lines.Head) -> int:
    return 0 if head.time == "virtual" else _REAL_SLACK


def _shadow(head: lines.Head, recorded: Iterable[lines.AnyLine]) -> Shadow:
    """The shadows of a trace; of a real clock they cannot know the microsecond."""
    return Shadow(head.ends, recorded, exact=head.time == "virtual")


def _run(
    head: lines.Head,
    kept: list[tuple[int, lines.AnyLine]],
    ends: int,
    transmissions: Transmissions,
    shadow: Shadow,
) -> Run:
    frames = transmissions.frames
    _forget_causes(frames, transmissions.before)
    look_back(frames, head.time == "virtual")
    notes = [Note(line.t, order, line) for order, line in kept if not isinstance(line, _BYTES)]
    run = Run(
        head=head,
        ends=ends,
        frames=frames,
        notes=notes,
        states=shadow.states,
        timers=timers_of(shadow.states),
        flights=flights_of(shadow.states, ends),
        doings=doings_of(line for _, line in kept),
        changes=changes_of(frames, notes, _slack(head)),
        holes=shadow.holes,
        before=transmissions.before,
    )
    run.knots = knots_of(run)
    return run


def _forget_causes(frames: list[Transmission], before: int) -> None:
    """What was brought about by a frame that is not there has no cause in the trace."""
    for frame in frames:
        if 0 < frame.cause.frame <= before:
            frame.cause = Cause("unknown")


# What is kept of a trace before and behind the part that was asked for, so that its causes and
# effects are known: frames before, lines behind.
_BEFORE, _BEHIND = 1_000, 1_000


def read_part(
    trace: Undecoded, begins: Callable[[int, int], bool], ends: Callable[[int, int], bool]
) -> Run:
    """The run in a part of a trace, in memory for no more than that part.

    Both bounds are asked about each line: its time, and the number of the next frame.  What is
    before the part is gone through, since where the links stand follows from it, and forgotten.
    `BadTrace` when the part itself is too long.
    """
    shadow = _shadow(trace.head, trace.lines)
    transmissions = Transmissions(shadow, _slack(trace.head))
    kept: list[tuple[int, lines.AnyLine]] = []
    has_begun, behind, now = False, 0, 0
    for order, line in enumerate(trace.lines, start=1):
        now = line.t
        bounds = now, transmissions.before + len(transmissions.frames) + 1
        has_begun = has_begun or begins(*bounds)
        behind += behind > 0 or (has_begun and ends(*bounds))
        if behind > _BEHIND:
            break
        transmissions.take(order, line)
        if has_begun or isinstance(line, lines.Channel):
            kept.append((order, line))
            if len(kept) > MOST_LINES:
                raise BadTrace(f"the part has more than {MOST_LINES:,} lines: ask for less of it")
        elif len(transmissions.frames) > 2 * _BEFORE:
            transmissions.forget(_BEFORE)
            del shadow.states[: -2 * _BEFORE]
    shadow.finish(now)
    return _run(trace.head, kept, now, transmissions, shadow)


def doings_of(recorded: Iterable[lines.AnyLine]) -> list[Doing]:
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
            for doing in [each for each in open_ if each.number == line.id]:
                doing.ends, doing.error = line.t, line.error
                open_.remove(doing)
    return found


def changes_of(frames: list[Transmission], notes: list[Note], slack: int = 0) -> list[Change]:
    """What was asked of the pump: when it was asked, when done, and when that was known.

    A change is done in the instant in which its request is handed up, when the pump makes an entry
    then, or at most `slack` later; it is known when its reply is handed up, or the outcome that was
    asked for.
    """
    entries = _entries_of_changes(notes)
    found: dict[int, Change] = {}
    by_number = {frame.number: frame for frame in frames}
    for frame in frames:
        if frame.transaction is not None and frame.sender == PROGRAMMER:
            _asked(found, frame, entries, slack)
        elif isinstance(frame.content, Message) and frame.receiver == PROGRAMMER:
            _answered(found, frame, by_number)
    return sorted(found.values(), key=lambda change: change.asked)


def _entries_of_changes(notes: list[Note]) -> dict[int, lines.Log]:
    """The first entry at each moment that a request can have made."""
    found: dict[int, lines.Log] = {}
    for note in notes:
        if isinstance(note.line, lines.Log) and note.line.kind not in _NOT_OF_A_CHANGE:
            found.setdefault(note.line.t, note.line)
    return found


def _asked(
    found: dict[int, Change], frame: Transmission, entries: dict[int, lines.Log], slack: int
) -> None:
    number = frame.transaction or 0
    change = found.setdefault(
        number, Change(transaction=number, name=frame.message, asked=frame.at, frames=[])
    )
    change.frames.append(frame.number)
    if frame.handed_up is None or change.done is not None:
        return
    made = entries.get(frame.handed_up)
    if made is None and slack:
        soon = range(frame.handed_up, frame.handed_up + slack + 1)
        made = next((entry for at, entry in entries.items() if at in soon), None)
    if made is not None:
        change.done, change.entry = made.t, made.number


def _answered(
    found: dict[int, Change], frame: Transmission, frames: dict[int, Transmission]
) -> None:
    change = _change_of(found, frame, frames)
    if change is None:
        return
    change.replies.append(frame.number)
    if frame.handed_up is not None and change.known is None and not _never_seen(frame):
        change.known, change.answer = frame.handed_up, frame.number


def _change_of(
    found: dict[int, Change], frame: Transmission, frames: dict[int, Transmission]
) -> Change | None:
    """The change of which a message of the pump speaks."""
    asked = frames.get(frame.cause.frame) if frame.cause.why == "answer" else None
    if frame.first != frame.number:
        first = frames.get(frame.first)
        return None if first is None else _change_of(found, first, frames)
    if asked is None:
        return None
    about = getattr(asked.content, "asked", asked.transaction)
    return found.get(about) if about is not None else None


def _never_seen(frame: Transmission) -> bool:
    content = frame.content
    return isinstance(content, m.OutcomeKnown) and content.fate is m.OutcomeStatus.NEVER_SEEN
