"""A serial port as the programmer uses it: opened for one user, waited for, left as it was found.

Any path or URL that pyserial opens will do, and `tcp:HOST:PORT` for its `socket://HOST:PORT`. A
device or a socket is waited for with `poll` on its file descriptor, which is quicker than
pyserial's own way.  Behind any other URL (`spy://`, `loop://`, `mockpump://`) there is a
handler that wants to see the bytes, so pyserial's `read` and `write` are used, and they may block.
"""

import contextlib
import errno
import math
import os
import re
import select
import termios
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import serial
from serial import Serial

from mockpump.emulator.transports.errors import PortAbsent, PortError, reason_of

HANDLER_PACKAGE = "mockpump.emulator.transports"
_CHUNK = 65_536
# What the system says where a pump may still be starting.
_ABSENT = {errno.ENOENT, errno.ECONNREFUSED}
# What `poll` says of a port that has something to read, or to complain of, when it is read.
_BOTH = select.POLLIN | select.POLLOUT
_COMPLAINTS = select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL


class SerialPort:
    """An open port.  What the line does not take at once waits here, so that nothing blocks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._settings = _terminal_settings(url)
        self._serial = open_port(url)
        self._descriptor = None if _is_handled(url) else _descriptor_of(self._serial)
        self._unsent = b""
        # Not `select`: that fails above descriptor 1,023.
        self._poll = select.poll()
        self._awaited = 0

    def send(self, data: bytes) -> None:
        """Send bytes, now or as soon as the line takes them; `PortError` when it has closed."""
        if self._unsent:
            self._unsent += data
        else:
            self._unsent = data[self._write_some(data) :]

    @property
    def descriptor(self) -> int | None:
        """What can be waited for; None when the port has a way of its own."""
        return self._descriptor

    @property
    def waiting(self) -> int:
        """How many bytes the line has not taken yet."""
        return len(self._unsent)

    def flush(self) -> None:
        """Send on what waits, as far as the line takes it; `PortError` when it has closed."""
        self._unsent = self._unsent[self._write_some(self._unsent) :]

    def receive(self, timeout: float | None) -> bytes:
        """What has come, waiting this many seconds for it; `PortError` when the line has closed."""
        try:
            if self._descriptor is None:
                self._serial.timeout = timeout
                return bytes(self._serial.read(max(1, self._serial.in_waiting)))
            events = self._wait(self._descriptor, timeout)
            if events & select.POLLOUT:
                self._unsent = self._unsent[self._write_some(self._unsent) :]
            if not events & _COMPLAINTS:
                return b""
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return b""
        except (OSError, TypeError) as error:
            # pyserial raises TypeError when another thread has closed the port under it.
            raise PortError(f"{self.url} has closed: {_why(error)}") from None
        if not data:
            raise PortError(f"{self.url} has closed")
        return data

    def _wait(self, descriptor: int, timeout: float | None) -> int:
        """What there is to do on the descriptor within this many seconds, as `poll` says it."""
        awaited = _BOTH if self._unsent else select.POLLIN
        if awaited != self._awaited:
            self._poll.register(descriptor, awaited)
            self._awaited = awaited
        ready = self._poll.poll(None if timeout is None else math.ceil(timeout * 1000))
        return ready[0][1] if ready else 0

    def _write_some(self, data: bytes) -> int:
        try:
            if self._descriptor is None:
                return self._serial.write(data) or 0
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise PortError(f"{self.url} has closed: {_why(error)}") from None

    def close(self) -> None:
        """Close the port, with the terminal settings it had before."""
        if self._settings is not None and self._descriptor is not None:
            # Too late when the other end has gone; then there is nothing to restore either.
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._settings)
        connection = getattr(self._serial, "_socket", None)
        self._serial.close()
        if connection is not None:
            # pyserial forgets to, when the other end has gone first.
            connection.close()


def open_port(url: str) -> Serial:
    """Open a port for one user; `PortError` in one line when that fails."""
    if HANDLER_PACKAGE not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(HANDLER_PACKAGE)
    place = _socket_url(url)
    try:
        return serial.serial_for_url(place, baudrate=115_200, timeout=0, exclusive=True)
    except Exception as error:
        meant = _meant(url)
        reason = _where_it_led(url) or _why(error).removeprefix(f"{url}: ") + meant
        kind = (
            PortAbsent
            if url and not meant and getattr(_cause(error), "errno", None) in _ABSENT
            else PortError
        )
        raise kind(f"cannot open {url or 'a port without a name'}: {reason}") from None


def _meant(url: str) -> str:
    """What may have been meant by a name that looks as one of another kind does."""
    if re.fullmatch(r"(\[[\da-fA-F:.]+\]|[\w.-]+):\d{1,5}|\d{1,5}", url, re.ASCII):
        return f"; for a pump on TCP use tcp:{url}"
    if url.startswith("pty:"):
        return f"; a pty is named by its path alone: use {url.removeprefix('pty:')}"
    return ""


def _where_it_led(url: str) -> str:
    """Of the stable name of a pump that has ended, what has become of it; else nothing."""
    with contextlib.suppress(OSError, ValueError):
        try:
            Path(url).stat()
        except FileNotFoundError:
            return f"it leads to {Path(url).readlink()}, which is gone: the pump has ended"
    return ""


def _socket_url(url: str) -> str:
    """`tcp:HOST:PORT` and `tcp:PORT` as pyserial spells them; a socket must name its port."""
    place = url
    if url.startswith("tcp:"):
        place = url.removeprefix("tcp:").removeprefix("//")
        place = f"socket://{f'127.0.0.1:{place}' if place.isdecimal() else place}"
    if place.startswith("socket://"):
        try:
            complete = urlsplit(place).port is not None
        except ValueError:
            complete = False
        if not complete:
            raise PortError(f"cannot open {url}: use tcp:HOST:PORT, as in tcp:127.0.0.1:7000")
    return place


def _why(error: Exception) -> str:
    """A reason in words; pyserial often has the system's own error only as its cause."""
    if "exclusively lock" in str(error):
        return "busy: another program has it open; end that one, or choose another port"
    cause = error.__context__
    if isinstance(error, termios.error) or isinstance(cause, termios.error):
        return "not a serial port"
    return reason_of(_cause(error))


def _cause(error: Exception) -> Exception:
    """The system's own error, where there is one."""
    cause = error.__context__
    if isinstance(error, OSError) and error.errno is None and isinstance(cause, OSError):
        return cause
    return error


def _is_handled(url: str) -> bool:
    """Whether the bytes are to go through a handler of pyserial's."""
    return "://" in url and not url.startswith(("socket://", "tcp:"))


def _descriptor_of(port: Serial) -> int | None:
    try:
        return int(port.fileno())
    except (AttributeError, OSError):
        return None


def _terminal_settings(path: str) -> list[Any] | None:
    """What the port is set to before pyserial changes it; None for what is not a terminal."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return termios.tcgetattr(descriptor)
    except termios.error:
        return None
    finally:
        os.close(descriptor)
