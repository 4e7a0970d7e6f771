"""How far a learner has come: kept whatever happens, and never in the way."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.exercises.errors import ExerciseError
from mockpump.exercises.exercise import ladder
from mockpump.exercises.progress import Progress, Standing
from mockpump.exercises.verdicts import Judgement, Report, Verdict

EXERCISE = ladder()[0]
DEFECTS = [each.id for each in EXERCISE.defect]


def report(caught: set[str]) -> Report:
    return Report(
        EXERCISE.number,
        1,
        defects={
            name: Judgement(Verdict.KILLED, 1, 1, by_property=True)
            if name in caught
            else Judgement(Verdict.SURVIVED)
            for name in DEFECTS
        },
    )


def test_it_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "progress.json"
    Progress(file).checked(EXERCISE, report({DEFECTS[1]}))
    assert Progress(file).of(EXERCISE) == Standing(False, (DEFECTS[1],))
    Progress(file).checked(EXERCISE, report(set(DEFECTS)))
    Progress(file).checked(EXERCISE, report(set()))
    assert Progress(file).of(EXERCISE).passed


@given(st.sets(st.sampled_from(DEFECTS)))
def test_hints_go_round_what_is_left(
    tmp_path_factory: pytest.TempPathFactory, caught: set[str]
) -> None:
    file = tmp_path_factory.getbasetemp() / "hints.json"
    file.unlink(missing_ok=True)
    Progress(file).checked(EXERCISE, report(caught))
    left = [each for each in EXERCISE.defect if each.id not in caught]
    given_ = [Progress(file).hint(EXERCISE) for _ in range(max(len(left), 1))]
    if left:
        assert {each.id for each in given_ if each} == {each.id for each in left}
        levels = [each.level for each in given_ if each]
        assert levels == sorted(levels)
    else:
        assert given_ == [None]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"x": 1}'])
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "progress.json"
    file.write_text(text, "utf-8")
    assert Progress(file).of(EXERCISE) == Standing()


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ExerciseError, match="cannot keep"):
        Progress(tmp_path / "file" / "progress.json").checked(EXERCISE, report(set()))


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MOCKPUMP_PROGRESS", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Progress().file == tmp_path / "mockpump" / "exercises.json"
    monkeypatch.setenv("MOCKPUMP_PROGRESS", str(tmp_path / "mine"))
    assert Progress().file == tmp_path / "mine"
