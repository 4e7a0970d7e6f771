"""pyserial's `mockpump://NAME`: a pump inside this very process, for any pyserial program.

    import serial
    serial.protocol_handler_packages.append("mockpump.emulator.transports")
    port = serial.serial_for_url("mockpump://demo", timeout=1)

pyserial finds this module by its name.  NAME becomes the pump's name; `?speed=3600` makes its time
go faster.  There is no thread: the pump is driven from inside `read`, `write` and `in_waiting`, and
a `read` that must wait sleeps until the pump has something to do.
"""

import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

from serial.serialutil import PortNotOpenError, SerialBase, SerialException

from mockpump.emulator.pump.device import PumpIdentity, new_pump
from mockpump.emulator.pump.pacing import Pacing
from mockpump.emulator.pump.station import Station
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol.errors import LocalProtocolError


class Serial(SerialBase):
    """A serial port with a virtual pump behind it."""

    BAUDRATES = SerialBase.BAUDRATES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._received = bytearray()
        self._cancelled = False
        super().__init__(*args, **kwargs)

    def open(self) -> None:
        """Make the pump; SerialException for a URL that names none."""
        if self.is_open:
            raise SerialException("port is already open")
        identity, speed = _parse(self.portstr or "")
        now = line_now()
        self._station = Station(new_pump(identity), Pacing(speed, now=now))
        self._line = self._station.attach()
        self._received.clear()
        self.is_open = True

    def close(self) -> None:
        """Throw the pump away; a `read` that waits returns."""
        with self._changed:
            self.is_open = False
            self._changed.notify_all()

    def _reconfigure_port(self) -> None:
        """Baud rate and the like: taken, and without effect."""

    def _require_open(self) -> None:
        if not self.is_open:
            raise PortNotOpenError()

    def _work(self) -> int:
        """Let the pump do what is due; return the line time."""
        now = line_now()
        self._station.handle_timer(now)
        self._received += self._line.data_to_send(now)
        return now

    @property
    def in_waiting(self) -> int:
        """How many bytes can be read at once."""
        with self._changed:
            self._require_open()
            self._work()
            return len(self._received)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes, fewer when the timeout passes first (None: never)."""
        with self._changed:
            self._require_open()
            self._cancelled = False
            last = None if self.timeout is None else line_now() + int(self.timeout * 1e6)
            while len(self._received) < size and self.is_open and not self._cancelled:
                now = self._work()
                if len(self._received) >= size or (last is not None and now >= last):
                    break
                self._wait(now, last)
            data = bytes(self._received[:size])
            del self._received[:size]
            return data

    def _wait(self, now: int, last: int | None) -> None:
        deadlines = [each for each in (self._station.next_deadline(now), last) if each is not None]
        self._changed.wait(max(min(deadlines) - now, 0) / 1e6 if deadlines else None)

    def write(self, b: Any, /) -> int:
        """Give bytes to the pump; it answers at once."""
        data = bytes(b)
        with self._changed:
            self._require_open()
            now = line_now()
            self._station.receive_data(self._line, data, now)
            self._received += self._line.data_to_send(now)
            self._changed.notify_all()
        return len(data)

    def cancel_read(self) -> None:
        """Make a `read` that waits in another thread return what it has."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def reset_input_buffer(self) -> None:
        """Throw away what was received and not read."""
        with self._changed:
            self._require_open()
            self._received.clear()

    def reset_output_buffer(self) -> None:
        """Nothing ever waits to be sent."""
        self._require_open()

    def flush(self) -> None:
        """Nothing ever waits to be sent."""
        self._require_open()


def _parse(url: str) -> tuple[PumpIdentity, int]:
    parts = urlsplit(url)
    options = parse_qs(parts.query, keep_blank_values=True)
    speed = options.pop("speed", ["1"])[-1]
    if parts.scheme != "mockpump" or not parts.netloc or parts.path or options:
        raise SerialException(f"{url}: expected mockpump://NAME or mockpump://NAME?speed=60")
    if not speed.isascii() or not speed.isdigit():
        raise SerialException(f"{url}: speed must be a whole number")
    try:
        identity = PumpIdentity(name=parts.netloc)
        new_pump(identity)
    except LocalProtocolError as error:
        raise SerialException(f"{url}: {error}") from None
    return identity, int(speed)
