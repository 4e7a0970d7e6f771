"""A server: a pump, the lines into it, and the pace at which its time goes by.

It is what every way of running a pump drives: the asyncio runner, the world in virtual time and the
in-process serial port.  Still pure: line time comes in as `now`, in microseconds.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from mockpump.emulator.memory.interface import MemoryFailed, PowerCut
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.pairing import LOCKED_FOR, Draw
from mockpump.emulator.pump.pump import LAST_SECOND, Pump
from mockpump.emulator.pump.time_scale import MAX_SPEED, TimeScale
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.messages import Mode


# A line is noted whenever something may have changed what it has asked for; all else costs what the
# subscribers cost, however many lines there are.
class Reports:
    """The subscribed lines of one pump.

    `next` is the elapsed second at which the next report is due, None without a subscriber; `fresh`
    are the lines for which something has been taken down since somebody last looked.
    """

    __slots__ = ("_due", "fresh", "next")

    def __init__(self) -> None:
        self._due: dict[Endpoint, int] = {}
        self.fresh: dict[Endpoint, None] = {}
        self.next: int | None = None

    def __bool__(self) -> bool:
        return bool(self._due)

    def note(self, endpoint: Endpoint) -> None:
        """Whatever a line has asked for so far, this is what it asks for now."""
        due = endpoint.next_report()
        if due != self._due.get(endpoint):
            self._take(endpoint, due)
            self.next = min(self._due.values(), default=None)

    def _take(self, endpoint: Endpoint, due: int | None) -> None:
        if due is None:
            del self._due[endpoint]
        else:
            self._due[endpoint] = due

    def forget(self, endpoint: Endpoint) -> None:
        """That line is gone."""
        self.fresh.pop(endpoint, None)
        if self._due.pop(endpoint, None) is not None:
            self.next = min(self._due.values(), default=None)

    def tell(self, changed: bool) -> None:
        """The pump has lived on; `changed`: and everybody is to know of it."""
        if self.next is None or not (changed or next(iter(self._due)).pump.elapsed >= self.next):
            return
        for endpoint in tuple(self._due):
            if endpoint.pump_advanced(changed):
                self.fresh[endpoint] = None
            # A line may have ended its session, and with it this, while it was sending.
            self._take(endpoint, endpoint.next_report())
        self.next = min(self._due.values(), default=None)

    def newest_by(self, elapsed: int) -> set[int]:
        """The second of the newest report that each line is to have by then."""
        intervals = {endpoint.peer.interval for endpoint in self._due} - {0}
        return {elapsed // each * each for each in intervals}

    @property
    def all_sent(self) -> bool:
        """Whether no report waits for its line."""
        return all(endpoint.peer.pending is None for endpoint in self._due)


_MICROSECONDS = 1_000_000


class PumpServer:
    """A pump that is being run.  After every call, send what `Endpoint.data_to_send` gives.

    A driver of many lines looks after those only that it has called for, those in `take_fresh`, and
    those whose `Endpoint.next_deadline` has come.

    `between_records` is how much line time goes by at least between two records of a pump that
    nobody calls, on the average; 0: it records at every breakpoint and every checkpoint.
    """

    __slots__ = (
        "_draw",
        "_endpoints",
        "_lock_ends_at",
        "_reports",
        "between_records",
        "pump",
        "time_scale",
    )

    def __init__(
        self, pump: Pump, time_scale: TimeScale | None = None, draw: Draw | None = None
    ) -> None:
        """`draw` is where the nonces of a paired pump come from; without it nobody gets in."""
        self.pump = pump
        self._draw = draw
        self.time_scale = time_scale or TimeScale()
        self.between_records = 0
        # In the order in which they came.
        self._endpoints: dict[Endpoint, None] = {}
        self._reports = Reports()
        # The line time at which the lock of pairing opens; None while it is open, or was not seen
        # closed yet.
        self._lock_ends_at: int | None = None

    @property
    def endpoints(self) -> list[Endpoint]:
        """The lines into the pump, the oldest first."""
        return list(self._endpoints)

    def attach(self, settings: LinkSettings | None = None) -> Endpoint:
        """A new line into the pump."""
        endpoint = Endpoint(self.pump, settings, self._draw)
        self._endpoints[endpoint] = None
        return endpoint

    def detach(self, endpoint: Endpoint) -> None:
        """That line is gone."""
        endpoint.forget_peer()
        self._reports.forget(endpoint)
        del self._endpoints[endpoint]

    def take_fresh(self) -> list[Endpoint]:
        """The lines that have something to say since this was last asked, whoever made them."""
        fresh = self._reports.fresh
        if not fresh:
            return []
        taken = list(fresh)
        fresh.clear()
        return taken

    def set_speed(self, speed: int | None, now: int, run: int | None = None) -> None:
        """Go on at another speed; with `run`, for this many seconds of pump time, then stand still.

        `MAX_SPEED` goes as fast as the lines carry the telemetry that was asked for.
        """
        self.advance(now)
        elapsed = self.pump.elapsed
        if self.time_scale.elapsed(now) != elapsed:
            self.time_scale.rebase(elapsed, now)
        until = None if run is None else min(elapsed + run, LAST_SECOND)
        self.time_scale.change(speed, now, until=until)
        try:
            self._cover()
        except PowerCut:
            self.reboot(now)

    def receive_data(self, endpoint: Endpoint, data: bytes, now: int) -> None:
        """Take bytes from one line, when the pump has lived on to now."""
        self.advance(now)
        self.take_data(endpoint, data, now)

    def take_data(self, endpoint: Endpoint, data: bytes, now: int) -> None:
        """Take bytes from one line; the pump has been advanced as far as it is to be."""
        mode, served = self.pump.mode, self.pump.serving
        try:
            endpoint.receive_data(data, now)
        except PowerCut:
            self.reboot(now)
        if endpoint.peer.interval or self._reports.next is not None:
            self._reports.note(endpoint)
        if served is not None and self.pump.serving is not served:
            self._evict(now)
        if self.pump.pairing.locked:
            self._lock_ends(now)
        if self.pump.mode is not mode:
            self._reports.tell(True)

    def do(self, action: Callable[[Pump], None], now: int) -> None:
        """Have something done to the pump from outside its lines: a fault, a scenario's hand."""
        self.advance(now)
        mode = self.pump.mode
        try:
            action(self.pump)
        except PowerCut:
            self.reboot(now)
        finally:
            self._tell_if_changed(mode)

    def shut_down(self, now: int) -> None:
        """Switch the pump's power off in good order; `StateLost` when that cannot be recorded."""
        running = self.pump
        self.do(Pump.shut_down, now)
        if self.pump is not running:
            # The power was to go just before the next write: it did, and has come back.
            self.do(Pump.shut_down, now)

    def _tell_if_changed(self, mode: Mode) -> None:
        """Have a change of mode reported, whatever has brought it about."""
        if self.pump.mode is not mode:
            self._reports.tell(True)

    def handle_timer(self, now: int) -> None:
        """Do what is due by now, on the lines and in the pump."""
        self.advance(now)
        for endpoint in self._endpoints:
            self.handle_endpoint_timer(endpoint, now)

    def handle_endpoint_timer(self, endpoint: Endpoint, now: int) -> None:
        """Do what is due by now on one line."""
        endpoint.handle_timer(now)
        self._reports.note(endpoint)

    def reboot(self, now: int) -> None:
        """Start anew from what the memory holds; no connection outlives that."""
        memory, every = self.pump.memory, self.pump.journal.checkpoint_every
        try:
            self.pump = type(self.pump)(memory, every)
        except PowerCut:
            # A brown-out that waited for the next write has come with the first of the start.
            self.pump = type(self.pump)(memory, every)
        self.time_scale.rebase(self.pump.elapsed, now)
        self._reports = Reports()
        for endpoint in self._endpoints:
            endpoint.reboot(self.pump)
        self._lock_ends_at = None
        self._lock_ends(now)

    def next_deadline(self, now: int) -> int | None:
        """When `handle_timer` must be called at the latest; None when nothing is awaited."""
        deadlines = [endpoint.next_deadline() for endpoint in self._endpoints]
        deadlines.append(self.next_stop(now))
        return min((each for each in deadlines if each is not None), default=None)

    def next_stop(self, now: int) -> int | None:
        """The same of the pump alone: when `advance` must be called at the latest."""
        stop = self._next_in_pump_time(now)
        if not self.pump.pairing.locked:
            return stop
        lock = self._lock_ends(now)
        return stop if lock is None else lock if stop is None else min(stop, lock)

    def _next_in_pump_time(self, now: int) -> int | None:
        if self.time_scale.speed is MAX_SPEED:
            return now if self._may_leap() else None
        stop = self._stop()
        # What comes first in pump time comes first on the line.
        return None if stop is None else self.time_scale.due(stop)

    @property
    def lines_idle(self) -> bool:
        """Whether no line has anything new to carry: no report of the pump's waits for it."""
        return self._reports.all_sent

    def comes_to(self, elapsed: int) -> bool:
        """Whether the pump will be this many seconds old, as things stand."""
        last = (
            LAST_SECOND
            if self.time_scale.until is None
            else min(self.time_scale.until, LAST_SECOND)
        )
        moves = bool(self._reports) if self.time_scale.speed is MAX_SPEED else self.time_scale.speed
        return elapsed <= (last if moves else self.pump.elapsed)

    # -- pump time -------------------------------------------------------------------------------

    def advance(self, now: int, steps: int | None = None) -> bool:
        """Let the pump live on to where its pace has brought it, with the reports on the way.

        In at most this many `steps`, each with a record or two at the most; whether it has come so
        far.
        A line that is behind gets the newest report that was due, not all of them.  When its power
        is cut on the way, the pump starts anew.
        """
        try:
            arrived = self._advance(now, steps)
            if self._lock_ends_at is not None:
                self._mind_lock(now)
        except PowerCut:
            self.reboot(now)
            return True
        return arrived

    def fall_behind(self, now: int) -> None:
        """Go on from where the pump is: what it could not live by now it never lives."""
        self.time_scale.rebase(self.pump.elapsed, now)

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
            mode = self.pump.mode
            with suppress(MemoryFailed):
                self.pump.change(partial(operations.unlock, self.pump))
            self._tell_if_changed(mode)

    def _evict(self, now: int) -> None:
        """The session has ended or changed hands: whoever had it and is still there is told."""
        for endpoint in self._endpoints:
            if endpoint.evict(now):
                self._reports.note(endpoint)
                self._reports.fresh[endpoint] = None

    # -- how pump time goes on -------------------------------------------------------------------

    def _advance(self, now: int, steps: int | None) -> bool:
        if self.time_scale.speed is not MAX_SPEED:
            target = self.time_scale.elapsed(now)
            target = target if target < LAST_SECOND else LAST_SECOND
        elif self._may_leap():
            stop = self._stop()
            target = LAST_SECOND if stop is None else stop
        else:
            return True
        if target <= self.pump.elapsed:
            return True
        self._cover(target - self.pump.elapsed)
        stops = sorted({*self._reports.newest_by(target), target})
        for stop in stops:
            while self.pump.elapsed < stop:
                if steps is not None:
                    steps -= 1
                    if steps < 0:
                        return False
                self._advance_to(self._next_step(stop))
        return True

    def _cover(self, late: int = 0) -> None:
        """Have the pump's records stand for as much as goes by while nobody calls.

        When it has to live much more than that at once, because its process stood still, for all of
        it: one record in place of one a checkpoint, or it would never come to where time has come.
        """
        pump, covers = self.pump, 0
        if self.between_records and pump.every_record_counts and not self._stands_still:
            covers = 2 * self.between_records * (self.time_scale.speed or 0) // _MICROSECONDS
            if late > 2 * max(covers, pump.journal.checkpoint_every):
                covers = late
            covers = min(covers, LAST_SECOND)
        if covers != pump.journal.covers:
            mode = pump.mode
            pump.cover(covers)
            self._tell_if_changed(mode)

    def _stop(self) -> int | None:
        """The second ahead at which a line may have to be told something, or time stands still.

        Or at which the pump is to record what nobody could tell it anew.
        """
        pump = self.pump
        elapsed, soonest = pump.elapsed, LAST_SECOND + 1
        record = pump.journal.next_record if pump.every_record_counts else None
        for stop in (self._reports.next, self._edge(), self.time_scale.until, record):
            if stop is not None and elapsed < stop < soonest:
                soonest = stop
        return soonest if soonest <= LAST_SECOND else None

    def _next_step(self, stop: int) -> int:
        """The second, `stop` at the latest, at which it must look at what has become of it."""
        elapsed, edge = self.pump.elapsed, self._edge()
        if edge is not None and elapsed < edge < stop:
            stop = edge
        return self.pump.record_before(stop)

    def _edge(self) -> int | None:
        """When delivery next changes its rate, if a line wants to know, or it is to be recorded.

        It may run empty then, which changes the mode.
        """
        pump, journal = self.pump, self.pump.journal
        told = self._reports.next is not None
        wanted = told or (journal.memory.durable and not journal.covers)
        return pump.delivery.next_edge() if wanted else None

    def _advance_to(self, elapsed: int) -> None:
        before, until = self.pump.elapsed, self.time_scale.until
        mode_changed = self.pump.advance(elapsed)
        stands_still = until is not None and before < until <= self.pump.elapsed
        self._reports.tell(mode_changed or stands_still)
        if self._stands_still and self.between_records and self.pump.every_record_counts:
            # Nothing comes any more that would have it recorded.
            self.pump.cover(0)

    @property
    def _stands_still(self) -> bool:
        """Whether time goes no further as things stand."""
        until = self.time_scale.until
        return self.pump.elapsed >= (LAST_SECOND if until is None else until)

    def _may_leap(self) -> bool:
        if self._stands_still:
            return False
        return bool(self._reports) and self.lines_idle
