"""Who the pump is, what it is doing, what time it is."""

from typing import Annotated

from mockpump.protocol.fields import choice, text, u8, u16, u32, u64
from mockpump.protocol.messages.base import Access, Message, reply, request
from mockpump.protocol.messages.types import (
    MAX_NAME,
    ClockTime,
    Delivered,
    Elapsed,
    Ends,
    Mode,
    Outcomes,
    Priority,
    RampState,
    Rate,
    Remainder,
    Reservoir,
    Share,
    Transaction,
    When,
)


@reply(0x81)
class Identity(Message, frozen=True, gc=False):
    """Who the pump is."""

    version: Annotated[int, u8("", "protocol version spoken", minimum=1)]
    serial: Annotated[int, u32("", "serial number, made up")]
    reservoir: Annotated[int, u32("nL", "what the reservoir holds when full")]
    step: Annotated[int, u16("nL", "what one micro-step of the motor moves", minimum=1)]
    name: Annotated[str, text("what people call it", maximum=MAX_NAME)]


@request(0x01, Identity, None)
class Identify(Message, frozen=True, gc=False):
    """Who are you?"""


@reply(0x82)
class Status(Message, frozen=True, gc=False):
    """What the pump is doing at this moment; 44 bytes."""

    mode: Annotated[Mode, choice(Mode, "what delivery is doing")]
    elapsed: Elapsed
    clock: ClockTime
    rate: Rate
    delivered: Delivered
    remainder: Remainder
    reservoir: Reservoir
    percent: Annotated[int, u8("%", "present ramp step", maximum=200)]
    pattern: Annotated[int, u8("", "which day pattern rules today", maximum=3)]
    rejected: Annotated[int, u32("", "frames that this line has turned down; stays at its maximum")]
    dropped: Annotated[int, u32("B", "bytes in those frames; stays at its maximum")]
    outcomes: Outcomes


@request(0x02, Status, Access.OBSERVER)
class GetStatus(Message, frozen=True, gc=False):
    """What are you doing?"""


# -- clock ---------------------------------------------------------------------------------------


@reply(0x83)
class Clock(Message, frozen=True, gc=False):
    """The pump's clock."""

    clock: ClockTime
    elapsed: Elapsed


@request(0x03, Clock, Access.OBSERVER)
class GetClock(Message, frozen=True, gc=False):
    """What time is it?"""


@reply(0x84)
class ClockSet(Message, frozen=True, gc=False):
    """The clock is set."""

    before: Annotated[int, u32("s", "what the clock said")]
    clock: Annotated[int, u32("s", "what it says now")]


@request(0x04, ClockSet, Access.CLINICIAN)
class SetClock(Message, frozen=True, gc=False):
    """Set the clock.  Nothing is delivered twice or skipped: the schedule follows the new time."""

    transaction: Transaction
    clock: Annotated[int, u32("s", "since a Monday at midnight", maximum=2**31 - 1)]


# -- beside the program --------------------------------------------------------------------------


@reply(0x85)
class Details(Message, frozen=True, gc=False):
    """What goes on beside the program: bolus, temporary rate, ramp, fluids, alarms."""

    bolus: Annotated[int, u32("nL", "what is left of the bolus that runs; 0: nothing")]
    bolus_volume: Annotated[int, u32("nL", "all of that bolus")]
    bolus_ends: Ends
    temporary: Share
    temporary_ends: Ends
    ramp: Annotated[RampState, choice(RampState, "whether the ramp follows the calendar")]
    pending: Annotated[When, choice(When, "when a pending program is to rule; now: none pends")]
    alarm: Annotated[Priority, choice(Priority, "highest among the alarms shown")]
    arrived: Annotated[int, u64("nL", "what has come out of the catheter")]
    concentration: Annotated[int, u16("du/mL", "of the fluid in the reservoir, fictional")]
    arriving: Annotated[int, u16("du/mL", "of the fluid at the catheter's end; 0: none there yet")]
    dead: Annotated[int, u32("nL", "what the catheter holds")]


@request(0x05, Details, Access.OBSERVER)
class GetDetails(Message, frozen=True, gc=False):
    """What goes on beside the program?"""
