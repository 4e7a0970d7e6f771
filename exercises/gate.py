"""Whether the exercises are sound: what must be true of each before anybody is graded by it.

    python -m mockpump.exercises.gate [--seeds 3] [--right-seeds 3] [--jobs N] [NUMBER ...]

For every defect: its witness says something else than the right variants do; the reference solution
catches it with every seed; the tests by example do not; and no two defects of an exercise are
caught by exactly the same functions of the reference solution.  The reference solution accepts
every right variant with every seed.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from mockpump.exercises.errors import ExerciseError, LadderError
from mockpump.exercises.exercise import Defect, Exercise, ladder
from mockpump.exercises.judge import Ending, Report, Run, Verdict, report
from mockpump.exercises.pool import Bounds, cores, run_all, tasks_of
from mockpump.exercises.submission import numbered

# A test file that asks every witness; a test fails with what it says, so that it is in the results.
_ASKING = """
import importlib.util
spec = importlib.util.spec_from_file_location("witnesses", {path!r})
witnesses = importlib.util.module_from_spec(spec)
spec.loader.exec_module(witnesses)
"""
# Only what never ends is to be stopped, on a busy machine too.
_PATIENCE = 60.0
_ASK = """
def test_{name}():
    if not hasattr(witnesses, {name!r}):
        raise SystemExit("it is not in witnesses.py")
    raise AssertionError(repr(witnesses.{name}()))
"""


class Seeds(msgspec.Struct, frozen=True):
    """How many seeds: for a defect and for a right variant."""

    defects: int
    variants: int


def faults(
    exercise: Exercise, seeds: Seeds, jobs: int, scratch: Path, ended: Callable[[Run], object]
) -> Iterator[str]:
    """What is not sound about an exercise, a line each."""
    bounds = Bounds(jobs, patience=_PATIENCE)
    yield from _unwitnessed(exercise, bounds, scratch, ended)
    yield from _faults_of_reference(exercise, seeds, bounds, ended)
    by_example = report(exercise, _runs(exercise, "by_example.py", range(1), bounds, ended))
    yield from _refusals(by_example, "by_example.py")
    for name, judgement in by_example.defects.items():
        if judgement.kills:
            yield f"{name}: the tests by example catch it"


def _runs(
    exercise: Exercise, file: str, seeds: range, bounds: Bounds, ended: Callable[[Run], object]
) -> list[Run]:
    tasks = tasks_of(exercise, exercise.folder / file, seeds, shrinking=False)
    return run_all(tasks, bounds, ended)


def _faults_of_reference(
    exercise: Exercise, seeds: Seeds, bounds: Bounds, ended: Callable[[Run], object]
) -> Iterator[str]:
    file = exercise.folder / "reference.py"
    some = partial(tasks_of, exercise, file, shrinking=False)
    tasks = [
        *some(range(seeds.defects), [each.id for each in exercise.defect]),
        *some(range(seeds.variants), [each.id for each in exercise.variant]),
    ]
    found = report(exercise, run_all(tasks, bounds, ended))
    yield from _refusals(found, "reference.py")
    for name, judgement in found.defects.items():
        if judgement.verdict is not Verdict.KILLED or not judgement.by_property:
            told = f"{judgement.verdict.value} {judgement.kills}/{judgement.seeds}"
            yield f"{name}: the reference solution does not catch it each time ({told})"
    yield from _alike(exercise, found)


def _refusals(found: Report, file: str) -> Iterator[str]:
    if found.error:
        yield f"{file}: {found.error}"
    for function, (variant, judgement) in found.wrong.items():
        said = f"{judgement.verdict.value}: {judgement.example}"
        yield f"{file}: {function} does not accept the variant {variant} ({said})"


def _alike(exercise: Exercise, found: Report) -> Iterator[str]:
    """Two defects that exactly the same functions catch teach the same."""
    seen: dict[frozenset[str], str] = {}
    for defect in exercise.defect:
        by = frozenset(
            name
            for name in found.functions
            if found.cells[name][defect.id].verdict is Verdict.KILLED
        )
        if by and by in seen:
            yield f"{defect.id}: caught by exactly the functions that catch {seen[by]}"
        seen.setdefault(by, defect.id)


def _unwitnessed(
    exercise: Exercise, bounds: Bounds, scratch: Path, ended: Callable[[Run], object]
) -> Iterator[str]:
    file = _asking(exercise, scratch)
    runs = {run.subject: run for run in run_all(tasks_of(exercise, file, [0]), bounds, ended)}
    for defect in exercise.defect:
        right = {_answer(runs[each.id], defect) for each in exercise.variant}
        if len(right) != 1:
            yield f"{defect.id}: the right variants tell its witness different things: {right}"
        answer = _answer(runs[defect.id], defect)
        if answer in right or answer.startswith(Ending.TROUBLE.value):
            yield f"{defect.id}: its witness sees nothing: {answer}"


def _asking(exercise: Exercise, scratch: Path) -> Path:
    path = str(exercise.folder / "witnesses.py")
    names = dict.fromkeys(defect.witness for defect in exercise.defect)
    file = scratch / f"test_witnesses_{exercise.number}.py"
    asked = "".join(_ASK.format(name=name) for name in names)
    file.write_text(_ASKING.format(path=path) + asked, "utf-8")
    return file


def _answer(run: Run, defect: Defect) -> str:
    result = run.results.get(f"test_{defect.witness}")
    return f"{result.ending.value} {result.example}" if result else f"nothing {run.error}"


def main() -> int:
    """The command; the exit code says whether all is sound."""
    import tempfile

    parser = argparse.ArgumentParser(
        prog="exercises-gate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--seeds", type=_some, default=3, help="a defect (3)")
    parser.add_argument("--right-seeds", type=_some, default=3, help="a right variant (3)")
    parser.add_argument("--jobs", type=_some, default=cores(), help="processes at once")
    parser.add_argument(
        "numbers", nargs="*", type=int, metavar="NUMBER", help="exercises; else all"
    )
    asked = parser.parse_args()
    try:
        wanted = [numbered(each) for each in asked.numbers] or list(ladder())
    except (ExerciseError, LadderError) as error:
        print(error, file=sys.stderr)
        return 1
    seeds, unsound = Seeds(asked.seeds, asked.right_seeds), 0
    with tempfile.TemporaryDirectory() as scratch:
        for exercise in wanted:
            found = list(faults(exercise, seeds, asked.jobs, Path(scratch), _tell))
            unsound += len(found)
            line = f"{exercise.number:2} {exercise.name}: {len(exercise.defect)} defects, "
            print(line + ("sound" if not found else f"{len(found)} faults"), flush=True)
            for each in found:
                print("   ", each.replace("\n", "\n      "), flush=True)
    return 1 if unsound else 0


def _some(text: str) -> int:
    """A number of at least one; `ValueError`, which argparse tells in a line, for others."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def _tell(run: Run) -> None:
    if os.environ.get("MOCKPUMP_DEBUG"):
        endings = {name: result.ending for name, result in run.results.items()}
        failed = [name for name, ending in endings.items() if ending is not Ending.PASSED]
        print(run.subject, run.seed, run.error or failed, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
