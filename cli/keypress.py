"""A key that is pressed while something goes on: noticed, without holding it up."""

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# A key sends at most so many bytes.
_MOST = 32


@contextmanager
def watched_keys() -> Iterator[Callable[[float], bool]]:
    """A function that waits so many seconds, and no longer than until any key is pressed."""
    keys = sys.stdin.fileno()
    before = termios.tcgetattr(keys)
    tty.setcbreak(keys)
    try:
        yield lambda seconds: _pressed(keys, seconds)
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)


def _pressed(keys: int, seconds: float) -> bool:
    ready, _, _ = select.select([keys], [], [], seconds)
    if ready:
        os.read(keys, _MOST)
    return bool(ready)
