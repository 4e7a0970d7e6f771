"""`mockpump exercises check` and `grade`: what tests would have caught, for one and for many."""

import contextlib
import csv
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import click

from mockpump.cli.exercises.page import page
from mockpump.cli.exercises.render import show_report, warn_of
from mockpump.cli.files import expect_writable, read_learners, write_file
from mockpump.cli.render import as_json, bar, can_redraw, show
from mockpump.cli.terminal import complain, redraw, write_out
from mockpump.exercises.errors import ExerciseError, one_line
from mockpump.exercises.exercise import Exercise
from mockpump.exercises.grading import caught, exit_code, facts
from mockpump.exercises.judge import Report
from mockpump.exercises.progress import Progress
from mockpump.exercises.submission import strangers, submission, submissions

_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_HERE = Path("-")
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
@click.option("--html", type=_FILE, help="Write the report as one page into this file; - here.")
def check(path: Path, seeds: int, jobs: int | None, json_: Path | None, html: Path | None) -> None:
    """Judge the test file at PATH: a file, or the folder it is in.

    It is run against right implementations, which it must accept, and against defective ones.
    Exit codes: 0 the goal is met, 1 some defects survive, 2 a test is wrong on a right
    implementation (or the command line is), 3 error.
    """
    exercise, file = submission(path)
    for target in (json_, html):
        _must_be_writable(target)
    report = _checked(exercise, file, seeds, jobs)
    progress = Progress(read=read_learners)
    progress.checked(exercise, report)
    if _HERE not in (json_, html):
        show_report(exercise, report, progress)
    if json_ is not None:
        _write(json_, as_json(facts(exercise, report)) + "\n")
    if html is not None:
        _write(html, page(exercise, report))
    warn_of(progress)
    sys.exit(exit_code(report))


@click.command("grade")
@click.argument("directory", type=click.Path(path_type=Path))
@_SEEDS
@_JOBS
@click.option("--csv", "csv_", type=_FILE, help="Write the table as CSV into this file; - here.")
def grade(directory: Path, seeds: int, jobs: int | None, csv_: Path | None) -> None:
    """Judge every submission under DIRECTORY: whose/.../test_NAME.py, as `start` names them.

    A file without the name of an exercise is named, and not judged. The exit code is 0 when all
    others were judged, whatever came of them.
    """
    found = list(submissions(directory))
    for file in strangers(directory):
        complain(f"not judged: {file} does not have the name of an exercise")
    if not found:
        raise ExerciseError(f"{directory}: no submission in it")
    with _table(csv_) as keep:
        for who, (exercise, file) in found:
            report = _checked(exercise, file, seeds, jobs)
            row = _row(who, exercise, file.relative_to(directory), report)
            keep(row)
            if csv_ != _HERE:
                show(f"{who:<20} {exercise.number:>2}  {_in_words(row)}")


_COLUMNS = (
    "who",
    "exercise",
    "file",
    "defects",
    "by_property",
    "by_example_only",
    "wrong_tests",
    "exit_code",
    "trouble",
)


def _row(who: str, exercise: Exercise, file: Path, report: Report) -> dict[str, object]:
    by_property, by_example = caught(report)
    return {
        "who": who,
        "exercise": exercise.number,
        "file": str(file),
        "defects": len(exercise.defect),
        "by_property": by_property,
        "by_example_only": by_example,
        "wrong_tests": len(report.wrong),
        "exit_code": exit_code(report),
        # The error itself stands at the end.
        "trouble": one_line(report.error)[-200:],
    }


class _Here(io.StringIO):
    """Standard output, as a table is written to it."""

    def write(self, text: str) -> int:
        write_out(text)
        return len(text)


@contextlib.contextmanager
def _table(file: Path | None) -> Iterator[Callable[[dict[str, object]], object]]:
    """What takes the rows, as they come: of a class that is interrupted something is left."""
    if file is None:
        yield lambda _: None
        return
    with contextlib.ExitStack() as stack:
        opened: TextIO = _Here()
        if file != _HERE:
            with _writing(file):
                opened = file.open("w", encoding="utf-8", newline="")
            stack.callback(_close, opened, file)
        table = csv.DictWriter(opened, _COLUMNS)

        def keep(row: dict[str, object]) -> None:
            # What is printed beside it may fail too, and is not this file.
            with _writing(file) if file != _HERE else contextlib.nullcontext():
                table.writerow({name: _plain_cell(each) for name, each in row.items()})
                opened.flush()

        keep({name: name for name in _COLUMNS})

        yield keep


def _close(opened: TextIO, file: Path) -> None:
    with _writing(file):
        opened.close()


def _plain_cell(value: object) -> object:
    """A spreadsheet takes for a formula what begins like one."""
    is_formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@"))
    return f"'{value}" if is_formula else value


def _in_words(row: dict[str, object]) -> str:
    if row["trouble"]:
        return str(row["trouble"])[-52:]
    words = f"{row['by_property']} of {row['defects']} by properties"
    if row["by_example_only"]:
        words += f", {row['by_example_only']} by examples only"
    return words + (f", {row['wrong_tests']} wrong tests" if row["wrong_tests"] else "")


def _checked(exercise: Exercise, file: Path, seeds: int, jobs: int | None) -> Report:
    try:
        from mockpump.exercises.checking import check as check_file
        from mockpump.exercises.pool import Bounds, cores
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        needs = "checking needs pytest: pip install pytest"
        raise ExerciseError(needs) from None
    with contextlib.ExitStack() as afterwards:
        if can_redraw(sys.stderr):
            afterwards.callback(_redraw, "")
        bounds = Bounds(jobs or cores())
        return check_file(exercise, file, seeds, bounds, _progress, read=read_learners)


def _progress(done: int, whole: int) -> None:
    if can_redraw(sys.stderr):
        _redraw(f"  {bar(done, whole, 40)} {done} of {whole} runs")


def _redraw(line: str) -> None:
    redraw(line, err=True)


def _must_be_writable(file: Path | None) -> None:
    """Nobody is to wait for a report that then has no place."""
    if file is not None and file != _HERE:
        with _writing(file):
            expect_writable(file)


def _write(file: Path, text: str) -> None:
    if file == _HERE:
        write_out(text)
        return
    with _writing(file):
        # Half a surrogate, from a learner's test, has no UTF-8.
        write_file(file, text.encode("utf-8", errors="backslashreplace"))


@contextlib.contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExerciseError(f"cannot write {file}: {one_line(error)}") from None
