"""What a scenario may expect of a pump, and in what way it is not so."""

from collections import Counter
from collections.abc import Iterator

from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.simulation.scenario import ExpectationFailed, ExpectPart, Step
from mockpump.protocol.messages import Alarm, LogKind, Refused
from mockpump.protocol.messages.base import Message

_WHOLE_LOG = 2**31


def differences(pump: Pump, expected: ExpectPart) -> Iterator[str]:
    """Everything that is not as expected, in words."""
    found = _found(pump)
    for name, wanted in _wanted(expected).items():
        if found[name] != wanted:
            yield f"{name} is {found[name]}, not {wanted}"
    kinds = _kinds(pump)
    for kind in expected.log or ():
        if not kinds[kind.replace("-", "_")]:
            yield f"no entry {kind} in the log"


def check_refusal(step: Step, reply: Message) -> None:
    """`ExpectationFailed` unless a action was refused, or not, as its step expects."""
    refused = reply.reason.name.lower() if isinstance(reply, Refused) else ""
    expected = step.expect if isinstance(step.expect, str) else ""
    if expected not in ("anything", refused):
        what = f"refused with {refused}" if refused else "not refused"
        wanted = f"to be refused with {expected}" if expected else "not to be refused"
        action = step.action[0] if step.action else ""
        raise ExpectationFailed(f"{action}: it was {what}, and was {wanted}")


def _wanted(expected: ExpectPart) -> dict[str, object]:
    names = (name for name in ExpectPart.__struct_fields__ if name != "log")
    given = {name: getattr(expected, name) for name in names}
    if expected.alarms is not None:
        given["alarms"] = sorted(each.replace("-", "_") for each in expected.alarms)
    return {name: value for name, value in given.items() if value is not None}


def _found(pump: Pump) -> dict[str, object]:
    kinds = _kinds(pump)
    return {
        "mode": pump.mode.name.lower(),
        "program": pump.program.name if pump.program else "",
        "delivered": pump.delivery.delivered,
        "boluses": kinds["bolus_started"],
        "sessions": kinds["session_started"],
        "turned_away": _turned_away(pump),
        "alarms": sorted(Alarm(each).name.lower() for each in pump.panel.shown),
    }


def _turned_away(pump: Pump) -> int:
    """How many were turned away: one entry may speak of several, and some are in none yet."""
    kind, entries = LogKind.TURNED_AWAY, pump.memory.log(1, _WHOLE_LOG).entries
    return pump.journal.strangers.count(kind) + sum(
        each.second for each in entries if each.kind is kind
    )


def _kinds(pump: Pump) -> Counter[str]:
    """How many entries of each kind the log has that are still kept."""
    entries = pump.memory.log(1, _WHOLE_LOG).entries
    return Counter(LogKind(each.kind).name.lower() for each in entries)
