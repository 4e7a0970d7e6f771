"""What a command that has made processes or files does when it is told to end."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any


class _Ended(BaseException):
    """This process was told to end."""


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Clean up when told to end, and then end as if there had been nothing to clean up."""

    def end(_number: int, _frame: Any) -> None:
        raise _Ended

    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, end)
    try:
        yield
    except _Ended:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
