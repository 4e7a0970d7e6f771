"""The exercises as they lie there: whole, and about the source as it is today.

Whether each is sound takes hours of runs: `make exercises-gate` asks for that.
"""

import ast
import errno
import importlib.util
import io
import os
from pathlib import Path
from typing import Any

import pytest

from mockpump.exercises.errors import ExerciseError, LadderError
from mockpump.exercises.exercise import Defect, Exercise, Subject, _read, ladder
from mockpump.exercises.mutation import changed, compiled
from mockpump.exercises.submission import numbered, readme, start, submission, submissions

LADDER = ladder()
SUBJECTS = [(exercise, each) for exercise in LADDER for each in exercise.subjects]


def source_of(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text("utf-8")


@pytest.mark.parametrize(
    ("exercise", "subject"), SUBJECTS, ids=[f"{e.number}-{each.id}" for e, each in SUBJECTS]
)
def test_a_change_is_of_what_is_there(exercise: Exercise, subject: Subject) -> None:
    by_module = {patch.module for patch in subject.patches}
    for module in by_module:
        mine = [patch for patch in subject.patches if patch.module == module]
        text, lines = changed(source_of(module), mine)
        assert compiled(text, lines, module)
    assert isinstance(subject, Defect) == (subject in exercise.defect)


@pytest.mark.parametrize("exercise", LADDER, ids=[each.name for each in LADDER])
def test_an_exercise_is_whole(exercise: Exercise) -> None:
    names = [each.id for each in exercise.subjects]
    assert len(set(names)) == len(names)
    assert len(exercise.variant) >= 2
    assert exercise.variant[0].patches == ()
    assert all(each.patches for each in exercise.variant[1:])
    assert 4 <= len(exercise.defect) <= 6
    assert any(each.hidden for each in exercise.defect)
    assert {each.family for each in exercise.defect} <= set(exercise.families)
    assert all(each.level in (1, 2, 3) and each.hint.strip() for each in exercise.defect)
    witnesses = ast.parse(exercise.text("witnesses.py")).body
    functions = {each.name for each in witnesses if isinstance(each, ast.FunctionDef)}
    assert {each.witness for each in exercise.defect} <= functions
    for file in ("start.py", "reference.py", "by_example.py"):
        assert any(
            isinstance(each, ast.FunctionDef | ast.ClassDef | ast.Assign)
            for each in ast.parse(exercise.text(file)).body
        )
    assert exercise.title in exercise.text("README.md")
    assert "fictional" in readme(exercise)


def test_the_ladder_rises() -> None:
    numbers = [each.number for each in LADDER]
    assert numbers == list(range(len(numbers)))
    hidden = sum(each.hidden for exercise in LADDER for each in exercise.defect)
    defects = sum(len(exercise.defect) for exercise in LADDER)
    assert defects >= 60
    assert 0.3 <= hidden / defects <= 0.4


def test_a_broken_exercise_is_named(tmp_path: Path) -> None:
    file = tmp_path / "exercise.toml"
    file.write_text("number = 1\nnonsense = 2\n", "utf-8")
    with pytest.raises(LadderError, match=r"exercise\.toml.*nonsense|missing"):
        _read(file)
    text = (LADDER[0].folder / "exercise.toml").read_text("utf-8")
    file.write_text(f"nonsense = 2\n{text}", "utf-8")
    with pytest.raises(LadderError, match=r"exercise\.toml.*nonsense"):
        _read(file)
    file.write_text(text, "utf-8")
    with pytest.raises(LadderError, match=LADDER[0].folder.name):
        _read(file)


def test_a_file_that_is_missing_is_named() -> None:
    with pytest.raises(LadderError, match=r"exercise 0: .*nothing\.md"):
        LADDER[0].text("nothing.md")


# -- the learner's folder --------------------------------------------------------------------------


def test_nothing_of_the_learners_is_written_over(tmp_path: Path) -> None:
    exercise = LADDER[0]
    made = start(exercise, tmp_path / "a" / "b")
    assert [each.name for each in made] == ["README.md", exercise.test_name]
    made[1].write_text("mine", "utf-8")
    with pytest.raises(ExerciseError, match="is there already"):
        start(exercise, tmp_path / "a" / "b")
    assert made[1].read_text("utf-8") == "mine"


def test_an_exercise_is_laid_out_wholly_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    open_ = Path.open

    def full(path: Path, mode: str = "r", **how: Any) -> Any:
        if mode != "x":
            return open_(path, mode, **how)
        path.touch()
        opened.append(path.name)
        if len(opened) == 2:
            raise OSError(28, "No space left on device")
        return io.StringIO()

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", full)
        with pytest.raises(ExerciseError, match="no space left"):
            start(LADDER[0], tmp_path)
    # What could not even be opened is not ours to remove.
    assert {each.name for each in tmp_path.iterdir()} <= {opened[1]}


def test_beside_a_test_file_of_the_learners_nothing_is_made(tmp_path: Path) -> None:
    name = LADDER[0].test_name
    (tmp_path / name).write_text("mine", "utf-8")
    with pytest.raises(ExerciseError, match="is there already"):
        start(LADDER[0], tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / LADDER[0].test_name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExerciseError, match="cannot write"):
        start(LADDER[0], tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_the_readme_says_what_may_be_used() -> None:
    for exercise in LADDER:
        text = readme(exercise)
        assert exercise.test_name in text
        for each in exercise.api:
            assert f"- `{each.module}`: {', '.join(each.names)}" in text


def test_a_file_is_known_by_its_name(tmp_path: Path) -> None:
    exercise = LADDER[0]
    _, file = start(exercise, tmp_path)
    assert submission(tmp_path) == submission(file) == (exercise, file)
    for path, complaint in (
        (tmp_path / "nowhere", "no such file or folder"),
        (tmp_path / "README.md", "does not have the name of an exercise"),
    ):
        with pytest.raises(ExerciseError, match=complaint):
            submission(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExerciseError, match="has no exercise in it"):
        submission(tmp_path / "empty")
    if len(LADDER) > 1:
        start(LADDER[1], tmp_path / "two")
        file.rename(tmp_path / "two" / file.name)
        with pytest.raises(ExerciseError, match="name one of"):
            submission(tmp_path / "two")


def test_whose_a_submission_is(tmp_path: Path) -> None:
    exercise = LADDER[0]
    for who in ("b", "a"):
        start(exercise, tmp_path / who / "deep")
    assert [who for who, _ in submissions(tmp_path)] == ["a", "b"]
    start(exercise, tmp_path)
    (tmp_path / "c" / exercise.test_name).mkdir(parents=True)
    assert [who for who, _ in submissions(tmp_path)] == ["a", "b", "."]
    with pytest.raises(ExerciseError, match="no such folder"):
        list(submissions(tmp_path / "nowhere"))


def test_an_exercise_is_known_by_its_number() -> None:
    assert [numbered(each.number) for each in LADDER] == list(LADDER)
    for number in (-1, 99):
        with pytest.raises(ExerciseError, match=f"no exercise {number}; there are 0, 1, 2"):
            numbered(number)


@pytest.mark.parametrize("there", [True, False], ids=["a folder", "none"])
def test_a_full_disk_leaves_no_exercise_half_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    folder = tmp_path / "deep" / "exercise"
    if there:
        folder.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    opened = Path.open

    def full(path: Path, *args: Any, **options: Any) -> Any:
        if path.name.startswith("test_"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ExerciseError, match=r"cannot write into .*: .*space left"):
        start(numbered(1), folder)
    assert sorted(tmp_path.rglob("*")) == before
