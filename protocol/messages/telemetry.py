"""Telemetry, which comes unasked, and the reply that says no."""

from typing import Annotated

from mockpump.protocol.catalogue import Access, Message, event, reply, request
from mockpump.protocol.fields import choice, i64, u8, u32, u64
from mockpump.protocol.messages.vocabulary import (
    ClockTime,
    Delivered,
    Elapsed,
    Interval,
    Mode,
    Priority,
    Rate,
    Reason,
    Remainder,
    Reservoir,
)


@reply(0xB0)
class Subscribed(Message, frozen=True, gc=False):
    """Telemetry will come, or has ended."""

    interval: Interval


@request(0x30, Subscribed, Access.OBSERVER)
class Subscribe(Message, frozen=True, gc=False):
    """Ask for `Telemetry` at every multiple of an interval and at every change of mode."""

    interval: Interval


@event(0x60)
class Telemetry(Message, frozen=True, gc=False):
    """What the pump is doing, unasked.  Conflated: a slow line gets the newest, never a queue."""

    mode: Annotated[Mode, choice(Mode, "what delivery is doing")]
    elapsed: Elapsed
    clock: ClockTime
    rate: Rate
    delivered: Delivered
    remainder: Remainder
    reservoir: Reservoir
    arrived: Annotated[int, u64("nL", "what has come out of the catheter")]
    bolus: Annotated[int, u32("nL", "what is left of the bolus that runs; 0: nothing")]
    alarm: Annotated[Priority, choice(Priority, "highest among the alarms shown")]


@reply(0xFF)
class Refused(Message, frozen=True, gc=False):
    """No, and why; nothing was changed."""

    request: Annotated[int, u8("", "number of the request refused")]
    reason: Annotated[Reason, choice(Reason, "why")]
    field: Annotated[int, u8("", "place of the offending field, from 1; 0: none in particular")]
    figure: Annotated[int, i64("", "what was asked for, in the field's unit; 0 where none applies")]
    limit: Annotated[int, i64("", "what would have been allowed; 0 where none applies")]
