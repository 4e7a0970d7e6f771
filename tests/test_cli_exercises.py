"""`mockpump exercises`, as a learner and a teacher use it."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mockpump.cli.exercises import exercises
from mockpump.cli.exercises_page import page
from mockpump.exercises.exercise import ladder
from mockpump.exercises.verdicts import Judgement, Report, Verdict

EXERCISE = ladder()[0]


@pytest.fixture(autouse=True)
def progress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOCKPUMP_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(exercises, arguments)


def test_a_learner_begins(tmp_path: Path) -> None:
    listed = run("list")
    assert listed.exit_code == 0
    assert all(each.title in listed.output for each in ladder())
    assert all(len(line) <= 80 for line in listed.output.splitlines())
    assert run("start", "1").exit_code == 0
    assert (tmp_path / EXERCISE.folder.name / EXERCISE.test_name).exists()
    again = run("start", "1")
    assert (again.exit_code, again.output.count("\n")) == (3, 1)
    hint = run("hint", "1")
    assert EXERCISE.defect[0].hint in " ".join(hint.output.split())
    refused = run("solution", "1")
    assert refused.exit_code == 1
    assert "--reveal" in refused.output
    assert run("solution", "1", "--reveal").output == EXERCISE.text("reference.py")
    assert json.loads(run("list", "--json").output.splitlines()[0])["passed"] is False


NAMES = [each.id for each in EXERCISE.defect]
LONG = "test_" + "of_something_that_has_a_long_name_" * 3
CAUGHT = Judgement(Verdict.KILLED, 3, 3, "\n".join(f"    line={at}" for at in range(9)), 7, True)
BY_EXAMPLE = Judgement(Verdict.KILLED, 3, 3, "Failing explicit example: test_it(9)", 1)
SOMETIMES = Judgement(Verdict.FLAKY, 1, 3, "x" * 200, 5, True)
LEFT = Judgement(Verdict.SURVIVED, 0, 3)
WRONG = Judgement(Verdict.INVALID, 0, 3, "Failing test case: test_it(x=0)")


def reported(cells: list[Judgement], **more: Any) -> Report:
    by_name = dict(zip(NAMES, cells, strict=True))
    return Report(EXERCISE.number, 3, (LONG,), {LONG: by_name}, by_name, **more)


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        (reported([CAUGHT] * 6), 0, "The goal is met"),
        (reported([CAUGHT] * 5 + [BY_EXAMPLE]), 1, "5 of 6 caught by properties"),
        (reported([CAUGHT, SOMETIMES, LEFT] * 2), 1, "2 of 6 caught by properties"),
        (reported([CAUGHT] * 6, wrong={LONG: ("project", WRONG)}), 2, "is wrong"),
        (Report(EXERCISE.number, 3, trouble="no such module: x"), 3, "no such module"),
    ],
)
def test_a_report_is_shown_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, report: Report, code: int, said: str
) -> None:
    monkeypatch.setattr("mockpump.exercises.checking.check", lambda *_: report)
    (tmp_path / EXERCISE.test_name).write_text("", encoding="utf-8")
    checked = run("check", "--json", "r.json", "--html", "r.html")
    assert checked.exit_code == code, checked.output
    assert said in checked.output
    assert all(len(line) <= 80 for line in checked.output.splitlines())
    facts = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert facts["goal_met"] is (code == 0)
    assert run("check", "--json", "-").output == (tmp_path / "r.json").read_text("utf-8")
    html = (tmp_path / "r.html").read_text("utf-8")
    assert "src=" not in html
    assert "href=" not in html
    assert ("<table>" in html) is (code != 3)
    assert run("solution", "1").exit_code == (0 if code == 0 else 1)


@pytest.mark.end_to_end
def test_a_teacher_grades_a_folder(tmp_path: Path) -> None:
    for who, text in (
        ("wrong", "def test_it(): assert False\n"),
        ("empty", "\n"),
        ("broken", "import nothing_of_that_name\n"),
    ):
        (tmp_path / "class" / who).mkdir(parents=True)
        (tmp_path / "class" / who / EXERCISE.test_name).write_text(text, "utf-8")
    graded = run("grade", "class", "--seeds", "1", "--csv", "table.csv")
    assert graded.exit_code == 0, graded.output
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["who"]: row for row in csv.DictReader(file)}
    assert {who: row["exit_code"] for who, row in rows.items()} == {
        "wrong": "2",
        "empty": "3",
        "broken": "3",
    }
    assert run("grade", str(tmp_path / "nowhere")).exit_code == 3


@pytest.mark.parametrize("arguments", [("check", "nowhere"), ("start", "99"), ("hint",)])
def test_what_there_is_not_is_one_line(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.output.count("\n")) == (3, 1)


def test_what_a_learner_writes_cannot_break_the_page() -> None:
    evil = "<script>alert(1)</script>"
    judgement = Judgement(Verdict.KILLED, 1, 1, evil, 1, by_property=True)
    names = [each.id for each in EXERCISE.defect]
    report = Report(
        1, 1, (evil,), {evil: dict.fromkeys(names, judgement)}, dict.fromkeys(names, judgement)
    )
    assert "<script>" not in page(EXERCISE, report)
    assert "<script>" not in page(EXERCISE, Report(1, 1, trouble=evil))
