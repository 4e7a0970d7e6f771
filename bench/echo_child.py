"""The bare minimum at the other end of a pty: a process that echoes bytes.  The pty row's peer.

Two ways: blocking, which is as raw as it gets, and (with `asyncio` as its argument) inside the loop
that anything with timers needs.
"""

import asyncio
import os
import sys

from bench.children import announce, raw_pty


def main() -> None:
    """Echo until the parent has gone."""
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


if __name__ == "__main__":
    main()
