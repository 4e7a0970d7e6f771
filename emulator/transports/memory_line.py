"""A line in memory: two ends in one process, each end's writes arriving at the other.

Delivery goes through the asyncio loop, never straight into the other end's callback, so that the
two sides interleave as they would over a real line.
"""

import asyncio
from collections.abc import Callable

Receive = Callable[[bytes], None]


class MemoryEnd:
    """One end.  Set `on_data`, then `write`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.other: MemoryEnd | None = None
        self.on_data: Receive | None = None

    def write(self, data: bytes) -> None:
        """Send bytes to the other end; lost when that end is closed or does not listen."""
        self._loop.call_soon(self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if self.other is not None and self.other.on_data is not None:
            self.other.on_data(data)

    def close(self) -> None:
        """Stop listening."""
        self.on_data = None


def memory_pair() -> tuple[MemoryEnd, MemoryEnd]:
    """Two connected ends, inside the running asyncio loop."""
    one, two = MemoryEnd(), MemoryEnd()
    one.other, two.other = two, one
    return one, two
