"""One timer of the running asyncio loop, set to moments of line time."""

import asyncio
from collections.abc import Callable


class LoopTimer:
    """Calls back once, when the moment that it was last set to has come."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at: int | None, now: int) -> None:
        """From now on, be set to that moment alone; None: to none."""
        self.stop()
        if at is not None:
            self._handle = self._loop.call_later(max(at - now, 0) / 1e6, self._callback)

    def stop(self) -> None:
        """Be set to no moment."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
