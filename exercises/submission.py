"""The learner's folder: made once, never written over; a test file in it tells which exercise.

The one idea: the name of a test file is all that says which exercise it is for, so a file can be
copied, sent and collected as it is.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from mockpump.exercises.errors import ExerciseError, one_line
from mockpump.exercises.exercise import Exercise, ladder

_NOTE = """
---

Everything here is fictional: no real device, drug, dose or patient.

What you may use:

{api}

Your file is `{file}`; it runs under plain `pytest` too. When it should be judged:

    mockpump exercises check

This is a learning aid, not a sealed exam: all of it lies open in the project's folder.
"""


def numbered(number: int) -> Exercise:
    """The exercise with that number; `ExerciseError` when there is none."""
    for exercise in ladder():
        if exercise.number == number:
            return exercise
    known = ", ".join(str(each.number) for each in ladder())
    raise ExerciseError(f"there is no exercise {number}; there are {known}")


def start(exercise: Exercise, folder: Path) -> list[Path]:
    """Lay out an exercise in a folder; the files that were made.

    `ExerciseError` when one of them is there already: nothing of the learner's is written over.
    """
    texts = {"README.md": readme(exercise), exercise.test_name: exercise.text("start.py")}
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = next((folder / name for name in texts if (folder / name).exists()), None)
        if there is not None:
            raise ExerciseError(f"{there} is there already, and is not written over")
        with ExitStack() as unless_made:
            for each in reversed(made):
                unless_made.callback(each.rmdir)
            for name, text in texts.items():
                with (folder / name).open("x", encoding="utf-8") as file:
                    # Half of them would be in the way the next time.
                    unless_made.callback((folder / name).unlink)
                    file.write(text)
            unless_made.pop_all()
    except OSError as error:
        raise ExerciseError(f"cannot write into {folder}: {one_line(error)}") from None
    return [folder / name for name in texts]


def readme(exercise: Exercise) -> str:
    """What the learner reads: the exercise's own text, and what holds for all."""
    api = "\n".join(f"- `{each.module}`: {', '.join(each.names)}" for each in exercise.api)
    return (
        exercise.text("README.md").rstrip() + "\n" + _NOTE.format(api=api, file=exercise.test_name)
    )


class Submission(NamedTuple):
    """A test file, and the exercise that it is for."""

    exercise: Exercise
    file: Path


def submission(path: Path) -> Submission:
    """The one submission at a path: a test file, or the folder that it is in.

    `ExerciseError` when there is none, or more than one.
    """
    try:
        if not path.exists():
            raise ExerciseError(f"{path}: no such file or folder")
        found = list(_submissions(path.iterdir() if path.is_dir() else [path]))
    except OSError as error:
        raise ExerciseError(f"{path}: {one_line(error)}") from None
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(each.file.name for each in found))
        raise ExerciseError(f"{path} has several exercises; name one of {names}")
    if path.is_dir():
        raise ExerciseError(f"{path} has no exercise in it; `mockpump exercises start 1` makes one")
    raise ExerciseError(
        f"{path} does not have the name of an exercise, such as {ladder()[0].test_name}"
    )


def submissions(folder: Path) -> Iterator[tuple[str, Submission]]:
    """Every submission under a folder, with whose it is: the first part of its path.

    `ExerciseError` when there is no such folder.
    """
    if not folder.is_dir():
        raise ExerciseError(f"{folder}: no such folder")
    for found in _submissions(sorted(folder.rglob("test_*.py"))):
        place = found.file.relative_to(folder)
        yield (place.parts[0] if len(place.parts) > 1 else "."), found


def strangers(folder: Path) -> list[Path]:
    """Test files under a folder that have the name of no exercise."""
    names = {exercise.test_name for exercise in ladder()}
    return [file for file in sorted(folder.rglob("test_*.py")) if file.name not in names]


def _submissions(files: Iterator[Path] | list[Path]) -> Iterator[Submission]:
    by_name = {exercise.test_name: exercise for exercise in ladder()}
    for file in files:
        if file.name in by_name and file.is_file():
            yield Submission(by_name[file.name], file)
