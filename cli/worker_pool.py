"""Processes that call a function for this one, and that can be ended at any moment.

    this process -+- pipe --- worker 1
                  +- pipe --- worker 2

Every worker has a pipe of its own, and nothing is shared: no lock, no queue, no thread.  A
`ProcessPoolExecutor` shares all three, so a worker that is killed while it holds the lock of the
queue, or an interruption in the middle of `submit`, leaves the others waiting for ever.  Here a
killed worker is the end of its pipe and no more; and when this process is killed, each worker reads
the end of its own, and ends.
"""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from mockpump.emulator.simulation.errors import ScenarioError

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class WorkerPool:
    """A number of worker processes."""

    def __init__(self, count: int) -> None:
        self._processes: list[multiprocessing.Process] = []
        self._pipes: list[Connection] = []
        # A process that is interrupted half made can be neither used nor ended.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            for _ in range(count):
                self._start_one()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start_one(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        self._pipes.append(ours)
        # A worker that held one of our ends too would wait for itself, or for another, to end.
        process = multiprocessing.Process(target=_serve, args=(theirs, self._pipes))
        process.start()
        theirs.close()
        self._processes.append(process)

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """What the function returns for each item, in their order, as it comes.

        `ScenarioError` when a worker was ended by somebody else.
        """
        doing: dict[Connection, int] = {}
        results: dict[int, Any] = {}
        left = iter(range(len(items)))
        idle = list(self._pipes)
        for wanted in range(len(items)):
            while wanted not in results:
                for pipe, number in zip(idle, left, strict=False):
                    _send(pipe, (function, items[number]))
                    doing[pipe] = number
                idle = [pipe for pipe in wait(list(doing)) if isinstance(pipe, Connection)]
                results |= {doing.pop(pipe): _received(pipe) for pipe in idle}
            yield results.pop(wanted)

    def end(self) -> None:
        """Let the workers end by themselves: they have nothing to do."""
        for pipe in self._pipes:
            pipe.close()
        self._join()

    def kill(self) -> None:
        """End the workers at once, whatever they are doing."""
        for process in self._processes:
            process.kill()
        self._join()

    def _join(self) -> None:
        for process in self._processes:
            process.join()


_KILLED = "one of the processes was killed, and its runs are lost"


def _send(pipe: Connection, what: Any) -> None:
    try:
        pipe.send(what)
    except OSError:
        raise ScenarioError(_KILLED) from None


def _received(pipe: Connection) -> Any:
    try:
        result = pipe.recv()
    except (EOFError, OSError):
        raise ScenarioError(_KILLED) from None
    if isinstance(result, Exception):
        raise result
    return result


def _serve(pipe: Connection, of_parent: Sequence[Connection]) -> None:
    """Be a worker.  Ctrl-C goes to all processes of a terminal: the first one decides."""
    for each in of_parent:
        each.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    with contextlib.suppress(EOFError, OSError):
        while True:
            function, item = pipe.recv()
            pipe.send(_called(function, item))


def _called(function: Callable[[Any], Any], item: Any) -> Any:
    try:
        return function(item)
    except Exception as error:
        return error
