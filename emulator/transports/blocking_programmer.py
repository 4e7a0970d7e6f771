"""The programmer on a serial port: procedures run to their end, blocking, over any pyserial URL."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from mockpump.emulator.drive import Driven, drive, turn
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


class _PortLine:
    """A port as the line of a turn, by the real clock."""

    def __init__(self, port: SerialPort, tap: Tap | None) -> None:
        self._port = port
        self._tap = tap

    @property
    def now(self) -> int:
        return line_now()

    def exchange(self, data: bytes, until: int | None) -> Sequence[bytes]:
        if data:
            if self._tap is not None:
                self._tap(True, data)
            self._port.send(data)
        came = self._port.receive(None if until is None else max(until - line_now(), 0) / 1e6)
        if not came:
            return ()
        if self._tap is not None:
            self._tap(False, came)
        return (came,)


class SerialProgrammer:
    """A programmer and the port it speaks through."""

    def __init__(
        self, url: str, settings: LinkSettings | None = None, tap: Tap | None = None
    ) -> None:
        self.programmer = Programmer(settings)
        self._port = SerialPort(url)
        self._line = _PortLine(self._port, tap)
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
        return f"is a pump running at {self._port.url}, or is the line too bad?"

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
        return result_of(self._next_event(self._take))

    def _take(self, event: ProgrammerEvent) -> bool:
        """Keep telemetry; whether what was begun has ended with this event."""
        if isinstance(event, TelemetryReceived):
            self._telemetry.append(event.telemetry)
            return False
        return True

    def _next_event(self, wanted: Callable[[ProgrammerEvent], bool]) -> ProgrammerEvent:
        machine: Driven[ProgrammerEvent] = self.programmer
        try:
            return drive(machine, self._line, wanted)
        except PortError as error:
            raise fail_pending(self.programmer, str(error), line_now()) from None

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
            event = self._next_event(lambda _: True)
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
        while line_now() < last:
            turn(self.programmer, self._line, last)
            while (event := self.programmer.next_event()) is not None:
                if isinstance(event, Disconnected):
                    return
