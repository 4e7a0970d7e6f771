"""The programmer: a sans-IO client that runs one procedure at a time over a connection.

It keeps three things apart: what it asked, what the pump answered (the procedure gets that), and
what it believes (`belief`, which also takes in telemetry).  Times are microseconds of line time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, final

from mockpump.emulator.programmer.belief import Belief
from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    NoReply,
    ProgrammerError,
    SessionSpent,
    SessionTaken,
    UnexpectedReply,
    lost_with,
)
from mockpump.emulator.programmer.handshake import SessionOpened
from mockpump.emulator.programmer.known_pump import PumpMet, is_outcome
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.programmer.request_batch import RequestBatch
from mockpump.protocol import messages as m
from mockpump.protocol.connection import (
    Connection,
    ConnectionEvent,
    MessageReceived,
    MessageRejected,
)
from mockpump.protocol.errors import LocalProtocolError, MockpumpError
from mockpump.protocol.fields import Record
from mockpump.protocol.link.types import CloseReason, LinkClosed, LinkOpened, LinkSettings, Role
from mockpump.protocol.messages.base import Message

REPLY_TIMEOUT = 10_000_000
# What begins a connection, before any procedure may start.
Opening = Procedure[SessionOpened] | Procedure[PumpMet]
# How a procedure goes on: `send` with an answer, or `throw` with an error; what it asks next.
Step = Callable[[Any], Message | Sequence[Message]]
# The replies that tell how many outcomes the pump has recorded.
_COUNTS = (m.Status, m.OutcomeKnown)


class Connected(Record, frozen=True):
    """The pump has answered, and the session, if one was asked for, is open; procedures may start.

    `max_payload` is the longest message that fits, in bytes; `access` is what the session grants;
    `pump` is who was met, None when nobody asked.
    """

    max_payload: int
    window: int
    access: m.Access | None = None
    pump: PumpMet | None = None

    @property
    def identity(self) -> m.Identity | None:
        """Who the pump is, when somebody asked; in a session that is proved."""
        return None if self.pump is None else self.pump.identity


class Disconnected(Record, frozen=True):
    """The connection is over.  `ended`: why the pump has ended the session, if it has."""

    reason: CloseReason
    ended: m.SessionEnd | None = None


class Finished(Record, frozen=True, gc=True):
    """The procedure has run to its end; `result` is what it returned."""

    result: Any


class Failed(Record, frozen=True, gc=True):
    """The procedure ended without a result."""

    error: MockpumpError


@final
class TelemetryReceived(Record, frozen=True):
    """The pump reported, unasked."""

    telemetry: m.Telemetry


ProgrammerEvent = Connected | Disconnected | Finished | Failed | TelemetryReceived


def result_of(event: ProgrammerEvent) -> Any:
    """What a caller who waits for the end gets: the terms, the procedure's result, or its error.

    Whatever is not telemetry is the end of what was begun.
    `ConnectionLost` when the connection is over and nothing else had to be said; `SessionTaken`
    when that is because another clinician has the pump now.
    """
    if isinstance(event, Finished):
        return event.result
    if isinstance(event, Failed):
        raise event.error
    if isinstance(event, Disconnected):
        raise ConnectionLost(event.reason) if event.ended is None else SessionTaken()
    return event


class Programmer:
    """A virtual programmer."""

    __slots__ = (
        "_batch",
        "_changes",
        "_events",
        "_met",
        "_opened",
        "_opening",
        "_procedure",
        "_reply_due_at",
        "_sealed",
        "_session_end",
        "belief",
        "connection",
    )

    def __init__(self, settings: LinkSettings | None = None) -> None:
        self.connection = Connection(Role.INITIATOR, settings)
        self.belief = Belief()
        self._events: deque[ProgrammerEvent] = deque()
        self._procedure: Procedure[Any] | None = None
        # What opens the session, until it is open; and what the link has agreed on meanwhile.
        self._opening: Opening | None = None
        self._opened: LinkOpened | None = None
        # The pump that was met in this connection, with the newest count that it has said.
        self._met: PumpMet | None = None
        # One's own transactions that it has recorded, as far back as it remembers them: a repeated
        # one is answered from there and not recorded again.
        self._changes: deque[int] = deque(maxlen=m.OUTCOMES)
        self._batch: RequestBatch | None = None
        self._reply_due_at: int | None = None
        # Whether the session goes on, in the events that are looked at: it may have ended since.
        self._sealed = False
        # Why the pump has ended the session, once it has.
        self._session_end: m.SessionEnd | None = None

    # -- what a user does ------------------------------------------------------------------------

    def connect(self, connection: int, now: int, opening: Opening | None = None) -> None:
        """Call the pump, under a fresh connection id (0..65535).

        With `opening` (see `open_session` and `meet_pump`) that is run first: `Connected` comes
        when it has ended well, `Failed` when it has not.
        """
        self.connection.open(connection, now)
        self._opening, self._met, self._session_end = opening, None, None

    def disconnect(self, now: int) -> None:
        """End the connection in good order."""
        self.connection.close(now)
        self._take_events(now)

    @property
    def busy(self) -> bool:
        """Whether a procedure is running."""
        return self._procedure is not None

    def start(self, procedure: Procedure[Any], now: int) -> None:
        """Run a procedure; `LocalProtocolError` while another runs or no pump was connected.

        `ConnectionLost`, or `SessionTaken`, when it is not connected any more.
        """
        if self._procedure is not None:
            raise LocalProtocolError("another procedure is running")
        if self._session_end is not None:
            raise SessionTaken
        if self._opening is not None or not self.connection.is_open:
            if self._opening is None and self.connection.has_ended:
                raise ConnectionLost(self.connection.ended or CloseReason.CLOSED_HERE)
            raise LocalProtocolError("no pump is connected")
        self._begin(procedure, now)

    def _begin(self, procedure: Procedure[Any], now: int) -> None:
        self._procedure = procedure
        self._resume(procedure.send, None, now)

    # -- the line --------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: int) -> None:
        """Take bytes from the line.  Never raises, but for a bug in the procedure that runs."""
        self.connection.receive_data(data, now)
        self._take_events(now)

    def data_to_send(self, now: int) -> bytes:
        """The bytes that must go out now."""
        return self.connection.data_to_send(now)

    def next_deadline(self) -> int | None:
        """When `handle_timer` must be called at the latest."""
        deadline, reply_due_at = self.connection.next_deadline(), self._reply_due_at
        if deadline is None or (reply_due_at is not None and reply_due_at < deadline):
            return reply_due_at
        return deadline

    def handle_timer(self, now: int) -> None:
        """Do what is due by now."""
        self.connection.handle_timer(now)
        self._take_events(now)
        if self._reply_due_at is not None and now >= self._reply_due_at:
            # Whatever comes later could be taken for the answer to another question.
            self.connection.abort(now)
            asked = type(self._batch.next_unanswered).__name__ if self._batch else "anything"
            error = NoReply(f"the pump is there but has not answered {asked}")
            self._lose(error, CloseReason.SILENCE, now)
            self._take_events(now)

    def next_event(self) -> ProgrammerEvent | None:
        """What happened, oldest first; None when there is nothing more."""
        return self._events.popleft() if self._events else None

    def _take_events(self, now: int) -> None:
        while (event := self.connection.next_event()) is not None:
            self._take_event(event, now)

    def _take_event(self, event: ConnectionEvent, now: int) -> None:
        if isinstance(event, MessageReceived):
            # In a session, what is not sealed may be anybody's.
            if event.sealed is self._sealed:
                self._hear(event.message, now)
        elif isinstance(event, MessageRejected):
            if event.sealed is self._sealed:
                self._hear_nonsense(event, now)
        elif isinstance(event, LinkOpened):
            self._link_opened(event, now)
        elif isinstance(event, LinkClosed):
            self._link_closed(event, now)

    def _link_closed(self, event: LinkClosed, now: int) -> None:
        self._lose(ConnectionLost(event.reason), event.reason, now)
        self._opening, self._sealed = None, False
        self._events.append(Disconnected(event.reason, self._session_end))

    # -- the session -----------------------------------------------------------------------------

    def _link_opened(self, event: LinkOpened, now: int) -> None:
        self._opened = event
        if self._opening is None:
            self._events.append(Connected(event.max_payload, event.window))
        else:
            self._begin(self._opening, now)

    def _pump_met(self, opened: SessionOpened | PumpMet) -> None:
        self._opening = None
        if not self.connection.is_open:
            return  # It has ended in one go with the last word; that is told next.
        access = None
        if isinstance(opened, SessionOpened):
            self.connection.begin_session(opened.keys)
            self._sealed = True
            access, opened = opened.access, PumpMet(opened.identity, opened.outcomes)
        self._met = opened
        window = self._opened.window if self._opened else 0
        self._events.append(Connected(self.connection.max_message, window, access, opened))

    # -- the procedure ---------------------------------------------------------------------------

    def _hear(self, message: Message, now: int) -> None:
        self.belief.learn(message, now)
        if self._met is not None and isinstance(message, _COUNTS):
            self._met = self._met.at(message.outcomes)
        if type(message) is m.Telemetry:
            self._events.append(TelemetryReceived(message))
        elif type(message) is m.SessionEnded:
            self._session_ended(message, now)
        elif self._batch is not None and self._procedure is not None:
            self._answer(self._procedure, self._batch, message, now)

    def _session_ended(self, message: m.SessionEnded, now: int) -> None:
        if not self._sealed:
            return  # Without a session there is none to end, and anybody can have said it.
        self._session_end = message.reason
        self.connection.close(now)
        self._lose(SessionTaken(), CloseReason.CLOSED_THERE, now)

    def _hear_nonsense(self, event: MessageRejected, now: int) -> None:
        if self._batch is not None:
            name = type(self._batch.next_unanswered).__name__
            why = f"what came in place of the reply to {name} is not a message: {event.error}"
            self._give_up(UnexpectedReply(why), now)

    def _give_up(self, error: ProgrammerError, now: int) -> None:
        """From here on every reply could be the answer to another question."""
        self.connection.abort(now)
        self._lose(error, CloseReason.CLOSED_HERE, now)

    def _answer(
        self, procedure: Procedure[Any], asked: RequestBatch, reply: Message, now: int
    ) -> None:
        # Where the connection ends meanwhile, it cannot be sent again.
        may_repeat = asked.replaced(reply) and self.connection.is_open
        again = asked.repeat() if may_repeat else None
        if again is not None:
            if not self._send_again(again, now):
                return
        else:
            request = asked.take(reply)
            if request is None:
                self._give_up(asked.unexpected(reply), now)
                return
            if self._met is not None:
                self._count(self._met, request, reply)
        self._reply_due_at = now + REPLY_TIMEOUT
        if asked.over:
            self._forget_batch()
            refusal = asked.refusal
            if refusal is None:
                self._resume(procedure.send, asked.result, now)
            else:
                self._resume(procedure.throw, refusal, now)

    def _send_again(self, request: Message, now: int) -> bool:
        """Send a request that was replaced on its way; False when that was the end of it."""
        try:
            self._send((request,), now)
        except ProgrammerError as error:
            self._lose(error, CloseReason.CLOSED_HERE, now)
        except LocalProtocolError:
            # The pump takes nothing off the line, so there is no room behind what waits.
            why = f"{type(request).__name__} cannot be sent again"
            self._give_up(UnexpectedReply(why), now)
        else:
            return True
        return False

    def _count(self, met: PumpMet, request: Message, reply: Message) -> None:
        """A change of one's own is an outcome more that the pump has recorded."""
        if self._met is None:
            return
        transaction: int | None = getattr(request, "transaction", None)
        if transaction is None or not is_outcome(reply):
            return
        if transaction not in self._changes:
            self._changes.append(transaction)
            self._met = met.after_change()

    def _forget_batch(self) -> None:
        self._batch = None
        self._reply_due_at = None

    def _lose(self, error: ProgrammerError, reason: CloseReason, now: int) -> None:
        procedure, asked = self._procedure, self._batch
        if procedure is None:
            return
        self._forget_batch()
        error = (
            error if asked is None else lost_with(asked.next_unanswered, error, reason, self._met)
        )
        self._resume(procedure.throw, error, now)

    def _resume(self, step: Step, answer: Any, now: int) -> None:
        """Let the procedure go on to its next request, its end or its failure."""
        try:
            asked = RequestBatch(step(answer))
            self._send(asked.requests, now)
        except StopIteration as end:
            self._end(Finished(end.value))
        except MockpumpError as error:
            self._end(Failed(error))
        except Exception:
            # A bug in the procedure is its author's to see, but it must not block the next one.
            self._procedure = None
            raise
        else:
            self._batch = asked
            self._reply_due_at = now + REPLY_TIMEOUT

    def _send(self, requests: Sequence[Message], now: int) -> None:
        # All or none: the reply to one of a round that failed would answer another question.
        try:
            if len(requests) > 1 and len(requests) > self.connection.room:
                raise LocalProtocolError("more requests at once than the link takes")
            for request in requests:
                self.connection.send(request, now)
        except LocalProtocolError as misuse:
            raise self._no_misuse(len(requests), now) or misuse from None

    def _no_misuse(self, count: int, now: int) -> ProgrammerError | None:
        """What is to blame when this many requests could not be sent; None: whoever asks them."""
        connection = self.connection
        if self._session_end is not None:
            return SessionTaken()
        if not connection.is_open:
            # It has ended in one go with what the procedure was sent.
            return ConnectionLost(connection.ended or CloseReason.CLOSED_HERE)
        if connection.can_seal(count):
            return None
        connection.abort(now)
        return SessionSpent()

    def _end(self, event: Finished | Failed) -> None:
        if self._procedure is not None:
            self._procedure.close()
        procedure, self._procedure = self._procedure, None
        if procedure is None or procedure is not self._opening:
            self._events.append(event)
        elif isinstance(event, Finished):
            self._pump_met(event.result)
        else:
            self._opening = None
            self._events.append(event)
