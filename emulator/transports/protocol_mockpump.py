"""pyserial's `mockpump://NAME`: a pump inside this very process, for any pyserial program.

    import serial
    serial.protocol_handler_packages.append("mockpump.emulator.transports")
    port = serial.serial_for_url("mockpump://demo", timeout=1)

pyserial finds this module by its name.  NAME becomes the pump's name; `?speed=3600` makes its time
go faster.  There is no thread: whatever is asked of the port first has the pump live up to that
moment, with all that was due by itself on the way, and a `read` that must wait sleeps until the
pump has something to do.  In between nobody can tell the difference, since the pump's memory ends
with the port.
"""

import threading
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from serial.serialutil import PortNotOpenError, SerialBase, SerialException

from mockpump.emulator.drive import earliest
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError

_MAX_SPEED = 1_000_000
# What may wait for a reader; beyond it bytes are lost, as they are on any serial port.
_MAX_WAITING = 65_536


class Serial(SerialBase):
    """A serial port with a virtual pump behind it."""

    BAUDRATES = SerialBase.BAUDRATES

    # There are no such wires; a terminal program that looks at them finds a device that is there.
    cts = True
    dsr = True
    cd = True
    ri = False
    out_waiting = 0

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
        self._server = PumpServer(new_pump(identity), TimeScale(speed, now=now))
        self._line = self._server.attach()
        self._received.clear()
        self._cancelled = False
        self.is_open = True

    def close(self) -> None:
        """Throw the pump away; a `read` that waits returns."""
        with self._changed:
            self.is_open = False
            self._changed.notify_all()

    def _reconfigure_port(self) -> None:
        """Baud rate and the like: taken, and without effect."""

    def _update_rts_state(self) -> None:
        """No such wire."""

    _update_dtr_state = _update_break_state = _update_rts_state

    def _require_open(self) -> None:
        if not self.is_open:
            raise PortNotOpenError()

    def _work(self) -> int:
        """Let the pump do what is due; return the line time."""
        now = line_now()
        self._server.handle_timer(now)
        self._collect(now)
        return now

    def _collect(self, now: int) -> None:
        self._received += self._line.data_to_send(now)
        del self._received[_MAX_WAITING:]

    @property
    def in_waiting(self) -> int:
        """How many bytes can be read at once."""
        with self._changed:
            self._require_open()
            self._work()
            return len(self._received)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes, fewer when the timeout passes first (None: never).

        With `inter_byte_timeout`, fewer as well when so long nothing has followed what came.
        """
        with self._changed:
            self._require_open()
            last = None if self.timeout is None else line_now() + int(self.timeout * 1e6)
            had, heard_at = 0, 0
            while len(self._received) < size and self.is_open and not self._cancelled:
                now = self._work()
                if len(self._received) > had:
                    had, heard_at = len(self._received), now
                until = earliest(last, self._silence(heard_at) if had else None)
                if had >= size or (until is not None and now >= until):
                    break
                self._wait(now, until)
            # As with a real port, a cancellation that finds no reader ends the next read.
            self._cancelled = False
            data = bytes(self._received[:size])
            del self._received[:size]
            return data

    def _silence(self, heard_at: int) -> int | None:
        pause = self.inter_byte_timeout
        return None if pause is None else heard_at + int(pause * 1e6)

    def _wait(self, now: int, until: int | None) -> None:
        wake = earliest(self._server.next_deadline(now), until)
        self._changed.wait(None if wake is None else max(wake - now, 0) / 1e6)

    def write(self, b: Any, /) -> int:
        """Give bytes to the pump; it answers at once."""
        data = bytes(b)
        with self._changed:
            self._require_open()
            now = self._work()
            self._server.receive_data(self._line, data, now)
            self._collect(now)
            self._changed.notify_all()
        return len(data)

    def cancel_read(self) -> None:
        """Make a `read` that waits in another thread return what it has."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def cancel_write(self) -> None:
        """No write ever waits."""

    def reset_input_buffer(self) -> None:
        """Throw away what was received and not read, and what would have been by now."""
        with self._changed:
            self._require_open()
            self._work()
            self._received.clear()

    def reset_output_buffer(self) -> None:
        """Nothing ever waits to be sent."""
        self._require_open()

    def flush(self) -> None:
        """Nothing ever waits to be sent."""
        self._require_open()


def _parse(url: str) -> tuple[PumpIdentity, int]:
    parts, speed = _split(url)
    if not (speed.isascii() and speed.isdigit()) or len(speed) > 9 or int(speed) > _MAX_SPEED:
        raise SerialException(f"{url}: speed must be a whole number up to {_MAX_SPEED}")
    identity = PumpIdentity(name=unquote(parts.netloc))
    try:
        m.encode(new_pump(identity).describe())
    except LocalProtocolError as error:
        raise SerialException(f"{url}: {error}") from None
    return identity, int(speed)


def _split(url: str) -> tuple[SplitResult, str]:
    wrong = SerialException(f"{url}: expected mockpump://NAME or mockpump://NAME?speed=60")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise wrong from None
    options = parse_qs(parts.query, keep_blank_values=True)
    speed = options.pop("speed", ["1"])[-1]
    if parts.scheme != "mockpump" or not parts.netloc or parts.path or parts.fragment or options:
        raise wrong
    return parts, speed
