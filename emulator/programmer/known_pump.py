"""Which pump is at the other end, and whether it is the one from before.

An address is not a pump: behind one TCP port, pty or serial line another pump may answer the second
time, or the same one from an older copy of its memory.  What was learnt from one of them says
nothing of the other, so whoever calls a second time compares.
"""

import msgspec

from mockpump.emulator.programmer.errors import OtherPump
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Record
from mockpump.protocol.messages.base import Message

# Where a count of outcomes stays, however many follow.
LAST_COUNT = 2**32 - 1
# A no that the pump does not remember as an outcome: the same transaction may still be carried out.
_UNRECORDED = (
    m.Reason.UNKNOWN_MESSAGE,
    m.Reason.MALFORMED,
    m.Reason.NOT_A_REQUEST,
    m.Reason.NO_SESSION,
    m.Reason.BAD_TAG,
    m.Reason.OLD_COUNTER,
    m.Reason.FORBIDDEN,
    m.Reason.TRANSACTION_REUSED,
    m.Reason.MEMORY_FAILED,
)


class PumpMet(Record, frozen=True, gc=True):
    """A pump, as it has said who it is.  In a session that is proved.

    `outcomes`: how many outcomes of transactions it had recorded by then; None: it was not asked,
    or does not say.
    """

    identity: m.Identity
    outcomes: int | None = None

    def at(self, outcomes: int) -> "PumpMet":
        """The same pump, when it has said a count again."""
        return PumpMet(self.identity, max(outcomes, self.outcomes or 0))

    def after_change(self) -> "PumpMet":
        """The same pump, when it has recorded one outcome more at least."""
        return self if self.outcomes is None else self.at(min(self.outcomes + 1, LAST_COUNT))


def require_same(before: PumpMet, now: PumpMet) -> None:
    """`OtherPump` unless this is the pump from before: the same identity, no smaller count."""
    if now.identity != before.identity:
        raise OtherPump(f"{_named(now.identity)} answers, not {_named(before.identity)}")
    if before.outcomes is None or now.outcomes is None or before.outcomes <= now.outcomes:
        return
    raise OtherPump(
        f"pump {now.identity.serial} has recorded {now.outcomes:,} outcomes and had recorded"
        f" {before.outcomes:,} before: this is an older copy of it"
    )


def _named(identity: m.Identity) -> str:
    return f'pump {identity.serial} ("{identity.name}")'


def is_outcome(reply: Message) -> bool:
    """Whether a reply to a change is one that the pump has recorded (PROTOCOL 5.4)."""
    return not isinstance(reply, m.Refused) or reply.reason not in _UNRECORDED


class KnownPump(msgspec.Struct):
    """The one pump that somebody talks to, over however many connections.

    `serial` is the number that it must have, if that was said beforehand; `count`: it is going to
    be changed, so it is asked for its count; `met` is who answered first, and from then on must
    answer.
    """

    serial: int | None = None
    count: bool = False
    met: PumpMet | None = None

    def check(self, now: PumpMet) -> None:
        """`OtherPump` when this is not the one."""
        if self.met is not None:
            require_same(self.met, now)
        elif self.serial is not None and now.identity.serial != self.serial:
            raise OtherPump(f"{_named(now.identity)} answers, not pump {self.serial}")

    def meet(self, now: PumpMet) -> None:
        """It is the one from now on; `OtherPump` when another was.

        In a session not before it has proved who it is.
        """
        self.check(now)
        self.met = now if now.outcomes is not None or self.met is None else self.met
