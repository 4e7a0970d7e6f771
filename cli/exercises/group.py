"""`mockpump exercises`: a ladder of exercises, and how one stands on it."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mockpump.cli.exercises.check import check, grade
from mockpump.cli.exercises.render import show_hint, warn_of
from mockpump.cli.files import read_learners
from mockpump.cli.main import EXIT_REFUSED, fail
from mockpump.cli.render import as_json, show
from mockpump.cli.tables import Cell, show_table
from mockpump.cli.terminal import echo, write_out
from mockpump.exercises.errors import ExerciseError, LadderError
from mockpump.exercises.exercise import Exercise, ladder
from mockpump.exercises.grading import ERROR
from mockpump.exercises.progress import Progress, Standing
from mockpump.exercises.submission import numbered, start, submission

NUMBER = click.IntRange(0)


class _Exercises(click.Group):
    """What a learner can do about an error is in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        with _one_line():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["list", "start", "check", "hint", "solution", "grade"]


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (ExerciseError, LadderError) as error:
        fail(str(error), ERROR)


@click.group(cls=_Exercises)
def exercises() -> None:
    """Write property-based tests, and be told which bugs they would have caught.

    \b
    mockpump exercises start 0
    cd 00-first-kill
    mockpump exercises check

    A learning aid, not a sealed exam.  Exit codes of a check: 0 the goal is met, 1 some defects
    survive, 2 a test is wrong on a right implementation, 3 error.
    """


@exercises.command("list")
@click.option("--json", "json_", is_flag=True, help="Print JSON, one object a line.")
def list_(json_: bool) -> None:
    """The ladder, and how far you have come on it."""
    progress = Progress(read=read_learners)
    standings = [(exercise, progress.of(exercise)) for exercise in ladder()]
    if json_:
        for each in standings:
            echo(as_json(_standing_facts(*each)))
    else:
        headings = (">number", "title", "families", "caught")
        show_table(headings, itertools.starmap(_row, standings), "exercises, and how far you are")


def _standing_facts(exercise: Exercise, standing: Standing) -> dict[str, object]:
    return {
        "number": exercise.number,
        "name": exercise.name,
        "title": exercise.title,
        "families": exercise.families,
        "defects": len(exercise.defect),
        "caught": len(standing.caught),
        "passed": standing.passed,
    }


def _row(exercise: Exercise, standing: Standing) -> tuple[Cell, ...]:
    caught = f"{len(standing.caught)}/{len(exercise.defect)}" if standing.caught else ""
    families = ", ".join(exercise.families)
    state = "passed" if standing.passed else caught
    return str(exercise.number), (exercise.title, "bold"), families, state


@exercises.command("start")
@click.argument("number", type=NUMBER)
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
def start_(number: int, directory: Path | None) -> None:
    """Lay out exercise NUMBER in DIRECTORY (else in a folder of its name)."""
    exercise = numbered(number)
    folder = directory or Path(exercise.folder.name)
    for file in start(exercise, folder):
        show(f"made {file}")
    show(f"fill in {exercise.test_name}, then: mockpump exercises check {folder}")


@exercises.command("hint")
@click.argument("number", required=False, type=NUMBER)
def hint(number: int | None) -> None:
    """The next hint for exercise NUMBER (else for the one in this folder)."""
    exercise = _meant(number)
    progress = Progress(read=read_learners)
    defect = progress.hint(exercise)
    if defect is None:
        show(f"exercise {exercise.number}: the properties of your last check caught everything")
    else:
        lead = f"Exercise {exercise.number}, {defect.family}, level {defect.level}: "
        show_hint(lead, defect.hint)
    warn_of(progress)


@exercises.command("solution")
@click.argument("number", required=False, type=NUMBER)
@click.option("--reveal", is_flag=True, help="Show it before the exercise is passed, too.")
def solution(number: int | None, reveal: bool) -> None:
    """A solution of exercise NUMBER, once it is passed."""
    exercise = _meant(number)
    if not reveal and not Progress(read=read_learners).of(exercise).passed:
        fail(
            f"exercise {exercise.number} is not passed yet; --reveal shows it anyway", EXIT_REFUSED
        )
    write_out(exercise.text("reference.py"))


for _command in (check, grade):
    exercises.add_command(_command)


def _meant(number: int | None) -> Exercise:
    return submission(Path()).exercise if number is None else numbered(number)
