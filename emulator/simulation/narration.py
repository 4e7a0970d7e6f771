"""The lines of a run, and the words for what a pump replies."""

from enum import Enum
from typing import Any, NamedTuple

from mockpump.protocol import messages as m
from mockpump.protocol.fields import Integer, NamedField, fields_of
from mockpump.protocol.messages.base import Message
from mockpump.protocol.units import WEEKDAYS, time_of_day, words_of


class NarrationLine(NamedTuple):
    """A line of a run.  `kind`: say (the narrator), do (an action), pump (what it says)."""

    kind: str
    text: str


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
