"""Requests a second of a pump with one, a hundred and a thousand TCP clients, beside a bare echo.

The clients are all in this process, and each has one request under way at a time; so the figure is
what the server's process can do on a core of its own.  What a client sends is made beforehand, the
same for the pump as for the echo: the frames of 256 requests, after which a link's numbers repeat.
"""

import contextlib
import json
import resource
import select
import socket
from typing import Any
from urllib.parse import urlsplit

from bench.children import ChildError, child
from bench.pairs import Effort, Work, race
from bench.pty_rows import FRESH_PUMP
from bench.table import Contest, Finding, absent
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame

_CROWDS = {1: "over TCP, one client", 100: "  a hundred clients", 1_000: "  a thousand clients"}
_OPEN = encode_frame(Frame(Kind.OPEN, 7, payload=b"\x00\xf0\x08"))
# Request number n carries that number, and acknowledges the n replies before it.
_REQUESTS = [
    encode_frame(Frame(Kind.DATA, 7, n, n, payload=m.encode(m.GetStatus()))) for n in range(256)
]
# Longer than a frame that only acknowledges, shorter than any reply.
_ONLY_FRAME = 30
_ECHOED = [bytes(range(64))]
_PATIENCE = 20.0
_CHUNK = 4_096


def over_tcp(effort: Effort) -> list[Finding]:
    """A status asked for; 64 bytes echoed."""
    with contextlib.ExitStack() as stack:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4_096), hard), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        found: list[Finding] = []
        for clients, case in _CROWDS.items():
            found += _crowd(clients, case, effort)
        return found


def _crowd(clients: int, case: str, effort: Effort) -> list[Finding]:
    with contextlib.ExitStack() as stack:
        try:
            works = {"pump": _pump(stack, clients), "asyncio echo": _echo(stack, clients)}
        except (ChildError, OSError) as error:
            return [absent(case, "", f"absent: {error}")]
        contest = Contest(race(works, effort), case, "pump", "/s")
    return [
        contest.at_least("asyncio echo", 0.4) if clients == 100 else contest.beside("asyncio echo")
    ]


def _pump(stack: contextlib.ExitStack, clients: int) -> Work:
    _, line = stack.enter_context(child(*FRESH_PUMP, "--tcp", "0", "--clients", str(clients)))
    place = urlsplit(json.loads(line)["port"])
    address = (str(place.hostname), int(place.port or 0))
    return Crowd(stack, address, clients, _REQUESTS, _OPEN).ask


def _echo(stack: contextlib.ExitStack, clients: int) -> Work:
    _, port = stack.enter_context(child("-m", "bench.echo_child", "tcp"))
    return Crowd(stack, ("127.0.0.1", int(port)), clients, _ECHOED).ask


class Crowd:
    """Some clients of one server.  `requests` is what each says, over and over.

    Each is let in before the next comes: it says its `greeting`, if there is one, and asks once.
    """

    def __init__(
        self,
        stack: contextlib.ExitStack,
        address: tuple[str, int],
        clients: int,
        requests: list[bytes],
        greeting: bytes = b"",
    ) -> None:
        self._requests = requests
        self._sockets: dict[int, socket.socket] = {}
        self._asked: dict[int, int] = {}
        # Both call what can be read the same.
        self._poll: Any = getattr(select, "epoll", select.poll)()
        for _ in range(clients):
            each = socket.create_connection(address, _PATIENCE)
            stack.callback(each.close)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[each.fileno()] = each
            for first in filter(None, (greeting, requests[0])):
                each.sendall(first)
                assert each.recv(_CHUNK), "the server has hung up"
            self._asked[each.fileno()] = 1
            self._poll.register(each.fileno(), select.POLLIN)

    def ask(self, count: int) -> None:
        """Have this many requests answered, one at a time of each client."""
        waiting = list(self._sockets)[:count]
        for descriptor in waiting:
            self._say(descriptor)
        left = count - len(waiting)
        missing = count
        while missing:
            for descriptor, _ in self._poll.poll(_PATIENCE):
                heard = self._sockets[descriptor].recv(_CHUNK)
                assert heard, "the server has hung up"
                if len(heard) <= _ONLY_FRAME:
                    continue
                missing -= 1
                if left:
                    left -= 1
                    self._say(descriptor)

    def _say(self, descriptor: int) -> None:
        number = self._asked[descriptor]
        self._sockets[descriptor].send(self._requests[number % len(self._requests)])
        self._asked[descriptor] = number + 1
