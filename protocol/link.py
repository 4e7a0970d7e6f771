"""The link: payloads arrive once, in order, or the link says that it is lost.

Selective repeat over frames that may be lost, repeated, late or out of order.  The link is sans-IO:
frames and the time come in, frames and events go out.  What it does about each thing that can
happen stands in `mockpump.protocol.link_table`; this module classifies what happens, looks the cell
up and carries its action out.

One side is the initiator (the programmer: it calls `open`), the other the acceptor (the pump).
Times are microseconds of line time; `now` never goes back.
"""

from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.framing import Frame, Kind
from mockpump.protocol.link_actions import ACTIONS, NO_FRAME, OFFER, LinkActions
from mockpump.protocol.link_events import DropReason, LinkEvent, Role
from mockpump.protocol.link_table import TRANSITIONS, Input, State

_INPUT_OF_KIND = {
    Kind.OPEN: Input.GOT_OPEN_AGAIN,
    Kind.OPEN_ACK: Input.GOT_OPEN_ACK,
    Kind.DATA: Input.GOT_DATA,
    Kind.ACK: Input.GOT_ACK,
    Kind.CLOSE: Input.GOT_CLOSE,
    Kind.RESET: Input.GOT_RESET,
}
# The table, with what carries its actions out in their place.
_STEPS = {
    state: {event: (ACTIONS[step.action], step.next) for event, step in row.items()}
    for state, row in TRANSITIONS.items()
}
_OFFERED_TO = {Kind.OPEN: Role.ACCEPTOR, Kind.OPEN_ACK: Role.INITIATOR}


class Link(LinkActions):
    """One side of a link.

    The caller's loop: `receive_frame`, `next_event` until None, `frames_to_send`, and
    `handle_timer` when `next_deadline` has come.  `state` and `connection` are for looking at;
    `events` is what `next_event` takes from, for a caller that takes all of them at once.
    """

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
        self._step(Input.CALL_SEND, now, Frame(Kind.DATA, self.connection, 0, 0, 0, payload))

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
        return self.settings.backlog - waiting if self.state is State.OPEN else 0

    @property
    def ready(self) -> bool:
        """Whether a payload given to `send` now would go out at once."""
        return self.state is State.OPEN and self._arq.ready

    @property
    def unacknowledged(self) -> int:
        """Payloads of which it is not known that they were delivered."""
        return self._arq.outstanding

    # -- what comes in ---------------------------------------------------------------------------

    def receive_frame(self, frame: Frame, now: int) -> None:
        """Take a whole frame from the line.  Never raises, whatever the frame."""
        self.statistics.frames_received += 1
        present = frame.connection == self.connection and self.state is not State.IDLE
        reason = self._useless(frame, present)
        if reason is not None:
            self.drop(reason, frame)
        elif present:
            self._heard_at = now
            self._step(_INPUT_OF_KIND[frame.kind], now, frame)
        else:
            self._step(self._from_elsewhere(frame), now, frame)

    def _useless(self, frame: Frame, present: bool) -> DropReason | None:
        """Why a frame is of no use in whatever state; `present`: it is of this connection."""
        if frame.kind is Kind.DATA:
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
        if self.state is State.IDLE:
            return None
        if self.state is State.OPENING:
            # Nothing to keep alive and nothing to miss yet: OPEN is repeated, so and so often.
            return self._timer.due_at
        settings, due_at, ack_at = self.settings, self._timer.due_at, self._arq.ack_at
        deadline = self._heard_at + settings.idle_timeout
        keepalive_at = self._sent_at + settings.keepalive
        deadline = min(deadline, keepalive_at)
        if due_at is not None and due_at < deadline:
            deadline = due_at
        if ack_at is not None and ack_at < deadline:
            deadline = ack_at
        return deadline

    def handle_timer(self, now: int) -> None:
        """Do what is due by now; harmless when nothing is."""
        if self.state is State.IDLE:
            return
        if self._arq.ack_at is not None and now >= self._arq.ack_at:
            self._arq.acknowledge_soon()
        if self._timer.due_at is not None and now >= self._timer.due_at:
            spent = self._timer.expiries >= self._most_expiries
            self._step(Input.TRIES_SPENT if spent else Input.RETRANSMIT_DUE, now, NO_FRAME)
        if self.state is State.OPENING:
            return
        if now >= self._heard_at + self.settings.idle_timeout:
            self._step(Input.SILENCE, now, NO_FRAME)
        if now >= self._sent_at + self.settings.keepalive:
            self._step(Input.KEEPALIVE_DUE, now, NO_FRAME)

    @property
    def _most_expiries(self) -> int:
        opening = self.state is State.OPENING
        return self.settings.open_tries - 1 if opening else self.settings.tries

    # -- what goes out ---------------------------------------------------------------------------

    def frames_to_send(self, now: int) -> list[Frame]:
        """The frames that must go out now, in order."""
        if self.state is State.OPEN or self.state is State.CLOSING:
            if self.state is State.CLOSING and not (self._repeated or self._arq.outstanding):
                self._repeat(self._arq.control_frame(Kind.CLOSE), now)
            data = self._arq.frames_to_send(now)
            out = self._control + data if self._control else data
        else:
            out = self._control
        if out:
            self._control = []
            self._sent_at = now
            self.statistics.frames_sent += len(out)
        return out

    def _step(self, event: Input, now: int, frame: Frame) -> None:
        act, following = _STEPS[self.state][event]
        # The action sees the state it happened in: what it reports may depend on it.
        act(self, event, now, frame)
        self.state = following
