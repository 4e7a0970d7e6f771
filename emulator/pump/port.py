"""A port: where a line comes into the pump.  It joins one connection to the device.

Sans-IO, with two kinds of time.  The connection's timers run in line time (`now`, microseconds);
the device lives in pump time.  Whoever drives the port advances the pump, then tells the port.
"""

from mockpump.emulator.pump.caller import Caller
from mockpump.emulator.pump.commands import handle
from mockpump.emulator.pump.device import Pump
from mockpump.protocol import messages as m
from mockpump.protocol.catalogue import Message
from mockpump.protocol.connection import (
    Connection,
    ConnectionEvent,
    MessageReceived,
    MessageRejected,
    WrongDirection,
)
from mockpump.protocol.framing import RejectedFrame
from mockpump.protocol.link_events import LinkClosed, LinkOpened, Role
from mockpump.protocol.link_settings import LinkSettings
from mockpump.protocol.messages import Reason

# What a ProgramData needs beside its piece of the image: its number, three short fields, a length.
_DATA_OVERHEAD = len(m.encode(m.ProgramData(0, bytes(m.DIGEST_SIZE), 0, b"")))


class Port:
    """One line into a pump."""

    __slots__ = ("caller", "connection", "pump")

    def __init__(self, pump: Pump, settings: LinkSettings | None = None) -> None:
        self.pump = pump
        self.connection = Connection(Role.ACCEPTOR, settings)
        self.caller = Caller()

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
        """The bytes that must go out now, with the newest telemetry if the line is free."""
        if self.caller.pending is not None and self.connection.link.ready:
            self.connection.send(self.caller.pending, now)
            self.caller.pending = None
        return self.connection.data_to_send(now)

    def _take_events(self, now: int) -> None:
        while (event := self.connection.next_event()) is not None:
            self._take_event(event, now)

    def _take_event(self, event: ConnectionEvent, now: int) -> None:
        if isinstance(event, MessageReceived):
            self._reply(handle(self.pump, event.message, self.caller), now)
        elif isinstance(event, RejectedFrame):
            self._count_line()
        elif isinstance(event, MessageRejected):
            self._reply(_refusal(event), now)
        elif isinstance(event, LinkOpened | LinkClosed):
            self.caller = Caller(largest_piece=self.connection.link.max_payload - _DATA_OVERHEAD)
            self._count_line()

    def _count_line(self) -> None:
        statistics = self.connection.statistics
        self.caller.frames_rejected = statistics.frames_rejected
        self.caller.bytes_discarded = statistics.bytes_discarded

    def _reply(self, message: Message, now: int) -> None:
        if self.connection.room:
            self.connection.send(message, now)
        else:
            # More requests than replies can be queued: such a caller does not wait for answers.
            self.connection.abort(now)

    # -- the pump's time -------------------------------------------------------------------------

    def next_report(self) -> int | None:
        """The elapsed pump time at which telemetry is due; None without a subscription."""
        return self.caller.next_report if self.caller.interval else None

    def pump_advanced(self, mode_changed: bool) -> None:
        """The pump has lived on: take down what it reports, in place of what was not sent yet."""
        caller = self.caller
        if not caller.interval:
            return
        due = self.pump.elapsed >= caller.next_report
        if due or mode_changed:
            caller.pending = self.pump.report()
        if due:
            caller.next_report = (self.pump.elapsed // caller.interval + 1) * caller.interval


def _refusal(event: MessageRejected) -> m.Refused:
    if isinstance(event.error, WrongDirection):
        reason = Reason.NOT_A_REQUEST
    elif event.error.message:
        reason = Reason.MALFORMED
    else:
        reason = Reason.UNKNOWN_MESSAGE
    return m.Refused(event.number, reason, event.error.field, 0, 0)
