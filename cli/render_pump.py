"""What a pump says, in words: status, details, limits, alarms, log entries, telemetry."""

from mockpump.cli.quantities import clock_time, duration, rate, volume
from mockpump.emulator.pump.alarms import ALARMS
from mockpump.protocol import messages as m
from mockpump.protocol.log import LogEntry


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
            f" ends at {duration(details.bolus_ends)}"
        )
    if details.temporary_ends:
        facts["temporary"] = f"{details.temporary} % until {duration(details.temporary_ends)}"
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
        "rate": f"at most {rate(limits.rate)}",
        "bolus": f"at most {volume(limits.bolus)}",
        "daily": f"at most {volume(limits.daily)} within any 24 h",
        "rise": "any" if none else f"at most {limits.rise} % between programs or ramp steps",
    }


def alarm_lines(alarms: m.Alarms) -> list[str]:
    """The alarms that are shown, the highest priority first."""
    lines = []
    for alarm, rule in sorted(ALARMS.items(), key=lambda row: -row[1].priority):
        present = bool(alarms.present >> alarm & 1)
        seen = not alarms.unacknowledged >> alarm & 1
        if present or not seen:
            state = ("there" if present else "gone") + (", acknowledged" if seen else "")
            since = duration(alarms.since[alarm])
            name = alarm.name.lower().replace("_", "-")
            lines.append(f"{rule.priority.name:<6} {name:<15} since {since}, {state}: {rule.cause}")
    return lines or ["no alarms"]


def log_line(number: int, entry: LogEntry) -> str:
    """An entry of the event log on one line."""
    kind = entry.kind.name.lower().replace("_", " ")
    clock = clock_time(entry.clock).split(",")[0]
    figures = f"{entry.first:,} {entry.second:,}" if entry.first or entry.second else ""
    return f"{number:>6}  {duration(entry.elapsed):>14}  {clock}  {kind:<18} {figures}".rstrip()


def outcome_text(known: m.OutcomeKnown) -> str:
    """What became of a transaction, in words."""
    if known.fate is m.Fate.NEVER_SEEN:
        return f"transaction {known.asked}: never seen, or too long ago"
    name = m.CATALOGUE[known.request].name if known.request in m.CATALOGUE else "?"
    return f"transaction {known.asked}: {name} was {known.fate.name.lower()}"


def telemetry_line(report: m.Telemetry) -> str:
    """One report on one line."""
    clock = clock_time(report.clock).split(",")[0]
    return (
        f"{clock}  {report.mode.name.lower():<9} {rate(report.rate):>14}"
        f"  {volume(report.delivered):>15}  {volume(report.reservoir):>15} left"
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
