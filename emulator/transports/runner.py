"""The asyncio runner: a station driven by the real clock and real lines.

One timer serves everything, from the making of the runner on: what is due by itself happens whether
or not anybody calls.  It is set to the nearest deadline and only ever moved earlier; when it fires
too early, nothing is due and it is set again.  That is cheaper than moving it at every byte.

A byte on one line looks after that line, and after those for which it has changed something; all
others wait for a deadline of their own.
"""

import asyncio
from collections.abc import Callable

from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.port import Port
from mockpump.emulator.pump.station import Station
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.deadlines import Deadlines
from mockpump.protocol.link_settings import LinkSettings

Write = Callable[[bytes], None]
# For how long the pump lives on at a time, in microseconds, before whoever waits is looked after.
_SLICE = 50_000
# How much line time there is at least between two records of a pump that nobody calls.
_BETWEEN_RECORDS = 100_000


class PumpRunner:
    """Runs a station inside the running asyncio loop, until it is closed."""

    def __init__(self, station: Station) -> None:
        self.station = station
        station.between_records = _BETWEEN_RECORDS
        self._loop = asyncio.get_running_loop()
        self._writers: dict[Port, Write] = {}
        self._deadlines = Deadlines()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._closed = False
        self._set_timer(line_now())

    def attach(self, write: Write, settings: LinkSettings | None = None) -> Port:
        """A new line into the pump; `write` takes what is to go out on it."""
        port = self.station.attach(settings)
        self._writers[port] = write
        return port

    def detach(self, port: Port) -> None:
        """That line is gone."""
        if self._writers.pop(port, None) is not None:
            self._deadlines.forget(port)
            self.station.detach(port)

    def data_received(self, port: Port, data: bytes) -> None:
        """Bytes have come in on a line; from one that is gone they are nobody's."""
        if port not in self._writers:
            return
        now = self._live(line_now())
        self.station.take_data(port, data, now)
        self._send(port, now)
        self._look_after(now)

    def do(self, action: Callable[[Pump], None]) -> None:
        """Have something done to the pump from outside its lines, and tell who is to know."""
        now = self._live(line_now())
        try:
            self.station.do(action, now)
        finally:
            self._look_after(now)

    def change_pace(self, speed: int | None, run: int | None = None) -> None:
        """Go on at another speed, at most for so many seconds of pump time."""
        now = self._live(line_now())
        self.station.change_pace(speed, now, run)
        self._look_after(now)

    def close(self) -> None:
        """Stop the clock; the lines are their owners' to close, and may still bring bytes."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _live(self, now: int) -> int:
        """Let the pump live up to now, but for no longer than a slice; the time after that.

        What it could not live it has lost: it cannot live faster than it can write down.
        """
        if self.station.advance(now, 1):
            return now
        end, target = now + _SLICE, now
        while (now := line_now()) < end:
            if self.station.advance(target, 1):
                return now
        self.station.fall_behind(now)
        return now

    def _send(self, port: Port, now: int) -> None:
        data = port.data_to_send(now)
        if data:
            self._writers[port](data)
        self._deadlines.note(port)

    def _look_after(self, now: int) -> None:
        """Send what the pump has to say by itself, and be there when something is due."""
        for port in self.station.take_fresh():
            self._send(port, now)
        self._set_timer(now)

    def _set_timer(self, now: int) -> None:
        if self._closed:
            return
        deadline = self._deadlines.next()
        stop = self.station.next_stop(now)
        if deadline is None or (stop is not None and stop < deadline):
            deadline = stop
        if deadline is None or (self._timer is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_later(max(deadline - now, 0) / 1e6, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        now = self._live(line_now())
        for port in self._deadlines.due(now):
            self.station.handle_port_timer(port, now)
            self._send(port, now)
        self._look_after(now)
