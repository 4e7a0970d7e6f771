"""What a drawing says of a frame, in a few words; what it says of a whole run, in a sentence."""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from mockpump.display.spans import Span
from mockpump.emulator.pump.log_text import what_happened
from mockpump.emulator.trace.format import MAIN_LINE, Channel, Log
from mockpump.emulator.trace.knots import number, seconds
from mockpump.emulator.trace.run import Arrival, Change, Run, Transmission
from mockpump.emulator.trace.waits import Wait
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Integer, fields_of
from mockpump.protocol.framing import RejectReason
from mockpump.protocol.link.types import DropReason
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import LogKind
from mockpump.protocol.units import words_of

_LOST = {
    "loss": "lost",
    "outage": "out of range",
    "cut": "the line is cut",
    "overflow": "the line is full",
    "scenario": "lost, as planned",
    "drop": "lost on purpose",
}
_STOPPED_BY = {
    RejectReason.TOO_LONG.value: "too long",
    RejectReason.BAD_COBS.value: "COBS",
    RejectReason.SHORT.value: "too short",
    RejectReason.BAD_CRC.value: "CRC",
    RejectReason.UNKNOWN_VERSION.value: "version",
    RejectReason.UNKNOWN_KIND.value: "kind",
}
_DROPPED = {
    DropReason.DUPLICATE.value: "already here",
    DropReason.STRAY.value: "no such connection",
    DropReason.OUTSIDE.value: "out of reach",
    DropReason.UNEXPECTED.value: "not expected now",
    DropReason.MISDIRECTED.value: "from the wrong side",
    DropReason.BAD_OFFER.value: "bad offer",
    DropReason.BAD_PAYLOAD.value: "bad payload",
    DropReason.BAD_ACK.value: "bad acknowledgement",
}
# Fields that say nothing to a reader who looks at a whole run.
_DULL = {"transaction", "length", "offset", "serial", "version", "counter"}
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def stamp(time: int) -> str:
    """A moment of line time, in seconds."""
    return f"{time // 1_000_000}.{time // 1_000 % 1_000:03}"


def ordinal(count: int) -> str:
    """A place, as in `2nd`."""
    ending = "th" if 10 < count % 100 < 14 else _ORDINALS.get(count % 10, "th")
    return f"{count}{ending}"


def title(frame: Transmission) -> str:
    """A frame, and which transmission of it this is when it went before."""
    return frame.name if frame.count == 1 else f"{ordinal(frame.count)} {frame.name}"


# -- a frame -------------------------------------------------------------------------------------


def outcome(frame: Transmission) -> list[Span]:
    """What happened to a frame that is worth a word: its faults first."""
    if frame.lost:
        return [Span(_LOST[frame.lost], "fault")]
    if not frame.arrivals:
        known = frame.is_arrival_known
        return [Span("still under way" if known else "arrival unrecorded", "dim")]
    told = [*landed(frame.arrivals[0]), *twice(frame)]
    return sorted(told, key=lambda span: span.style != "fault")


def twice(frame: Transmission) -> Iterator[Span]:
    """That a frame has come more than once."""
    if len(frame.arrivals) > 1:
        yield Span("comes twice", "fault")


def landed(arrival: Arrival) -> Iterator[Span]:
    """What happened to a frame as it arrived."""
    stopped = _STOPPED_BY.get(arrival.verdict.detail, "") if not arrival.is_good else ""
    if arrival.flips:
        by = f": {stopped}" if stopped else ", not noticed"
        yield Span(f"{_damage(arrival)}{by}", "fault")
    elif "truncate" in arrival.faults:
        yield Span("cut short", "fault")
    elif not arrival.is_good:
        yield Span(f"stopped: {stopped}" if stopped else "its end is missing", "fault")
    if arrival.garbage:
        yield Span(f"{arrival.garbage} B garbage first", "fault")
    if "reorder" in arrival.faults:
        yield Span("overtaken", "fault")
    yield from (Span(text, "dim") for text in _verdict(arrival))


def _damage(arrival: Arrival) -> str:
    first, *more = arrival.flips
    if len(more) > 1:
        return f"{len(arrival.flips)} bytes damaged"
    if more:
        return f"bytes {first.byte}, {more[0].byte}"
    bits = " ".join(map(str, first.bits))
    return f"byte {first.byte} bit{'s' * (len(first.bits) > 1)} {bits}"


def _verdict(arrival: Arrival) -> Iterator[str]:
    word, detail = arrival.verdict
    if word == "dropped":
        yield _DROPPED[detail]
    elif word == "kept":
        yield "too early: kept"
    elif word == "delivered" and detail:
        yield "fills the gap"
    elif word == "opened" and detail:
        yield "instead of another"


def reason(run: Run, frame: Transmission) -> Iterator[Span]:
    """Why a frame was sent, where that is not plain from what stands before it."""
    if isinstance(frame.content, m.Refused):
        yield Span(f"no: {words_of(frame.content.reason)}", "strong")
    if frame.cause.why == "timer":
        timer = run.expiry(frame.sender, frame.at)
        yield Span(f"timer: {seconds(timer.timeout)}" if timer else "timer", "dim")
    elif frame.cause.why in _REASONS:
        yield Span(_REASONS[frame.cause.why], "dim")


_REASONS = {
    "gap": "before any timer",
    "keepalive": "keep-alive",
    "report": "by itself",
    "repeat": "said again",
    "stray": "not known here",
}


def fields(frame: Transmission) -> str:
    """What the message of a frame says, as far as it is not only bytes."""
    if frame.content is None or isinstance(frame.content, m.Refused):
        return ""
    told = (
        f"{name.replace('_', ' ')} {text}"
        for name, declaration in fields_of(type(frame.content))
        if name not in _DULL
        and (text := _value(getattr(frame.content, name), getattr(declaration, "unit", "")))
    )
    return ", ".join(told)


def _value(value: Any, unit: str) -> str:
    if isinstance(value, Enum):
        return words_of(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return f"{value:,} {unit}".rstrip() if isinstance(value, int) else f'"{value}"'


def waiting(frame: Transmission) -> str:
    """Who waits before a frame is sent that only time brings about."""
    words = _WAITING.get(frame.cause.why)
    return words(frame) if words else ""


_WAITING: dict[str, Callable[[Transmission], str]] = {
    "timer": lambda frame: f"{frame.sender}'s timer",
    "keepalive": lambda _: "nothing to say",
    "delayed": lambda frame: f"{frame.sender} owes an acknowledgement",
}


# -- a run ---------------------------------------------------------------------------------------


def changes(run: Run) -> str:
    """How many changes were asked for, and how they ended."""
    if not run.changes:
        return "no change was asked of the pump"
    ended = [_end_of(run, change) for change in run.changes]
    told = [f"{number(ended.count(each))} {each}" for each in _ENDS if each in ended]
    plural = "s" * (len(run.changes) > 1)
    if run.done_once and len(told) == 1:
        told.append("each once" if plural else "once")
    return f"{number(len(run.changes))} change{plural} asked for: {', '.join(told)}"


_ENDS = (
    *("done", "refused", "done and never known to be", "never done", "answered otherwise"),
    *("answered", "not known to be answered"),
)


def _end_of(run: Run, change: Change) -> str:
    """How a change has ended, as far as the trace can tell."""
    if change.done is not None:
        is_told = change.known is not None or not run.hears_programmer
        return "done" if is_told else "done and never known to be"
    if change.known is None:
        return "never done" if run.has_log else "not known to be answered"
    answer = run.frame(change.answer).content
    was_refused = isinstance(answer, m.OutcomeKnown) and answer.fate is m.OutcomeStatus.REFUSED
    if was_refused or isinstance(answer, m.Refused):
        return "refused"
    return "answered otherwise" if run.has_log else "answered"


def score(run: Run) -> str:
    """How many frames there are, and what went wrong with them."""
    counts = [(word, sum(map(holds, run.frames))) for word, holds in _SCORE]
    told = ", ".join(f"{count} {word}" for word, count in counts if count)
    plural = "s" * (len(run.frames) != 1)
    return f"{len(run.frames):,} frame{plural}: {told or 'none harmed by the line'}"


_SCORE: tuple[tuple[str, Callable[[Transmission], bool]], ...] = (
    ("lost", lambda frame: bool(frame.lost)),
    ("damaged", lambda frame: frame.is_damaged),
    ("cut short", lambda frame: "truncate" in frame.faults),
    ("with garbage", lambda frame: any(each.garbage for each in frame.arrivals)),
    ("twice", lambda frame: len(frame.arrivals) > 1),
    ("overtaken", lambda frame: "reorder" in frame.faults),
    ("sent again", lambda frame: frame.count > 1),
    ("refused", lambda frame: isinstance(frame.content, m.Refused)),
)


def lines_in_force(run: Run) -> list[Channel]:
    """What was wrong with the line between the two, and from when on."""
    told = (note.line for note in run.notes)
    return [each for each in told if isinstance(each, Channel) and each.line == MAIN_LINE]


def impairments(line: Channel) -> str:
    """What is wrong with a line."""
    told = (
        f"{key} {' and '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in line.impairments.items()
    )
    return _MICROSECONDS.sub(_in_seconds, ", ".join(told)) or "nothing is wrong with it"


_MICROSECONDS = re.compile(r"\b(\d+)us\b")


def _in_seconds(found: re.Match[str]) -> str:
    time = int(found[1])
    return seconds(time) if time >= 1_000 else found[0]


def waited(wait: Wait) -> str:
    """A command, and how long it waited."""
    return f"{wait.name} {'' if wait.is_over else 'over '}{seconds(wait.took)}"


def asked(change: Change, run: Run) -> str:
    """A change, with what it asks for."""
    content = run.frame(change.frames[0]).content
    told = (
        []
        if content is None
        else [
            _value(getattr(content, name), declaration.unit)
            for name, declaration in fields_of(type(content))
            if name in ("volume", "percent", "duration") and isinstance(declaration, Integer)
        ]
    )
    return f"{change.name} {', '.join(told)}".rstrip()


def log_words(entry: Log) -> str:
    """What an entry of the pump's log tells, in a few words."""
    kind = LogKind[entry.kind.upper()]
    made = LogEntry(entry.elapsed, entry.clock, kind, entry.first, entry.second)
    return what_happened(made)
