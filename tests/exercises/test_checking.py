"""A whole check: what is wrong at the first look costs no more than that."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mockpump.exercises.checking import check
from mockpump.exercises.errors import ExerciseError
from mockpump.exercises.grading import ERROR, WRONG_TEST, exit_code
from mockpump.exercises.judge import Ending, Result, Run, Verdict
from mockpump.exercises.pool import Bounds, Task
from mockpump.exercises.submission import numbered

EXERCISE = numbered(1)


@pytest.mark.end_to_end
def test_what_is_wrong_on_a_right_variant_is_not_run_again(tmp_path: Path) -> None:
    file = tmp_path / EXERCISE.test_name
    file.write_text(
        "def test_hangs():\n    while True: pass\n\ndef test_fine(): pass\n", encoding="utf-8"
    )
    seen: list[tuple[int, int]] = []
    report = check(EXERCISE, file, 1, Bounds(2, patience=1.0), lambda *each: seen.append(each))
    assert exit_code(report) == WRONG_TEST
    assert report.wrong["test_hangs"][1].verdict is Verdict.TIMEOUT
    assert {each.verdict for each in report.defects.values()} <= {
        Verdict.SURVIVED,
        Verdict.NOT_EXERCISED,
    }
    runs = len(EXERCISE.subjects)
    assert seen == [(done, runs) for done in range(1, runs + 1)]


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("text", "error"),
    [("import nothing_of_that_name\n", "nothing_of_that_name"), ("\n", "there is no test in it")],
)
def test_a_file_that_cannot_be_run_is_given_up_at_once(
    tmp_path: Path, text: str, error: str
) -> None:
    file = tmp_path / EXERCISE.test_name
    file.write_text(text, encoding="utf-8")
    seen: list[int] = []
    report = check(EXERCISE, file, 3, Bounds(1), lambda done, _: seen.append(done))
    assert exit_code(report) == ERROR
    assert error in report.error
    assert seen == [1]


def test_every_subject_is_run_with_every_seed_but_for_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Task] = []

    def run_all(tasks: list[Task], _: Bounds, ended: Callable[[Run], object]) -> list[Run]:
        asked.extend(tasks)
        results = {each.value: Result(each) for each in Ending}
        runs = [Run(task.subject, task.seed, results) for task in tasks]
        for run in runs:
            ended(run)
        return runs

    monkeypatch.setattr("mockpump.exercises.checking.run_all", run_all)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_it.py").write_bytes(b"then")
    assert check(EXERCISE, Path("test_it.py"), 3, Bounds(1)).seeds == 3
    assert sorted((each.subject, each.seed) for each in asked) == sorted(
        (each.id, seed) for each in EXERCISE.subjects for seed in range(3)
    )
    assert asked[0].skip == frozenset()
    assert {each.skip for each in asked[1:]} == {frozenset({"failed", "trouble", "timeout"})}
    assert {(each.file, each.text) for each in asked} == {(tmp_path / "test_it.py", b"then")}


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ExerciseError, match=r"cannot read .*test_it\.py"):
        check(EXERCISE, tmp_path / "test_it.py", 3, Bounds(1))
