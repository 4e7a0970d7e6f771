"""What a handler of requests gives back: an answer, or a refusal with the figures."""

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import msgspec

from mockpump.emulator.memory.interface import MemoryFailed, Outcome
from mockpump.emulator.pump.limits import Excess
from mockpump.emulator.pump.modes import ModeInput, allows
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.protocol import messages as m
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.messages import Mode, Reason
from mockpump.protocol.messages.base import Message

_I64 = 2**63 - 1


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


class Decision(msgspec.Struct, frozen=True):
    """What a handler has decided.

    `effect` carries it out and must not fail; `image` is what goes into the pump's free slot;
    `on_recorded` is what it does to the peer, once the pump has recorded it.
    """

    reply: Message
    effect: Callable[[], None] = _nothing
    image: bytes | None = None
    on_recorded: Callable[[], None] = _nothing


class Command(NamedTuple):
    """One row of the table.  `modes` are those in which the request is allowed."""

    handler: Callable[[Pump, Any, Peer], Decision]
    modes: frozenset[Mode]


def refused(request: Message, refusal: Refusal) -> m.Refused:
    """The reply that says no."""
    number = m.entry_of(type(request)).number
    return m.Refused(number, refusal.reason, refusal.field, refusal.figure, refusal.limit)


def refusal_of(excess: Excess, field: int = 0) -> Refusal:
    """The no to something that would break a limit."""
    return Refusal(excess.reason, field, min(excess.figure, _I64), excess.limit)


def refuse(excess: Excess, field: int = 0) -> NoReturn:
    """Raise the refusal of something that would break a limit."""
    raise refusal_of(excess, field)


def recorded_reply(outcome: Outcome) -> Message:
    """The reply that an outcome holds; `MemoryFailed` when the memory gives back something else."""
    try:
        return m.decode(outcome.reply)
    except DecodeError as error:
        raise MemoryFailed(f"the memory gives back what is no reply: {error}") from None


ANY = frozenset(Mode)


def where(event: ModeInput) -> frozenset[Mode]:
    """The modes in which something may happen."""
    return frozenset(mode for mode in Mode if allows(mode, event))
