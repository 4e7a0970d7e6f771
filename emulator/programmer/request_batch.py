"""A batch of questions: what a procedure has asked at once, and the answers so far.

Replies come in the order of the requests, so the next one can only belong to the request that has
waited longest.  A procedure that asks several at once goes on when all are answered.

A request may be replaced on its way.  The checksum of a frame lets one in 65,536 damaged ones
through, and anybody on the line can forge a whole one; the link delivers each sequence number once,
so whatever came under the number of a request came in place of it, and the request itself was
dropped as a duplicate.  The pump's reply shows that: it says that what came was not sealed in this
session (`BAD_TAG`) or not new in it (`OLD_COUNTER`), that it was malformed, which nothing is that
was encoded here, or it speaks of a message that was not sent.  So that request has not
been carried out, and is sent again as it was, with its transaction if it has one; its reply comes
after those of all that is under way already.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from mockpump.emulator.programmer.errors import RequestRefused, UnexpectedReply
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Reason
from mockpump.protocol.messages.base import Message
from mockpump.protocol.units import words_of

# How often one batch sends a request again that was replaced.
MOST_REPEATS = 3
# What the pump says to a payload that somebody else sent, or that was damaged on its way.
_FOREIGN = (Reason.BAD_TAG, Reason.OLD_COUNTER)
_REPLACED = (*_FOREIGN, Reason.MALFORMED, Reason.NOT_A_REQUEST)


class RequestBatch:
    """Some requests, under way together.

    `LocalProtocolError` when it is none, or one of several would change the pump: whether that was
    done must be known before anything else is asked.
    """

    __slots__ = ("_alone", "_answers", "_repeats", "_waiting", "refusal", "requests")

    def __init__(self, asked: Message | Sequence[Message]) -> None:
        self.requests = _listed(asked)
        self._alone = self.requests is not asked
        # The places of those without a reply, in the order in which their replies will come.
        self._waiting = deque(range(len(self.requests)))
        self._answers: dict[int, Message] = {}
        self._repeats = 0
        # The first no among the answers.
        self.refusal: RequestRefused | None = None

    @property
    def next_unanswered(self) -> Message:
        """The request whose reply comes next."""
        return self.requests[self._waiting[0]]

    @property
    def over(self) -> bool:
        """Whether all are answered."""
        return not self._waiting

    def replaced(self, reply: Message) -> bool:
        """Whether by this reply another payload has come in place of the open request."""
        if type(reply) is not m.Refused:
            return False
        return (
            reply.request != m.entry_of(type(self.next_unanswered)).number
            or reply.reason in _REPLACED
        )

    def repeat(self) -> Message | None:
        """The open request, to be sent again behind the others; None when that was often enough."""
        if self._repeats == MOST_REPEATS:
            return None
        self._repeats += 1
        self._waiting.rotate(-1)
        return self.requests[self._waiting[-1]]

    def take(self, reply: Message) -> Message | None:
        """Take the next reply; its request, or None, and nothing taken, when it is not a reply to
        it.

        That a payload was foreign is none: whoever put it there may still have the request.
        """
        request = self.requests[self._waiting[0]]
        entry = m.entry_of(type(request))
        if type(reply) is m.Refused:
            if reply.request != entry.number or reply.reason in _FOREIGN:
                return None
            self.refusal = self.refusal or RequestRefused(request, reply)
        elif not isinstance(reply, entry.reply or ()):
            return None
        self._answers[self._waiting.popleft()] = reply
        return request

    def unexpected(self, reply: Message) -> UnexpectedReply:
        """Why a reply that was not taken is none."""
        name = type(self.next_unanswered).__name__
        if isinstance(reply, m.Refused):
            reason = words_of(reply.reason)
            return UnexpectedReply(f"{name} does not reach the pump as it was sent ({reason})")
        return UnexpectedReply(f"{type(reply).__name__} is not a reply to {name}")

    @property
    def result(self) -> Any:
        """What the procedure is sent: the reply, or the list of them if it asked for a list."""
        if self._alone:
            return self._answers[0]
        return [self._answers[place] for place in range(len(self.requests))]


def _listed(asked: Message | Sequence[Message]) -> Sequence[Message]:
    if isinstance(asked, Message):
        return (asked,)
    if not asked:
        raise LocalProtocolError("a procedure that asks nothing has nothing to wait for")
    if any(hasattr(each, "transaction") for each in asked):
        raise LocalProtocolError("what changes the pump is asked alone")
    return asked
