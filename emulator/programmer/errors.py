"""What can come of an attempt: refused, lost, or not known."""

from typing import TYPE_CHECKING

from mockpump.protocol import messages as m
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.link.types import CloseReason
from mockpump.protocol.messages.base import Message
from mockpump.protocol.units import duration, words_of

if TYPE_CHECKING:
    from mockpump.emulator.programmer.known_pump import PumpMet

_MODES = {int(mode): mode.name.lower() for mode in m.Mode} | {int(m.Mode.FAULT): "in fault"}
_LIMITS = (m.Reason.LIMIT_RATE, m.Reason.LIMIT_BOLUS, m.Reason.LIMIT_DAILY, m.Reason.LIMIT_RISE)


class ProgrammerError(MockpumpError):
    """The root of everything that ends a procedure without its result."""


class RequestRefused(ProgrammerError):
    """The pump said no; nothing was changed.  `refused` is its reply."""

    def __init__(self, request: Message, refused: m.Refused) -> None:
        self.request = request
        self.refused = refused
        reason = words_of(refused.reason)
        super().__init__(f"the pump refused {type(request).__name__}: {reason}{_figures(refused)}")


def _figures(refused: m.Refused) -> str:
    if refused.reason is m.Reason.WRONG_MODE and refused.figure in _MODES:
        return f" (it is {_MODES[refused.figure]})"
    if refused.reason is m.Reason.BUSY and refused.figure:
        return f" (a bolus runs until {duration(refused.figure)} of pump time)"
    limited = refused.limit or refused.reason in _LIMITS
    return f" ({refused.figure:,}; allowed: {refused.limit:,})" if limited else ""


class ConnectionLost(ProgrammerError):
    """The connection ended before the procedure did, and no request was under way that changes.

    Such a request makes it `OutcomeUnknown`, so what was asked last has changed nothing.
    """

    def __init__(self, reason: CloseReason) -> None:
        self.reason = reason
        super().__init__(f"connection lost: {reason.value}")


class SessionTaken(ConnectionLost):
    """Another clinician has taken the session over; the pump has ended it, and the connection."""

    def __init__(self) -> None:
        super().__init__(CloseReason.CLOSED_THERE)
        self.args = ("another clinician has taken over the session",)


class SessionSpent(ProgrammerError):
    """The session has sealed as many messages as it can; nothing was asked, and it is over."""

    def __init__(self) -> None:
        super().__init__("this session can seal no more messages: connect again for another")


class OutcomeUnknown(ProgrammerError):
    """The connection ended between a request that changes the pump and its reply.

    The pump may or may not have done it; `transaction` is what to ask it by (see `settle`).
    `before` is which pump it was sent to, and how many outcomes that had recorded before; None:
    nobody asked who it is.
    """

    def __init__(
        self,
        request: Message,
        transaction: int,
        reason: CloseReason,
        before: "PumpMet | None" = None,
    ) -> None:
        self.request = request
        self.transaction = transaction
        self.reason = reason
        self.before = before
        super().__init__(
            f"outcome unknown: {reason.value} after {type(request).__name__} was sent and before"
            f" its reply (transaction {transaction})"
        )


class OutcomeForgotten(OutcomeUnknown):
    """The pump does not remember the transaction, and may only have forgotten it."""


class OtherPump(ProgrammerError):
    """Another pump answers than was meant, or an older copy of it; its answers say nothing."""


def lost_with(
    asked: Message, error: ProgrammerError, reason: CloseReason, before: "PumpMet | None"
) -> ProgrammerError:
    """What the end of a connection means while a request has no reply: `error`, if it only asks.

    `before`: which pump it was sent to.
    """
    transaction: int | None = getattr(asked, "transaction", None)
    if transaction is None:
        return error
    unknown = OutcomeUnknown(asked, transaction, reason, before)
    if isinstance(error, SessionTaken):
        unknown.add_note(str(error))
        unknown.__cause__ = error
    return unknown


class NotPaired(ProgrammerError):
    """There is no key for this pump; nothing was asked of it but who it is."""

    def __init__(self, identity: m.Identity) -> None:
        self.identity = identity
        super().__init__(f'no pairing key for pump {identity.serial} ("{identity.name}")')


class SessionRefused(ProgrammerError):
    """The pump would not begin a session; nothing was asked of it but that.  `refused`: its no."""

    def __init__(self, refused: m.Refused) -> None:
        self.refused = refused
        reason = words_of(refused.reason)
        locked = refused.reason is m.Reason.PAIRING_LOCKED
        left = f", for another {refused.figure:,} s" if locked else ""
        super().__init__(f"the pump refused the session: {reason}{left}")


class PumpUnproven(ProgrammerError):
    """What is there did not prove that it is the pump; nothing was asked of it but that."""


class NoReply(ProgrammerError):
    """The link works, but the pump has not answered in time."""


class ReadbackDiffers(ProgrammerError):
    """What the pump read back is not what was sent, or not one image; nothing was committed."""


class LogBroken(ProgrammerError):
    """The event log that the pump gave does not fit its own chain."""


class LogUnsettled(ProgrammerError):
    """The event log was folded away faster than it could be read; that is no tampering."""


class UnexpectedReply(ProgrammerError):
    """The pump answered with something that is not a reply to the request."""
