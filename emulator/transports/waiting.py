"""A port that is not there yet: tried again for a while, since its pump may only just be starting.

Who drives the tries does the pausing, and so can do something else meanwhile.
"""

import time
from collections.abc import Callable, Generator
from typing import TypeVar

from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortAbsent

T = TypeVar("T")
_PAUSE = 0.05
# A pump that starts is there by then; of a longer wait somebody is told, in microseconds.
_SILENT = 300_000


def tries(
    open_port: Callable[[], T], patience: int, tell: Callable[[str], None]
) -> Generator[float, None, T]:
    """Open a port, after at most this many microseconds; yields the seconds to pause between.

    `tell` hears why it is waited, once, when that takes long.  `PortAbsent` in the end.
    """
    last = line_now() + patience
    silent_until = line_now() + _SILENT
    told = False
    while True:
        try:
            return open_port()
        except PortAbsent as error:
            now = line_now()
            if now >= last:
                raise
            if now >= silent_until and not told:
                told = True
                tell(str(error))
        yield _PAUSE


def opened(open_port: Callable[[], T], patience: int, tell: Callable[[str], None]) -> T:
    """The same, blocking."""
    trying = tries(open_port, patience, tell)
    while True:
        try:
            pause = next(trying)
        except StopIteration as done:
            port: T = done.value
            return port
        time.sleep(pause)
