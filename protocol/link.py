"""The link: payloads arrive once, in order, or the link says that it is lost.

Selective repeat over frames that may be lost, repeated, late or out of order.  The link is sans-IO:
frames and the time come in, frames and events go out.  What it does about each thing that can
happen stands in `mockpump.protocol.link_table`; this module classifies what happens, looks the cell
up and carries its action out.

One side is the initiator (the programmer: it calls `open`), the other the acceptor (the pump).
Times are microseconds of line time; `now` never goes back.
"""

from collections import deque
from collections.abc import Callable

from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.framing import Frame, Kind
from mockpump.protocol.link_events import (
    CloseReason,
    DropReason,
    FrameDropped,
    LinkClosed,
    LinkEvent,
    LinkOpened,
    LinkStatistics,
    PayloadReceived,
    Role,
)
from mockpump.protocol.link_settings import LinkSettings, Offer
from mockpump.protocol.link_table import TRANSITIONS, Action, Input, State
from mockpump.protocol.retransmission import RetransmissionTimer
from mockpump.protocol.transfer import Transfer
from mockpump.protocol.window import Arrival

# An OPEN whose id is among so many of the latest is an old one that the line kept back.
REMEMBERED_CONNECTIONS = 8
# Answers to stray frames that may wait to be sent; a flood gets no more than these.
_MAX_CONTROL = 8
_OFFER = codec_for(Offer)

_INPUT_OF_KIND = {
    Kind.OPEN_ACK: Input.GOT_OPEN_ACK,
    Kind.DATA: Input.GOT_DATA,
    Kind.ACK: Input.GOT_ACK,
    Kind.CLOSE: Input.GOT_CLOSE,
    Kind.RESET: Input.GOT_RESET,
}
_DROP_REASON = {Input.GOT_STRAY: DropReason.STRAY, Input.GOT_STRAY_RESET: DropReason.STRAY}
_DROP_ARRIVAL = {Arrival.DUPLICATE: DropReason.DUPLICATE, Arrival.OUTSIDE: DropReason.OUTSIDE}
_CLOSE_REASON = {
    Input.GOT_CLOSE: CloseReason.CLOSED_THERE,
    Input.GOT_RESET: CloseReason.RESET,
    Input.TRIES_SPENT: CloseReason.TRIES_SPENT,
    Input.SILENCE: CloseReason.SILENCE,
}


class Link:
    """One side of a link.

    The caller's loop: `receive_frame`, `next_event` until None, `frames_to_send`, and `handle_timer`
    when `next_deadline` has come.  `state` and `connection` are for looking at.
    """

    __slots__ = (
        "_control",
        "_earlier",
        "_events",
        "_heard_at",
        "_repeated",
        "_sent_at",
        "_timer",
        "_transfer",
        "connection",
        "max_payload",
        "role",
        "settings",
        "state",
        "statistics",
    )

    def __init__(self, role: Role, settings: LinkSettings | None = None) -> None:
        self.role = role
        self.settings = settings or LinkSettings()
        _OFFER.encode(self.settings.offer())
        self.state = State.IDLE
        self.statistics = LinkStatistics()
        self._events: deque[LinkEvent] = deque()
        self._control: list[Frame] = []
        self._earlier: deque[int] = deque(maxlen=REMEMBERED_CONNECTIONS)
        self._begin(0, 0, self.settings.offer())

    def _begin(self, connection: int, now: int, offer: Offer) -> None:
        """Forget the last connection and start one under these terms."""
        self.connection = connection
        self.max_payload = min(offer.max_payload, self.settings.max_payload)
        window = min(offer.window, self.settings.window)
        self._timer = RetransmissionTimer(self.settings)
        self._transfer = Transfer(connection, window, self.settings, self._timer, self.statistics)
        self._repeated: Frame | None = None
        self._heard_at = self._sent_at = now

    # -- calls of the user -----------------------------------------------------------------------

    def open(self, connection: int, now: int) -> None:
        """Start a connection under a fresh id (0..65535, better drawn than counted)."""
        if self.role is not Role.INITIATOR:
            raise LocalProtocolError("an acceptor waits to be called")
        if not 0 <= connection <= 0xFFFF:
            raise LocalProtocolError(f"connection id {connection} is not 0..65535")
        offer = _OFFER.encode(self.settings.offer())
        self._step(Input.CALL_OPEN, now, Frame(Kind.OPEN, connection, payload=offer))

    def send(self, payload: bytes, now: int) -> None:
        """Queue a payload.

        Raises `LocalProtocolError` when the link is not open, `room` is 0, or the payload is longer
        than `max_payload`.
        """
        if len(payload) > self.max_payload:
            raise LocalProtocolError(f"payload of {len(payload)} bytes; at most {self.max_payload}")
        self._step(Input.CALL_SEND, now, Frame(Kind.DATA, self.connection, payload=payload))

    def close(self, now: int) -> None:
        """Have everything sent acknowledged, then end the connection."""
        self._step(Input.CALL_CLOSE, now, Frame(Kind.CLOSE, self.connection))

    def abort(self, now: int) -> None:
        """End the connection at once with RESET; what is unacknowledged may never arrive."""
        self._step(Input.CALL_ABORT, now, Frame(Kind.RESET, self.connection))

    @property
    def room(self) -> int:
        """How many payloads `send` would take now."""
        return self.settings.backlog - self._transfer.queued if self.state is State.OPEN else 0

    @property
    def ready(self) -> bool:
        """Whether a payload given to `send` now would go out at once."""
        return self.state is State.OPEN and self._transfer.ready

    @property
    def unacknowledged(self) -> int:
        """Payloads of which it is not known that they arrived."""
        return self._transfer.outstanding

    # -- what comes in ---------------------------------------------------------------------------

    def receive_frame(self, frame: Frame, now: int) -> None:
        """Take a whole frame from the line.  Never raises, whatever the frame."""
        self.statistics.frames_received += 1
        reason = self._misshapen(frame)
        if reason is None:
            self._step(self._classify(frame, now), now, frame)
        else:
            self._drop(reason, frame)

    def _misshapen(self, frame: Frame) -> DropReason | None:
        if frame.kind is Kind.DATA:
            return DropReason.BAD_PAYLOAD if len(frame.payload) > self.max_payload else None
        if frame.kind is not Kind.OPEN and frame.kind is not Kind.OPEN_ACK:
            return DropReason.BAD_PAYLOAD if frame.payload else None
        try:
            _OFFER.decode(frame.payload)
        except DecodeError:
            return DropReason.BAD_OFFER
        return None

    def _classify(self, frame: Frame, now: int) -> Input:
        known = self.state is not State.IDLE and frame.connection == self.connection
        if frame.kind is Kind.OPEN and self.role is Role.ACCEPTOR:
            if known:
                return Input.GOT_OPEN_AGAIN
            return Input.GOT_OPEN_OLD if frame.connection in self._earlier else Input.GOT_OPEN
        if known and frame.kind is not Kind.OPEN:
            self._heard_at = now
            return _INPUT_OF_KIND[frame.kind]
        return Input.GOT_STRAY_RESET if frame.kind is Kind.RESET else Input.GOT_STRAY

    def next_event(self) -> LinkEvent | None:
        """What happened, oldest first; None when there is nothing more."""
        return self._events.popleft() if self._events else None

    # -- time ------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """When `handle_timer` must be called at the latest; None when nothing is awaited."""
        if self.state is State.IDLE:
            return None
        deadline = min(self._silence_at, self._sent_at + self.settings.keepalive)
        if self._timer.due_at is not None and self._timer.due_at < deadline:
            deadline = self._timer.due_at
        if self._transfer.ack_at is not None and self._transfer.ack_at < deadline:
            deadline = self._transfer.ack_at
        return deadline

    @property
    def _silence_at(self) -> int:
        opening = self.state is State.OPENING
        allowed = self.settings.open_timeout if opening else self.settings.idle_timeout
        return self._heard_at + allowed

    def handle_timer(self, now: int) -> None:
        """Do what is due by now; harmless when nothing is."""
        if self.state is State.IDLE:
            return
        if self._transfer.ack_at is not None and now >= self._transfer.ack_at:
            self._transfer.acknowledge_soon()
        if self._timer.due_at is not None and now >= self._timer.due_at:
            spent = self._timer.expiries >= self.settings.tries
            self._step(Input.TRIES_SPENT if spent else Input.RETRANSMIT_DUE, now, _NO_FRAME)
        if now >= self._silence_at:
            self._step(Input.SILENCE, now, _NO_FRAME)
        if now >= self._sent_at + self.settings.keepalive:
            self._step(Input.KEEPALIVE_DUE, now, _NO_FRAME)

    # -- what goes out ---------------------------------------------------------------------------

    def frames_to_send(self, now: int) -> list[Frame]:
        """The frames that must go out now, in order."""
        if self.state is State.OPEN or self.state is State.CLOSING:
            data = self._transfer.frames_to_send(now)
            if self.state is State.CLOSING and not (self._repeated or self._transfer.outstanding):
                self._repeat(self._transfer.bare(Kind.CLOSE), now)
            out = self._control + data if self._control else data
        else:
            out = self._control
        if out:
            self._control = []
            self._sent_at = now
            self.statistics.frames_sent += len(out)
        return out

    def _repeat(self, frame: Frame, now: int) -> None:
        """Send a frame that goes out again until it is answered: OPEN or CLOSE."""
        self._repeated = frame
        self._control.append(frame)
        self._timer.start(now)

    # -- the actions of the table ----------------------------------------------------------------

    def _step(self, event: Input, now: int, frame: Frame) -> None:
        action, following = TRANSITIONS[self.state][event]
        # The action sees the state it happened in: what it reports may depend on it.
        _ACTIONS[action](self, event, now, frame)
        self.state = following

    def _nothing(self, event: Input, now: int, frame: Frame) -> None:
        pass

    def _refuse(self, event: Input, now: int, frame: Frame) -> None:
        raise LocalProtocolError(f"{event.value}, but the link is {self.state.name}")

    def _drop(self, reason: DropReason, frame: Frame) -> None:
        self.statistics.frames_dropped += 1
        self._events.append(FrameDropped(reason, frame))

    def _drop_frame(self, event: Input, now: int, frame: Frame) -> None:
        self._drop(_DROP_REASON.get(event, DropReason.UNEXPECTED), frame)

    def _send_open(self, event: Input, now: int, frame: Frame) -> None:
        self._begin(frame.connection, now, self.settings.offer())
        self._repeat(frame, now)

    def _accept(self, event: Input, now: int, frame: Frame) -> None:
        self._earlier.append(frame.connection)
        self._begin(frame.connection, now, _OFFER.decode(frame.payload))
        self._repeat_open_ack(event, now, frame)
        self._report_opened(frame)

    def _supersede(self, event: Input, now: int, frame: Frame) -> None:
        self._close(CloseReason.SUPERSEDED)
        self._accept(event, now, frame)

    def _repeat_open_ack(self, event: Input, now: int, frame: Frame) -> None:
        offer = _OFFER.encode(self.settings.offer())
        self._answer(Frame(Kind.OPEN_ACK, frame.connection, payload=offer))

    def _establish(self, event: Input, now: int, frame: Frame) -> None:
        sent_once, round_trip = self._timer.expiries == 0, now - self._sent_at
        self._begin(self.connection, now, _OFFER.decode(frame.payload))
        if sent_once:
            self._timer.measure(round_trip)
            self.statistics.round_trip = round_trip
        self._report_opened(frame)

    def _report_opened(self, frame: Frame) -> None:
        window = min(_OFFER.decode(frame.payload).window, self.settings.window)
        self._events.append(LinkOpened(self.max_payload, window))

    def _abandon(self, event: Input, now: int, frame: Frame) -> None:
        self._answer(Frame(Kind.RESET, self.connection))
        self._close(CloseReason.CLOSED_HERE)

    def _queue(self, event: Input, now: int, frame: Frame) -> None:
        if not self.room:
            raise LocalProtocolError(f"{self.settings.backlog} payloads are queued already")
        self._transfer.queue(frame.payload)

    def _receive(self, event: Input, now: int, frame: Frame) -> None:
        self._transfer.acknowledge(frame, now)
        arrival, delivered = self._transfer.receive(frame, now)
        for payload in delivered:
            self._events.append(PayloadReceived(payload))
        if arrival in _DROP_ARRIVAL:
            self._drop(_DROP_ARRIVAL[arrival], frame)

    def _acknowledge(self, event: Input, now: int, frame: Frame) -> None:
        if not self._transfer.acknowledge(frame, now):
            self._drop(DropReason.BAD_ACK, frame)

    def _answer_close(self, event: Input, now: int, frame: Frame) -> None:
        self._answer(self._transfer.bare(Kind.CLOSE))
        self._close(CloseReason.CLOSED_THERE)

    def _report_closed(self, event: Input, now: int, frame: Frame) -> None:
        self._close(CloseReason.CLOSED_HERE)

    def _lose(self, event: Input, now: int, frame: Frame) -> None:
        unanswered = self.state is State.OPENING and frame is _NO_FRAME
        self._close(CloseReason.NO_ANSWER if unanswered else _CLOSE_REASON[event])

    def _close(self, reason: CloseReason) -> None:
        self._events.append(LinkClosed(reason, self._transfer.outstanding))

    def _send_reset(self, event: Input, now: int, frame: Frame) -> None:
        self._answer(Frame(Kind.RESET, frame.connection))
        self._drop(DropReason.STRAY, frame)

    def _answer(self, frame: Frame) -> None:
        if len(self._control) < _MAX_CONTROL:
            self._control.append(frame)

    def _retransmit(self, event: Input, now: int, frame: Frame) -> None:
        self._timer.expire(now)
        self.statistics.timeouts += 1
        if not self._transfer.resend_oldest() and self._repeated:
            self.statistics.retransmissions += 1
            self._control.append(self._repeated)

    def _send_ack(self, event: Input, now: int, frame: Frame) -> None:
        self._transfer.acknowledge_soon()


_NO_FRAME = Frame(Kind.RESET, 0)

_ACTIONS: dict[Action, Callable[[Link, Input, int, Frame], None]] = {
    Action.NOTHING: Link._nothing,
    Action.REFUSE: Link._refuse,
    Action.DROP: Link._drop_frame,
    Action.SEND_OPEN: Link._send_open,
    Action.ACCEPT: Link._accept,
    Action.SUPERSEDE: Link._supersede,
    Action.REPEAT_OPEN_ACK: Link._repeat_open_ack,
    Action.ESTABLISH: Link._establish,
    Action.ABANDON: Link._abandon,
    Action.QUEUE: Link._queue,
    Action.FINISH: Link._nothing,
    Action.RECEIVE: Link._receive,
    Action.ACKNOWLEDGE: Link._acknowledge,
    Action.ANSWER_CLOSE: Link._answer_close,
    Action.REPORT_CLOSED: Link._report_closed,
    Action.LOSE: Link._lose,
    Action.SEND_RESET: Link._send_reset,
    Action.RETRANSMIT: Link._retransmit,
    Action.SEND_ACK: Link._send_ack,
}
