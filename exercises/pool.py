"""Many runs at once, each in its own process, and none for longer than it may.

A fork server starts the processes where there is one: it has loaded pytest and Hypothesis already.
Elsewhere each starts anew.  A test function that does not end takes its process with it; the others
of its file are then run again without it.
"""

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from pathlib import Path

import msgspec

from mockpump.exercises.exercise import Exercise, Patch
from mockpump.exercises.judge import Ending, Result, Run
from mockpump.exercises.worker import OUT_OF_TIME, PRELOADED, Job, work

# How long one test function may take: seconds of the processor, and this many times as many by the
# clock, for one that sleeps; and how long a process may say nothing else, by the clock.
PATIENCE = 20.0
_BY_THE_CLOCK = 3
_SILENCE = 60.0
EXAMPLES = 200


class Task(msgspec.Struct, frozen=True):
    """A subject and a seed to run a file with, but for the functions to `skip`.

    `shrinking`: what fails is made as small as can be, for somebody to read.  `text` is what stood
    in the file when it was read; None: what stands in it now.
    """

    file: Path
    subject: str
    patches: tuple[Patch, ...]
    seed: int
    skip: frozenset[str] = frozenset()
    shrinking: bool = True
    text: bytes | None = None


class Bounds(msgspec.Struct, frozen=True):
    """`jobs` processes at once; `patience` seconds of the processor and `examples` a test."""

    jobs: int
    patience: float = PATIENCE
    examples: int = EXAMPLES


def tasks_of(
    exercise: Exercise,
    file: Path,
    seeds: Sequence[int],
    only: Iterable[str] | None = None,
    *,
    shrinking: bool = True,
    text: bytes | None = None,
) -> list[Task]:
    """Every variant and defect of an exercise with every seed, the right variants first.

    `only`: those subjects and no others.  `shrinking`: make smaller what fails; of a defect, with
    the first seed, since one small example is enough to read.
    """
    wanted = None if only is None else set(only)
    chosen = [each for each in exercise.subjects if wanted is None or each.id in wanted]
    right = {each.id for each in exercise.variant}
    return [
        Task(
            file,
            each.id,
            each.patches,
            seed,
            shrinking=shrinking and (seed == seeds[0] or each.id in right),
            text=text,
        )
        for seed in seeds
        for each in chosen
    ]


def run_all(
    tasks: Iterable[Task], bounds: Bounds, ended: Callable[[Run], object] = lambda _: None
) -> list[Run]:
    """Run tasks, this many at once; `ended` hears of each.  In the order of the tasks."""
    waiting = deque(enumerate(tasks))
    runs: dict[int, Run] = {}
    under_way: dict[Connection, tuple[int, _Child]] = {}
    with _home() as home, _processes() as context:
        try:
            while waiting or under_way:
                while waiting and len(under_way) < bounds.jobs:
                    place, task = waiting.popleft()
                    child = _Child(context, task, home, bounds)
                    under_way[child.line] = (place, child)
                for line in _ready(under_way):
                    place, child = under_way.pop(line)
                    if child.go_on():
                        under_way[child.line] = (place, child)
                    else:
                        runs[place] = child.run()
                        ended(runs[place])
        finally:
            for _, child in under_way.values():
                child.end()
    return [runs[place] for place in sorted(runs)]


def _ready(under_way: "dict[Connection, tuple[int, _Child]]") -> list[Connection]:
    """Who has something to say, or has run out of time."""
    soonest = min(child.deadline for _, child in under_way.values())
    heard = wait(list(under_way), max(soonest - time.monotonic(), 0.0))
    now = time.monotonic()
    return [
        line for line, (_, child) in under_way.items() if line in heard or child.deadline <= now
    ]


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    """Where the runs have their folders; whatever is left in them, and whoever still writes."""
    with tempfile.TemporaryDirectory(prefix="mockpump-", ignore_cleanup_errors=True) as home:
        yield Path(home)


@contextlib.contextmanager
def _processes() -> Iterator[BaseContext]:
    """Where processes come from; in each, sets of strings are in the same order every time."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = "0"
    try:
        if "forkserver" in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(list(PRELOADED))
            _start_server()
            yield context
        else:
            yield multiprocessing.get_context("spawn")
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def _start_server() -> None:
    """Start the fork server deaf to Ctrl-C, which a terminal sends to it too: we end it all."""
    # Its companion comes first: starting that one makes whoever starts it listen again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Child:
    """A process that runs one task, and what it has told."""

    def __init__(self, context: BaseContext, task: Task, home: Path, bounds: Bounds) -> None:
        self._context = context
        self._task = task
        self._home = home
        self._bounds = bounds
        self._results: dict[str, Result] = {}
        self._error = ""
        self._shrinking = task.shrinking
        self._start()

    def _start(self) -> None:
        """Begin, with the functions that have no result yet."""
        task, skip = self._task, self._task.skip | self._results.keys()
        folder = tempfile.mkdtemp(dir=self._home)
        bounds = self._bounds
        job = Job(
            str(task.file),
            task.file.read_bytes() if task.text is None else task.text,
            folder,
            task.patches,
            task.seed,
            bounds.examples,
            bounds.patience,
            self._shrinking,
            skip,
        )
        self.line, theirs = self._context.Pipe(duplex=False)
        self._process = self._context.Process(target=work, args=(job, theirs))  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()
        self._running = ""
        self.deadline = time.monotonic() + _SILENCE

    def go_on(self) -> bool:
        """Take what it says, or end it when it is late; whether there is more to come."""
        if not self.line.poll():
            self.end()
            return self._broken_off(late=True)
        try:
            name, said = self.line.recv()
        except EOFError:
            self.end()
            return self._broken_off(late=self._process.exitcode == -OUT_OF_TIME)
        return self._hear(name, said) if name else self._end_of_it(said)

    def _hear(self, name: str, said: Result | None) -> bool:
        patience = _BY_THE_CLOCK * self._bounds.patience
        if said is None:
            self._running = name
        else:
            self._results[name] = said
            self._running = ""
        self.deadline = time.monotonic() + (patience if self._running else _SILENCE)
        return True

    def _end_of_it(self, error: str) -> bool:
        self.end()
        if error and self._running:
            return self._without(Result(Ending.TROUBLE, error))
        self._error = error
        return False

    def _broken_off(self, *, late: bool) -> bool:
        """It has ended without a word: go on without the function that was running, if one was."""
        ended = f"its process ended in the middle of it, with {self._process.exitcode}"
        if not self._running:
            self._error = f"nothing came of it within {_SILENCE:.0f} s" if late else ended
            return False
        if not late:
            return self._without(Result(Ending.TROUBLE, ended))
        if self._shrinking:
            # What it was too slow for may have been to make smaller what had failed.
            self._shrinking = False
            self._results = {
                name: result
                for name, result in self._results.items()
                if name != self._running or result.ending is not Ending.PASSED
            }
            self._start()
            return True
        patience = f"it had not ended after {self._bounds.patience:.0f} s"
        return self._without(Result(Ending.TIMEOUT, patience))

    def _without(self, result: Result) -> bool:
        # Of its parameters, one may have failed already.
        known = self._results.get(self._running)
        if known is None or known.ending is Ending.PASSED:
            self._results[self._running] = result
        self._start()
        return True

    def run(self) -> Run:
        """All that came of it."""
        return Run(self._task.subject, self._task.seed, self._results, self._error)

    def end(self) -> None:
        """End it, whatever it is doing, with all that it has started."""
        self._process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.join()
        self.line.close()


def cores() -> int:
    """How many processes to run at once, unless told otherwise."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
