"""`mockpump exercises`, as a learner and a teacher use it."""

import csv
import json
import shutil
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
    assert EXERCISE.defect[0].hint in hint.output
    refused = run("solution", "1")
    assert refused.exit_code == 1
    assert "--reveal" in refused.output
    assert run("solution", "1", "--reveal").output == EXERCISE.text("reference.py")
    assert json.loads(run("list", "--json").output.splitlines()[0])["passed"] is False


@pytest.mark.end_to_end
def test_a_solution_meets_the_goal(tmp_path: Path) -> None:
    file = tmp_path / EXERCISE.test_name
    shutil.copy(EXERCISE.folder / "reference.py", file)
    checked = run("check", str(file), "--seeds", "1", "--json", "r.json", "--html", "r.html")
    assert checked.exit_code == 0, checked.output
    assert "The goal is met" in checked.output
    assert all(len(line) <= 80 for line in checked.output.splitlines())
    facts = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert facts["goal_met"] is True
    assert facts["caught_by_property"] == len(EXERCISE.defect)
    html = (tmp_path / "r.html").read_text("utf-8")
    assert "src=" not in html
    assert "href=" not in html
    assert all(each.id in html for each in EXERCISE.defect)
    assert run("solution", "1").exit_code == 0


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
