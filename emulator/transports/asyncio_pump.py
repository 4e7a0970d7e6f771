"""The asyncio runner: a server driven by the real clock and real lines.

One timer serves everything, from when the runner is made: what is due by itself happens whether
or not anybody calls.  It is set to the nearest deadline and only ever moved earlier; when it fires
too early, nothing is due and it is set again.  That is cheaper than moving it at every byte.

A byte on one line looks after that line, and after those for which it has changed something; all
others wait for a deadline of their own.
"""

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush

from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol.link.types import LinkSettings


# A deadline that moves away leaves its place in the heap: when that comes up, nothing is due, and
# the line is asked anew.  So only one that comes nearer costs anything, and a busy line's rarely
# does.
class Deadlines:
    """The nearest deadline of many lines; early by what has moved away since, never late."""

    def __init__(self) -> None:
        # The number is for lines with the same deadline, of which neither is the lesser.
        self._heap: list[tuple[int, int, Endpoint]] = []
        self._known: dict[Endpoint, int] = {}
        self._number = 0

    def note(self, endpoint: Endpoint) -> None:
        """Something has happened on that line."""
        deadline = endpoint.next_deadline()
        if deadline is not None and deadline < self._known.get(endpoint, deadline + 1):
            self._number += 1
            self._known[endpoint] = deadline
            heappush(self._heap, (deadline, self._number, endpoint))
            if len(self._heap) > 2 * len(self._known) + 64:
                self._heap = [each for each in self._heap if self._holds(each)]
                heapify(self._heap)

    def forget(self, endpoint: Endpoint) -> None:
        """That line is gone."""
        self._known.pop(endpoint, None)

    def next(self) -> int | None:
        """When `due` has something to give at the earliest."""
        while self._heap and not self._holds(self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: int) -> list[Endpoint]:
        """The lines whose deadline may have come; each is to be noted again."""
        endpoints: list[Endpoint] = []
        while (deadline := self.next()) is not None and deadline <= now:
            endpoint = heappop(self._heap)[2]
            del self._known[endpoint]
            endpoints.append(endpoint)
        return endpoints

    def _holds(self, entry: tuple[int, int, Endpoint]) -> bool:
        return self._known.get(entry[2]) == entry[0]


Write = Callable[[bytes], None]
# For how long the pump lives on at a time, in microseconds, before whoever waits is looked after.
_SLICE = 50_000
# How much line time there is at least between two records of a pump that nobody calls.
_BETWEEN_RECORDS = 100_000


class PumpRunner:
    """Runs a server inside the running asyncio loop, until it is closed."""

    def __init__(self, server: PumpServer) -> None:
        self.server = server
        server.between_records = _BETWEEN_RECORDS
        self._loop = asyncio.get_running_loop()
        self._writers: dict[Endpoint, Write] = {}
        self._deadlines = Deadlines()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._closed = False
        self._set_timer(line_now())

    def attach(self, write: Write, settings: LinkSettings | None = None) -> Endpoint:
        """A new line into the pump; `write` takes what is to go out on it."""
        endpoint = self.server.attach(settings)
        self._writers[endpoint] = write
        return endpoint

    def detach(self, endpoint: Endpoint) -> None:
        """That line is gone."""
        if self._writers.pop(endpoint, None) is not None:
            self._deadlines.forget(endpoint)
            self.server.detach(endpoint)

    def data_received(self, endpoint: Endpoint, data: bytes) -> None:
        """Bytes have come in on a line; from one that is gone they are nobody's."""
        if endpoint not in self._writers:
            return
        now = self._live(line_now())
        self.server.take_data(endpoint, data, now)
        self._send(endpoint, now)
        self._look_after(now)

    def do(self, action: Callable[[Pump], None]) -> None:
        """Have something done to the pump from outside its lines, and tell who is to know."""
        now = self._live(line_now())
        try:
            self.server.do(action, now)
        finally:
            self._look_after(now)

    def set_speed(self, speed: int | None, run: int | None = None) -> None:
        """Go on at another speed, at most for this many seconds of pump time."""
        now = self._live(line_now())
        self.server.set_speed(speed, now, run)
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
        if self.server.advance(now, 1):
            return now
        end, target = now + _SLICE, now
        while (now := line_now()) < end:
            if self.server.advance(target, 1):
                return now
        self.server.fall_behind(now)
        return now

    def _send(self, endpoint: Endpoint, now: int) -> None:
        data = endpoint.data_to_send(now)
        if data:
            self._writers[endpoint](data)
        self._deadlines.note(endpoint)

    def _look_after(self, now: int) -> None:
        """Send what the pump has to say by itself, and be there when something is due."""
        for endpoint in self.server.take_fresh():
            self._send(endpoint, now)
        self._set_timer(now)

    def _set_timer(self, now: int) -> None:
        if self._closed:
            return
        deadline = self._deadlines.next()
        stop = self.server.next_stop(now)
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
        for endpoint in self._deadlines.due(now):
            self.server.handle_endpoint_timer(endpoint, now)
            self._send(endpoint, now)
        self._look_after(now)
