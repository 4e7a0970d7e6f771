"""The catalogue: what a programmer can say to a pump, and what the pump can say back.

A message is declared once, here.  A request gets exactly one reply: its own, or `Refused`.  An
event comes unasked.  A request that changes the pump carries a `transaction` chosen by the
programmer; repeating it returns the recorded outcome and does nothing twice.

All names, units, limits and numbers are invented.
"""

from enum import IntEnum
from typing import Annotated

from mockpump.protocol import catalogue
from mockpump.protocol.catalogue import Message, event, reply, request
from mockpump.protocol.fields import choice, fixed, i64, octets, text, u8, u16, u32, u64

# Importing this module is enough to encode and decode: it is what fills the catalogue.
CATALOGUE = catalogue.CATALOGUE
encode = catalogue.encode
decode = catalogue.decode
entry_of = catalogue.entry_of
entry_named = catalogue.entry_named

PROTOCOL_VERSION = 1
DIGEST_SIZE = 8
MAX_IMAGE = 2048
MAX_NAME = 32
# A message must fit into the smallest payload a link may agree on (64 bytes) beside the room that
# a session layer will take; only `octets` fields grow beyond it, up to the payload agreed on.
MAX_CHUNK = 960

# Fields that more than one message carries.
Transaction = Annotated[
    int, u32("", "chosen by the programmer; a repeated one is answered, not executed again")
]
Elapsed = Annotated[int, u32("s", "pump time since the pump was made; never set")]
ClockTime = Annotated[int, u32("s", "the pump's clock, since a Monday at midnight")]
Rate = Annotated[int, u32("nL/h", "present rate")]
Delivered = Annotated[int, u64("nL", "moved by the motor since the pump was made")]
Remainder = Annotated[int, u32("nL/3600", "owed by the motor: less than one micro-step")]
Reservoir = Annotated[int, u32("nL", "left in the reservoir")]
ActiveDigest = Annotated[bytes, fixed("digest of the active program", size=DIGEST_SIZE)]
Offset = Annotated[int, u16("B", "where the piece begins", maximum=MAX_IMAGE)]
Interval = Annotated[int, u32("s", "of pump time; 0: none", maximum=86_400)]


class Mode(IntEnum):
    """What delivery is doing."""

    STOPPED = 0
    RUNNING = 1
    SUSPENDED = 2
    FAULT = 3


class Slot(IntEnum):
    """Which program a `ReadProgram` is about."""

    ACTIVE = 0
    STAGED = 1


class Reason(IntEnum):
    """Why the pump refused."""

    UNKNOWN_MESSAGE = 0
    MALFORMED = 1
    NOT_A_REQUEST = 2
    WRONG_MODE = 3
    NOTHING_STAGED = 4
    OUT_OF_ORDER = 5
    INCOMPLETE = 6
    BAD_DIGEST = 7
    BAD_PROGRAM = 8
    STALE_BASE = 9
    OUT_OF_RANGE = 10
    TRANSACTION_REUSED = 11


# -- identity and status -------------------------------------------------------------------------


@reply(0x81)
class Identity(Message, frozen=True, gc=False):
    """Who the pump is."""

    version: Annotated[int, u8("", "protocol version spoken", minimum=1)]
    serial: Annotated[int, u32("", "serial number, made up")]
    reservoir: Annotated[int, u32("nL", "what the reservoir holds when full")]
    step: Annotated[int, u16("nL", "what one micro-step of the motor moves", minimum=1)]
    name: Annotated[str, text("what people call it", maximum=MAX_NAME)]


@request(0x01, Identity)
class Identify(Message, frozen=True, gc=False):
    """Who are you?"""


@reply(0x82)
class Status(Message, frozen=True, gc=False):
    """What the pump is doing at this moment; 40 bytes."""

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


@request(0x02, Status)
class GetStatus(Message, frozen=True, gc=False):
    """What are you doing?"""


# -- clock ---------------------------------------------------------------------------------------


@reply(0x83)
class Clock(Message, frozen=True, gc=False):
    """The pump's clock."""

    clock: ClockTime
    elapsed: Elapsed


@request(0x03, Clock)
class GetClock(Message, frozen=True, gc=False):
    """What time is it?"""


@reply(0x84)
class ClockSet(Message, frozen=True, gc=False):
    """The clock is set."""

    before: Annotated[int, u32("s", "what the clock said")]
    clock: Annotated[int, u32("s", "what it says now")]


@request(0x04, ClockSet)
class SetClock(Message, frozen=True, gc=False):
    """Set the clock.  Nothing is delivered twice or skipped: the schedule follows the new time."""

    transaction: Transaction
    clock: Annotated[int, u32("s", "since a Monday at midnight", maximum=2**31 - 1)]


# -- program transfer ----------------------------------------------------------------------------


@reply(0x90)
class ProgramBegun(Message, frozen=True, gc=False):
    """The pump has emptied its staging area and waits for the image."""

    active: ActiveDigest


@request(0x10, ProgramBegun)
class BeginProgram(Message, frozen=True, gc=False):
    """Announce a program image; whatever was staged before is gone."""

    length: Annotated[int, u16("B", "of the whole image", minimum=1, maximum=MAX_IMAGE)]
    digest: Annotated[bytes, fixed("of the whole image", size=DIGEST_SIZE)]
    base: Annotated[bytes, fixed("digest of the program believed active", size=DIGEST_SIZE)]


@reply(0x91)
class ProgramWritten(Message, frozen=True, gc=False):
    """The piece is staged."""

    staged: Annotated[int, u16("B", "staged so far", maximum=MAX_IMAGE)]


@request(0x11, ProgramWritten)
class WriteProgram(Message, frozen=True, gc=False):
    """The next piece of the image."""

    offset: Annotated[int, u16("B", "where it belongs: what is staged so far", maximum=MAX_IMAGE)]
    data: Annotated[bytes, octets("the piece", maximum=MAX_CHUNK)]


@reply(0x92)
class ProgramData(Message, frozen=True, gc=False):
    """A piece of an image."""

    length: Annotated[int, u16("B", "of the whole image, or staged so far", maximum=MAX_IMAGE)]
    digest: Annotated[bytes, fixed("of the whole image, or announced", size=DIGEST_SIZE)]
    offset: Offset
    data: Annotated[bytes, octets("the piece; empty at the end", maximum=MAX_CHUNK)]


@request(0x12, ProgramData)
class ReadProgram(Message, frozen=True, gc=False):
    """Read back a piece of an image."""

    slot: Annotated[Slot, choice(Slot, "which image")]
    offset: Annotated[int, u16("B", "where to begin", maximum=MAX_IMAGE)]
    count: Annotated[int, u16("B", "how much at the most", minimum=1, maximum=MAX_CHUNK)]


@reply(0x93)
class ProgramCommitted(Message, frozen=True, gc=False):
    """The staged program is the active one."""

    active: ActiveDigest
    elapsed: Annotated[int, u32("s", "pump time from which it rules")]


@request(0x13, ProgramCommitted)
class CommitProgram(Message, frozen=True, gc=False):
    """Make the staged program the active one, all of it, at once."""

    transaction: Transaction
    digest: Annotated[bytes, fixed("of the image meant", size=DIGEST_SIZE)]


@reply(0x94)
class ProgramAborted(Message, frozen=True, gc=False):
    """Nothing is staged any more."""


@request(0x14, ProgramAborted)
class AbortProgram(Message, frozen=True, gc=False):
    """Forget what is staged."""


# -- delivery ------------------------------------------------------------------------------------


@reply(0xA0)
class Suspended(Message, frozen=True, gc=False):
    """Delivery is suspended."""

    elapsed: Annotated[int, u32("s", "pump time since which it is")]


@request(0x20, Suspended)
class Suspend(Message, frozen=True, gc=False):
    """Stop moving fluid until told to resume."""

    transaction: Transaction


@reply(0xA1)
class Resumed(Message, frozen=True, gc=False):
    """Delivery runs again."""

    elapsed: Annotated[int, u32("s", "pump time since which it does")]


@request(0x21, Resumed)
class Resume(Message, frozen=True, gc=False):
    """Follow the program again."""

    transaction: Transaction


# -- telemetry and refusal -----------------------------------------------------------------------


@reply(0xB0)
class Subscribed(Message, frozen=True, gc=False):
    """Telemetry will come, or has ended."""

    interval: Interval


@request(0x30, Subscribed)
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


@reply(0xFF)
class Refused(Message, frozen=True, gc=False):
    """No, and why; nothing was changed."""

    request: Annotated[int, u8("", "number of the request refused")]
    reason: Annotated[Reason, choice(Reason, "why")]
    field: Annotated[int, u8("", "place of the offending field, from 1; 0: none in particular")]
    figure: Annotated[int, i64("", "what was asked for, in the field's unit; 0 where none applies")]
    limit: Annotated[int, i64("", "what would have been allowed; 0 where none applies")]
