"""A station: a pump, the lines into it, and the pace at which its time goes by.

It is what every way of running a pump drives: the asyncio runner, the world in virtual time and the
in-process serial port.  Still pure: line time comes in as `now`, in microseconds.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from mockpump.emulator.memory.interface import MemoryFailed, PowerCut
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.device import LAST_SECOND, Pump
from mockpump.emulator.pump.pacing import MAX_SPEED, Pacing
from mockpump.emulator.pump.pairing import LOCKED_FOR, Draw
from mockpump.emulator.pump.port import Port
from mockpump.protocol.link_settings import LinkSettings

_MICROSECONDS = 1_000_000
# How many records may be made at a time, before whoever waits on a line is looked after.
_MOST_RECORDS = 500


class Station:
    """A pump that is being run.  After every call, send what `Port.data_to_send` gives."""

    __slots__ = ("_draw", "_lock_ends_at", "pacing", "ports", "pump")

    def __init__(self, pump: Pump, pacing: Pacing | None = None, draw: Draw | None = None) -> None:
        """`draw` is where the nonces of a paired pump come from; without it nobody gets in."""
        self.pump = pump
        self._draw = draw
        self.pacing = pacing or Pacing()
        self.ports: list[Port] = []
        # The line time at which the lock of pairing opens; None while it is open, or was not seen
        # closed yet.
        self._lock_ends_at: int | None = None

    def attach(self, settings: LinkSettings | None = None) -> Port:
        """A new line into the pump."""
        port = Port(self.pump, settings, self._draw)
        self.ports.append(port)
        return port

    def detach(self, port: Port) -> None:
        """That line is gone."""
        port.forget_caller()
        self.ports.remove(port)

    def change_pace(self, speed: int | None, now: int, run: int | None = None) -> None:
        """Go on at another speed; with `run`, for so many seconds of pump time, then stand still.

        `MAX_SPEED` goes as fast as the lines carry the telemetry that was asked for.
        """
        self.advance(now)
        elapsed = self.pump.elapsed
        if self.pacing.elapsed(now) != elapsed:
            self.pacing.rebase(elapsed, now)
        until = None if run is None else min(elapsed + run, LAST_SECOND)
        self.pacing.change(speed, now, until=until)

    def receive_data(self, port: Port, data: bytes, now: int) -> None:
        """Take bytes from one line."""
        self.advance(now)
        mode, served = self.pump.mode, self.pump.serving
        try:
            port.receive_data(data, now)
        except PowerCut:
            self.reboot(now)
        if served is not None and self.pump.serving is not served:
            self._evict(now)
        if self.pump.pairing.locked:
            self._lock_ends(now)
        if self.pump.mode is not mode:
            self._tell(True)

    def do(self, action: Callable[[Pump], None], now: int) -> None:
        """Have something done to the pump from outside its lines: a fault, a story's hand."""
        self.advance(now)
        mode = self.pump.mode
        try:
            action(self.pump)
        except PowerCut:
            self.reboot(now)
        if self.pump.mode is not mode:
            self._tell(True)

    def handle_timer(self, now: int) -> None:
        """Do what is due by now, on the lines and in the pump."""
        self.advance(now)
        for port in self.ports:
            port.handle_timer(now)

    def reboot(self, now: int) -> None:
        """Start anew from what the memory holds; no connection outlives that."""
        memory, every = self.pump.memory, self.pump.checkpoint_every
        try:
            self.pump = Pump(memory, every)
        except PowerCut:
            # A brown-out that waited for the next write has come with the first of the start.
            self.pump = Pump(memory, every)
        self.pacing.rebase(self.pump.elapsed, now)
        for port in self.ports:
            port.reboot(self.pump)
        self._lock_ends_at = None
        self._lock_ends(now)

    def next_deadline(self, now: int) -> int | None:
        """When `handle_timer` must be called at the latest; None when nothing is awaited."""
        deadlines = [port.next_deadline() for port in self.ports]
        deadlines.append(self.next_stop(now))
        return min((each for each in deadlines if each is not None), default=None)

    def next_stop(self, now: int) -> int | None:
        """The same of the pump alone: when `advance` must be called at the latest."""
        stop = self._next_in_pump_time(now)
        lock = self._lock_ends(now) if self.pump.pairing.locked else None
        return stop if lock is None else lock if stop is None else min(stop, lock)

    def _next_in_pump_time(self, now: int) -> int | None:
        if self.pacing.speed is MAX_SPEED:
            return now if self._may_leap() else None
        stops = self._stops()
        # What comes first in pump time comes first on the line.
        return self.pacing.due(min(stops)) if stops else None

    @property
    def lines_idle(self) -> bool:
        """Whether no line has anything new to carry: no report of the pump's waits for it."""
        return all(port.caller.pending is None for port in self.ports)

    def comes_to(self, elapsed: int) -> bool:
        """Whether the pump will be so many seconds old, as things stand."""
        last = LAST_SECOND if self.pacing.until is None else min(self.pacing.until, LAST_SECOND)
        moves = self._subscribed() if self.pacing.speed is MAX_SPEED else self.pacing.speed
        return elapsed <= (last if moves else self.pump.elapsed)

    # -- pump time -------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        """Let the pump live on to where its pace has brought it, with the reports on the way.

        A line that is behind gets the newest report that was due, not all of them.  When its power
        is cut on the way, the pump starts anew.
        """
        try:
            self._advance(now)
            if self._lock_ends_at is not None:
                self._mind_lock(now)
        except PowerCut:
            self.reboot(now)

    # -- the lock, which lives in line time ------------------------------------------------------

    def _lock_ends(self, now: int) -> int | None:
        """When the lock opens, from the moment on at which it is first seen closed."""
        if not self.pump.pairing.locked:
            self._lock_ends_at = None
        elif self._lock_ends_at is None:
            self._lock_ends_at = now + LOCKED_FOR * _MICROSECONDS
        return self._lock_ends_at

    def _mind_lock(self, now: int) -> None:
        """Open the lock when it has been closed for long enough; until then, tell how long yet."""
        ends = self._lock_ends(now)
        if ends is not None and now < ends:
            self.pump.lock_left = -((now - ends) // _MICROSECONDS)
            return
        self.pump.lock_left = LOCKED_FOR
        if ends is not None:
            # Where that cannot be recorded, it stays closed for as long again.
            self._lock_ends_at = None
            with suppress(MemoryFailed):
                self.pump.change(partial(operations.unlock, self.pump))

    def _evict(self, now: int) -> None:
        """The session has changed hands or ended: whoever had it is told."""
        for port in self.ports:
            port.evict(now)

    # -- how pump time goes on -------------------------------------------------------------------

    def _advance(self, now: int) -> None:
        if self.pacing.speed is MAX_SPEED:
            if self._may_leap():
                self._advance_to(min([*self._stops(), LAST_SECOND]))
            return
        target = min(self.pacing.elapsed(now), LAST_SECOND)
        if target <= self.pump.elapsed:
            return
        stops = {self._latest_report(port, target) for port in self.ports}
        records = 0
        stops.add(target)
        for stop in sorted(stops):
            while self.pump.elapsed < stop:
                self._advance_to(self._next_record(stop))
                records += 1
                if records >= _MOST_RECORDS and self.pump.memory.durable:
                    # It cannot live faster than it can write down.
                    self.pacing.rebase(self.pump.elapsed, now)
                    return

    def _latest_report(self, port: Port, target: int) -> int:
        interval = port.caller.interval
        return target // interval * interval if interval else 0

    def _stops(self) -> list[int]:
        """The seconds ahead at which a line may have to be told something, or time stands still."""
        elapsed = self.pump.elapsed
        stops = [port.next_report() for port in self.ports]
        stops += [self._edge(), self.pacing.until]
        if self.pump.memory.durable:
            stops.append(self.pump.next_checkpoint())
        return [stop for stop in stops if stop is not None and elapsed < stop <= LAST_SECOND]

    def _next_record(self, stop: int) -> int:
        """The second, `stop` at the latest, at which it must look at what has become of it."""
        elapsed, edge = self.pump.elapsed, self._edge()
        if edge is not None and elapsed < edge < stop:
            stop = edge
        if self.pump.memory.durable and elapsed < (due := self.pump.next_checkpoint()) < stop:
            # What is not recorded by then could be forgotten.
            stop = due
        return stop

    def _edge(self) -> int | None:
        """When delivery next changes its rate, if a line wants to know, or it is to be recorded.

        It may run empty then, which changes the mode.
        """
        wanted = self.pump.memory.durable or self._subscribed()
        return self.pump.delivery.next_edge() if wanted else None

    def _subscribed(self) -> bool:
        return any(port.caller.interval for port in self.ports)

    def _advance_to(self, elapsed: int) -> None:
        before, until = self.pump.elapsed, self.pacing.until
        mode_changed = self.pump.advance(elapsed)
        stands_still = until is not None and before < until <= self.pump.elapsed
        self._tell(mode_changed or stands_still)

    def _tell(self, changed: bool) -> None:
        for port in self.ports:
            port.pump_advanced(changed)

    def _may_leap(self) -> bool:
        if self.pump.elapsed >= (LAST_SECOND if self.pacing.until is None else self.pacing.until):
            return False
        return self._subscribed() and self.lines_idle
