"""`mockpump exercises check` and `grade`: what tests would have caught, for one and for many."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import click

from mockpump.cli.exercises_page import page
from mockpump.cli.render import as_json, bar, redrawn, show
from mockpump.cli.render_exercises import show_report
from mockpump.exercises.errors import ExerciseError, one_line
from mockpump.exercises.exercise import Exercise
from mockpump.exercises.folder import submission, submissions
from mockpump.exercises.grading import caught, exit_code, facts
from mockpump.exercises.progress import Progress
from mockpump.exercises.verdicts import Report

_FILE = click.Path(path_type=Path, dir_okay=False)
_SEEDS = click.option(
    "--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of each test."
)
_JOBS = click.option(
    "--jobs", type=click.IntRange(1, 64), help="Processes at once; else one a core."
)


@click.command("check")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@_SEEDS
@_JOBS
@click.option(
    "--json", "json_", type=_FILE, help="Write the report as JSON into this file; - here."
)
@click.option("--html", type=_FILE, help="Write the report as one page into this file.")
def check(path: Path, seeds: int, jobs: int | None, json_: Path | None, html: Path | None) -> None:
    """Judge the test file at PATH: a file, or the folder it is in.

    It is run against right implementations, which it must accept, and against defective ones.
    Exit codes: 0 the goal is met, 1 some defects survive, 2 a test is wrong on a right
    implementation, 3 error.
    """
    exercise, file = submission(path)
    report = _checked(exercise, file, seeds, jobs)
    progress = Progress()
    progress.checked(exercise, report)
    if json_ == Path("-"):
        click.echo(as_json(facts(exercise, report)))
    else:
        show_report(exercise, report, progress)
    for target, text in ((json_, as_json(facts(exercise, report)) + "\n"), (html, "")):
        if target is not None and target != Path("-"):
            _write(target, text or page(exercise, report))
    sys.exit(exit_code(report))


@click.command("grade")
@click.argument("directory", type=click.Path(path_type=Path))
@_SEEDS
@_JOBS
@click.option("--csv", "csv_", type=_FILE, help="Write the table into this file, as CSV.")
def grade(directory: Path, seeds: int, jobs: int | None, csv_: Path | None) -> None:
    """Judge every submission under DIRECTORY: whose/.../test_NAME.py, as `start` names them."""
    rows = []
    for who, (exercise, file) in submissions(directory):
        report = _checked(exercise, file, seeds, jobs)
        by_property, by_example = caught(report)
        row = {
            "who": who,
            "exercise": exercise.number,
            "file": str(file.relative_to(directory)),
            "defects": len(exercise.defect),
            "by_property": by_property,
            "by_example_only": by_example,
            "wrong_tests": len(report.wrong),
            "exit_code": exit_code(report),
            "trouble": one_line(report.trouble)[:200],
        }
        rows.append(row)
        show(f"{who:<20} {exercise.number:>2}  {_in_words(row)}")
    if not rows:
        raise ExerciseError(f"{directory}: no submission in it")
    if csv_ is not None:
        _write_table(csv_, rows)


def _in_words(row: dict[str, object]) -> str:
    if row["trouble"]:
        return str(row["trouble"])[:50]
    words = f"{row['by_property']} of {row['defects']} by properties"
    if row["by_example_only"]:
        words += f", {row['by_example_only']} by examples only"
    return words + (f", {row['wrong_tests']} wrong tests" if row["wrong_tests"] else "")


def _checked(exercise: Exercise, file: Path, seeds: int, jobs: int | None) -> Report:
    try:
        from mockpump.exercises.checking import check as check_file
        from mockpump.exercises.running import Bounds, cores
    except ImportError:
        needs = "checking needs pytest: pip install 'mockpump[exercises]'"
        raise ExerciseError(needs) from None
    return check_file(exercise, file, seeds, Bounds(jobs or cores()), _progress())


def _progress() -> Callable[[int, int], object]:
    def told(done: int, whole: int) -> None:
        if sys.stderr.isatty():
            line = f"  {bar(done, whole, 40)} {done} of {whole} runs"
            sys.stderr.write(redrawn(line if done < whole else ""))
            sys.stderr.flush()

    return told


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise ExerciseError(f"cannot write {file}: {one_line(error)}") from None


def _write_table(file: Path, rows: list[dict[str, object]]) -> None:
    try:
        with file.open("w", encoding="utf-8", newline="") as opened:
            table = csv.DictWriter(opened, rows[0])
            table.writeheader()
            table.writerows(rows)
    except OSError as error:
        raise ExerciseError(f"cannot write {file}: {one_line(error)}") from None
