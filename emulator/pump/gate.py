"""The gate: what a message needs before the pump looks at it any further.

Which request needs which access stands beside the message in the catalogue.  Whoever is turned
away is told why and leaves an entry in the log; nothing else happens.
"""

from functools import partial

from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.emulator.pump.caller import Caller
from mockpump.emulator.pump.device import Pump
from mockpump.protocol.catalogue import Message, entry_of
from mockpump.protocol.connection import MessageRejected, NoSession
from mockpump.protocol.messages import LogKind, Reason, Refused
from mockpump.protocol.session import BadTag, OldCounter

# So many entries are made for those who are turned away, within so many seconds of pump time: who
# holds no key must not be able to fill the log, or to keep the memory busy.
MOST_NOTED = 50
NOTED_WITHIN = 60
# What makes a payload one that nobody can have said in this session.
_REASONS = {BadTag: Reason.BAD_TAG, OldCounter: Reason.OLD_COUNTER, NoSession: Reason.NO_SESSION}


def request_fault(pump: Pump, request: Message, caller: Caller, sealed: bool) -> Reason | None:
    """Why this caller may not ask this; None when it may."""
    if caller.keys is not None and not sealed:
        return Reason.BAD_TAG
    needs = entry_of(type(request)).needs
    if needs is None or pump.pairing.is_open:
        return None
    if caller.access is None:
        return Reason.NO_SESSION
    return Reason.FORBIDDEN if caller.access < needs else None


def payload_fault(event: MessageRejected, caller: Caller) -> Reason | None:
    """Why what is no message cannot have come from this session either; None when it can."""
    if caller.keys is not None and not event.sealed:
        return _REASONS.get(type(event.error), Reason.BAD_TAG)
    return _REASONS.get(type(event.error))


def turn_away(pump: Pump, number: int, reason: Reason) -> Refused:
    """The refusal, once the log has it; of many in a short time it has the first ones only."""
    span = pump.elapsed // NOTED_WITHIN
    noted = pump.turned_away[1] if pump.turned_away[0] == span else 0
    if noted < MOST_NOTED:
        pump.turned_away = (span, noted + 1)
        try:
            pump.change(partial(pump.log, LogKind.TURNED_AWAY, number, reason))
        except MemoryFailed:
            reason = Reason.MEMORY_FAILED
    return Refused(number, reason, 0, 0, 0)
