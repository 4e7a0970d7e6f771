"""What the pump does about each request: one table of requests, handlers and the modes that allow.

A handler only decides: it takes the pump, the request and the peer, and returns a `Decision`: the
reply, and what is to happen.  With a no (`refuse`) nothing is, so what is refused changes nothing.
A request that carries a transaction is recorded together with what it changes, before it is
answered: the pump never acknowledges what it could forget.  A repeated one gets the recorded reply
and is not executed again, whether that was a yes or a no.
"""

from mockpump.emulator.memory.interface import MemoryFailed, Outcome
from mockpump.emulator.pump.limits import Excess
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests import (
    authorization,
    delivery,
    monitoring,
    program,
    query,
    session,
)
from mockpump.emulator.pump.requests.decision import (
    Command,
    Decision,
    recorded_reply,
    refuse,
    refuse_excess,
)
from mockpump.protocol import messages as m
from mockpump.protocol.messages import Reason
from mockpump.protocol.messages.base import Message

COMMANDS: dict[type[Message], Command] = {
    **query.COMMANDS,
    **program.COMMANDS,
    **delivery.COMMANDS,
    **monitoring.COMMANDS,
    **session.COMMANDS,
}


def handle(pump: Pump, request: Message, peer: Peer, *, sealed: bool = False) -> Message:
    """The one reply to a request: its own, or `Refused`.  Never raises for what a peer asks.

    `sealed`: it came through the peer's session.
    """
    fault = authorization.request_fault(pump, request, peer, sealed)
    if fault is not None:
        return authorization.refuse_unauthorized(pump, m.entry_of(type(request)).number, fault)
    if pump.journal.covers and authorization.takes_access(request):
        # What is answered now must not be forgotten for longer than a checkpoint's interval; who
        # holds no key gets no record out of it.
        pump.checkpoint()
    try:
        return _handle(pump, request, peer)
    except MemoryFailed:
        return refuse(request, Reason.MEMORY_FAILED).reply


def _handle(pump: Pump, request: Message, peer: Peer) -> Message:
    # Which requests change the pump is for the catalogue to say: those it gives this field.
    transaction: int | None = getattr(request, "transaction", None)
    if transaction is None:
        decision = _decide(pump, request, peer)
        decision.effect()
        return decision.reply
    asked = m.encode(request)
    earlier = pump.memory.outcome(transaction)
    if earlier is None:
        return _execute(pump, request, peer, Outcome(transaction, asked, b""))
    if earlier.request != asked:
        return refuse(request, Reason.TRANSACTION_REUSED, 1, transaction).reply
    return recorded_reply(earlier)


def _execute(pump: Pump, request: Message, peer: Peer, blank: Outcome) -> Message:
    decision = _decide(pump, request, peer)
    excess = _carry_out(pump, decision, blank)
    if excess is not None:
        # Only delivery itself knows what all that runs comes to in this second.
        decision = refuse_excess(request, excess)
        _carry_out(pump, decision, blank)
    decision.on_recorded()
    return decision.reply


def _carry_out(pump: Pump, decision: Decision, blank: Outcome) -> Excess | None:
    outcome = Outcome(blank.transaction, blank.request, m.encode(decision.reply))
    return pump.change(decision.effect, outcome, decision.image)


def _decide(pump: Pump, request: Message, peer: Peer) -> Decision:
    command = COMMANDS[type(request)]
    if pump.mode not in command.modes:
        return refuse(request, Reason.WRONG_MODE, 0, pump.mode)
    return command.handler(pump, request, peer)
