"""What a handler of requests gives back: a decision, which may be a no with its figures.

A no has two shapes.  Inside the pump it is a `Decision` like any other, made by `refuse`: returned,
never raised, recorded like a yes, and it may have an effect of its own, as a wrong proof has.  On
the wire it is `Refused`, and `refused` is where every one of them is made.  What only measures is
no answer yet: `limits` and delivery say which limit would be broken and by what (`Excess`), the
authorization which `Reason` speaks against a peer; it is for a handler or the dispatch to say no.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

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


def refused(
    number: int, reason: Reason, field: int = 0, figure: int = 0, limit: int = 0
) -> m.Refused:
    """The no to a message of that number, as it goes out.

    `field` counts from 1; `figure` is what was asked, `limit` what may be.
    """
    return m.Refused(number, reason, field, min(figure, _I64), limit)


def refuse(
    request: Message, reason: Reason, field: int = 0, figure: int = 0, limit: int = 0
) -> Decision:
    """The decision to say no."""
    return Decision(refused(m.entry_of(type(request)).number, reason, field, figure, limit))


def refuse_excess(request: Message, excess: Excess, field: int = 0) -> Decision:
    """The no to something that would break a limit."""
    return refuse(request, excess.reason, field, excess.figure, excess.limit)


def recorded_reply(outcome: Outcome) -> Message:
    """The reply that an outcome holds; `MemoryFailed` when the memory gives back something else."""
    try:
        return m.decode(outcome.reply)
    except DecodeError as error:
        raise MemoryFailed(f"the memory gives back what is not a reply: {error}") from None


ANY = frozenset(Mode)


def where(event: ModeInput) -> frozenset[Mode]:
    """The modes in which something may happen."""
    return frozenset(mode for mode in Mode if allows(mode, event))
