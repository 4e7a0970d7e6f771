"""From a test file to a report: the whole of a check in one call."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from mockpump.exercises.errors import ExerciseError, one_line
from mockpump.exercises.exercise import Exercise
from mockpump.exercises.judge import Ending, Report, Run, report
from mockpump.exercises.pool import Bounds, run_all, tasks_of


def check(
    exercise: Exercise,
    file: Path,
    seeds: int,
    bounds: Bounds,
    progress: Callable[[int, int], object] = lambda done, whole: None,
    read: Callable[[Path], bytes] = Path.read_bytes,
) -> Report:
    """Run a test file against everything an exercise has, with this many seeds.

    The file is read once, at the beginning.  The first run is of a right variant.  A file that
    cannot even be run with that is given up at once, and what is wrong there is not run again.
    `progress` hears how many runs of how many have ended.  `ExerciseError` for what cannot be read.
    """
    try:
        text = read(file)
    except OSError as error:
        raise ExerciseError(f"cannot read {file}: {one_line(error)}") from None
    tasks = tasks_of(exercise, file.absolute(), range(seeds), text=text)
    done: list[Run] = []

    def ended(run: Run) -> None:
        done.append(run)
        progress(len(done), len(tasks))

    (first,) = run_all(tasks[:1], bounds, ended)
    if first.error or not first.results:
        return report(exercise, [first])
    wrong = frozenset(n for n, r in first.results.items() if r.ending is not Ending.PASSED)
    rest = [msgspec.structs.replace(task, skip=wrong) for task in tasks[1:]]
    return report(exercise, [first, *run_all(rest, bounds, ended)])
