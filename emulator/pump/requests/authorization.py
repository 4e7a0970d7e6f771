"""The gate: what a message needs before the pump looks at it any further.

Which request needs which access stands beside the message in the catalogue.  Whoever is refused is
told why, and the log says it (`mockpump.emulator.pump.strangers`); nothing else happens.
"""

from functools import partial

from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.decision import refused
from mockpump.protocol.connection import MessageRejected, NoSession
from mockpump.protocol.messages import LogKind, Reason, Refused
from mockpump.protocol.messages.base import Message, entry_of
from mockpump.protocol.session import BadTag, OldCounter

# What makes a payload one that nobody can have said in this session.
_REASONS = {BadTag: Reason.BAD_TAG, OldCounter: Reason.OLD_COUNTER, NoSession: Reason.NO_SESSION}


def request_fault(pump: Pump, request: Message, peer: Peer, sealed: bool) -> Reason | None:
    """Why this peer may not ask this; None when it may."""
    if peer.keys is not None and not sealed:
        return Reason.BAD_TAG
    needs = entry_of(type(request)).needs
    if needs is None or pump.pairing.is_open:
        return None
    if peer.access is None:
        return Reason.NO_SESSION
    return Reason.FORBIDDEN if peer.access < needs else None


def takes_access(request: Message) -> bool:
    """Whether only some may ask this."""
    return entry_of(type(request)).needs is not None


def payload_fault(event: MessageRejected, peer: Peer) -> Reason | None:
    """Why what is not a message cannot have come from this session either; None when it can."""
    if peer.keys is not None and not event.sealed:
        return _REASONS.get(type(event.error), Reason.BAD_TAG)
    return _REASONS.get(type(event.error))


def refuse_unauthorized(pump: Pump, number: int, reason: Reason) -> Refused:
    """The refusal, once the log has it, or it is counted."""
    note = partial(pump.log, LogKind.TURNED_AWAY, reason, 1)
    if not pump.journal.strangers.is_first(LogKind.TURNED_AWAY):
        # It is written with what is done next: who holds no key must not keep the memory busy.
        note()
        return refused(number, reason)
    try:
        pump.change(note)
    except MemoryFailed:
        # Counted all the same, and nothing is written for the next of them.
        pump.journal.strangers = pump.journal.strangers.written(LogKind.TURNED_AWAY)
        note()
        reason = Reason.MEMORY_FAILED
    return refused(number, reason)
