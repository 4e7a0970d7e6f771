"""What changes delivery beside the program."""

from typing import Annotated

from mockpump.protocol.fields import choice, u8, u16, u32
from mockpump.protocol.messages.base import Access, Message, reply, request
from mockpump.protocol.messages.types import (
    LONGEST_BOLUS,
    LONGEST_TEMPORARY,
    MAX_BOLUS,
    BolusKind,
    Concentration,
    Elapsed,
    Ends,
    RampMove,
    RampState,
    Share,
    Transaction,
)


@reply(0xA0)
class Suspended(Message, frozen=True, gc=False):
    """Delivery is suspended."""

    elapsed: Annotated[int, u32("s", "pump time since which it is")]


@request(0x20, Suspended, Access.CLINICIAN)
class Suspend(Message, frozen=True, gc=False):
    """Stop moving fluid until told to resume."""

    transaction: Transaction


@reply(0xA1)
class Resumed(Message, frozen=True, gc=False):
    """Delivery runs again."""

    elapsed: Annotated[int, u32("s", "pump time since which it does")]


@request(0x21, Resumed, Access.CLINICIAN)
class Resume(Message, frozen=True, gc=False):
    """Follow the program again."""

    transaction: Transaction


@reply(0xA2)
class BolusStarted(Message, frozen=True, gc=False):
    """The bolus runs, on top of the program."""

    ends: Ends
    rate: Annotated[int, u32("nL/h", "what it adds in its first second; never more later")]


@request(0x22, BolusStarted, Access.CLINICIAN)
class StartBolus(Message, frozen=True, gc=False):
    """Give a volume over a time, on top of the program."""

    transaction: Transaction
    kind: Annotated[BolusKind, choice(BolusKind, "what it is for")]
    volume: Annotated[int, u32("nL", "all of it", minimum=1, maximum=MAX_BOLUS)]
    duration: Annotated[int, u32("s", "of pump time", minimum=1, maximum=LONGEST_BOLUS)]


@reply(0xA3)
class BolusCancelled(Message, frozen=True, gc=False):
    """The bolus has ended early."""

    given: Annotated[int, u32("nL", "asked of the motor by then, rounded down")]
    left: Annotated[int, u32("nL", "what will not be given")]


@request(0x23, BolusCancelled, Access.CLINICIAN)
class CancelBolus(Message, frozen=True, gc=False):
    """End the bolus that runs."""

    transaction: Transaction


@reply(0xA4)
class TemporarySet(Message, frozen=True, gc=False):
    """The temporary rate rules."""

    ends: Ends


@request(0x24, TemporarySet, Access.CLINICIAN)
class SetTemporary(Message, frozen=True, gc=False):
    """Scale the program's rates for a while, in place of a temporary rate that runs already."""

    transaction: Transaction
    percent: Share
    duration: Annotated[int, u32("s", "of pump time", minimum=1, maximum=LONGEST_TEMPORARY)]


@reply(0xA5)
class TemporaryCancelled(Message, frozen=True, gc=False):
    """The program's own rates rule again."""

    elapsed: Elapsed


@request(0x25, TemporaryCancelled, Access.CLINICIAN)
class CancelTemporary(Message, frozen=True, gc=False):
    """End the temporary rate that runs."""

    transaction: Transaction


@reply(0xA6)
class Refilled(Message, frozen=True, gc=False):
    """The reservoir is filled; the catheter still holds the fluids from before."""

    before: Annotated[int, u32("nL", "what was left, and was taken out")]
    old: Annotated[int, u16("du/mL", "of what comes out of the catheter next, fictional")]
    new: Annotated[int, u16("du/mL", "of the fluid that was filled in, fictional")]
    dead: Annotated[int, u32("nL", "what must pass before the new one comes out; 0: it does")]


@request(0x26, Refilled, Access.CLINICIAN)
class Refill(Message, frozen=True, gc=False):
    """Empty the reservoir and fill it anew."""

    transaction: Transaction
    volume: Annotated[int, u32("nL", "what is filled in")]
    concentration: Concentration


@reply(0xA7)
class RampMoved(Message, frozen=True, gc=False):
    """Where the ramp stands."""

    percent: Annotated[int, u8("%", "of the step that rules now", maximum=200)]
    state: Annotated[RampState, choice(RampState, "whether it follows the calendar")]


@request(0x27, RampMoved, Access.CLINICIAN)
class MoveRamp(Message, frozen=True, gc=False):
    """Hold the ramp at its present step, let it go on, or go back a step and hold there."""

    transaction: Transaction
    move: Annotated[RampMove, choice(RampMove, "what to do")]
