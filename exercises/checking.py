"""From a test file to a report: the whole of a check in one call."""

from collections.abc import Callable
from pathlib import Path

from mockpump.exercises.exercise import Exercise
from mockpump.exercises.running import Bounds, run_all, tasks_of
from mockpump.exercises.verdicts import Report, Run, report

# Of a first run: enough to see that a test file is no good before all the others begin.
_TASTE = 1


def check(
    exercise: Exercise,
    file: Path,
    seeds: int,
    bounds: Bounds,
    progress: Callable[[int, int], object] = lambda done, whole: None,
) -> Report:
    """Run a test file against everything an exercise has, with so many seeds.

    A file that no right variant can be tested with is given up at once.  `progress` hears how many
    runs of how many have ended.
    """
    tasks = tasks_of(exercise, file.resolve(), range(seeds))
    done: list[Run] = []

    def ended(run: Run) -> None:
        done.append(run)
        progress(len(done), len(tasks))

    first = run_all(tasks[:_TASTE], bounds, ended)
    if first[0].trouble or not first[0].results:
        return report(exercise, first)
    return report(exercise, [*first, *run_all(tasks[_TASTE:], bounds, ended)])
