"""`mockpump exercises`, as a learner and a teacher use it."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from mockpump.cli.exercises.group import exercises
from mockpump.cli.exercises.page import page
from mockpump.cli.files import read_learners
from mockpump.exercises.errors import LadderError
from mockpump.exercises.exercise import ladder
from mockpump.exercises.judge import Judgement, Report, Verdict
from mockpump.exercises.pool import cores
from mockpump.exercises.submission import numbered

EXERCISE = numbered(1)
RIGHT = EXERCISE.variant[0]


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
        (reported([CAUGHT] * 6, wrong={LONG: (RIGHT.id, WRONG)}), 2, "is wrong"),
        (Report(EXERCISE.number, 3, error="no such module: x"), 3, "no such module"),
    ],
)
def test_a_report_is_shown_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, report: Report, code: int, said: str
) -> None:
    monkeypatch.setattr("mockpump.exercises.checking.check", lambda *_, read: report)
    (tmp_path / EXERCISE.test_name).write_text("", encoding="utf-8")
    checked = run("check", "--json", "r.json", "--html", "r.html")
    assert checked.exit_code == code, checked.output
    assert said in checked.output
    # The table is never folded in a pipe.
    in_table = ("test  ", f"{LONG}  ")
    lines = (line for line in checked.output.splitlines() if not line.startswith(in_table))
    assert all(len(line) <= 80 for line in lines)
    facts = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert facts["goal_met"] is (code == 0)
    assert run("check", "--json", "-").output == (tmp_path / "r.json").read_text("utf-8")
    html = (tmp_path / "r.html").read_text("utf-8")
    assert "src=" not in html
    assert "href=" not in html
    assert ("<table>" in html) is (code != 3)
    assert run("solution", "1").exit_code == (0 if code == 0 else 1)


def judged_as(monkeypatch: pytest.MonkeyPatch, report: Report) -> list[tuple[Any, ...]]:
    """Every check comes out as this report; what each was asked."""
    asked: list[tuple[Any, ...]] = []

    def check(*arguments: Any, read: Callable[[Path], bytes]) -> Report:
        assert read is read_learners
        *others, progress = arguments
        asked.append(tuple(others))
        progress(1, 2)
        return report

    monkeypatch.setattr("mockpump.exercises.checking.check", check)
    return asked


def checked(monkeypatch: pytest.MonkeyPatch, report: Report, *options: str) -> Any:
    judged_as(monkeypatch, report)
    Path(EXERCISE.test_name).write_text("", encoding="utf-8")
    return run("check", *options)


def test_the_lines_of_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [CAUGHT, BY_EXAMPLE, SOMETIMES, LEFT, LEFT, LEFT]
    told = checked(monkeypatch, reported(cells))
    assert told.stderr == ""
    lines = told.output.splitlines()
    assert f"{LONG}  kill  kill e  1/3  -  -  -" in lines
    assert "kill caught; e by an example only; k/n by k of n seeds; - survived" in lines
    width = max(len("hidden-5"), *(len(name) for name in NAMES[:4]))
    assert f" 1 {NAMES[0]:<{width}} killed, at example 7" in lines
    assert f" 2 {NAMES[1]:<{width}} killed, by an example in the file" in lines
    assert f" 3 {NAMES[2]:<{width}} flaky 1/3, at example 5" in lines
    assert f" 4 {NAMES[3]:<{width}} survived" in lines
    at = lines.index("         line=7")
    assert lines[at + 1] == "     ... 1 more line; --json and --html have all of it"
    assert "1 of 6 caught by properties." in lines
    assert any(line.startswith("Hint: ") for line in lines[-3:])


def test_of_a_long_trouble_the_end_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = "\n".join(f"line {at}" for at in range(20))
    lines = checked(monkeypatch, Report(1, 1, error=trouble)).output.splitlines()
    assert lines[2:] == [f"  line {at}" for at in range(8, 20)]


def test_how_far_one_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    def first() -> tuple[str, Any]:
        # Behind the caption, the heading and exercise 0.
        line = run("list").output.splitlines()[3]
        return line, json.loads(run("list", "--json").output.splitlines()[1])

    assert first()[0].endswith("negative")
    checked(monkeypatch, reported([CAUGHT] * 5 + [LEFT]))
    line, facts = first()
    assert line.endswith(" 5/6")
    assert (facts["caught"], facts["passed"]) == (5, False)
    checked(monkeypatch, reported([CAUGHT] * 6))
    assert first()[0].endswith(" passed")
    assert "caught everything" in run("hint", "1").output


def test_what_is_hidden_stays_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hidden = [each.id for each in EXERCISE.defect if each.hidden]
    lines = checked(monkeypatch, reported([LEFT] * 6), "--html", "r.html").output
    facts = run("check", "--json", "-").output
    html = (tmp_path / "r.html").read_text("utf-8")
    for text in (lines, facts, html):
        assert "hidden-5" in text
        assert not any(name in text for name in hidden)
    assert facts.count("\n") == 1
    assert "0 of 6 defects caught by properties. The goal is not met yet." in html
    checked(monkeypatch, reported([SOMETIMES] * 6), "--html", "r.html")
    assert "0 of 6 defects caught" in (tmp_path / "r.html").read_text("utf-8")


def test_what_is_asked_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = judged_as(monkeypatch, reported([LEFT] * 6))
    run("start", "2", "mine")
    assert run("hint").exit_code == 3
    run("check", "mine", "--seeds", "7", "--jobs", "3")
    run("check", "mine")
    (exercise, file, seeds, bounds), (_, _, usual, usual_bounds) = asked
    assert (exercise.number, file, seeds, bounds.jobs) == (2, Path("mine/test_corruption.py"), 7, 3)
    assert (usual, usual_bounds.jobs) == (3, cores())
    monkeypatch.chdir("mine")
    assert run("hint").output.startswith("Exercise 2, ")


def test_what_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for options in (("--html", "no/r.html"), ("--json", "no/r.json")):
        told = checked(monkeypatch, reported([LEFT] * 6), *options)
        assert (told.exit_code, told.stderr.count("\n")) == (3, 1)
        assert "cannot write no/r." in told.stderr


def test_without_pytest_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytest", None)
    for name in ("checking", "pool", "worker", "recorder"):
        monkeypatch.delitem(sys.modules, f"mockpump.exercises.{name}", raising=False)
    Path(EXERCISE.test_name).write_text("", encoding="utf-8")
    told = run("check")
    assert (told.exit_code, "pip install pytest" in told.stderr) == (3, True)


def test_the_table_of_a_class(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "class" / "ann").mkdir(parents=True)
    (tmp_path / "class" / "ann" / EXERCISE.test_name).write_text("", "utf-8")
    report = reported([CAUGHT] * 4 + [BY_EXAMPLE, LEFT], wrong={LONG: (RIGHT.id, WRONG)})
    judged_as(monkeypatch, report)
    graded = run("grade", "class", "--csv", "table.csv")
    words = " ".join(graded.output.split())
    assert words == "ann 1 4 of 6 by properties, 1 by examples only, 1 wrong tests"
    assert (tmp_path / "table.csv").read_bytes() == (
        b"who,exercise,file,defects,by_property,by_example_only,wrong_tests,exit_code,trouble\r\n"
        b"ann,1,ann/test_round_trip.py,6,4,1,1,2,\r\n"
    )
    here = run("grade", "class", "--csv", "-")
    assert here.stdout_bytes == (tmp_path / "table.csv").read_bytes()
    assert not (tmp_path / "-").exists()
    judged_as(monkeypatch, Report(1, 1, error="one\n" + "x" * 999))
    run("grade", "class", "--csv", "table.csv")
    (_, row) = (tmp_path / "table.csv").read_text("utf-8").splitlines()
    assert row.endswith(",3," + "x" * 200)
    (tmp_path / "empty").mkdir()
    assert run("grade", "empty").exit_code == 3


def test_whose_work_is_not_judged_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for who, name in (("=cmd", EXERCISE.test_name), ("fred", "test_roundtrip.py")):
        (tmp_path / "class" / who).mkdir(parents=True)
        (tmp_path / "class" / who / name).write_text("", "utf-8")
    judged_as(monkeypatch, reported([LEFT] * 6))
    graded = run("grade", "class", "--csv", "table.csv")
    assert "fred/test_roundtrip.py does not have the name of an exercise" in graded.stderr
    (_, row) = (tmp_path / "table.csv").read_text("utf-8").splitlines()
    assert row.startswith("'=cmd,1,'=cmd/")


def test_of_a_class_that_is_interrupted_the_first_rows_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for who in "ab":
        (tmp_path / "class" / who).mkdir(parents=True)
        (tmp_path / "class" / who / EXERCISE.test_name).write_text("", "utf-8")
    asked = judged_as(monkeypatch, reported([LEFT] * 6))

    def check(*arguments: Any, **_: Any) -> Report:
        if asked:
            raise KeyboardInterrupt
        asked.append(arguments)
        return reported([LEFT] * 6)

    monkeypatch.setattr("mockpump.exercises.checking.check", check)
    run("grade", "class", "--csv", "table.csv")
    assert [row.split(",")[0] for row in (tmp_path / "table.csv").read_text().splitlines()] == [
        "who",
        "a",
    ]


def test_a_report_that_has_no_place_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = judged_as(monkeypatch, reported([LEFT] * 6))
    Path(EXERCISE.test_name).write_text("", encoding="utf-8")
    for options in (("--html", "no/r.html"), ("--json", "no/r.json")):
        assert run("check", *options).exit_code == 3
    assert run("grade", ".", "--csv", "no/r.csv").exit_code == 3
    assert asked == []


def test_the_page_may_go_to_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    told = checked(monkeypatch, reported([LEFT] * 6), "--html", "-")
    assert told.output.startswith("<!doctype html>")


def test_progress_that_cannot_be_kept_costs_nobody_the_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("MOCKPUMP_PROGRESS", str(tmp_path / "file" / "progress.json"))
    told = checked(monkeypatch, reported([CAUGHT] * 6))
    assert told.exit_code == 0
    assert "The goal is met" in told.stdout
    assert "progress.json cannot be read, and is left alone" in told.stderr
    hint = run("hint", "1")
    assert (hint.exit_code, hint.stdout.startswith("Exercise 1")) == (0, True)


def test_a_learners_words_cannot_upset_a_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    odd = msgspec.structs.replace(CAUGHT, example="\x1b[31mred\x00 \ud800 é")
    told = checked(monkeypatch, reported([odd] * 6), "--json", "r.json", "--html", "r.html")
    assert "\\x1b[31mred\\x00 \\ud800 é" in told.output
    facts = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert facts["functions"][LONG][NAMES[0]]["example"] == odd.example
    assert "\\ud800" in (tmp_path / "r.html").read_text("utf-8")


def test_what_is_long_is_shown_on_more_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    long = msgspec.structs.replace(CAUGHT, example=f"    x={'word ' * 30}end\n\n    y=2")
    lines = checked(monkeypatch, reported([long] * 6)).output.splitlines()
    at = next(place for place, line in enumerate(lines) if line.startswith("         x=word"))
    assert "".join(lines[at : at + 4]).count("word") == 30
    assert "end" in "".join(lines[at : at + 4])
    assert "         y=2" in lines[at : at + 5]


def test_no_hint_is_used_up_or_given_while_a_test_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = checked(monkeypatch, reported([LEFT] * 6, wrong={LONG: (RIGHT.id, WRONG)}))
    assert "Hint" not in wrong.output
    assert RIGHT.about in " ".join(wrong.output.split())
    first, again = (checked(monkeypatch, reported([LEFT] * 6)).output for _ in range(2))
    assert first == again
    assert "Hint: " in first


def test_a_broken_ladder_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise LadderError("exercise.toml: no such key")

    monkeypatch.setattr("mockpump.cli.exercises.group.ladder", broken)
    told = run("list")
    assert (told.exit_code, told.output) == (3, "mockpump: exercise.toml: no such key\n")


@pytest.mark.end_to_end
def test_what_pytest_and_the_file_print_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / EXERCISE.test_name).write_text("print('mine', flush=True)\n", "utf-8")
    command = [sys.executable, "-m", "mockpump", "exercises", "check", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = [f"Exercise 1: {EXERCISE.title}", "it could not be run:", "  there is no test in it"]
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (3, lines, "")


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
        1,
        1,
        (evil,),
        {evil: dict.fromkeys(names, judgement)},
        dict.fromkeys(names, judgement),
        {evil: (RIGHT.id, judgement)},
    )
    assert "<script>" not in page(EXERCISE, report)
    assert "<script>" not in page(EXERCISE, Report(1, 1, error=evil))


def test_a_disk_that_is_full_is_said_to_be_that_of_the_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    judged_as(monkeypatch, reported([LEFT] * 6))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / EXERCISE.test_name).write_text("", encoding="utf-8")
    if Path("/dev/full").exists():
        told = run("grade", ".", "--csv", "/dev/full")
        assert told.exit_code == 3
        assert told.stderr == "mockpump: cannot write /dev/full: no space left on device\n"
