"""A station: a pump, the lines into it, and the pace at which its time goes by.

It is what every way of running a pump drives: the asyncio runner, the world in virtual time and the
in-process serial port.  Still pure: line time comes in as `now`, in microseconds.
"""

from collections.abc import Iterable

from mockpump.emulator.pump.device import LAST_SECOND, Pump
from mockpump.emulator.pump.pacing import MAX_SPEED, Pacing
from mockpump.emulator.pump.port import Port
from mockpump.protocol.link_settings import LinkSettings


class Station:
    """A pump that is being run.  After every call, send what `Port.data_to_send` gives."""

    __slots__ = ("_stood_still", "pacing", "ports", "pump")

    def __init__(self, pump: Pump, pacing: Pacing | None = None) -> None:
        self.pump = pump
        self.pacing = pacing or Pacing()
        self.ports: list[Port] = []
        self._stood_still: int | None = None

    def attach(self, settings: LinkSettings | None = None) -> Port:
        """A new line into the pump."""
        port = Port(self.pump, settings)
        self.ports.append(port)
        return port

    def detach(self, port: Port) -> None:
        """That line is gone."""
        self.ports.remove(port)

    def change_pace(self, speed: int | None, now: int, run: int | None = None) -> None:
        """Go on at another speed; with `run`, for so many seconds of pump time, then stand still.

        `MAX_SPEED` goes as fast as the lines carry the telemetry that was asked for.
        """
        self.advance(now)
        until = None if run is None else self.pump.elapsed + run
        self.pacing.rebase(self.pump.elapsed, now)
        self.pacing.change(speed, now, until=until)
        self._stood_still = None

    def receive_data(self, port: Port, data: bytes, now: int) -> None:
        """Take bytes from one line."""
        self.advance(now)
        port.receive_data(data, now)

    def handle_timer(self, now: int) -> None:
        """Do what is due by now, on the lines and in the pump."""
        self.advance(now)
        for port in self.ports:
            port.handle_timer(now)

    def next_deadline(self, now: int) -> int | None:
        """When `handle_timer` must be called at the latest; None when nothing is awaited."""
        deadlines = [port.next_deadline() for port in self.ports]
        if self.pacing.speed is MAX_SPEED:
            deadlines.append(now if self._may_leap() else None)
        else:
            deadlines += [self.pacing.due(report) for report in self._reports()]
        return min((each for each in deadlines if each is not None), default=None)

    def _reports(self) -> Iterable[int]:
        for port in self.ports:
            report = port.next_report()
            if report is not None:
                yield report
        if self.pacing.until is not None and self._stood_still is None:
            yield self.pacing.until

    # -- pump time -------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        """Let the pump live on to where its pace has brought it, with the reports on the way.

        A line that is behind gets the newest report that was due, not all of them.
        """
        if self.pacing.speed is MAX_SPEED:
            if self._may_leap():
                self._advance_to(self._leap())
            return
        target = min(self.pacing.elapsed(now), LAST_SECOND)
        if target == self.pump.elapsed:
            return
        for stop in sorted({self._latest_report(port, target) for port in self.ports}):
            if stop > self.pump.elapsed:
                self._advance_to(stop)
        self._advance_to(target)

    def _latest_report(self, port: Port, target: int) -> int:
        interval = port.caller.interval
        return target // interval * interval if interval else 0

    def _advance_to(self, elapsed: int) -> None:
        changed = self.pump.advance(elapsed)
        until = self.pacing.until
        if until is not None and self.pump.elapsed >= until and self._stood_still != until:
            self._stood_still = until
            changed = True
        for port in self.ports:
            port.pump_advanced(changed)

    def _may_leap(self) -> bool:
        carried = all(port.caller.pending is None for port in self.ports)
        return carried and self._leap() > self.pump.elapsed

    def _leap(self) -> int:
        reports = [report for port in self.ports if (report := port.next_report()) is not None]
        last = LAST_SECOND if self.pacing.until is None else self.pacing.until
        return min(*reports, last) if reports else self.pump.elapsed
