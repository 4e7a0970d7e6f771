"""The programmer on a serial port: procedures run to their end, blocking, over any pyserial URL."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from mockpump.emulator.programmer.errors import ConnectionLost, OutcomeUnknown
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.programmer.programmer import (
    Connected,
    Disconnected,
    Opening,
    Programmer,
    ProgrammerEvent,
    TelemetryReceived,
    result_of,
)
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.loss import fail_pending
from mockpump.emulator.transports.serial_port import SerialPort
from mockpump.protocol import messages as m
from mockpump.protocol.link.types import CloseReason, LinkSettings

T = TypeVar("T")
# Sees every chunk: True for what is sent, False for what is received.
Tap = Callable[[bool, bytes], None]

_MOST_TELEMETRY = 1_000
_CLOSING_PATIENCE = 1_000_000
# How many ids are tried: a pump remembers a few, and takes each once.
_DRAWS = 4


class SerialProgrammer:
    """A programmer and the port it speaks through."""

    def __init__(
        self, url: str, settings: LinkSettings | None = None, tap: Tap | None = None
    ) -> None:
        self.programmer = Programmer(settings)
        self._tap = tap
        self._port = SerialPort(url)
        # What came while something else was asked; of too much, the newest.
        self._telemetry: deque[m.Telemetry] = deque(maxlen=_MOST_TELEMETRY)

    def __enter__(self) -> "SerialProgrammer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self, connection: int, opening: Opening | None = None) -> Connected:
        """Call the pump under a fresh connection id, and run `opening` first if it is given.

        `ConnectionLost` when nobody answers; whatever `opening` fails with.
        """
        while self.programmer.next_event() is not None:
            pass  # what an earlier connection has left behind
        self.programmer.connect(connection, line_now(), opening)
        try:
            terms: Connected = self._until_end()
        except ConnectionLost as error:
            if error.reason is CloseReason.NO_ANSWER:
                error.add_note(self._what_was_heard())
            raise
        return terms

    def call(self, begin: Callable[[], Opening | None] = lambda: None) -> Connected:
        """`connect` under an id that is drawn; under another if the pump has had that lately."""
        for _ in range(_DRAWS - 1):
            try:
                return self.connect(drawing.connection_id(), begin())
            except ConnectionLost as lost:
                if lost.reason is not CloseReason.RESET:
                    raise
        return self.connect(drawing.connection_id(), begin())

    def _what_was_heard(self) -> str:
        heard = self.programmer.connection.statistics.bytes_received
        if heard:
            return f"{heard:,} bytes came in, but no answer of a pump"
        return f"is a pump running at {self._port.url}?"

    def run(self, procedure: Procedure[T]) -> T:
        """Run a procedure to its end and return its result; raises what it fails with.

        `PortError` when the line itself goes, or `OutcomeUnknown` when it goes between a request
        that changes the pump and its reply.
        """
        self.programmer.start(procedure, line_now())
        try:
            result: T = self._until_end()
        except Exception:
            raise
        except BaseException as stopped:
            self._give_up(stopped)
            raise
        return result

    def _until_end(self) -> Any:
        while type(event := self._next_event()) is TelemetryReceived:
            self._telemetry.append(event.telemetry)
        return result_of(event)

    def _give_up(self, stopped: BaseException) -> None:
        """Somebody stops us: end the connection at once.

        An outcome that nobody knows is noted on what stops us, and is its cause.
        """
        error = fail_pending(self.programmer, "interrupted", line_now())
        if isinstance(error, OutcomeUnknown):
            stopped.add_note(str(error))
            stopped.__cause__ = error
        with contextlib.suppress(PortError):
            self._port.send(self.programmer.data_to_send(line_now()))

    def watch(self) -> Iterator[m.Telemetry]:
        """Telemetry as it comes, after a subscription; `ConnectionLost` when the line goes."""
        while True:
            while self._telemetry:
                yield self._telemetry.popleft()
            event = self._next_event()
            if isinstance(event, TelemetryReceived):
                yield event.telemetry
            else:
                result_of(event)

    def close(self) -> None:
        """End the connection in good order if the pump lets us, and close the port."""
        try:
            if self.programmer.connection.is_open:
                self._say_goodbye()
        except PortError:
            pass
        finally:
            self._port.close()

    def _say_goodbye(self) -> None:
        now = line_now()
        self.programmer.disconnect(now)
        last = now + _CLOSING_PATIENCE
        while now < last:
            self._turn(last)
            now = line_now()
            while (event := self.programmer.next_event()) is not None:
                if isinstance(event, Disconnected):
                    return

    # -- one turn of the loop ----------------------------------------------------------------------

    def _next_event(self) -> ProgrammerEvent:
        """Work the line until something happens."""
        while (event := self.programmer.next_event()) is None:
            try:
                self._turn(None)
            except PortError as error:
                raise fail_pending(self.programmer, str(error), line_now()) from None
        return event

    def _turn(self, last: int | None) -> None:
        """Send what is due, wait for bytes or the next deadline, take what came."""
        now = line_now()
        data = self.programmer.data_to_send(now)
        if data:
            if self._tap is not None:
                self._tap(True, data)
            self._port.send(data)
        deadline = self.programmer.next_deadline()
        if deadline is None or (last is not None and last < deadline):
            deadline = last
        timeout = None
        if deadline is not None:
            timeout = (deadline - now) / 1e6 if now < deadline else 0.0
        data = self._port.receive(timeout)
        now = line_now()
        if data:
            if self._tap is not None:
                self._tap(False, data)
            self.programmer.receive_data(data, now)
        if deadline is not None and now >= deadline:
            self.programmer.handle_timer(now)
