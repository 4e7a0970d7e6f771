"""What a scenario expects: that an action is refused, or that something is so of the pump."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

import msgspec

from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.simulation.errors import ExpectationFailed, ScenarioError
from mockpump.protocol.messages import Alarm, LogKind, Reason, Refused
from mockpump.protocol.messages.base import Message
from mockpump.protocol.units import did_you_mean

# Whether the pump refuses it or not.
ANYTHING = "anything"
_WHOLE_LOG = 2**31


class ExpectPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be so; what is left out may be anything.  Volumes in nL, counts since the start.

    `log`: kinds of which there is to be an entry.
    """

    mode: Literal["stopped", "running", "suspended", "fault"] | None = None
    program: str | None = None
    delivered: int | None = None
    boluses: int | None = None
    sessions: int | None = None
    turned_away: int | None = None
    alarms: list[str] | None = None
    log: list[str] | None = None


def differences(pump: Pump, expected: ExpectPart) -> Iterator[str]:
    """Everything that is not as expected, in words."""
    found = _found(pump)
    for name, wanted in _wanted(expected).items():
        if found[name] != wanted:
            yield f"{name} {wanted}, got {found[name]}"
    kinds = _kinds(pump)
    for kind in expected.log or ():
        if not kinds[kind.replace("-", "_")]:
            yield f"an entry {kind} in the log, got none"


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
    """How many were refused: one entry may speak of several, and some are in none yet."""
    kind, entries = LogKind.TURNED_AWAY, pump.memory.log(1, _WHOLE_LOG).entries
    return pump.journal.strangers.count(kind) + sum(
        each.second for each in entries if each.kind is kind
    )


def _kinds(pump: Pump) -> Counter[str]:
    """How many entries of each kind the log has that are still kept."""
    entries = pump.memory.log(1, _WHOLE_LOG).entries
    return Counter(LogKind(each.kind).name.lower() for each in entries)


def check_reason(reason: str) -> None:
    """`ScenarioError` for a reason that the pump never gives; "" expects no refusal."""
    known = [ANYTHING, *(each.name.lower() for each in Reason)]
    if reason and reason not in known:
        near = did_you_mean(reason, known)
        advice = f"; did you mean {near!r}?" if near else ""
        raise ScenarioError(f"the pump gives no reason {reason!r}{advice}")


def check_refusal(action: str, expected: str, reply: Message) -> None:
    """`ExpectationFailed` unless an action was refused, or not, as expected; "": not refused."""
    refused = reply.reason.name.lower() if isinstance(reply, Refused) else ""
    if expected not in (ANYTHING, refused):
        what = f"refused with {refused}" if refused else "not refused"
        wanted = f"to be refused with {expected}" if expected else "not to be refused"
        raise ExpectationFailed(f"{action}: it was {what}, and was {wanted}")
