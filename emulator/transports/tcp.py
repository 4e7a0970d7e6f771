"""A TCP listener as the pump's line: every client gets a line of its own into the same pump.

On loopback unless told otherwise, with a bound on clients and on what may wait to be sent to one:
a mock has no reason to be a way in.
"""

import asyncio
from typing import cast

from mockpump.emulator.pump.port import Port
from mockpump.emulator.transports.errors import PortError, reason_of
from mockpump.emulator.transports.runner import PumpRunner
from mockpump.protocol.link_settings import LinkSettings

MAX_CLIENTS = 16
_MAX_WAITING = 65_536


class TcpLine(asyncio.Protocol):
    """One client's line."""

    def __init__(self, listener: "TcpListener") -> None:
        self._listener = listener
        self._port: Port | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected; it is turned away when there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._listener.admit(self):
            self._transport.abort()
            return
        self._port = self._listener.runner.attach(self._write, self._listener.settings)

    def data_received(self, data: bytes) -> None:
        """Bytes have come from the client."""
        if self._port is not None:
            self._listener.runner.data_received(self._port, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._listener.release(self)
        if self._port is not None:
            self._listener.runner.detach(self._port)
            self._port = None

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > _MAX_WAITING:
            transport.abort()
            return
        transport.write(data)

    @property
    def calls(self) -> bool:
        """Whether the client has an open connection to the pump."""
        return self._port is not None and self._port.connection.is_open

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


class TcpListener:
    """Listens on one address.  `address` tells which, with the port that was chosen for 0."""

    def __init__(self, runner: PumpRunner, settings: LinkSettings | None = None) -> None:
        self.runner = runner
        self.settings = settings
        # In the order in which they came.
        self._lines: dict[TcpLine, None] = {}
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """Start to listen; `PortError` when the address cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: TcpLine(self), host, port)
        except (OSError, ValueError) as error:
            raise PortError(f"cannot listen on {host}:{port}: {reason_of(error)}") from None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        if self._server is None:
            raise PortError("not listening")
        host, port, *_ = self._server.sockets[0].getsockname()
        return str(host), int(port)

    def admit(self, line: TcpLine) -> bool:
        """Whether there is room for another client.

        When all places are taken, the first to have come of those that are not calling the pump is
        hung up on: whoever connects and says nothing cannot keep others out.
        """
        if len(self._lines) >= MAX_CLIENTS:
            idle = next((each for each in self._lines if not each.calls), None)
            if idle is None:
                return False
            idle.close()
            self.release(idle)
        self._lines[line] = None
        return True

    def release(self, line: TcpLine) -> None:
        """A client has gone."""
        self._lines.pop(line, None)

    def close(self) -> None:
        """Hang up on everybody and stop listening."""
        if self._server is not None:
            self._server.close()
        for line in list(self._lines):
            line.close()
