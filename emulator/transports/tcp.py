"""A TCP listener as the pump's line: every client gets a line of its own into the same pump.

A mock has no reason to be a way in, so everything that a client can use up is bounded: how many
there are, how long one may stay without a connection to the pump, how much of one is read in a turn
of the loop (so that a flood takes its share and no more), and how much may wait to be read by one.
It listens on loopback unless told that anybody may call.
"""

import asyncio
import socket
from enum import IntEnum
from ipaddress import ip_address
from typing import NamedTuple, cast

from mockpump.emulator.pump.port import Port
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortError, reason_of
from mockpump.emulator.transports.runner import PumpRunner
from mockpump.protocol.link_settings import LinkSettings


class TcpBounds(NamedTuple):
    """What clients may use up.

    `clients` at a time; `chunk` bytes of one are read in a turn of the loop; of what goes out to
    one, `waiting` bytes may wait here, and about as many in the system, before it is hung up on;
    `idle` microseconds without a connection to the pump, and it is hung up on as well.
    """

    clients: int = 16
    chunk: int = 2_048
    waiting: int = 65_536
    idle: int = 30_000_000


class Standing(IntEnum):
    """How much a client has shown that it means it; whoever has shown least makes room first."""

    STRANGER = 0
    CALLED = 1
    ASKED = 2
    SERVED = 3


class NotLoopback(PortError):
    """An address that others can reach, and nobody said that they may."""


class TcpLine(asyncio.BufferedProtocol):
    """One client's line.

    A half-open socket needs no rule of its own: the link notices the silence and ends the
    connection, and without one the client is hung up on in the end.
    """

    def __init__(self, listener: "TcpListener") -> None:
        self._listener = listener
        self._bounds = listener.bounds
        self._buffer = bytearray(self._bounds.chunk)
        self._port: Port | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._called_at = line_now()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected; it is turned away when there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._listener.admit(self):
            self._transport.abort()
            return
        self._port = self._listener.runner.attach(self._write, self._listener.settings)
        self._look()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go: no more of them than are taken in one turn."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come from the client."""
        if self._port is not None:
            self._listener.runner.data_received(self._port, bytes(self._buffer[:nbytes]))
            if self.standing is not Standing.STRANGER:
                self._called_at = line_now()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._listener.release(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._port is not None:
            self._listener.runner.detach(self._port)
            self._port = None

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > self._bounds.waiting:
            transport.abort()
            return
        transport.write(data)

    def _look(self) -> None:
        """Hang up on a client without a connection; look again when it could be time to."""
        now = line_now()
        if self.standing is not Standing.STRANGER:
            self._called_at = now
        left = self._called_at + self._bounds.idle - now
        if left <= 0:
            self.close()
        else:
            self._timer = asyncio.get_running_loop().call_later(left / 1e6, self._look)

    @property
    def standing(self) -> Standing:
        """Whether the client has a connection to the pump, has said anything, may ask more."""
        if self._port is None or not self._port.connection.is_open:
            return Standing.STRANGER
        heard = self._port.connection.statistics.link
        said = heard.frames_received - heard.frames_dropped
        if said <= 1:
            return Standing.CALLED
        served = self._port.caller.keys is not None or self._port.pump.pairing.is_open
        return Standing.SERVED if served else Standing.ASKED

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


class TcpListener:
    """Listens on one address.  `address` tells which, with the port that was chosen for 0."""

    def __init__(
        self,
        runner: PumpRunner,
        settings: LinkSettings | None = None,
        bounds: TcpBounds | None = None,
    ) -> None:
        self.runner = runner
        self.settings = settings
        self.bounds = bounds or TcpBounds()
        # In the order in which they came.
        self._lines: dict[TcpLine, None] = {}
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int, *, exposed: bool = False) -> None:
        """Start to listen; `PortError` when the address cannot be had.

        `NotLoopback` for an address beyond this machine, unless it may be `exposed`.
        """
        try:
            server = await self._bound(host, port)
            self._server = server
            if not exposed and not self.on_loopback:
                self.close()
                raise NotLoopback(f"{host or '*'}:{port} can be reached from other machines")
            await server.start_serving()
        except (OSError, ValueError) as error:
            self.close()
            raise PortError(f"cannot listen on {host}:{port}: {reason_of(error)}") from None

    async def _bound(self, host: str, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: TcpLine(self), host, port, start_serving=False)
        for each in server.sockets:
            # What the system keeps for a client, each way; inherited by its socket.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.bounds.waiting)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.bounds.waiting)
        return server

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can call: the address itself says, not the name for it."""
        sockets = self._server.sockets if self._server else ()
        hosts = [str(each.getsockname()[0]).partition("%")[0] for each in sockets]
        return all(ip_address(each).is_loopback for each in hosts)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        if self._server is None:
            raise PortError("not listening")
        host, port, *_ = self._server.sockets[0].getsockname()
        return str(host), int(port)

    def admit(self, line: TcpLine) -> bool:
        """Whether there is room for another client.

        When all places are taken, the first to have come of those with the least standing is hung
        up on, unless even that one is served: whoever connects and says nothing, or holds no key,
        cannot keep others out.
        """
        if len(self._lines) >= self.bounds.clients:
            least = min(self._lines, key=lambda each: each.standing)
            if least.standing is Standing.SERVED:
                return False
            least.close()
            self.release(least)
        self._lines[line] = None
        return True

    def release(self, line: TcpLine) -> None:
        """A client has gone."""
        self._lines.pop(line, None)

    def close(self) -> None:
        """Hang up on everybody and stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in list(self._lines):
            line.close()
