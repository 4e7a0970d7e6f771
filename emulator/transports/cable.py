"""A bad cable between any two programs: two real byte streams, and a channel between them.

What one end reads is gathered to frames and goes into the channel, which says what arrives at the
other and when; one asyncio timer serves both ways, and one at each end what was not gathered yet.
A line that nobody reads loses bytes, as a line does.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mockpump.emulator.channel.attribution import FaultAttribution
from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.gathering import PATIENCE, Gatherer
from mockpump.emulator.trace.format import PROGRAMMER, PUMP, Sender
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.loop_timer import LoopTimer
from mockpump.emulator.transports.pty import PtyLine
from mockpump.emulator.transports.serial_port import SerialPort
from mockpump.protocol.link.types import LinkSettings

Write = Callable[[bytes], None]
# What may wait for a port that does not take it.
_MOST_WAITING = 65_536


class Cable:
    """Both ends of a cable, inside the running asyncio loop; time on it begins when it is made.

    `on_end` is called with a reason when an end has gone.
    """

    def __init__(self, channel: Channel, on_end: Callable[[PortError], None]) -> None:
        self.channel = channel
        self.attribution = FaultAttribution()
        self.on_end = on_end
        # What writes down what goes by; the first end is taken for the programmer's.
        self.trace: TraceWriter | None = None
        # What sees each chunk as it is sent: whether the first end sent it, and the bytes.
        self.tap: Callable[[bool, bytes], None] = lambda first, data: None
        # How many bytes each end has given to the line, and how many came out at the other.
        self.bytes_sent = {True: 0, False: 0}
        self.bytes_arrived = {True: 0, False: 0}
        self._began = line_now()
        self._writers: dict[bool, Write] = {}
        self._arrival = LoopTimer(self._deliver)
        self._gatherers = {first: Gatherer() for first in (True, False)}
        self._flushes = {first: LoopTimer(partial(self._flush, first)) for first in (True, False)}

    def open(self, end: str, first: bool) -> "PtyLine | PortEnd":
        """Open an end: `pty`, `pty:PATH`, or whatever a programmer's port may be."""
        kind, _, path = end.partition(":")
        if kind == "pty":
            return PtyLine(_Side(self, first), Path(path) if path else None)
        return PortEnd(self, end, first)

    def plug(self, first: bool, write: Write) -> None:
        """An end is there; `write` takes what comes through to it."""
        self._writers[first] = write

    def data_received(self, first: bool, data: bytes) -> None:
        """An end has read something."""
        gatherer = self._gatherers[first]
        self._send(first, gatherer.receive_data(data))
        now = line_now()
        self._flushes[first].set(now + PATIENCE if gatherer.waiting else None, now)

    def _flush(self, first: bool) -> None:
        self._send(first, self._gatherers[first].flush())

    def _send(self, first: bool, chunks: list[bytes]) -> None:
        now = self._now()
        for chunk in chunks:
            lost = self.channel.send(first, chunk, now)
            self.attribution.sent(first, chunk, lost)
            self.bytes_sent[first] += len(chunk)
            self.tap(first, chunk)
            if self.trace is not None:
                by: Sender = PROGRAMMER if first else PUMP
                self.trace.sent(now, self.channel.chunks, by, chunk, lost)
        self._deliver()

    def close(self) -> None:
        """What is under way is lost."""
        self._writers.clear()
        for timer in (self._arrival, *self._flushes.values()):
            timer.stop()

    def _now(self) -> int:
        return line_now() - self._began

    def _deliver(self) -> None:
        now = self._now()
        for arrival in self.channel.arrivals(now):
            self.attribution.arrived(arrival)
            self.bytes_arrived[arrival.from_programmer] += len(arrival.data)
            if self.trace is not None:
                self.trace.arrived(arrival)
            write = self._writers.get(not arrival.from_programmer)
            if write is not None:
                write(arrival.data)
        due = self.channel.next_deadline()
        self._arrival.set(due if self._writers else None, now)


class _Side:
    """One side of a cable, as a pty has it behind it."""

    def __init__(self, cable: Cable, first: bool) -> None:
        self._cable = cable
        self._first = first

    def attach(self, write: Write, settings: LinkSettings | None = None) -> bool:
        self._cable.plug(self._first, write)
        return self._first

    def detach(self, port: bool) -> None:
        pass

    def data_received(self, port: bool, data: bytes) -> None:
        self._cable.data_received(port, data)


class PortEnd:
    """An end of a cable that is somebody else's port; `path` is where it is."""

    def __init__(self, cable: Cable, url: str, first: bool) -> None:
        self.path = url
        self._cable, self._first = cable, first
        self._port = SerialPort(url)
        self._loop = asyncio.get_running_loop()
        descriptor = self._port.descriptor
        if descriptor is None:
            self._port.close()
            raise PortError(f"cannot open {url}: a cable's end is a device, a pty or a socket")
        self._descriptor = descriptor
        cable.plug(first, self._write)
        self._loop.add_reader(descriptor, self._on_readable)

    def _on_readable(self) -> None:
        try:
            data = self._port.receive(0)
        except PortError as error:
            self._end(error)
            return
        if data:
            self._cable.data_received(self._first, data)

    def _write(self, data: bytes) -> None:
        if self._port.waiting > _MOST_WAITING:
            return
        try:
            self._port.send(data)
        except PortError as error:
            self._end(error)
            return
        if self._port.waiting:
            self._loop.add_writer(self._descriptor, self._on_writable)

    def _on_writable(self) -> None:
        try:
            self._port.flush()
        except PortError as error:
            self._end(error)
            return
        if not self._port.waiting:
            self._loop.remove_writer(self._descriptor)

    def _end(self, error: PortError) -> None:
        self._let_go()
        self._cable.on_end(error)

    def _let_go(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)

    def close(self) -> None:
        """Close the port, as it was found."""
        self._let_go()
        self._port.close()
