"""What the pump does about each request: one table of requests, handlers and the modes that allow.

A handler only decides: it takes the pump, the request and the caller, and returns an `Answer` (the
reply, and what is to happen) or raises `Refusal`.  So what is refused changes nothing.  A request
that carries a transaction is recorded between the decision and what happens: the pump neither does
nor acknowledges what it could forget.  A repeated one gets the recorded reply and is not executed
again, whether that was a yes or a no.
"""

from collections.abc import Callable
from functools import partial
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


def _nothing() -> None:
    pass


class Answer(NamedTuple):
    """What a handler has decided.

    `effect` carries it out and must not fail; `program` is the image that becomes the active one.
    """

    reply: Message
    effect: Callable[[], None] = _nothing
    program: bytes | None = None


class Command(NamedTuple):
    """One row of the table.  `modes` are those in which the request is allowed."""

    handler: Callable[[Pump, Any, Caller], Answer]
    modes: frozenset[Mode]


def handle(pump: Pump, request: Message, caller: Caller) -> Message:
    """The one reply to a request: its own, or `Refused`.  Never raises for what a caller asks.

    What the memory raises when it cannot record comes through, and then nothing has changed.
    """
    # Which requests change the pump is for the catalogue to say: those it gives this field.
    transaction: int | None = getattr(request, "transaction", None)
    if transaction is None:
        return _carry_out(_decide(pump, request, caller))
    asked = m.encode(request)
    earlier = pump.memory.outcome(transaction)
    if earlier is None:
        answer = _decide(pump, request, caller)
        outcome = Outcome(transaction, asked, m.encode(answer.reply))
        pump.memory.record(outcome, answer.program)
        return _carry_out(answer)
    if earlier.request != asked:
        return refused(request, Refusal(Reason.TRANSACTION_REUSED, 1, transaction))
    return m.decode(earlier.reply)


def _decide(pump: Pump, request: Message, caller: Caller) -> Answer:
    command = COMMANDS[type(request)]
    if pump.mode not in command.modes:
        return Answer(refused(request, Refusal(Reason.WRONG_MODE, 0, pump.mode)))
    try:
        return command.handler(pump, request, caller)
    except Refusal as refusal:
        return Answer(refused(request, refusal))


def _carry_out(answer: Answer) -> Message:
    answer.effect()
    return answer.reply


def refused(request: Message, refusal: Refusal) -> m.Refused:
    """The reply that says no."""
    number = m.entry_of(type(request)).number
    return m.Refused(number, refusal.reason, refusal.field, refusal.figure, refusal.limit)


# -- identity, status, clock ---------------------------------------------------------------------


def _identify(pump: Pump, request: m.Identify, caller: Caller) -> Answer:
    return Answer(pump.describe())


def _status(pump: Pump, request: m.GetStatus, caller: Caller) -> Answer:
    d = pump.delivery
    status = m.Status(
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
    return Answer(status)


def _get_clock(pump: Pump, request: m.GetClock, caller: Caller) -> Answer:
    return Answer(m.Clock(pump.delivery.clock, pump.elapsed))


def _set_clock(pump: Pump, request: m.SetClock, caller: Caller) -> Answer:
    reply = m.ClockSet(pump.delivery.clock, request.clock)
    return Answer(reply, partial(pump.delivery.set_clock, request.clock))


# -- program transfer ----------------------------------------------------------------------------


def _begin(pump: Pump, request: m.BeginProgram, caller: Caller) -> Answer:
    if request.base != pump.digest:
        raise Refusal(Reason.STALE_BASE, 3)
    staging = Staging(request.length, request.digest, request.base)
    return Answer(m.ProgramBegun(pump.digest), partial(caller.stage, staging))


def _write(pump: Pump, request: m.WriteProgram, caller: Caller) -> Answer:
    staging = caller.staging
    if not staging.length:
        raise Refusal(Reason.NOTHING_STAGED)
    if request.offset != len(staging.data):
        raise Refusal(Reason.OUT_OF_ORDER, 1, request.offset, len(staging.data))
    if len(request.data) > staging.missing:
        raise Refusal(Reason.OUT_OF_RANGE, 2, len(request.data), staging.missing)
    reply = m.ProgramWritten(len(staging.data) + len(request.data))
    return Answer(reply, partial(staging.append, request.data))


def _read(pump: Pump, request: m.ReadProgram, caller: Caller) -> Answer:
    staged = request.slot is m.Slot.STAGED
    image = caller.staging.data if staged else pump.image
    digest = caller.staging.digest if staged else pump.digest
    piece = image[request.offset : request.offset + min(request.count, caller.largest_piece)]
    return Answer(m.ProgramData(len(image), digest, request.offset, piece))


def _commit(pump: Pump, request: m.CommitProgram, caller: Caller) -> Answer:
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
        programs.from_image(staging.data)
    except (DecodeError, ProgramError):
        raise Refusal(Reason.BAD_PROGRAM) from None
    reply = m.ProgramCommitted(staging.digest, pump.elapsed)
    return Answer(reply, partial(_activate, pump, caller, staging.data), staging.data)


def _activate(pump: Pump, caller: Caller, image: bytes) -> None:
    pump.activate(image)
    caller.stage(Staging())


def _abort(pump: Pump, request: m.AbortProgram, caller: Caller) -> Answer:
    return Answer(m.ProgramAborted(), partial(caller.stage, Staging()))


# -- delivery and telemetry ----------------------------------------------------------------------


def _suspend(pump: Pump, request: m.Suspend, caller: Caller) -> Answer:
    return Answer(m.Suspended(pump.elapsed), partial(pump.enter, ModeInput.SUSPEND))


def _resume(pump: Pump, request: m.Resume, caller: Caller) -> Answer:
    return Answer(m.Resumed(pump.elapsed), partial(pump.enter, ModeInput.RESUME))


def _subscribe(pump: Pump, request: m.Subscribe, caller: Caller) -> Answer:
    subscribe = partial(caller.subscribe, request.interval, pump.elapsed)
    return Answer(m.Subscribed(request.interval), subscribe)


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
