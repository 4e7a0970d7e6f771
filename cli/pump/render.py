"""What a pump says, in words: status, details, limits, alarms, log entries, telemetry.

Every figure has its unit, and a line fits into 80 columns for every pump that one will see.
"""

import itertools
from collections.abc import Sequence

from msgspec.structs import asdict

from mockpump.cli.render import as_json, show
from mockpump.cli.tables import show_table
from mockpump.cli.terminal import echo
from mockpump.emulator.programmer.recovery import never_recorded
from mockpump.emulator.pump.alarms import ALARMS
from mockpump.emulator.pump.limits import WIDEST
from mockpump.emulator.pump.log_text import what_happened
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Record
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import OUTCOMES
from mockpump.protocol.units import choice_name, clock_time, duration, rate, volume, words_of


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
        "rate": "any" if limits.rate == WIDEST.rate else f"at most {rate(limits.rate)}",
        "bolus": f"at most {volume(limits.bolus)}",
        "daily": "any" if limits.daily == WIDEST.daily else _within_a_day(limits.daily),
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


def show_alarms(alarms: m.Alarms) -> None:
    """The alarms that are shown."""
    rows = [_alarm_row(each) for each in shown_alarms(alarms)]
    if rows:
        show_table(("priority", "alarm", "state", "cause"), rows, "alarms")
    else:
        show("no alarms")


def _alarm_row(alarm: ShownAlarm) -> tuple[str, ...]:
    state = "there" if alarm.present else "gone"
    seen = "acknowledged" if alarm.acknowledged else "not acknowledged"
    since = f"since {duration(alarm.since)} of pump time"
    return alarm.priority.name, alarm.name, f"{state}, {seen}, {since}", alarm.cause


def show_log(entries: Sequence[LogEntry], first: int, json_: bool) -> None:
    """Entries of the event log, numbered from the first: as a table, or as JSON, one a line."""
    numbered = enumerate(entries, start=first)
    if json_:
        for number, entry in numbered:
            echo(as_json(entry_facts(number, entry)))
        return
    headings = (">entry", ">pump time", "clock", "what happened")
    show_table(headings, itertools.starmap(_log_row, numbered), "event log")


def _log_row(number: int, entry: LogEntry) -> tuple[str, ...]:
    clock = clock_time(entry.clock).split(",")[0]
    return str(number), duration(entry.elapsed), clock, what_happened(entry)


def entry_facts(number: int, entry: LogEntry) -> dict[str, object]:
    """An entry as data: its figures as they are recorded, and in words."""
    return {"number": number, **asdict(entry), "text": what_happened(entry)}


def chain_text(count: int, first: int) -> str:
    """That this many entries from number `first` on fit each other and what stands before them."""
    # What stands before them is the pump's word: nobody has looked at that.
    since = f" from entry {first:,} on" if first > 1 else ""
    return f"{count:,} {'entry' if count == 1 else 'entries'}; the chain holds{since}"


def folded_text(count: int) -> str:
    """That the pump kept this many older entries when the reading began, and then no longer."""
    entries = "entry was" if count == 1 else "entries were"
    return f"the log is full and goes on: {count:,} more {entries} folded away while it was read"


def outcome_text(known: m.OutcomeKnown, since: int | None = None) -> str:
    """What happened to a transaction, in words.

    `since`: how many outcomes that same pump had recorded before the request was sent.
    """
    if known.fate is m.OutcomeStatus.NEVER_SEEN:
        return f"transaction {known.asked}: {_unremembered(known, since)}"
    name = m.CATALOGUE[known.request].name if known.request in m.CATALOGUE else "?"
    text = f"transaction {known.asked}: {name} was {known.fate.name.lower()}"
    reply = m.decode(known.reply)
    return f"{text}: {words_of(reply.reason)}" if isinstance(reply, m.Refused) else text


def _unremembered(known: m.OutcomeKnown, since: int | None) -> str:
    if since is None:
        return f"not among the newest {OUTCOMES}: it never arrived, or it is forgotten"
    if never_recorded(since, known):
        return "never recorded; nothing was changed"
    if known.outcomes < since:
        return f"not known: the pump has recorded {known.outcomes:,} outcomes, and had {since:,}"
    others = f"{known.outcomes - since:,} outcomes"
    return f"not known: {others} were recorded since, and the pump keeps {OUTCOMES}"


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
