"""The programmer on a serial port: procedures run to their end, blocking, over any pyserial URL.

Any path or URL that pyserial opens will do, and `tcp:HOST:PORT` for its `socket://HOST:PORT`.
Where the port has a file descriptor it is waited for with `select`, which is quicker than
pyserial's own way; otherwise (`loop://`, `mockpump://`) its `read` is used with a timeout.
"""

import os
import select
from collections.abc import Callable, Iterator
from typing import TypeVar

import serial
from serial import Serial

from mockpump.emulator.programmer.client import (
    Connected,
    Disconnected,
    Failed,
    Finished,
    Programmer,
    ProgrammerEvent,
    TelemetryReceived,
)
from mockpump.emulator.programmer.errors import ConnectionLost
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol import messages as m
from mockpump.protocol.link_events import CloseReason
from mockpump.protocol.link_settings import LinkSettings

T = TypeVar("T")
# Sees every chunk: True for what is sent, False for what is received.
Tap = Callable[[bool, bytes], None]

_CHUNK = 65_536
_CLOSING_PATIENCE = 1_000_000
HANDLER_PACKAGE = "mockpump.emulator.transports"


def open_port(url: str) -> Serial:
    """Open a port for one user; `PortError` in one line when that fails."""
    if HANDLER_PACKAGE not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(HANDLER_PACKAGE)
    if url.startswith("tcp:"):
        url = "socket://" + url.removeprefix("tcp:").removeprefix("//")
    try:
        return serial.serial_for_url(url, baudrate=115_200, timeout=0, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise PortError(f"cannot open {url}: {_why(error)}") from None


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return "busy" if "lock" in str(error) else os.strerror(error.errno).lower()
    return str(error).splitlines()[0]


class SerialProgrammer:
    """A programmer and the port it speaks through."""

    def __init__(
        self, url: str, settings: LinkSettings | None = None, tap: Tap | None = None
    ) -> None:
        self.url = url
        self.programmer = Programmer(settings)
        self._tap = tap
        self._serial = open_port(url)
        self._descriptor = _descriptor_of(self._serial)
        self._telemetry: list[m.Telemetry] = []

    def __enter__(self) -> "SerialProgrammer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self, connection: int) -> Connected:
        """Call the pump under a fresh connection id; `ConnectionLost` when nobody answers."""
        self.programmer.connect(connection, line_now())
        for event in self._events():
            if isinstance(event, Connected):
                return event
            if isinstance(event, Disconnected):
                break
        raise ConnectionLost(CloseReason.NO_ANSWER)

    def run(self, procedure: Procedure[T]) -> T:
        """Run a procedure to its end and return its result; raises what it fails with."""
        self.programmer.start(procedure, line_now())
        for event in self._events():
            if isinstance(event, Finished):
                result: T = event.result
                return result
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, TelemetryReceived):
                self._telemetry.append(event.telemetry)
        raise ConnectionLost(CloseReason.SILENCE)

    def watch(self) -> Iterator[m.Telemetry]:
        """Telemetry as it comes, after a subscription; `ConnectionLost` when the line goes."""
        while True:
            while self._telemetry:
                yield self._telemetry.pop(0)
            event = next(self._events())
            if isinstance(event, TelemetryReceived):
                yield event.telemetry
            elif isinstance(event, Disconnected):
                raise ConnectionLost(event.reason)

    def close(self) -> None:
        """End the connection in good order if the pump lets us, and close the port."""
        try:
            if self.programmer.connection.is_open:
                self._say_goodbye()
        except PortError:
            pass
        finally:
            self._serial.close()

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

    def _events(self) -> Iterator[ProgrammerEvent]:
        """Work the line until something happens, again and again."""
        while True:
            while (event := self.programmer.next_event()) is not None:
                yield event
            self._turn(None)

    def _turn(self, last: int | None) -> None:
        """Send what is due, wait for bytes or the next deadline, take what came."""
        now = line_now()
        data = self.programmer.data_to_send(now)
        if data:
            self._write(data)
        deadlines = [each for each in (self.programmer.next_deadline(), last) if each is not None]
        data = self._read(max(min(deadlines) - now, 0) / 1e6 if deadlines else None)
        now = line_now()
        if data:
            if self._tap is not None:
                self._tap(False, data)
            self.programmer.receive_data(data, now)
        self.programmer.handle_timer(now)

    def _read(self, timeout: float | None) -> bytes:
        try:
            if self._descriptor is None:
                self._serial.timeout = timeout
                return bytes(self._serial.read(max(1, self._serial.in_waiting)))
            if not select.select((self._descriptor,), (), (), timeout)[0]:
                return b""
            data = os.read(self._descriptor, _CHUNK)
        except (OSError, TypeError) as error:
            # pyserial raises TypeError when another thread has closed the port under it.
            raise PortError(f"{self.url} has closed: {_why(error)}") from None
        if not data:
            raise PortError(f"{self.url} has closed")
        return data

    def _write(self, data: bytes) -> None:
        if self._tap is not None:
            self._tap(True, data)
        try:
            if self._descriptor is None:
                self._serial.write(data)
            else:
                _write_all(self._descriptor, data)
        except OSError as error:
            raise PortError(f"{self.url} has closed: {_why(error)}") from None


def _descriptor_of(port: Serial) -> int | None:
    try:
        return int(port.fileno())
    except (AttributeError, OSError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select((), (descriptor,), (), None)
