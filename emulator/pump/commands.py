"""What the pump does about each request: one table of requests, handlers and the modes that allow.

A handler takes the pump, the request and the caller, and returns the reply or raises `Refusal`.
Requests that carry a transaction go through the pump's memory: a repeated one gets the recorded
reply and is not executed again.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from mockpump.emulator.memory.interface import Outcome
from mockpump.emulator.pump.caller import Caller, Staging
from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.modes import ModeInput, allows
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.catalogue import Message
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.messages import Mode, Reason
from mockpump.protocol.program import ProgramError

_U32 = 2**32 - 1


class Refusal(Exception):
    """A handler's no.  `field` counts from 1; `figure` is what was asked, `limit` what may be."""

    def __init__(self, reason: Reason, field: int = 0, figure: int = 0, limit: int = 0) -> None:
        super().__init__(reason.name)
        self.reason = reason
        self.field = field
        self.figure = figure
        self.limit = limit


class Command(NamedTuple):
    """One row of the table.  `modes` are those in which the request is allowed."""

    handler: Callable[[Pump, Any, Caller], Message]
    modes: frozenset[Mode]


def handle(pump: Pump, request: Message, caller: Caller) -> Message:
    """The one reply to a request: its own, or `Refused`.  Never raises for what a caller asks."""
    transaction = getattr(request, "transaction", None)
    if transaction is None:
        return _execute(pump, request, caller)
    asked = m.encode(request)
    earlier = pump.memory.outcome(transaction)
    if earlier is None:
        return _execute_once(pump, request, caller, asked)
    if earlier.request != asked:
        return refused(request, Refusal(Reason.TRANSACTION_REUSED, 1, transaction))
    return m.decode(earlier.reply)


def _execute_once(pump: Pump, request: Message, caller: Caller, asked: bytes) -> Message:
    reply = _execute(pump, request, caller)
    commits = isinstance(reply, m.ProgramCommitted)
    outcome = Outcome(request.transaction, asked, m.encode(reply))  # type: ignore[attr-defined]
    pump.memory.record(outcome, pump.image if commits else None)
    return reply


def _execute(pump: Pump, request: Message, caller: Caller) -> Message:
    command = COMMANDS[type(request)]
    if pump.mode not in command.modes:
        return refused(request, Refusal(Reason.WRONG_MODE, 0, pump.mode))
    try:
        return command.handler(pump, request, caller)
    except Refusal as refusal:
        return refused(request, refusal)


def refused(request: Message, refusal: Refusal) -> m.Refused:
    """The reply that says no."""
    number = m.entry_of(type(request)).number
    return m.Refused(number, refusal.reason, refusal.field, refusal.figure, refusal.limit)


# -- identity, status, clock ---------------------------------------------------------------------


def _identify(pump: Pump, request: m.Identify, caller: Caller) -> Message:
    return pump.describe()


def _status(pump: Pump, request: m.GetStatus, caller: Caller) -> Message:
    d = pump.delivery
    return m.Status(
        pump.mode,
        d.elapsed,
        d.clock,
        d.rate,
        d.delivered,
        d.remainder,
        d.reservoir,
        d.percent,
        d.pattern,
        min(caller.frames_rejected, _U32),
        min(caller.bytes_discarded, _U32),
    )


def _get_clock(pump: Pump, request: m.GetClock, caller: Caller) -> Message:
    return m.Clock(pump.delivery.clock, pump.elapsed)


def _set_clock(pump: Pump, request: m.SetClock, caller: Caller) -> Message:
    before = pump.delivery.clock
    pump.delivery.set_clock(request.clock)
    return m.ClockSet(before, request.clock)


# -- program transfer ----------------------------------------------------------------------------


def _begin(pump: Pump, request: m.BeginProgram, caller: Caller) -> Message:
    if request.base != pump.digest:
        raise Refusal(Reason.STALE_BASE, 3)
    caller.staging = Staging(request.length, request.digest, request.base)
    return m.ProgramBegun(pump.digest)


def _write(pump: Pump, request: m.WriteProgram, caller: Caller) -> Message:
    staging = caller.staging
    if not staging.length:
        raise Refusal(Reason.NOTHING_STAGED)
    if request.offset != len(staging.data):
        raise Refusal(Reason.OUT_OF_ORDER, 1, request.offset, len(staging.data))
    if len(request.data) > staging.missing:
        raise Refusal(Reason.OUT_OF_RANGE, 2, len(request.data), staging.missing)
    staging.data += request.data
    return m.ProgramWritten(len(staging.data))


def _read(pump: Pump, request: m.ReadProgram, caller: Caller) -> Message:
    staged = request.slot is m.Slot.STAGED
    image = caller.staging.data if staged else pump.image
    digest = caller.staging.digest if staged else pump.digest
    piece = image[request.offset : request.offset + min(request.count, caller.largest_piece)]
    return m.ProgramData(len(image), digest, request.offset, piece)


def _commit(pump: Pump, request: m.CommitProgram, caller: Caller) -> Message:
    staging = caller.staging
    if not staging.length:
        raise Refusal(Reason.NOTHING_STAGED)
    if staging.missing:
        raise Refusal(Reason.INCOMPLETE, 0, len(staging.data), staging.length)
    if not request.digest == staging.digest == programs.digest(staging.data):
        raise Refusal(Reason.BAD_DIGEST, 2)
    if staging.base != pump.digest:
        raise Refusal(Reason.STALE_BASE)
    try:
        pump.activate(staging.data)
    except (DecodeError, ProgramError):
        raise Refusal(Reason.BAD_PROGRAM) from None
    caller.staging = Staging()
    return m.ProgramCommitted(pump.digest, pump.elapsed)


def _abort(pump: Pump, request: m.AbortProgram, caller: Caller) -> Message:
    caller.staging = Staging()
    return m.ProgramAborted()


# -- delivery and telemetry ----------------------------------------------------------------------


def _suspend(pump: Pump, request: m.Suspend, caller: Caller) -> Message:
    pump.enter(ModeInput.SUSPEND)
    return m.Suspended(pump.elapsed)


def _resume(pump: Pump, request: m.Resume, caller: Caller) -> Message:
    pump.enter(ModeInput.RESUME)
    return m.Resumed(pump.elapsed)


def _subscribe(pump: Pump, request: m.Subscribe, caller: Caller) -> Message:
    caller.subscribe(request.interval, pump.elapsed)
    return m.Subscribed(request.interval)


_ANY = frozenset(Mode)


def _where(event: ModeInput) -> frozenset[Mode]:
    return frozenset(mode for mode in Mode if allows(mode, event))


COMMANDS: dict[type[Message], Command] = {
    m.Identify: Command(_identify, _ANY),
    m.GetStatus: Command(_status, _ANY),
    m.GetClock: Command(_get_clock, _ANY),
    m.SetClock: Command(_set_clock, _ANY),
    m.BeginProgram: Command(_begin, _ANY),
    m.WriteProgram: Command(_write, _ANY),
    m.ReadProgram: Command(_read, _ANY),
    m.CommitProgram: Command(_commit, _where(ModeInput.PROGRAM)),
    m.AbortProgram: Command(_abort, _ANY),
    m.Suspend: Command(_suspend, _where(ModeInput.SUSPEND)),
    m.Resume: Command(_resume, _where(ModeInput.RESUME)),
    m.Subscribe: Command(_subscribe, _ANY),
}
