"""A TCP listener as the pump's line: every client gets a line of its own into the same pump.

A mock has no reason to be a way in, so everything that a client can use up is bounded: how many
there are, how long one may stay without a connection to the pump, how much of one is read in a turn
of the loop (so that a flood takes its share and no more), and how much may wait to be read by one.
Those that have yet to show that they mean it are many (`mockpump.emulator.transports.admission`),
so of each of them much less is taken.  It listens on loopback unless told that anybody may call.
"""

import asyncio
import errno
import re
import resource
import socket
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, cast

from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.transports.admission import Admission
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortError, reason_of
from mockpump.protocol.framing import OVERHEAD
from mockpump.protocol.link.types import LinkSettings

if TYPE_CHECKING:
    from mockpump.emulator.transports.asyncio_pump import PumpRunner
    from mockpump.emulator.transports.recording import TappedRunner

# The descriptors that are none of a client's: what the process has open besides, and those of
# callers that are being refused, of which a turn of the loop can take a hundred.
_OTHER_DESCRIPTORS = 200
# With less than that the lobby would be none.
_SMALLEST_LOBBY = 32
# The end of what may be a whole frame: less than that is none.
_FRAME_END = re.compile(rb"(?<=[^\x00]{%d})\x00" % OVERHEAD)


class TcpBounds(NamedTuple):
    """What clients may use up.

    `clients` at a time, and `lobby` more that have not shown yet that they mean it; each of these
    has `grace` microseconds to do so.  `chunk` bytes of a client are read in a turn of the
    loop; of what goes out to one, `waiting` bytes may wait here, and about as many in the system,
    before it is hung up on.  In the lobby `chunk` and `waiting` are a tenth of that; whoever sends
    more than `introduction` bytes there is hung up on, and so is whoever has had no connection to
    the pump for `idle` microseconds.
    """

    clients: int = 16
    lobby: int = 512
    grace: int = 50_000
    chunk: int = 2_048
    waiting: int = 65_536
    introduction: int = 4_096
    idle: int = 30_000_000


class NotLoopback(PortError):
    """An address that others can reach, and nobody said that they may."""


def make_room(clients: int) -> None:
    """Have the system allow this process a descriptor for each of this many clients.

    `PortError` when it does not.
    """
    wanted = clients + TcpBounds().lobby + _OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    most = max(allowed, soft) - _OTHER_DESCRIPTORS - _SMALLEST_LOBBY
    if clients > most:
        raise PortError(
            f"too few files may be open at a time for {clients:,} clients (ulimit -n):"
            f" at most {max(most, 0):,} are possible"
        )


def _lobby_within(bounds: TcpBounds) -> int:
    """The size of the lobby, as the system's bound on descriptors allows it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return bounds.lobby
    room = soft - bounds.clients - _OTHER_DESCRIPTORS
    return min(bounds.lobby, max(room, _SMALLEST_LOBBY))


class TcpLine(asyncio.BufferedProtocol):
    """One client's line.

    A half-open socket needs no rule of its own: the link notices the silence and ends the
    connection, and without one the client is hung up on in the end.
    """

    def __init__(self, listener: "TcpListener") -> None:
        self._listener = listener
        self._port: Endpoint | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._called_at = line_now()
        self._said = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected; it is refused when there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        listener = self._listener
        if listener.closed:
            # It was on its way in when everybody was hung up on.
            self._transport.abort()
            return
        if not listener.admission.admit(self, line_now(), to_prove=not listener.serves_everybody):
            self._transport.abort()
            return
        self._port = listener.runner.attach(self._write, listener.settings)
        self._look()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go: no more of them than are taken in one turn."""
        return self._listener.buffer if self._placed else self._listener.small_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come from the client."""
        if self._port is None:
            return
        # Whoever is evicted is told first, whatever it still says meanwhile.
        if not self._placed and not self._port.peer.evicted:
            self._said += nbytes
            if self._said > self._listener.bounds.introduction:
                self.close()
                return
        for piece in self._pieces(bytes(self._listener.buffer[:nbytes])):
            if not self._take(self._port, piece):
                return

    def _pieces(self, data: bytes) -> list[bytes]:
        """The same bytes, with one frame at the most in each piece where that may matter.

        Where everybody is served, a call costs no place, and whatever comes behind it needs one: if
        both come at once, they are looked at one after the other.  A frame ends with the first
        delimiter, which may end what came before, or with one behind enough for a whole frame.
        """
        if self._placed or not self._listener.serves_everybody:
            return [data]
        ends = {each.end() for each in _FRAME_END.finditer(data)}
        cuts = sorted({0, data.find(b"\x00") + 1, *ends, len(data)})
        return [data[start:end] for start, end in pairwise(cuts)]

    def _take(self, port: Endpoint, data: bytes) -> bool:
        """Bytes for the pump; whether it is still there to take more."""
        listener = self._listener
        # Where everybody is served, whoever goes on after its call is a client, and must have a
        # place before the pump hears another byte of it.
        if port.connection.is_open and listener.serves_everybody and not self._take_place():
            return False
        listener.runner.data_received(port, data)
        if port.connection.is_open:
            self._called_at = line_now()
            if port.peer.keys is not None:
                self._take_place(proven=True)
        return True

    @property
    def _placed(self) -> bool:
        return self in self._listener.admission.placed

    def _take_place(self, *, proven: bool = False) -> bool:
        """Whether it has a place among the clients; without one it is hung up on."""
        if self._placed or self._listener.admission.place(self, line_now(), proven=proven):
            return True
        self.close()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._listener.admission.release(self)
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
        most = self._listener.bounds.waiting
        if transport.get_write_buffer_size() > (most if self._placed else most // 10):
            transport.abort()
            return
        transport.write(data)

    def _look(self) -> None:
        """Hang up on a client without a connection; look again when it could be time to."""
        now = line_now()
        if self._port is not None and self._port.connection.is_open:
            self._called_at = now
        left = self._called_at + self._listener.bounds.idle - now
        if left <= 0:
            self.close()
        else:
            self._timer = asyncio.get_running_loop().call_later(left / 1e6, self._look)

    @property
    def deserving(self) -> bool:
        """Whether the client has a connection to the pump, and a session if there must be one.

        And reads what it is sent: whoever only asks makes room when others come.
        """
        if self._port is None or not self._port.connection.is_open or self._transport is None:
            return False
        if self._transport.get_write_buffer_size() > self._listener.bounds.waiting // 10:
            return False
        return self._port.peer.keys is not None or self._listener.serves_everybody

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


class TcpListener:
    """Listens on one address.  `address` tells which, with the port that was chosen for 0."""

    def __init__(
        self,
        runner: "PumpRunner | TappedRunner",
        settings: LinkSettings | None = None,
        bounds: TcpBounds | None = None,
    ) -> None:
        self.runner = runner
        self.settings = settings
        self.bounds = bounds or TcpBounds()
        lobby = _lobby_within(self.bounds)
        self.admission = Admission(self.bounds.clients, lobby, self.bounds.grace)
        # One for all: what has been read is taken before anything else is.
        self.buffer = memoryview(bytearray(self.bounds.chunk))
        self.small_buffer = self.buffer[: self.bounds.chunk // 10]
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
            taken = getattr(error, "errno", None) == errno.EADDRINUSE
            advice = "; choose another port, or 0 for any that is free" if taken else ""
            raise PortError(f"cannot listen on {host}:{port}: {reason_of(error)}{advice}") from None

    async def _bound(self, host: str, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: TcpLine(self), host, port, start_serving=False)
        for each in server.sockets:
            # What the system keeps for a client, each way; inherited by its socket.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.bounds.waiting)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.bounds.waiting)
        return server

    @property
    def serves_everybody(self) -> bool:
        """Whether the pump has no keys, so that whoever calls is a client."""
        return self.runner.server.pump.pairing.is_open

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

    @property
    def closed(self) -> bool:
        """Whether it does not listen, not yet or any more."""
        return self._server is None

    def close(self) -> None:
        """Hang up on everybody and stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in [*self.admission.placed, *self.admission.waiting]:
            line.close()
