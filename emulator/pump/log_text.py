"""What the entries of a pump's event log say, in words."""

from collections.abc import Callable
from enum import IntEnum

from mockpump.emulator.pump.limits import WIDEST
from mockpump.protocol import messages as m
from mockpump.protocol.log import LogEntry
from mockpump.protocol.units import choice_name, clock_time, duration, rate, volume, words_of


def what_happened(entry: LogEntry) -> str:
    """What an entry says, with its figures."""
    kind = "refused" if entry.kind is m.LogKind.TURNED_AWAY else words_of(entry.kind)
    figures = _FIGURES[entry.kind](entry.first, entry.second) if entry.kind in _FIGURES else ""
    return f"{kind}: {figures}" if figures else kind


def _bolus_end(volume_asked: int, left: int) -> str:
    return f"{left:,} of {volume(volume_asked)} not given" if volume_asked else "all given"


def _alarm(alarm: int, times: int) -> str:
    name = _named(m.Alarm, alarm)
    return f"{name}, {times:,} times" if times > 1 else name


def _last_of(what: str, times: int) -> str:
    return f"{what}, the last of {times:,}" if times > 1 else what


def _ramp_move(move: int, percent: int) -> str:
    name = choice_name(m.RampMove(move)) if move in set(m.RampMove) else f"move {move}"
    return f"{name}, now at {percent} %"


def _pending(when: int, digest: int) -> str:
    known = when in set(m.When)
    moment = f"from the next {m.When(when).name.lower()} on" if known else str(when)
    return f"{digest:08x}... {moment}"


def _limits(most: int, daily: int) -> str:
    return ", ".join(
        (
            "any rate" if most == WIDEST.rate else rate(most),
            "any volume" if daily == WIDEST.daily else f"{volume(daily)}/d",
        )
    )


def _named(enumeration: type[IntEnum], number: int) -> str:
    known = number in set(enumeration)
    return choice_name(enumeration(number)) if known else f"number {number}"


# The two figures of a log entry in words, by its kind; see `FIGURES` in `mockpump.protocol.log`.
_FIGURES: dict[m.LogKind, Callable[[int, int], str]] = {
    m.LogKind.MADE: lambda serial, _: f"serial {serial}",
    m.LogKind.RESTARTED: lambda least, most: f"{least:,} to {volume(most)} unaccounted for",
    m.LogKind.PROGRAM: lambda digest, _: f"{digest:08x}... rules now",
    m.LogKind.PENDING: _pending,
    m.LogKind.PENDING_DROPPED: lambda *_: "the active one goes on",
    m.LogKind.CLOCK_SET: lambda _, after: f"to {clock_time(after)}",
    m.LogKind.BOLUS_STARTED: lambda all_, span: f"{volume(all_)} over {duration(span)}",
    m.LogKind.BOLUS_ENDED: _bolus_end,
    m.LogKind.TEMPORARY_STARTED: lambda percent, ends: f"{percent} % until {duration(ends)}",
    m.LogKind.REFILLED: lambda all_, fluid: f"{volume(all_)} of {fluid} du/mL",
    m.LogKind.RAMP_MOVED: _ramp_move,
    m.LogKind.LIMITS_SET: _limits,
    m.LogKind.ALARM_RAISED: _alarm,
    m.LogKind.ALARM_CLEARED: _alarm,
    m.LogKind.ALARM_ACKNOWLEDGED: lambda alarm, _: _named(m.Alarm, alarm),
    m.LogKind.SESSION_STARTED: lambda access, _: _named(m.Access, access),
    m.LogKind.PROOF_FAILED: lambda access, times: _last_of(_named(m.Access, access), times),
    m.LogKind.TURNED_AWAY: lambda reason, times: _last_of(_named(m.Reason, reason), times),
    m.LogKind.TAKEN_OVER: lambda access, _: f"the session of the {_named(m.Access, access)}",
}
