"""An endpoint: where a line comes into the pump.  It joins one connection to the device.

Sans-IO, with two kinds of time.  The connection's timers run in line time (`now`, microseconds);
the device lives in pump time.  Whoever drives the endpoint advances the pump, then tells the
endpoint.
"""

from mockpump.emulator.pump.pairing import Draw
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.authorization import payload_fault, refuse_unauthorized
from mockpump.emulator.pump.requests.decision import refused
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.protocol import messages as m
from mockpump.protocol.connection import (
    Connection,
    ConnectionEvent,
    MessageReceived,
    MessageRejected,
)
from mockpump.protocol.link.types import LinkClosed, LinkOpened, LinkSettings, Role
from mockpump.protocol.messages import Reason
from mockpump.protocol.messages.base import Direction, Message

# What somebody at the other end has said.
_SAID = (MessageReceived, MessageRejected)


class Endpoint:
    """One line into a pump."""

    __slots__ = ("_draw", "connection", "peer", "pump")

    def __init__(
        self, pump: Pump, settings: LinkSettings | None = None, draw: Draw | None = None
    ) -> None:
        self.pump = pump
        self.connection = Connection(Role.ACCEPTOR, settings)
        self._draw = draw
        self.peer = Peer(draw=draw)

    def reboot(self, pump: Pump) -> None:
        """Be a line into a pump that has just started; what was connected is forgotten."""
        self.pump = pump
        self.connection = Connection(Role.ACCEPTOR, self.connection.link.settings)
        self.peer = Peer(draw=self._draw)

    def forget_peer(self, largest_payload: int = 0) -> None:
        """Whoever called is gone, and with them their session; somebody else may have come."""
        if self.pump.serving is self.peer:
            self.pump.serving = None
        self.peer = Peer(largest_payload=largest_payload, draw=self._draw)

    def evict(self, now: int) -> bool:
        """If somebody has taken over the session of this line, say so on it, and hang up.

        Whether it was so.
        """
        if self.peer.keys is None or self.pump.serving is self.peer:
            return False
        # What was staged and subscribed to has ended with the session.
        self.peer = Peer(evicted=True)
        if self.connection.room:
            self.connection.send(m.SessionEnded(m.SessionEnd.TAKEN_OVER), now)
            self.connection.close(now)
        else:
            self.connection.abort(now)
        self._take_events(now)
        return True

    # -- the line ------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: int) -> None:
        """Take bytes from the line and answer the requests in them.  Never raises."""
        self.connection.receive_data(data, now)
        self._take_events(now)

    def handle_timer(self, now: int) -> None:
        """Do what is due on the line by now."""
        self.connection.handle_timer(now)
        self._take_events(now)

    def next_deadline(self) -> int | None:
        """When `handle_timer` must be called at the latest."""
        return self.connection.next_deadline()

    def data_to_send(self, now: int) -> bytes:
        """The bytes that must go out now, the newest telemetry behind them if there is room."""
        data = self.connection.data_to_send(now)
        if self.peer.pending is not None and self.connection.link.ready:
            self._report(self.peer.pending, now)
            data += self.connection.data_to_send(now)
        return data

    def _report(self, telemetry: m.Telemetry, now: int) -> None:
        self.peer.pending = None
        if self.connection.room:
            self.connection.send(telemetry, now)
        else:
            # A session that has sealed all it can says nothing any more: let another begin.
            self.connection.abort(now)
            self._take_events(now)

    def _take_events(self, now: int) -> None:
        while events := self.connection.take_events():
            over = _before_last_close(events) if len(events) > 1 else 0
            for place, event in enumerate(events):
                self._take_event(event, now, place < over)

    def _take_event(self, event: ConnectionEvent, now: int, over: bool) -> None:
        if isinstance(event, _SAID):
            self._hear(event, now, over)
        elif isinstance(event, LinkOpened):
            self.forget_peer(event.max_payload)
        elif isinstance(event, LinkClosed):
            self.forget_peer()

    def _hear(self, said: MessageReceived | MessageRejected, now: int, over: bool) -> None:
        if self.peer.evicted:
            pass  # Said in a session that is over, whenever it was sent.
        elif over:
            # It came before the end, so it counts; but its reply would reach another peer.
            self._answer(said)
        elif not self.connection.room:
            # More requests than replies can be queued, for a peer that does not wait for answers,
            # or than the session can seal.  What cannot be answered is not done.
            self.connection.abort(now)
        else:
            self.connection.send(self._answer(said), now)
            self._seal()

    def _seal(self) -> None:
        """Go on in the session that this reply has begun."""
        keys = self.peer.keys
        if keys is not None and not self.connection.is_sealed:
            self.connection.begin_session(keys)
            self.peer.largest_payload = self.connection.max_message

    def _answer(self, said: MessageReceived | MessageRejected) -> Message:
        if isinstance(said, MessageReceived):
            peer = self.peer
            peer.frames_rejected, peer.bytes_discarded = self.connection.turned_down
            return handle(self.pump, said.message, peer, sealed=said.sealed)
        return self._refusal(said)

    def _refusal(self, event: MessageRejected) -> m.Refused:
        fault = payload_fault(event, self.peer)
        if fault is not None:
            return refuse_unauthorized(self.pump, event.number, fault)
        return _no_request(event)

    # -- the pump's time -------------------------------------------------------------------------

    def next_report(self) -> int | None:
        """The elapsed pump time at which telemetry is due; None without a subscription."""
        return self.peer.next_report if self.peer.interval else None

    def pump_advanced(self, mode_changed: bool) -> bool:
        """The pump has lived on: take down what it reports, in place of what was not sent yet.

        Whether there is anything to report.
        """
        peer = self.peer
        if not peer.interval:
            return False
        due = self.pump.elapsed >= peer.next_report
        if due or mode_changed:
            peer.pending = self.pump.report()
        if due:
            peer.next_report = (self.pump.elapsed // peer.interval + 1) * peer.interval
        return due or mode_changed


def _before_last_close(events: list[ConnectionEvent]) -> int:
    """How many belong to connections that are over already: another may be open by now."""
    return max((at for at, event in enumerate(events) if isinstance(event, LinkClosed)), default=0)


def _no_request(event: MessageRejected) -> m.Refused:
    entry = m.CATALOGUE.get(event.number)
    if entry is None:
        return refused(event.number, Reason.UNKNOWN_MESSAGE)
    if entry.direction is not Direction.REQUEST:
        return refused(event.number, Reason.NOT_A_REQUEST)
    return refused(event.number, Reason.MALFORMED, event.error.field)
