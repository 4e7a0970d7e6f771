"""A bad line of a given rate between two ptys, and who talks over it: our link, or lrzsz.

All of it runs in one asyncio loop; several lines can run beside each other, since each waits most
of the time.  A line takes no more than it can carry soon, so that whoever sends has to wait, as at
a serial port: what stands in a queue for seconds could not be called back after an error.
"""

import asyncio
import contextlib
import os
import shutil
import tty
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mockpump.emulator.channel.channel import Channel, duration
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.transports.async_drive import AsyncDrive
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.loop_timer import LoopTimer
from mockpump.protocol.connection import Connection, ConnectionEvent, MessageRejected
from mockpump.protocol.framing import MAX_PAYLOAD
from mockpump.protocol.link.types import LinkSettings, Role

_CHUNK = 65_536
_PIECE = 256  # bytes that a line takes at once
_SOON = 30_000  # microseconds of bytes that it takes beforehand
_GLANCE = 0.1  # seconds
_GREETING = 32  # bytes that are no data yet


class Stalled(Exception):
    """A transfer that did not end in time, or ended without its file."""


class Transfer(NamedTuple):
    """What is to be carried: this many bytes over this line, within this many seconds."""

    size: int
    line: Impairments
    seed: int
    patience: float


class _Line:
    """Two raw ptys with a channel between them; `slaves` are for whoever talks over it.

    `first` and `last` are when the receiving slave, the first of the two, began to be given data
    and when that was last so.  Acknowledgements and greetings do not count: YMODEM spends seconds
    with them before and after.
    """

    def __init__(self, transfer: Transfer) -> None:
        self.first = self.last = 0
        self._channel = Channel(transfer.line, transfer.seed)
        self._loop = asyncio.get_running_loop()
        self._masters, self.slaves = zip(os.openpty(), os.openpty(), strict=True)
        # Until when each direction is busy with what it has taken.
        self._busy_until = [0, 0]
        self._timer = LoopTimer(self._deliver)
        for side, master in enumerate(self._masters):
            tty.setraw(self.slaves[side])
            os.set_blocking(master, False)
            self._loop.add_reader(master, self._on_readable, side)

    def _on_readable(self, side: int) -> None:
        data, now = os.read(self._masters[side], _PIECE), line_now()
        self._channel.send(side == 0, data, now)
        taken = duration(len(data), self._channel.impairments.baud)
        self._busy_until[side] = max(self._busy_until[side], now) + taken
        wait = self._busy_until[side] - now - _SOON
        if wait > 0:
            self._loop.remove_reader(self._masters[side])
            self._loop.call_later(wait / 1e6, self._resume, side)
        self._deliver()

    def _resume(self, side: int) -> None:
        if self._masters:
            self._loop.add_reader(self._masters[side], self._on_readable, side)

    def _deliver(self) -> None:
        now = line_now()
        for arrival in self._channel.arrivals(now):
            side = 1 if arrival.from_programmer else 0
            with contextlib.suppress(BlockingIOError):  # Nobody reads: a line loses it.
                os.write(self._masters[side], arrival.data)
            if side == 0 and len(arrival.data) > _GREETING:
                self.first, self.last = self.first or now, now
        self._timer.set(self._channel.next_deadline(), now)

    def close(self) -> None:
        """Take it away."""
        self._timer.stop()
        for master in self._masters:
            self._loop.remove_reader(master)
        for descriptor in (*self._masters, *self.slaves):
            os.close(descriptor)
        self._masters = ()


@contextlib.contextmanager
def _line(transfer: Transfer) -> Iterator[_Line]:
    with contextlib.closing(_Line(transfer)) as line:
        yield line


# -- ours ------------------------------------------------------------------------------------------


class _Sender(Connection):
    """One end of a link that has no end of payloads to send, all the same; empty: none."""

    def __init__(self, role: Role, settings: LinkSettings, payload: bytes = b"") -> None:
        super().__init__(role, settings)
        self._payload = payload

    def data_to_send(self, now: int) -> bytes:
        """The bytes that must go out now, with as many payloads as the link takes."""
        while self._payload and self.link.room:
            self.link.send(self._payload, now)
        return super().data_to_send(now)


class _Speaker:
    """One end of our link, at a descriptor."""

    def __init__(self, descriptor: int, connection: Connection) -> None:
        self.received = 0
        self.heard = asyncio.Event()
        self._descriptor = descriptor
        self._unsent = b""
        self._loop = asyncio.get_running_loop()
        self.drive = AsyncDrive(connection, self._send, self._take)
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._on_readable)

    def _on_readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.drive.data_received(os.read(self._descriptor, _CHUNK))

    def _take(self, event: ConnectionEvent) -> None:
        # The payloads are no messages: for the link that makes no difference.
        self.received += isinstance(event, MessageRejected)
        self.heard.set()

    def _send(self, data: bytes) -> None:
        self._unsent += data
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._unsent = self._unsent[os.write(self._descriptor, self._unsent) :]
        if self._unsent:
            self._loop.add_writer(self._descriptor, self._write)
        else:
            self._loop.remove_writer(self._descriptor)

    def close(self) -> None:
        """Let the descriptor alone."""
        self.drive.close()
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)


async def our_link(transfer: Transfer, window: int) -> float:
    """Bytes of payload a second, with payloads of 1,000 bytes; `Stalled` when it takes too long."""
    settings = LinkSettings(max_payload=MAX_PAYLOAD, window=window)
    with _line(transfer) as line, contextlib.ExitStack() as stack:
        caller = Connection(Role.INITIATOR, settings)
        programmer = _Speaker(line.slaves[0], caller)
        stack.callback(programmer.close)
        payload = bytes(1 + n % 255 for n in range(MAX_PAYLOAD))
        pump = _Speaker(line.slaves[1], _Sender(Role.ACCEPTOR, settings, payload))
        stack.callback(pump.close)
        begun = line_now()
        caller.open(1, begun)
        programmer.drive.work()
        try:
            async with asyncio.timeout(transfer.patience):
                while programmer.received * MAX_PAYLOAD < transfer.size:
                    programmer.heard.clear()
                    await programmer.heard.wait()
        except TimeoutError:
            raise Stalled from None
        return programmer.received * MAX_PAYLOAD * 1e6 / (line_now() - begun)


# -- lrzsz -----------------------------------------------------------------------------------------

# What each is called with; 1,024-byte blocks where that must be asked for.
LRZSZ = {
    "ZMODEM": (("sz", "-q", "-b"), ("rz", "-q", "-b")),
    "YMODEM": (("sz", "-q", "--ymodem", "-k"), ("rz", "-q", "--ymodem")),
    "XMODEM": (("sz", "-q", "--xmodem", "-k"), ("rz", "-q", "--xmodem", "received")),
}


def has_lrzsz() -> bool:
    """Whether it is installed."""
    return all(shutil.which(command[0]) for pair in LRZSZ.values() for command in pair)


async def lrzsz(transfer: Transfer, name: str) -> float:
    """Bytes of the file a second, from its first to its last; `Stalled` when it does not come."""
    send, receive = LRZSZ[name]
    with TemporaryDirectory() as folder, _line(transfer) as line:
        sent, got = Path(folder) / "sent", Path(folder) / "got"
        got.mkdir()
        # Bytes that need no escape: what is compared is the way of repairing.
        whole = bytes(range(0x20, 0x7F)) * (transfer.size // 95 + 1)
        sent.write_bytes(whole)
        near, far = line.slaves
        async with _running(receive, near, got), _running((*send, str(sent)), far, got):
            try:
                async with asyncio.timeout(transfer.patience):
                    # Not until both end: they may take ten seconds to say goodbye.
                    while not _holds(got, whole):
                        await asyncio.sleep(_GLANCE)
            except TimeoutError:
                raise Stalled from None
        return len(whole) * 1e6 / (line.last - line.first)


def _holds(folder: Path, whole: bytes) -> bool:
    """Whether the file has come; XMODEM fills its last block."""
    return any(file.read_bytes().startswith(whole) for file in folder.iterdir())


@contextlib.asynccontextmanager
async def _running(
    command: tuple[str, ...], line: int, folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program with the line for its standard input and output; it ends soon after the block."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=line, stdout=line, stderr=asyncio.subprocess.DEVNULL, cwd=folder
    )
    try:
        yield process
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 0.5)
        if process.returncode is None:
            process.kill()
            await process.wait()
