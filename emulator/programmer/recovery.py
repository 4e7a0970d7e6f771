"""After a lost reply: what happened to the change, on evidence or not at all.

The one text of it, for a person at the command line, a scenario and whoever writes a program.

    terms = programmer.connect(id, open_session(...))
    settled = programmer.run(settle(unknown, terms))
"""

from mockpump.emulator.programmer.errors import OutcomeForgotten, OutcomeUnknown, RequestRefused
from mockpump.emulator.programmer.known_pump import LAST_COUNT, PumpMet, is_outcome, require_same
from mockpump.emulator.programmer.procedures import Procedure, learn_outcome
from mockpump.emulator.programmer.programmer import Connected
from mockpump.protocol import messages as m
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Record
from mockpump.protocol.messages import OUTCOMES, OutcomeStatus
from mockpump.protocol.messages.base import Message


class Settled(Record, frozen=True, gc=True):
    """What is known of a change now.

    `reply` is the pump's, a yes or a `Refused`; None: it was never carried out, and never will be.
    `repeated`: the request was sent once more, under its own transaction.
    """

    reply: Message | None
    repeated: bool = False


# Why an answer is evidence.
#
# A transaction is 32 random bits, so a pump that does not remember one cannot tell whether it has
# forgotten it or never saw it: NEVER_SEEN alone says nothing.  But it counts the outcomes that it
# records.  Let it have said b before the request was sent.  If the request was recorded at all, it
# was as number c > b.  Let it say NEVER_SEEN and n now.  It keeps the newest 64, so what has number
# c is remembered while n < c + 64; if n - b < 64, that is so for every c > b.  So the request was
# not recorded until then; and what is not recorded is not carried out, since both are one write.
# A count that stands at its maximum has stopped counting and bounds nothing.  One that went back is
# that of an older copy of the memory, and what another pump says is about another pump: neither is
# an answer, which `require_same` sees to.
#
# Not until then is not never: the request may still be under way.
#
# In a session it cannot arrive any more.  A pump has one session at a time, so when this one began
# the old one was over, and with it its keys: nothing that was sealed with them is carried out.  On
# the same line it cannot either, session or not: the new connection has superseded the old one.
#
# On a new line into an open pump it can: bytes that wait on the old line belong to a connection
# that is alive as long as they are heard.  There the programmer sends the very same request under
# the same transaction.  Whichever of the two arrives first is carried out or refused, and recorded
# with that; the other gets what is recorded.  So it happens once, and what comes back is what came
# of it, also when it is a no: a commit whose staged program ended with its connection is refused
# with NOTHING_STAGED here, and so refused wherever it comes later.  Only a no that is not an
# outcome says nothing of the other one.  What remains: between n and the arrival of the second one,
# 64 others might be recorded; an open pump is for lessons.


def never_recorded(before: int | None, known: m.OutcomeKnown) -> bool:
    """Whether the pump's answer shows that it had not recorded the transaction when it gave it.

    `before` is what that same pump had counted before the request was sent; None: not known.
    """
    if known.fate is not OutcomeStatus.NEVER_SEEN or before is None:
        return False
    if known.outcomes == LAST_COUNT:
        return False
    return 0 <= known.outcomes - before < OUTCOMES


def settle(
    unknown: OutcomeUnknown, terms: Connected, *, same_line: bool = False
) -> Procedure[Settled]:
    """Learn on a new connection what happened to a change whose reply was lost.

    `terms` are those of the new connection, `same_line`: it is on the very line of the old one.
    `OtherPump` when another pump answers, `OutcomeForgotten` when the pump cannot tell any more;
    `OutcomeUnknown` again when this connection ends too, with the transaction as it was.
    """
    before = unknown.before
    now = terms.pump or PumpMet((yield m.Identify()))
    if before is not None:
        require_same(before, now)
    known = yield from learn_outcome(unknown.transaction)
    if before is not None:
        require_same(before, PumpMet(now.identity, known.outcomes))
    if known.fate is not OutcomeStatus.NEVER_SEEN:
        return Settled(_recorded(known, unknown))
    if not never_recorded(None if before is None else before.outcomes, known):
        raise _forgotten(unknown, known)
    if same_line or terms.access is not None:
        return Settled(None)
    try:
        return Settled((yield unknown.request), repeated=True)
    except RequestRefused as no:
        if not is_outcome(no.refused):
            raise _again(unknown) from None
        return Settled(no.refused, repeated=True)


def _recorded(known: m.OutcomeKnown, unknown: OutcomeUnknown) -> Message:
    """The recorded reply; what is none to that request leaves the outcome unknown."""
    entry = m.entry_of(type(unknown.request))
    try:
        reply = m.decode(known.reply)
    except DecodeError:
        raise _again(unknown) from None
    if known.request != entry.number or not isinstance(reply, (entry.reply or (), m.Refused)):
        raise _again(unknown)
    return reply


def _again(unknown: OutcomeUnknown) -> OutcomeUnknown:
    return OutcomeUnknown(unknown.request, unknown.transaction, unknown.reason, unknown.before)


def _forgotten(unknown: OutcomeUnknown, known: m.OutcomeKnown) -> OutcomeForgotten:
    error = OutcomeForgotten(unknown.request, unknown.transaction, unknown.reason, unknown.before)
    before = unknown.before
    if before is None or before.outcomes is None:
        error.add_note("the pump does not remember it, and may have forgotten it")
    elif known.outcomes == LAST_COUNT:
        error.add_note("the pump does not remember it, and does not count outcomes any more")
    else:
        others = known.outcomes - before.outcomes
        error.add_note(f"the pump has recorded {others:,} outcomes since and keeps {OUTCOMES}")
    return error
