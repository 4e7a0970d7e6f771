"""One side of a link: selective repeat over frames that may be lost, repeated, late or out of
order.

Sans-IO: frames and the time come in, frames and events go out.  What a link does about each thing
that can happen stands in `mockpump.protocol.link.states`; this class classifies what happens, looks
the cell up and carries its action out.  What travels while it is open is `Arq`'s affair.

One side is the initiator (the programmer: it calls `open`), the other the acceptor (the pump).
Times are microseconds of line time; `now` never goes back.
"""

from collections import deque
from collections.abc import Callable

from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.framing import DATA, OVERHEAD, Frame, Kind
from mockpump.protocol.link.arq import Arq, Arrival
from mockpump.protocol.link.states import (
    CLOSING,
    IDLE,
    OPEN,
    OPENING,
    TRANSITIONS,
    Action,
    Input,
    Step,
)
from mockpump.protocol.link.timer import RetransmissionTimer
from mockpump.protocol.link.types import (
    CloseReason,
    DropReason,
    FlightState,
    FrameDropped,
    LinkClosed,
    LinkEvent,
    LinkOpened,
    LinkSettings,
    LinkSnapshot,
    LinkStatistics,
    Offer,
    PayloadReceived,
    Role,
)

# An OPEN whose id is among this many of the latest is an old one that the line kept back.
REMEMBERED_CONNECTIONS = 8
# Answers to stray frames that may wait to be sent; a flood gets no more than these.
_MAX_CONTROL = 8
OFFER = codec_for(Offer)
NO_FRAME = Frame(Kind.RESET, 0)
_SETTINGS = codec_for(LinkSettings)

_CALL_SEND = Input.CALL_SEND
_INPUT_OF_KIND = {
    Kind.OPEN: Input.GOT_OPEN_AGAIN,
    Kind.OPEN_ACK: Input.GOT_OPEN_ACK,
    Kind.DATA: Input.GOT_DATA,
    Kind.ACK: Input.GOT_ACK,
    Kind.CLOSE: Input.GOT_CLOSE,
    Kind.RESET: Input.GOT_RESET,
}
_OFFERED_TO = {Kind.OPEN: Role.ACCEPTOR, Kind.OPEN_ACK: Role.INITIATOR}
_DROP_ARRIVAL = {Arrival.DUPLICATE: DropReason.DUPLICATE, Arrival.OUTSIDE: DropReason.OUTSIDE}


class Link:
    """One side of a link.

    The caller's loop: `receive_frame`, `next_event` until None, `frames_to_send`, and
    `handle_timer` when `next_deadline` has come.  `state` and `connection` are for looking at;
    `events` is what happened, oldest first, for a caller that takes all of them at once.  `ended`
    is why the last connection has ended, None before any has; `endings` is how many have.
    """

    __slots__ = (
        "_arq",
        "_control",
        "_earlier",
        "_heard_at",
        "_repeated",
        "_sent_at",
        "_timer",
        "connection",
        "ended",
        "endings",
        "events",
        "max_payload",
        "role",
        "settings",
        "state",
        "statistics",
    )

    def __init__(self, role: Role, settings: LinkSettings | None = None) -> None:
        self.role = role
        self.settings = settings or LinkSettings()
        _SETTINGS.encode(self.settings)  # raises where one is out of its range
        self.state = IDLE
        self.statistics = LinkStatistics()
        self.events: deque[LinkEvent] = deque()
        self.endings = 0
        self.ended: CloseReason | None = None
        self._earlier: deque[int] = deque(maxlen=REMEMBERED_CONNECTIONS)
        # Those of one connection, which `_begin` makes anew.
        self.connection: int
        self._arq: Arq
        self._control: list[Frame]
        self._begin(0, 0, self.settings.offer())

    # -- calls of the user -----------------------------------------------------------------------

    def open(self, connection: int, now: int) -> None:
        """Start a connection under a fresh id (0..65535, better drawn than counted)."""
        if self.role is not Role.INITIATOR:
            raise LocalProtocolError("an acceptor waits to be called")
        if not 0 <= connection <= 0xFFFF:
            raise LocalProtocolError(f"connection id {connection} is not 0..65535")
        offer = OFFER.encode(self.settings.offer())
        self._step(Input.CALL_OPEN, now, Frame(Kind.OPEN, connection, payload=offer))

    def send(self, payload: bytes, now: int) -> None:
        """Queue a payload.

        Raises `LocalProtocolError` when the link is not open, `room` is 0, or the payload is longer
        than `max_payload`.
        """
        if len(payload) > self.max_payload:
            raise LocalProtocolError(f"payload of {len(payload)} bytes; at most {self.max_payload}")
        self._step(_CALL_SEND, now, Frame(DATA, self.connection, 0, 0, 0, payload))

    def close(self, now: int) -> None:
        """Have everything sent acknowledged, then end the connection."""
        self._step(Input.CALL_CLOSE, now, Frame(Kind.CLOSE, self.connection))

    def abort(self, now: int) -> None:
        """End the connection at once with RESET; what is unacknowledged may never arrive."""
        self._step(Input.CALL_ABORT, now, Frame(Kind.RESET, self.connection))

    @property
    def room(self) -> int:
        """How many payloads `send` would take now."""
        waiting = len(self._arq.waiting)
        return self.settings.backlog - waiting if self.state is OPEN else 0

    @property
    def waiting(self) -> int:
        """How many payloads wait for room in the window."""
        return len(self._arq.waiting)

    @property
    def ready(self) -> bool:
        """Whether a payload given to `send` now would go out at once."""
        return self.state is OPEN and self._arq.ready

    @property
    def unacknowledged(self) -> int:
        """Payloads of which it is not known that they were delivered."""
        return self._arq.outstanding

    def snapshot(self) -> LinkSnapshot:
        """Where it stands."""
        send, receive, timer = self._arq.sending, self._arq.receiving, self._timer
        return LinkSnapshot(
            self.state.name.lower(),
            None if self.state is IDLE else self.connection,
            send.base,
            send.next_seq,
            send.size,
            tuple(
                FlightState(each.seq, each.sent_at, each.transmissions) for each in send.in_flight
            ),
            receive.expected,
            tuple(sorted(receive.early)),
            timer.timeout,
            timer.due_at,
            timer.expiries,
            timer.round_trip.smoothed,
            self._arq.ack_at,
        )

    # -- what comes in ---------------------------------------------------------------------------

    def receive_frame(self, frame: Frame, now: int) -> None:
        """Take a whole frame from the line.  Never raises, whatever the frame."""
        self.statistics.frames_received += 1
        present = frame.connection == self.connection and self.state is not IDLE
        reason = self._useless(frame, present)
        if reason is not None:
            self._drop(reason, frame)
        elif present:
            self._heard_at = now
            self._step(_INPUT_OF_KIND[frame.kind], now, frame)
        else:
            self._step(self._from_elsewhere(frame), now, frame)

    def _useless(self, frame: Frame, present: bool) -> DropReason | None:
        """Why a frame is of no use in whatever state; `present`: it is of this connection."""
        if frame.kind is DATA:
            # What a connection of old had agreed on is not known: let it be a stray frame.
            too_long = len(frame.payload) > self.max_payload and present
            return DropReason.BAD_PAYLOAD if too_long else None
        if frame.kind not in _OFFERED_TO:
            return DropReason.BAD_PAYLOAD if frame.payload else None
        if _OFFERED_TO[frame.kind] is not self.role:
            return DropReason.MISDIRECTED
        try:
            OFFER.decode(frame.payload)
        except DecodeError:
            return DropReason.BAD_OFFER
        return None

    def _from_elsewhere(self, frame: Frame) -> Input:
        """What a frame is that is not of the present connection."""
        if frame.kind is Kind.OPEN:
            return Input.GOT_OPEN_OLD if frame.connection in self._earlier else Input.GOT_OPEN
        return Input.GOT_STRAY_RESET if frame.kind is Kind.RESET else Input.GOT_STRAY

    def next_event(self) -> LinkEvent | None:
        """What happened, oldest first; None when there is nothing more."""
        return self.events.popleft() if self.events else None

    # -- time ------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """When `handle_timer` must be called at the latest; None when nothing is awaited."""
        if self.state is IDLE:
            return None
        if self.state is OPENING:
            # Nothing to keep alive and nothing to miss yet: OPEN is repeated, so and so often.
            return self._timer.due_at
        settings, due_at, ack_at = self.settings, self._timer.due_at, self._arq.ack_at
        silent_at = self._heard_at + settings.idle_timeout
        keepalive_at = self._sent_at + settings.keepalive
        deadline = keepalive_at if keepalive_at < silent_at else silent_at
        if due_at is not None and due_at < deadline:
            deadline = due_at
        if ack_at is not None and ack_at < deadline:
            deadline = ack_at
        return deadline

    def handle_timer(self, now: int) -> None:
        """Do what is due by now; harmless when nothing is."""
        if self.state is IDLE:
            return
        if self._arq.ack_at is not None and now >= self._arq.ack_at:
            self._arq.acknowledge_soon()
        if self._timer.due_at is not None and now >= self._timer.due_at:
            spent = self._timer.expiries >= self._most_expiries
            self._step(Input.TRIES_SPENT if spent else Input.RETRANSMIT_DUE, now, NO_FRAME)
        if self.state is OPENING:
            return
        if now >= self._heard_at + self.settings.idle_timeout:
            self._step(Input.SILENCE, now, NO_FRAME)
        if now >= self._sent_at + self.settings.keepalive:
            self._step(Input.KEEPALIVE_DUE, now, NO_FRAME)

    @property
    def _most_expiries(self) -> int:
        opening = self.state is OPENING
        return self.settings.open_tries - 1 if opening else self.settings.tries

    # -- what goes out ---------------------------------------------------------------------------

    def frames_to_send(self, now: int) -> list[Frame]:
        """The frames that must go out now, in order."""
        if self.state is OPEN or self.state is CLOSING:
            if self.state is CLOSING and not (self._repeated or self._arq.outstanding):
                self._step(Input.ALL_ACKNOWLEDGED, now, NO_FRAME)
            data = self._arq.frames_to_send(now)
            out = self._control + data if self._control else data
        else:
            out = self._control
        if out:
            self._control = []
            self._sent_at = now
            self.statistics.frames_sent += len(out)
        return out

    # -- what is done about it -------------------------------------------------------------------

    def _step(self, event: Input, now: int, frame: Frame) -> None:
        carry_out, step = _STEPS[self.state][event]
        if carry_out is None:
            raise LocalProtocolError(f"{event.value}, but the link is {self.state.name}")
        # The action sees the state it happened in: what it does may depend on it.
        carry_out(self, step, now, frame)
        self.state = step.next

    def _begin(self, connection: int, now: int, offer: Offer) -> None:
        """Forget the last connection, with what it left unsaid, and start one under these terms."""
        self._control = []
        self.connection = connection
        self.max_payload = min(offer.max_payload, self.settings.max_payload)
        window = min(offer.window, self.settings.window)
        self._timer = RetransmissionTimer(self.settings)
        self._arq = Arq(connection, window, self.settings, self._timer, self.statistics)
        self._repeated: Frame | None = None
        self._heard_at = self._sent_at = now

    def _repeat(self, frame: Frame, now: int) -> None:
        """Send a frame that goes out again until it is answered: OPEN or CLOSE."""
        self._repeated = frame
        self._control.append(frame)
        self._timer.start(now, OVERHEAD + len(frame.payload))

    def _nothing(self, step: Step, now: int, frame: Frame) -> None:
        pass

    def _drop(self, reason: DropReason, frame: Frame) -> None:
        self.statistics.frames_dropped += 1
        self.events.append(FrameDropped(reason, frame))

    def _drop_frame(self, step: Step, now: int, frame: Frame) -> None:
        assert isinstance(step.reason, DropReason)
        self._drop(step.reason, frame)

    def _send_open(self, step: Step, now: int, frame: Frame) -> None:
        self._begin(frame.connection, now, self.settings.offer())
        self._repeat(frame, now)

    def _accept(self, step: Step, now: int, frame: Frame) -> None:
        self._earlier.append(frame.connection)
        self._begin(frame.connection, now, OFFER.decode(frame.payload))
        self._repeat_open_ack(step, now, frame)
        self._report_opened(frame)

    def _supersede(self, step: Step, now: int, frame: Frame) -> None:
        self._close(step)
        self._accept(step, now, frame)

    def _repeat_open_ack(self, step: Step, now: int, frame: Frame) -> None:
        offer = OFFER.encode(self.settings.offer())
        self._answer(Frame(Kind.OPEN_ACK, frame.connection, payload=offer))

    def _establish(self, step: Step, now: int, frame: Frame) -> None:
        sent_once, round_trip = self._timer.expiries == 0, now - self._sent_at
        self._begin(self.connection, now, OFFER.decode(frame.payload))
        if sent_once:
            # OPEN and OPEN_ACK are of one length.
            size = OVERHEAD + len(frame.payload)
            self._timer.measure(round_trip, size, size)
            self.statistics.round_trip = round_trip
        self._report_opened(frame)

    def _report_opened(self, frame: Frame) -> None:
        window = min(OFFER.decode(frame.payload).window, self.settings.window)
        self.events.append(LinkOpened(self.max_payload, window))

    def _abandon(self, step: Step, now: int, frame: Frame) -> None:
        self._answer(Frame(Kind.RESET, self.connection))
        self._close(step)

    def _queue(self, step: Step, now: int, frame: Frame) -> None:
        waiting = self._arq.waiting
        if len(waiting) >= self.settings.backlog:
            raise LocalProtocolError(f"{self.settings.backlog} payloads are queued already")
        waiting.append(frame.payload)

    def _receive(self, step: Step, now: int, frame: Frame) -> None:
        self._arq.acknowledge(frame, now)
        arrival, delivered = self._arq.receive(frame, now)
        for payload in delivered:
            self.events.append(PayloadReceived(payload))
        if not delivered and arrival is not Arrival.AHEAD:
            self._drop(_DROP_ARRIVAL[arrival], frame)

    def _acknowledge(self, step: Step, now: int, frame: Frame) -> None:
        if not self._arq.acknowledge(frame, now):
            self._drop(DropReason.BAD_ACK, frame)

    def _answer_close(self, step: Step, now: int, frame: Frame) -> None:
        self._arq.acknowledge(frame, now)
        self._answer(self._arq.control_frame(Kind.CLOSE))
        self._close(step)

    def _report_closed(self, step: Step, now: int, frame: Frame) -> None:
        if frame.kind is Kind.CLOSE:
            self._arq.acknowledge(frame, now)
            if not self._repeated:
                self._answer(self._arq.control_frame(Kind.CLOSE))
        whole = not self._arq.outstanding
        self._close(step._replace(reason=CloseReason.CLOSED_HERE) if whole else step)

    def _lose(self, step: Step, now: int, frame: Frame) -> None:
        self._close(step)

    def _close(self, step: Step) -> None:
        assert isinstance(step.reason, CloseReason)
        self.ended = step.reason
        self.endings += 1
        self.events.append(LinkClosed(step.reason, self._arq.outstanding))

    def _send_close(self, step: Step, now: int, frame: Frame) -> None:
        self._repeat(self._arq.control_frame(Kind.CLOSE), now)

    def _send_reset(self, step: Step, now: int, frame: Frame) -> None:
        self._answer(Frame(Kind.RESET, frame.connection))
        self._drop(DropReason.STRAY, frame)

    def _answer(self, frame: Frame) -> None:
        if len(self._control) < _MAX_CONTROL:
            self._control.append(frame)

    def _retransmit(self, step: Step, now: int, frame: Frame) -> None:
        # One OPEN at a time adds nothing to a crowd, and whoever waits for it wants to know soon.
        ack_unambiguous = self._timer.expire(now, backoff=self.state is not OPENING)
        self.statistics.timeouts += 1
        if not self._arq.resend_oldest(ack_unambiguous) and self._repeated:
            self.statistics.retransmissions += 1
            self._control.append(self._repeated)

    def _send_ack(self, step: Step, now: int, frame: Frame) -> None:
        self._arq.acknowledge_soon()


ACTIONS: dict[Action, Callable[[Link, Step, int, Frame], None] | None] = {
    Action.NOTHING: Link._nothing,
    Action.REFUSE: None,
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
    Action.SEND_CLOSE: Link._send_close,
    Action.ANSWER_CLOSE: Link._answer_close,
    Action.REPORT_CLOSED: Link._report_closed,
    Action.LOSE: Link._lose,
    Action.SEND_RESET: Link._send_reset,
    Action.RETRANSMIT: Link._retransmit,
    Action.SEND_ACK: Link._send_ack,
}
# The table, with what carries its actions out beside each cell.
_STEPS = {
    state: {event: (ACTIONS[step.action], step) for event, step in row.items()}
    for state, row in TRANSITIONS.items()
}
