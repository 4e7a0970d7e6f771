"""The bare minimum at the other end of a line: a process that echoes bytes.  The peer of rows.

Over a pty in two ways: blocking, which is as raw as it gets, and (with `asyncio` as its argument)
inside the loop that anything with timers needs; and (with `tcp`) in such a loop for many clients.
"""

import asyncio
import os
import sys
from typing import cast

from bench.children import announce, raw_pty


def main() -> None:
    """Echo until the parent has gone."""
    if sys.argv[1:] == ["tcp"]:
        asyncio.run(_to_all())
    master, path = raw_pty()
    if sys.argv[1:] == ["asyncio"]:
        asyncio.run(_in_a_loop(master, path))
    announce(path)
    while data := os.read(master, 4096):
        os.write(master, data)


async def _in_a_loop(master: int, path: str) -> None:
    os.set_blocking(master, False)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, lambda: os.write(master, os.read(master, 4096)))
    announce(path)
    await loop.create_future()


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def _to_all() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Echo, "127.0.0.1", 0)
    announce(str(server.sockets[0].getsockname()[1]))
    await loop.create_future()


if __name__ == "__main__":
    main()
