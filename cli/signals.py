"""What happens to what a command has made, processes and files, when it is told to end."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_INTERRUPTING = (signal.SIGINT, *_ENDING)


class Ended(BaseException):
    """This process was told to end, by a signal of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def end(self) -> None:
        """End as if nobody had caught the signal."""
        signal.signal(self.number, signal.SIG_DFL)
        signal.raise_signal(self.number)


# How a command is stopped from outside.
STOPPED = (KeyboardInterrupt, Ended)


def _end(number: int, _frame: Any) -> None:
    # Once is enough: whoever says it again must not stop what is cleaned up.
    for each in _ENDING:
        if signal.getsignal(each) is _end:
            signal.signal(each, signal.SIG_IGN)
    raise Ended(number)


@contextlib.contextmanager
def graceful_signals() -> Iterator[None]:
    """Clean up when told to end; `Ended` when that is done.

    A signal that somebody else sees to, or ignores, is left alone.
    """
    before = {each: signal.getsignal(each) for each in _ENDING}
    ours = [each for each, handler in before.items() if handler is signal.SIG_DFL]
    for each in ours:
        signal.signal(each, _end)
    try:
        yield
    finally:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)


@contextlib.contextmanager
def telling(what: str | Callable[[], str]) -> Iterator[None]:
    """Whoever stops what is done here is told that."""
    try:
        yield
    except STOPPED as stopped:
        stopped.add_note(what if isinstance(what, str) else what())
        raise


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """What must be done wholly or not at all: whoever interrupts it meanwhile is heard after it.

    Handlers, and no mask: a mask holds for one thread, and the system gives the signal to another.
    A signal that is ignored stays ignored.  Whatever a handler raises that is back in its place,
    the others come back too.
    """
    heard: dict[int, None] = {}

    def say_again() -> None:
        for number in heard:
            signal.raise_signal(number)

    with contextlib.ExitStack() as afterwards:
        afterwards.callback(say_again)
        for each in _INTERRUPTING:
            before = signal.getsignal(each)
            if before is not signal.SIG_IGN:
                signal.signal(each, lambda number, _frame: heard.setdefault(number))
                afterwards.callback(signal.signal, each, before)
        yield
