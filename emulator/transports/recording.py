"""Recording live lines: what one end sends and hears, a trace line each, with the time of it.

An end knows when it sent something, and when it heard something; it does not know when that was
sent, nor what happened to its own.  So a trace of one end says no more, and two of them together
say it all.  Times are line time since the recording began.
"""

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import msgspec

from mockpump.emulator.channel.channel import frames_of
from mockpump.emulator.channel.gathering import Gatherer
from mockpump.emulator.programmer.programmer import Programmer
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.trace.format import MAIN_LINE, PROGRAMMER, PUMP, Ends, Sender, head_of
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol.link.types import LinkSettings

if TYPE_CHECKING:
    from mockpump.emulator.transports.asyncio_pump import PumpRunner, Write


class LiveTrace:
    """A trace of live lines that goes into an open file, line by line, as it happens."""

    def __init__(self, file: IO[str], ends: Ends, title: str) -> None:
        self._file = file
        self._began = line_now()
        self._chunks = 0
        self._gatherers: dict[tuple[int, bool], Gatherer] = {}
        self._write(msgspec.json.encode(head_of("real", ends, title)).decode())
        self.writer = TraceWriter(self._write)

    def _write(self, line: str) -> None:
        self._file.write(f"{line}\n")
        # Whoever looks at it meanwhile, or after a kill, has all that has happened.
        self._file.flush()

    @property
    def now(self) -> int:
        """Microseconds since it began."""
        return line_now() - self._began

    def sent(self, by: Sender, data: bytes, line: int = MAIN_LINE) -> None:
        """An end of this process has sent bytes."""
        for chunk in frames_of(data):
            self._chunks += 1
            self.writer.sent(self.now, self._chunks, by, chunk, line=line)

    def heard(self, to: Sender, data: bytes, line: int = MAIN_LINE) -> None:
        """It has heard bytes; each frame counts when it is whole."""
        gatherer = self._gatherers.setdefault((line, to == PUMP), Gatherer())
        for chunk in gatherer.receive_data(data):
            self._chunks += 1
            self.writer.heard(self.now, self._chunks, to, chunk, line)


class ProgrammerTap:
    """A tap for a programmer's port that records it."""

    def __init__(self, trace: LiveTrace) -> None:
        self._trace = trace
        self.programmer: Programmer | None = None

    def __call__(self, sent: bool, data: bytes) -> None:
        """Bytes pass; `sent` when the programmer sent them."""
        if self.programmer is not None:
            self._trace.writer.programmer_turned(self._trace.now, self.programmer)
        if sent:
            self._trace.sent(PROGRAMMER, data)
        else:
            self._trace.heard(PROGRAMMER, data)


# Sees bytes on a line of a pump: which line it is, from 0, whether the pump sent them, and they.
LineTap = Callable[[int, bool, bytes], None]


class TappedRunner:
    """What is behind lines, with a tap before it: given to a pty or a TCP port in its place."""

    def __init__(self, runner: "PumpRunner | TappedRunner", tap: LineTap) -> None:
        self._runner, self._tap = runner, tap
        self._lines: dict[Any, int] = {}
        self._count = 0

    @property
    def server(self) -> PumpServer:
        """The pump behind the lines."""
        return self._runner.server

    def attach(self, write: "Write", settings: LinkSettings | None = None) -> Any:
        """A new line into the pump."""
        line = self._count
        self._count += 1

        def tapped(data: bytes) -> None:
            self._tap(line, True, data)
            write(data)

        endpoint = self._runner.attach(tapped, settings)
        self._lines[endpoint] = line
        return endpoint

    def detach(self, endpoint: Any) -> None:
        """That line is gone."""
        self._lines.pop(endpoint, None)
        self._runner.detach(endpoint)

    def data_received(self, endpoint: Any, data: bytes) -> None:
        """Bytes have come in on a line."""
        line = self._lines.get(endpoint)
        if line is not None:
            self._tap(line, False, data)
        self._runner.data_received(endpoint, data)


class PumpTap:
    """A tap for the lines of a pump that records them, and what the pump is."""

    def __init__(self, trace: LiveTrace, runner: "PumpRunner") -> None:
        self._trace, self._runner = trace, runner

    def __call__(self, line: int, sent: bool, data: bytes) -> None:
        """Bytes pass; `sent` when the pump sent them."""
        server = self._runner.server
        endpoints = server.endpoints
        sealed = any(each.connection.is_sealed for each in endpoints)
        self._trace.writer.pump_turned(self._trace.now, server.pump, sealed)
        if sent:
            self._trace.sent(PUMP, data, line)
        else:
            self._trace.heard(PUMP, data, line)
