"""Many runs at once, each in its own process, and none for longer than it may.

A fork server starts the processes where there is one: it has loaded pytest and Hypothesis already.
Elsewhere each starts anew.  A test function that does not end takes its process with it; the others
of its file are then run again without it.
"""

import contextlib
import multiprocessing
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from pathlib import Path

import msgspec

from mockpump.exercises.exercise import Exercise, Patch
from mockpump.exercises.verdicts import Ending, Result, Run
from mockpump.exercises.worker import PRELOADED, Job, work

# How long one test function may take, in seconds; and how long a process may say nothing else.
PATIENCE = 20.0
_SILENCE = 60.0
EXAMPLES = 200


class Task(msgspec.Struct, frozen=True):
    """A subject and a seed to run a file with, but for the functions to `skip`.

    `shrinking`: what fails is made as small as can be, for somebody to read.
    """

    file: Path
    subject: str
    patches: tuple[Patch, ...]
    seed: int
    skip: frozenset[str] = frozenset()
    shrinking: bool = True


class Bounds(msgspec.Struct, frozen=True):
    """`jobs` processes at once; `patience` seconds and so many examples a test function."""

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
        )
        for seed in seeds
        for each in chosen
    ]


def run_all(
    tasks: Iterable[Task], bounds: Bounds, ended: Callable[[Run], object] = lambda _: None
) -> list[Run]:
    """Run tasks, so many at once; `ended` hears of each.  In the order of the tasks."""
    waiting = deque(enumerate(tasks))
    runs: dict[int, Run] = {}
    under_way: dict[Connection, tuple[int, _Child]] = {}
    with tempfile.TemporaryDirectory(prefix="mockpump-") as home, _processes() as context:
        try:
            while waiting or under_way:
                while waiting and len(under_way) < bounds.jobs:
                    place, task = waiting.popleft()
                    child = _Child(context, task, Path(home), bounds)
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
def _processes() -> Iterator[BaseContext]:
    """Where processes come from; in each, sets of strings are in the same order every time."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = "0"
    try:
        if "forkserver" in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(list(PRELOADED))
            yield context
        else:
            yield multiprocessing.get_context("spawn")
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


class _Child:
    """A process that runs one task, and what it has told."""

    def __init__(self, context: BaseContext, task: Task, home: Path, bounds: Bounds) -> None:
        self._context = context
        self._task = task
        self._home = home
        self._bounds = bounds
        self._results: dict[str, Result] = {}
        self._trouble = ""
        self._start()

    def _start(self) -> None:
        """Begin, with the functions that have no result yet."""
        task, skip = self._task, self._task.skip | self._results.keys()
        folder = tempfile.mkdtemp(dir=self._home)
        bounds = self._bounds
        job = Job(
            str(task.file),
            folder,
            task.patches,
            task.seed,
            bounds.examples,
            task.shrinking,
            skip,
        )
        self.line, theirs = self._context.Pipe(duplex=False)
        self._process = self._context.Process(target=work, args=(job, theirs), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()
        self._running = ""
        self.deadline = time.monotonic() + _SILENCE

    def go_on(self) -> bool:
        """Take what it says, or end it when it is late; whether there is more to come."""
        if self.line.poll():
            return self._hear()
        self.end()
        if not self._running:
            self._trouble = f"nothing came of it within {_SILENCE:.0f} s"
            return False
        found = self._results.get(self._running)
        # What has failed already has only not been made smaller in time.
        if found is None or found.ending is not Ending.FAILED:
            text = f"it had not ended after {self._bounds.patience:.0f} s"
            self._results[self._running] = Result(Ending.TIMEOUT, text)
        self._start()
        return True

    def _hear(self) -> bool:
        try:
            name, said, over = self.line.recv()
        except EOFError:
            self.end()
            self._trouble = f"its process ended, with {self._process.exitcode}, in the middle of it"
            return False
        if not name:
            self._trouble = said
            self.end()
            return False
        if said is not None:
            self._results[name] = said
        if over or said is None:
            self._running = "" if over else name
            self.deadline = time.monotonic() + (_SILENCE if over else self._bounds.patience)
        return True

    def run(self) -> Run:
        """All that came of it."""
        return Run(self._task.subject, self._task.seed, self._results, self._trouble)

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self.line.close()


def cores() -> int:
    """How many processes to run at once, unless told otherwise."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
