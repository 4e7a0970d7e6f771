"""What a pump says, in words: status, details, limits, alarms, log entries, telemetry.

Every figure has its unit, and a line fits into 80 columns for every pump that one will see.
"""

from collections.abc import Callable
from enum import IntEnum

from mockpump.cli.quantities import clock_time, duration, rate, volume
from mockpump.emulator.pump.alarms import ALARMS
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Record
from mockpump.protocol.log import LogEntry

# A limit of so much is none.
_WIDEST = 2**32 - 1


def status_facts(status: m.Status) -> dict[str, str]:
    """A pump's status in words."""
    facts = {
        "mode": status.mode.name.lower(),
        "clock": clock_time(status.clock),
        "age": f"{duration(status.elapsed)} of pump time",
        "rate": rate(status.rate),
        "delivered": volume(status.delivered),
        "owed": f"{status.remainder}/3600 nL, less than one micro-step",
        "reservoir": volume(status.reservoir),
        "pattern": f"{status.pattern + 1}, ramp at {status.percent} %",
    }
    if status.rejected:
        facts["bad frames"] = f"{status.rejected:,} turned down, {status.dropped:,} bytes"
    return facts


def identity_facts(identity: m.Identity) -> dict[str, str]:
    """A pump's identity in words."""
    return {
        "name": f"{identity.name} (fictional)",
        "serial": str(identity.serial),
        "protocol": f"TIDE/{identity.version}",
        "reservoir": volume(identity.reservoir),
        "micro-step": volume(identity.step),
    }


def details_facts(details: m.Details) -> dict[str, str]:
    """What goes on beside the program, in words; what does not go on is left out."""
    facts = {}
    if details.bolus:
        facts["bolus"] = (
            f"{volume(details.bolus)} of {volume(details.bolus_volume)} left,"
            f" ends at {duration(details.bolus_ends)} of pump time"
        )
    if details.temporary_ends:
        ends = f"{duration(details.temporary_ends)} of pump time"
        facts["temporary"] = f"{details.temporary} % of the program until {ends}"
    if details.ramp is m.RampState.HELD:
        facts["ramp"] = "held at its present step"
    if details.pending is not m.When.NOW:
        facts["pending"] = f"another program rules from the next {details.pending.name.lower()} on"
    facts["arrived"] = f"{volume(details.arrived)}; the catheter holds {volume(details.dead)}"
    facts["fluid"] = _fluid(details)
    if details.alarm is not m.Priority.NONE:
        facts["alarms"] = f"{details.alarm.name.lower()} priority"
    return facts


def _fluid(details: m.Details) -> str:
    held = f"{details.concentration} du/mL (fictional)"
    if not details.arriving:
        return f"{held}; nothing has come out yet"
    if details.arriving == details.concentration:
        return held
    return f"{held} in the reservoir, {details.arriving} du/mL still coming out"


def limits_facts(limits: m.Limits | m.LimitsSet) -> dict[str, str]:
    """The limits in words."""
    none = limits.rise == m.NO_RISE_LIMIT
    return {
        "rate": "any" if limits.rate == _WIDEST else f"at most {rate(limits.rate)}",
        "bolus": f"at most {volume(limits.bolus)}",
        "daily": "any" if limits.daily == _WIDEST else _within_a_day(limits.daily),
        "rise": "any" if none else f"at most {limits.rise} % between programs or ramp steps",
    }


def _within_a_day(daily: int) -> str:
    return f"at most {volume(daily)} within any 24 h"


class ShownAlarm(Record, frozen=True):
    """An alarm that is shown, since which second of pump time, and what is still to happen."""

    name: str
    priority: m.Priority
    present: bool
    acknowledged: bool
    since: int
    cause: str


def shown_alarms(alarms: m.Alarms) -> list[ShownAlarm]:
    """The alarms that are shown, the highest priority first."""
    rows = []
    for alarm, rule in sorted(ALARMS.items(), key=lambda row: -row[1].priority):
        present = bool(alarms.present >> alarm & 1)
        seen = not alarms.unacknowledged >> alarm & 1
        if present or not seen:
            name, since = choice_name(alarm), alarms.since[alarm]
            rows.append(ShownAlarm(name, rule.priority, present, seen, since, rule.cause))
    return rows


def alarm_lines(alarms: m.Alarms) -> list[str]:
    """The alarms that are shown, two lines each."""
    lines = []
    for each in shown_alarms(alarms):
        state = "there" if each.present else "gone"
        seen = "acknowledged" if each.acknowledged else "not acknowledged"
        since = f"since {duration(each.since)} of pump time"
        lines.append(f"{each.priority.name:<6}  {each.name:<14}  {state}, {seen}, {since}")
        lines.append(f"        {each.cause}")
    return lines or ["no alarms"]


def choice_name(choice: IntEnum) -> str:
    """How one of a few things is typed and shown."""
    return choice.name.lower().replace("_", "-")


def log_line(number: int, entry: LogEntry) -> str:
    """An entry of the event log on one line."""
    kind = _words(entry.kind.name)
    clock = clock_time(entry.clock).split(",")[0]
    figures = _FIGURES[entry.kind](entry.first, entry.second) if entry.kind in _FIGURES else ""
    what = f"{kind}: {figures}" if figures else kind
    return f"{number:>5}  {duration(entry.elapsed):>13}  {clock}  {what}"


def _bolus_end(volume_asked: int, left: int) -> str:
    return f"{left:,} of {volume(volume_asked)} not given" if volume_asked else "all given"


def _alarm(alarm: int, _: int) -> str:
    return _named(m.Alarm, alarm)


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
            "any rate" if most == _WIDEST else rate(most),
            "any volume" if daily == _WIDEST else f"{volume(daily)}/d",
        )
    )


def _named(enumeration: type[IntEnum], number: int) -> str:
    known = number in set(enumeration)
    return choice_name(enumeration(number)) if known else f"number {number}"


def _turned_away(number: int, reason: int) -> str:
    entry = m.CATALOGUE.get(number)
    return f"{entry.name if entry else 'no message'}, {_named(m.Reason, reason)}"


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
    m.LogKind.ALARM_ACKNOWLEDGED: _alarm,
    m.LogKind.SESSION_STARTED: lambda access, _: _named(m.Access, access),
    m.LogKind.PROOF_FAILED: lambda access, row: f"{_named(m.Access, access)}, {row} in a row",
    m.LogKind.TURNED_AWAY: _turned_away,
}


def outcome_text(known: m.OutcomeKnown) -> str:
    """What became of a transaction, in words."""
    if known.fate is m.Fate.NEVER_SEEN:
        return f"transaction {known.asked}: never seen, or too long ago"
    name = m.CATALOGUE[known.request].name if known.request in m.CATALOGUE else "?"
    text = f"transaction {known.asked}: {name} was {known.fate.name.lower()}"
    reply = m.decode(known.reply)
    return f"{text}: {_words(reply.reason.name)}" if isinstance(reply, m.Refused) else text


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def telemetry_line(report: m.Telemetry) -> str:
    """One report on one line: pumped/arrived, what is left, and an alarm while there is one."""
    clock = clock_time(report.clock).split(",")[0]
    fluid = f"{report.delivered:,}/{report.arrived:,} nL"
    alarm = "" if report.alarm is m.Priority.NONE else f"  {report.alarm.name}"
    return (
        f"{clock} {report.mode.name.lower():<9} {rate(report.rate):>14}"
        f" {fluid:>24} {report.reservoir:>10,} left{alarm}"
    )


def telemetry_view(report: m.Telemetry, line: str) -> list[str]:
    """One report and the state of the line, to be redrawn in place."""
    alarm = "none" if report.alarm is m.Priority.NONE else f"{report.alarm.name} PRIORITY"
    bolus = f", {volume(report.bolus)} of a bolus left" if report.bolus else ""
    return [
        f"{clock_time(report.clock)}   {report.mode.name.lower()}",
        f"  rate       {rate(report.rate)}{bolus}",
        f"  pumped     {volume(report.delivered)}, arrived {volume(report.arrived)}",
        f"  reservoir  {volume(report.reservoir)} left",
        f"  alarms     {alarm}",
        f"  line       {line}",
    ]
