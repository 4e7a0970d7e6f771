"""A whole check: what is wrong at the first look costs no more than that."""

from pathlib import Path

import pytest

from mockpump.exercises.checking import check
from mockpump.exercises.exercise import ladder
from mockpump.exercises.grading import ERROR, WRONG_TEST, exit_code
from mockpump.exercises.running import Bounds
from mockpump.exercises.verdicts import Verdict

EXERCISE = ladder()[0]


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
def test_a_file_that_cannot_be_run_is_given_up_at_once(tmp_path: Path) -> None:
    file = tmp_path / EXERCISE.test_name
    file.write_text("import nothing_of_that_name\n", encoding="utf-8")
    seen: list[int] = []
    report = check(EXERCISE, file, 3, Bounds(1), lambda done, _: seen.append(done))
    assert exit_code(report) == ERROR
    assert "nothing_of_that_name" in report.trouble
    assert seen == [1]
