"""Limits, alarms, telemetry, the event log, and what has come of a transaction."""

from typing import Annotated

from mockpump.protocol.fields import choice, exactly, fixed, i64, octets, u8, u16, u32, u64
from mockpump.protocol.messages.base import Access, Message, event, reply, request
from mockpump.protocol.messages.types import (
    CHAIN_SIZE,
    MAX_BOLUS,
    MAX_CHUNK,
    MAX_RECORDED,
    NO_RISE_LIMIT,
    Alarm,
    ClockTime,
    Delivered,
    Elapsed,
    Interval,
    Mode,
    Outcomes,
    OutcomeStatus,
    Priority,
    Rate,
    Reason,
    Remainder,
    Reservoir,
    Transaction,
)

# Fields of `Limits`, `LimitsSet` and `SetLimits` alike.
MaxRate = Annotated[int, u32("nL/h", "highest rate of all that runs together")]
MaxBolus = Annotated[int, u32("nL", "largest bolus", maximum=MAX_BOLUS)]
MaxDaily = Annotated[int, u32("nL", "most within any 24 h that follow each other")]
MaxRise = Annotated[
    int, u16("%", f"largest rise between two programs or two ramp steps; {NO_RISE_LIMIT}: any")
]
AlarmSet = Annotated[int, u16("", "a set: bit n stands for alarm n", maximum=2 ** len(Alarm) - 1)]


# -- limits --------------------------------------------------------------------------------------


@reply(0xC0)
class Limits(Message, frozen=True, gc=False):
    """What the pump will not go beyond, whoever asks."""

    rate: MaxRate
    bolus: MaxBolus
    daily: MaxDaily
    rise: MaxRise


@request(0x40, Limits, Access.OBSERVER)
class GetLimits(Message, frozen=True, gc=False):
    """What will you not go beyond?"""


@reply(0xC1)
class LimitsSet(Message, frozen=True, gc=False):
    """Other limits hold."""

    rate: MaxRate
    bolus: MaxBolus
    daily: MaxDaily
    rise: MaxRise


@request(0x41, LimitsSet, Access.CLINICIAN)
class SetLimits(Message, frozen=True, gc=False):
    """Set all the limits.  What runs already must be within them, or they are refused."""

    transaction: Transaction
    rate: MaxRate
    bolus: MaxBolus
    daily: MaxDaily
    rise: MaxRise


# -- alarms --------------------------------------------------------------------------------------


@reply(0xC2)
class Alarms(Message, frozen=True, gc=False):
    """The alarms: present, shown, not yet acknowledged.

    An alarm is shown while its cause is present or nobody has acknowledged it.
    """

    priority: Annotated[Priority, choice(Priority, "highest among those shown")]
    present: AlarmSet
    unacknowledged: AlarmSet
    since: Annotated[
        tuple[int, ...],
        exactly(len(Alarm), u32("s", "pump time since which each is shown; 0: is not")),
    ]


@request(0x42, Alarms, Access.OBSERVER)
class GetAlarms(Message, frozen=True, gc=False):
    """What is wrong?"""


@reply(0xC3)
class AlarmAcknowledged(Message, frozen=True, gc=False):
    """The alarm is acknowledged; it is shown no longer once its cause has gone too."""

    alarm: Annotated[Alarm, choice(Alarm, "which")]
    mode: Annotated[Mode, choice(Mode, "what delivery does now")]


@request(0x43, AlarmAcknowledged, Access.CLINICIAN)
class AcknowledgeAlarm(Message, frozen=True, gc=False):
    """Somebody has seen this alarm."""

    transaction: Transaction
    alarm: Annotated[Alarm, choice(Alarm, "which")]


# -- the event log -------------------------------------------------------------------------------


@reply(0xD0)
class LogPiece(Message, frozen=True, gc=False):
    """A piece of the event log: entries that follow each other, and the chain around them."""

    first: Annotated[int, u32("", "number of the first entry in the piece")]
    newest: Annotated[int, u32("", "number of the newest entry there is; entries count from 1")]
    before: Annotated[bytes, fixed("the chain before the first entry", size=CHAIN_SIZE)]
    newest_chain: Annotated[bytes, fixed("the chain after the newest entry", size=CHAIN_SIZE)]
    entries: Annotated[bytes, octets("whole entries, oldest first", maximum=MAX_CHUNK)]


@request(0x50, LogPiece, Access.OBSERVER)
class ReadLog(Message, frozen=True, gc=False):
    """Read the event log from an entry on; from the oldest kept when that one is kept no more."""

    first: Annotated[int, u32("", "number of the entry to begin with", minimum=1)]


# -- outcomes ------------------------------------------------------------------------------------


@reply(0xD1)
class OutcomeKnown(Message, frozen=True, gc=False):
    """What happened to a transaction."""

    asked: Annotated[int, u32("", "the transaction asked about")]
    fate: Annotated[OutcomeStatus, choice(OutcomeStatus, "what happened to it")]
    request: Annotated[int, u8("", "number of the request that carried it; 0: never seen")]
    reply: Annotated[bytes, octets("the recorded reply; empty: never seen", maximum=MAX_RECORDED)]
    outcomes: Outcomes


@request(0x51, OutcomeKnown, Access.OBSERVER)
class QueryOutcome(Message, frozen=True, gc=False):
    """What happened to a transaction?  The pump remembers the newest ones only."""

    asked: Annotated[int, u32("", "the transaction asked about")]


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
