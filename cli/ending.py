"""What becomes of what a command has made, processes and files, when it is told to end."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_INTERRUPTING = (signal.SIGINT, *_ENDING)


class _Ended(BaseException):
    """This process was told to end, by a signal of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _end(number: int, _frame: Any) -> None:
    # Once is enough: whoever says it again must not stop what is cleaned up.
    for each in _ENDING:
        if signal.getsignal(each) is _end:
            signal.signal(each, signal.SIG_IGN)
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
        try:
            yield
        finally:
            for each in ours:
                signal.signal(each, signal.SIG_DFL)
    except _Ended as ended:
        signal.signal(ended.number, signal.SIG_DFL)
        signal.raise_signal(ended.number)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """What must be done wholly or not at all: whoever interrupts it meanwhile is heard after it.

    Handlers, and no mask: a mask holds for one thread, and the system gives the signal to another.
    A signal that is ignored stays ignored.
    """
    heard: dict[int, None] = {}
    before = {each: signal.getsignal(each) for each in _INTERRUPTING}
    held = {each: handler for each, handler in before.items() if handler is not signal.SIG_IGN}
    try:
        for each in held:
            signal.signal(each, lambda number, _frame: heard.setdefault(number))
        yield
    finally:
        for each, handler in held.items():
            signal.signal(each, handler)
        for number in heard:
            signal.raise_signal(number)
