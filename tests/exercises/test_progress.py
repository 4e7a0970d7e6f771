"""How far a learner has come: kept whatever happens, and never in the way."""

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.cli.files import read_learners
from mockpump.exercises.judge import Judgement, Report, Verdict
from mockpump.exercises.progress import Progress, Standing
from mockpump.exercises.submission import numbered

EXERCISE = numbered(1)
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
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    Progress(file).checked(EXERCISE, report(set(DEFECTS)))
    Progress(file).checked(EXERCISE, report(set()))
    assert Progress(file).of(EXERCISE) == Standing(True)


@given(st.sets(st.sampled_from(DEFECTS)))
def test_hints_go_round_what_is_left(
    tmp_path_factory: pytest.TempPathFactory, caught: set[str]
) -> None:
    file = tmp_path_factory.getbasetemp() / "hints.json"
    file.unlink(missing_ok=True)
    Progress(file).checked(EXERCISE, report(caught))
    left = [each for each in EXERCISE.defect if each.id not in caught]
    hinted = [Progress(file).hint(EXERCISE) for _ in range(max(len(left), 1))]
    if left:
        assert {each.id for each in hinted if each} == {each.id for each in left}
        levels = [each.level for each in hinted if each]
        assert levels == sorted(levels)
    else:
        assert hinted == [None]


def test_what_is_caught_only_sometimes_is_not_caught(tmp_path: Path) -> None:
    flaky = Report(EXERCISE.number, 3, defects={DEFECTS[0]: Judgement(Verdict.FLAKY, 1, 3)})
    progress = Progress(tmp_path / "progress.json")
    progress.checked(EXERCISE, flaky)
    assert progress.of(EXERCISE).caught == ()


def test_another_check_does_not_begin_the_hints_anew(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    first = progress.hint(EXERCISE)
    progress.checked(EXERCISE, report(set()))
    assert progress.of(EXERCISE).hints == 1
    assert progress.hint(EXERCISE) != first


def test_of_one_level_what_is_hidden_comes_last(tmp_path: Path) -> None:
    defects = tuple(sorted(EXERCISE.defect, key=lambda each: not each.hidden))
    exercise = msgspec.structs.replace(EXERCISE, defect=defects)
    progress = Progress(tmp_path / "progress.json")
    hinted = [progress.hint(exercise) for _ in defects]
    order = [(each.level, each.hidden) for each in hinted if each]
    assert order == sorted(order)


def test_a_file_that_is_there_is_replaced_as_a_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever happens while it is written, the old one stays."""
    file = tmp_path / "progress.json"
    Progress(file).checked(EXERCISE, report({DEFECTS[1]}))
    before = file.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("no more room")

    monkeypatch.setattr(Path, "replace", fail)
    progress = Progress(file)
    progress.checked(EXERCISE, report(set(DEFECTS)))
    assert progress.error.endswith("no more room")
    assert file.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"x": 1}', b'{"1": {"caught": ["\xff"]}}', b"\xff"]
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "progress.json"
    file.write_bytes(text)
    progress = Progress(file)
    assert progress.of(EXERCISE) == Standing()
    progress.hint(EXERCISE)
    assert bool(progress.error) is bool(text)
    assert (file.read_bytes() == text) is bool(text)


def test_somebodys_notes_are_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("buy milk", "utf-8")
    progress = Progress(notes)
    assert progress.hint(EXERCISE) is not None
    assert "left alone" in progress.error
    assert notes.read_text("utf-8") == "buy milk"


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    progress = Progress(tmp_path / "file" / "progress.json")
    assert progress.hint(EXERCISE) is not None
    assert progress.error.startswith("cannot keep the progress in ")


def test_what_an_example_caught_is_still_to_be_caught_by_a_property(tmp_path: Path) -> None:
    killed = {name: Judgement(Verdict.KILLED, 3, 3) for name in DEFECTS}
    progress = Progress(tmp_path / "progress.json")
    progress.checked(EXERCISE, Report(EXERCISE.number, 3, defects=killed))
    assert progress.of(EXERCISE).caught == ()
    assert progress.next_hint(EXERCISE) is not None


def test_to_look_at_the_next_hint_does_not_use_it_up(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    first = progress.next_hint(EXERCISE)
    assert progress.next_hint(EXERCISE) == progress.hint(EXERCISE) == first
    assert progress.next_hint(EXERCISE) != first


def test_what_is_no_defect_any_more_was_not_caught(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    file.write_text('{"1": {"caught": ["gone"]}}', "utf-8")
    assert Progress(file).of(EXERCISE).caught == ()


def _nobody() -> Path:
    raise RuntimeError


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MOCKPUMP_PROGRESS", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Progress().file == tmp_path / ".local" / "state" / "mockpump" / "exercises.json"
    with monkeypatch.context() as nowhere:
        nowhere.setattr(Path, "home", _nobody)
        homeless = Progress()
        homeless.hint(EXERCISE)
        assert homeless.error
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Progress().file == tmp_path / "mockpump" / "exercises.json"
    monkeypatch.setenv("MOCKPUMP_PROGRESS", str(tmp_path / "mine"))
    assert Progress().file == tmp_path / "mine"


def test_what_is_no_file_or_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    """Nobody waits for a pipe, nothing is read without an end, and a device is not replaced."""
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    long = tmp_path / "long"
    with long.open("wb") as file:
        file.truncate(20 * 10**9)  # of which the disk has nothing
    before = {each: each.stat() for each in (pipe, folder, long, Path("/dev/zero"))}
    for file, was in before.items():
        progress = Progress(file, read_learners)
        assert progress.of(EXERCISE) == Standing()
        progress.hint(EXERCISE)
        assert "is left alone" in progress.error
        assert (file.stat().st_ino, file.stat().st_mode) == (was.st_ino, was.st_mode)


def test_what_is_nested_too_deeply_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    file.write_bytes(b'{"1": ' + b"[" * 100_000)
    progress = Progress(file)
    progress.hint(EXERCISE)
    assert "is left alone" in progress.error


def test_a_link_to_it_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.json", tmp_path / "progress.json"
    link.symlink_to(real)
    Progress(link).hint(EXERCISE)
    assert link.is_symlink()
    assert Progress(real).of(EXERCISE).hints == 1
