"""The actions of a scenario that are one request each, and the words for what came of it."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from mockpump.emulator.programmer.preview import FIRST_TO_LAST, WeekTime
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.simulation.scenario import LimitsPart, ScenarioError, moment, span
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Integer, NamedField, fields_of
from mockpump.protocol.messages import Limits
from mockpump.protocol.messages.base import Message
from mockpump.protocol.units import WEEKDAYS, time_of_day, words_of


def said(reply: Message) -> str:
    """A reply on one line, each figure with its unit."""
    if isinstance(reply, m.Refused):
        reason = words_of(reply.reason)
        figures = f": {reply.figure:,} asked, {reply.limit:,} allowed" if reply.limit else ""
        return f"refused, {reason}{figures}"
    shown = (
        f"{field.name} {_value(getattr(reply, field.name))} {_unit(field)}".rstrip()
        for field in fields_of(type(reply))
    )
    return f"{type(reply).__name__}: {', '.join(shown)}"


def _unit(field: NamedField) -> str:
    declared = field.declaration
    return declared.unit if isinstance(declared, Integer) else ""


def _value(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return words_of(value) if isinstance(value, Enum) else f"{value:,}"


def clock_text(shown: int) -> str:
    """Day of the week and time of day of a clock."""
    return f"{WEEKDAYS[shown // 86_400 % 7]} {time_of_day(shown)}"


def with_limits(limits: Limits, part: LimitsPart) -> Limits:
    """Limits, with what a scenario says of them."""
    given = {
        name: value for name, value in msgspec.structs.asdict(part).items() if value is not None
    }
    return msgspec.structs.replace(limits, **given)


def _bolus(pump: Pump, transaction: int, part: Any) -> tuple[Message, str]:
    request = m.StartBolus(transaction, m.BolusKind.BOLUS, part.volume, span(part.over))
    return request, f"asks for a bolus of {part.volume:,} nL over {part.over}"


def _temp(pump: Pump, transaction: int, part: Any) -> tuple[Message, str]:
    request = m.SetTemporary(transaction, part.percent, span(part.span))
    return request, f"asks for {part.percent} % for {part.span}"


def _refill(pump: Pump, transaction: int, part: Any) -> tuple[Message, str]:
    request = m.Refill(transaction, part.volume, part.concentration)
    return request, f"refills it: {part.volume:,} nL of {part.concentration} du/mL (fictional)"


def _clock(pump: Pump, transaction: int, text: str) -> tuple[Message, str]:
    wanted = WeekTime(moment(text)).near(pump.delivery.clock)
    if wanted < FIRST_TO_LAST.start:
        raise ScenarioError(
            f"clock: the nearest {text} is before the first week of the clock; write a later time, "
            f'or let the pump begin later: [pump] clock = "Thu 12:00"'
        )
    return m.SetClock(transaction, wanted), f"sets its clock to {text}"


def _ramp(pump: Pump, transaction: int, move: str) -> tuple[Message, str]:
    wanted = m.RampMove[move.upper().replace("-", "_")]
    return m.MoveRamp(transaction, wanted), f"tells the ramp to {words_of(wanted)}"


def _limits(pump: Pump, transaction: int, part: LimitsPart) -> tuple[Message, str]:
    limits = with_limits(pump.delivery.limits, part)
    return m.SetLimits(transaction, *msgspec.structs.astuple(limits)), "sets other limits"


def _acknowledge(pump: Pump, transaction: int, name: str) -> tuple[Message, str]:
    alarm = m.Alarm[name.upper().replace("-", "_")]
    return m.AcknowledgeAlarm(transaction, alarm), f"acknowledges the alarm: {words_of(alarm)}"


def _plain(kind: type[Any], words: str) -> "Request":
    return lambda pump, transaction, _: (kind(transaction), words)


# What is asked of the pump, and in which words the scenario says so.
Request = Callable[[Pump, int, Any], tuple[Message, str]]
REQUESTS: dict[str, Request] = {
    "bolus": _bolus,
    "cancel_bolus": _plain(m.CancelBolus, "cancels the bolus"),
    "temp": _temp,
    "suspend": _plain(m.Suspend, "suspends delivery"),
    "resume": _plain(m.Resume, "resumes delivery"),
    "refill": _refill,
    "clock": _clock,
    "ramp": _ramp,
    "limits": _limits,
    "acknowledge": _acknowledge,
}
