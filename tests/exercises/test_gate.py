"""The gate finds what is not sound: a gate that cannot fail guards nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mockpump.exercises import gate
from mockpump.exercises.exercise import Defect, Exercise, Variant
from mockpump.exercises.gate import Seeds, faults
from mockpump.exercises.judge import Ending, Result, Run
from mockpump.exercises.pool import Bounds, Task

PASSED, KILL = Result(Ending.PASSED), Result(Ending.FAILED, "x=0", 3, by_property=True)
SAME, OTHER = Result(Ending.FAILED, "1"), Result(Ending.FAILED, "2")


def defect(name: str) -> Defect:
    return Defect(name, "m", "old", "new", "invariant", 1, "?", f"sees_{name}")


EXERCISE = Exercise(
    1,
    "one",
    "One",
    ("invariant",),
    "",
    (),
    (Variant("a", ""), Variant("b", "")),
    (defect("loses"), defect("lurks")),
)
SUBJECTS = [each.id for each in EXERCISE.subjects]
# What comes of a file, a function and a subject: here all is sound.
Table = dict[tuple[str, str, str], Result]
SOUND: Table = {
    **{
        ("test_witnesses_1.py", f"test_sees_{name}", subject): OTHER if subject == name else SAME
        for name in ("loses", "lurks")
        for subject in SUBJECTS
    },
    **{
        ("reference.py", f"test_{name}", subject): KILL if subject == name else PASSED
        for name in ("loses", "lurks")
        for subject in SUBJECTS
    },
    **{("by_example.py", "test_it", subject): PASSED for subject in SUBJECTS},
}


def found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, table: Table
) -> tuple[list[str], list[Task]]:
    """The faults of the exercise with such a table, and what was run for that."""
    asked: list[Task] = []

    def run_all(tasks: list[Task], _: Bounds, ended: Callable[[Run], object]) -> list[Run]:
        asked.extend(tasks)
        return [
            Run(
                task.subject,
                task.seed,
                {
                    function: result
                    for (file, function, subject), result in table.items()
                    if (file, subject) == (task.file.name, task.subject)
                },
            )
            for task in tasks
        ]

    monkeypatch.setattr(gate, "run_all", run_all)
    told = list(faults(EXERCISE, Seeds(2, 3), 1, tmp_path, lambda _: None))
    return told, asked


def test_what_is_sound_has_no_faults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told, asked = found(monkeypatch, tmp_path, SOUND)
    assert told == []
    seeds = {
        subject: [t.seed for t in asked if (t.subject, t.file.name) == (subject, "reference.py")]
        for subject in SUBJECTS
    }
    assert seeds == {"a": [0, 1, 2], "b": [0, 1, 2], "loses": [0, 1], "lurks": [0, 1]}


WITNESSES, REFERENCE, EXAMPLES = "test_witnesses_1.py", "reference.py", "by_example.py"
BY_EXAMPLE = Result(Ending.FAILED, "x=9", 1, by_property=False)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({(WITNESSES, "test_sees_loses", "loses"): SAME}, "loses: its witness sees nothing"),
        ({(WITNESSES, "test_sees_lurks", "b"): PASSED}, "lurks: the right variants tell"),
        ({(WITNESSES, "test_sees_lurks", "lurks"): Result(Ending.TROUBLE, "no import")},
         "lurks: its witness sees nothing"),
        ({(REFERENCE, "test_loses", "loses"): PASSED}, "loses: the reference solution"),
        ({(REFERENCE, "test_loses", "loses"): BY_EXAMPLE}, "loses: the reference solution"),
        ({(REFERENCE, "test_lurks", "loses"): KILL, (REFERENCE, "test_loses", "lurks"): KILL},
         "lurks: caught by exactly the functions that catch loses"),
        ({(EXAMPLES, "test_it", "lurks"): KILL}, "lurks: the tests by example catch it"),
        ({(EXAMPLES, "test_it", "b"): KILL}, "by_example.py: test_it does not accept"),
        ({(EXAMPLES, "test_it", each): None for each in SUBJECTS}, "by_example.py: there is no"),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_told(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    changes: dict[tuple[str, str, str], Result | None],
    fault: str,
) -> None:
    table = {key: result for key, result in {**SOUND, **changes}.items() if result is not None}
    (told,), _ = found(monkeypatch, tmp_path, table)
    assert told.startswith(fault)


def test_the_file_that_asks_the_witnesses_says_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "witnesses.py").write_text("def sees_loses(): return 7\n", "utf-8")
    text = gate._asking(EXERCISE, tmp_path).read_text("utf-8")
    path = repr(str(EXERCISE.folder / "witnesses.py"))
    asking: dict[str, Callable[[], None]] = {}
    exec(text.replace(path, repr(str(tmp_path / "witnesses.py"))), asking)
    with pytest.raises(AssertionError, match=r"^7$"):
        asking["test_sees_loses"]()
    assert "test_sees_lurks" in asking


def test_a_witness_that_there_is_not_is_no_witness(tmp_path: Path) -> None:
    (tmp_path / "witnesses.py").write_text("", "utf-8")
    text = gate._asking(EXERCISE, tmp_path).read_text("utf-8")
    path = repr(str(EXERCISE.folder / "witnesses.py"))
    asking: dict[str, Callable[[], None]] = {}
    exec(text.replace(path, repr(str(tmp_path / "witnesses.py"))), asking)
    with pytest.raises(SystemExit, match="not in witnesses"):
        asking["test_sees_loses"]()


@pytest.mark.parametrize(
    ("told", "arguments", "code"), [([], [], 0), (["a fault"], ["1"], 1), ([], ["99"], 1)]
)
def test_the_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    told: list[str],
    arguments: list[str],
    code: int,
) -> None:
    for place in ("gate", "submission"):
        monkeypatch.setattr(f"mockpump.exercises.{place}.ladder", lambda: (EXERCISE,))
    monkeypatch.setattr(gate, "faults", lambda *_: iter(told))
    monkeypatch.setattr("sys.argv", ["gate", *arguments])
    assert gate.main() == code
    said = "there is no exercise 99" if arguments == ["99"] else "1 faults" if told else "sound"
    assert said in "".join(capsys.readouterr())


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--seeds", "-1"], ["x"]])
def test_a_gate_is_not_asked_for_nothing(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gate", *arguments])
    with pytest.raises(SystemExit, match="2"):
        gate.main()
