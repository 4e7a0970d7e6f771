"""The asyncio runner: a station driven by the real clock and real lines.

One timer serves everything.  It is set to the nearest deadline and only ever moved earlier; when it
fires too early, nothing is due and it is set again.  That is cheaper than moving it at every byte.
"""

import asyncio
from collections.abc import Callable

from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.port import Port
from mockpump.emulator.pump.station import Station
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol.link_settings import LinkSettings

Write = Callable[[bytes], None]


class PumpRunner:
    """Runs a station inside the running asyncio loop, until it is closed."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self._loop = asyncio.get_running_loop()
        self._writers: dict[Port, Write] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._closed = False

    def attach(self, write: Write, settings: LinkSettings | None = None) -> Port:
        """A new line into the pump; `write` takes what is to go out on it."""
        port = self.station.attach(settings)
        self._writers[port] = write
        return port

    def detach(self, port: Port) -> None:
        """That line is gone."""
        if self._writers.pop(port, None) is not None:
            self.station.detach(port)

    def data_received(self, port: Port, data: bytes) -> None:
        """Bytes have come in on a line."""
        now = line_now()
        self.station.receive_data(port, data, now)
        if len(self._writers) == 1:
            self._send(port, now)
        else:
            self._send_all(now)
        self._set_timer(now)

    def do(self, action: Callable[[Pump], None]) -> None:
        """Have something done to the pump from outside its lines, and tell who is to know."""
        now = line_now()
        self.station.do(action, now)
        self._send_all(now)
        self._set_timer(now)

    def change_pace(self, speed: int | None, run: int | None = None) -> None:
        """Go on at another speed, at most for so many seconds of pump time."""
        now = line_now()
        self.station.change_pace(speed, now, run)
        self._send_all(now)
        self._set_timer(now)

    def close(self) -> None:
        """Stop the clock; the lines are their owners' to close, and may still bring bytes."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send(self, port: Port, now: int) -> None:
        data = port.data_to_send(now)
        if data:
            self._writers[port](data)

    def _send_all(self, now: int) -> None:
        for port in list(self._writers):
            self._send(port, now)

    def _set_timer(self, now: int) -> None:
        if self._closed:
            return
        deadline = self.station.next_deadline(now)
        if deadline is None or (self._timer is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_later(max(deadline - now, 0) / 1e6, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        now = line_now()
        self.station.handle_timer(now)
        self._send_all(now)
        self._set_timer(now)
