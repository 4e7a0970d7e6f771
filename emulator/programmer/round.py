"""One round of questions: what a procedure has asked at once, and the answers so far.

Replies come in the order of the requests, so the next one can only belong to the first request that
is still open.  A procedure that asks several at once goes on when all are answered.
"""

from collections.abc import Sequence
from typing import Any

from mockpump.emulator.programmer.errors import RequestRefused
from mockpump.protocol import messages as m
from mockpump.protocol.catalogue import Message
from mockpump.protocol.errors import LocalProtocolError


class Round:
    """Some requests, under way together.

    `LocalProtocolError` when it is none, or one of several would change the pump: whether that was
    done must be known before anything else is asked.
    """

    __slots__ = ("_alone", "_answers", "refusal", "requests")

    def __init__(self, asked: Message | Sequence[Message]) -> None:
        self._alone = isinstance(asked, Message)
        self.requests: Sequence[Message] = (asked,) if isinstance(asked, Message) else asked
        self._answers: list[Message] = []
        # The first no among the answers.
        self.refusal: RequestRefused | None = None
        if not self.requests:
            raise LocalProtocolError("a procedure that asks nothing has nothing to wait for")
        if not self._alone and any(hasattr(each, "transaction") for each in self.requests):
            raise LocalProtocolError("what changes the pump is asked alone")

    @property
    def open(self) -> Message:
        """The request whose reply comes next."""
        return self.requests[len(self._answers)]

    @property
    def over(self) -> bool:
        """Whether all are answered."""
        return len(self._answers) == len(self.requests)

    def take(self, reply: Message) -> bool:
        """Take the next reply; False, and nothing taken, when it is none to the open request."""
        entry = m.entry_of(type(self.open))
        if isinstance(reply, m.Refused) and reply.request == entry.number:
            self.refusal = self.refusal or RequestRefused(self.open, reply)
        elif not isinstance(reply, entry.reply or ()):
            return False
        self._answers.append(reply)
        return True

    @property
    def result(self) -> Any:
        """What the procedure is sent: the reply, or the list of them if it asked for a list."""
        return self._answers[0] if self._alone else self._answers
