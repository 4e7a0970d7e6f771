"""What becomes of what a command has made, processes and files, when it is told to end."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class _Ended(BaseException):
    """This process was told to end, by a signal of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _end(number: int, _frame: Any) -> None:
    raise _Ended(number)


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Clean up when told to end, and then end as if there had been nothing to clean up.

    A signal that somebody else sees to, or ignores, is left alone.
    """
    before = {each: signal.getsignal(each) for each in _ENDING}
    ours = [each for each, handler in before.items() if handler is signal.SIG_DFL]
    for each in ours:
        signal.signal(each, _end)
    try:
        yield
    except _Ended as ended:
        signal.signal(ended.number, signal.SIG_DFL)
        signal.raise_signal(ended.number)
    finally:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
