"""What is taken down of a test file's functions, and what is told while they still run.

The file is run by a pytest within this one: nothing of it is patched, so no process is needed.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mockpump.exercises.judge import Ending, Result
from mockpump.exercises.mutation import DefectReached
from mockpump.exercises.recorder import Recorder

HEAD = """
import pytest
from hypothesis import assume, errors, example, given, settings, strategies as st
quick = settings(max_examples=50, database=None, derandomize=True, deadline=None)
"""
Told = list[tuple[str, Result | None]]


def recorded(tmp_path: Path, text: str, **more: Any) -> tuple[Recorder, Told]:
    told: Told = []

    def tell(name: str, result: Result | None, /) -> None:
        told.append((name, result))

    file = tmp_path / "test_it.py"
    file.write_text(HEAD + text, "utf-8")
    recorder = Recorder(DefectReached(), tell, **more)
    arguments = [str(file), "-q", "-c", os.devnull, f"--rootdir={tmp_path}"]
    sys.modules.pop("test_it", None)  # that of the test before
    pytest.main([*arguments, "-p", "no:cacheprovider", "--import-mode=importlib"], [recorder])
    return recorder, told


def test_what_fails_is_told_when_it_is_as_small_as_can_be(tmp_path: Path) -> None:
    recorder, told = recorded(
        tmp_path,
        """
@quick
@given(st.integers())
def test_it(x):
    assume(x != 7)
    assert x == 7
""",
    )
    result = recorder.results["test_it"]
    assert told == [("test_it", None), ("test_it", result)]
    assert (result.ending, result.by_property, result.small) == (Ending.FAILED, True, True)
    assert result.tried == 1
    assert "x=0" in result.example
    assert "generated value" not in result.example


def test_who_does_not_make_it_smaller_does_not_say_so(tmp_path: Path) -> None:
    text = "@quick\n@given(st.integers())\ndef test_it(x): assert x == 7\n"
    recorder, _ = recorded(tmp_path, text, small=False)
    assert not recorder.results["test_it"].small


def test_an_assumption_is_no_failure(tmp_path: Path) -> None:
    recorder, _ = recorded(
        tmp_path,
        """
@quick
@given(st.integers())
def test_it(x): assume(x % 2)
""",
    )
    result = recorder.results["test_it"]
    assert result.ending is Ending.PASSED
    assert result.tried is not None
    assert result.tried >= 50


def test_pytests_own_failure_is_one_too(tmp_path: Path) -> None:
    recorder, _ = recorded(
        tmp_path,
        "@quick\n@given(st.integers(0, 9))\ndef test_it(x):\n    if x: pytest.fail('no')\n",
    )
    result = recorder.results["test_it"]
    assert (result.ending, result.by_property) == (Ending.FAILED, True)
    assert result.tried in (1, 2)


def test_an_example_in_the_file_is_none_that_was_drawn(tmp_path: Path) -> None:
    recorder, _ = recorded(
        tmp_path,
        """
@quick
@example(9)
@given(st.integers(0, 5))
def test_stated(x): assert x < 7
@quick
@example(9)
@given(st.integers(0, 5))
def test_drawn(x): assert x > 7
def test_plain():
    error = AssertionError()
    error.add_note("Failing test case: f(x=0)")
    raise error
""",
    )
    drawn = {name: each.by_property for name, each in recorder.results.items()}
    assert drawn == {"test_stated": False, "test_drawn": True, "test_plain": False}


def test_each_parameter_counts_for_itself(tmp_path: Path) -> None:
    recorder, _ = recorded(
        tmp_path,
        """
@pytest.mark.parametrize("y", [1, 2, 3])
@quick
@given(st.integers())
def test_it(y, x): assert y < 3
""",
    )
    assert recorder.results["test_it"].tried == 1


def test_what_is_skipped_by_its_author_has_not_run(tmp_path: Path) -> None:
    recorder, _ = recorded(
        tmp_path, "@pytest.mark.skip\ndef test_a(): pass\ndef test_b(): pytest.skip('no')\n"
    )
    assert set(recorder.results.values()) == {Result(Ending.PASSED, exercised=False)}


def test_what_cannot_be_set_up_or_taken_down_is_trouble(tmp_path: Path) -> None:
    recorder, _ = recorded(
        tmp_path,
        """
@pytest.fixture
def before(): raise ValueError("before")
@pytest.fixture
def after():
    yield
    raise ValueError("after")
def test_before(before): pass
def test_after(after): pass
""",
    )
    for name in ("before", "after"):
        result = recorder.results[f"test_{name}"]
        assert (result.ending, result.example) == (Ending.TROUBLE, f"ValueError: {name}")


def test_one_counter_example_among_complaints_is_enough(tmp_path: Path) -> None:
    recorder, _ = recorded(
        tmp_path,
        """
def said(text):
    error = AssertionError()
    error.add_note(text)
    return error
def test_both(): raise ExceptionGroup("", [errors.InvalidArgument(), AssertionError()])
def test_complaints(): raise ExceptionGroup("", [errors.InvalidArgument()])
def test_two():
    raise ExceptionGroup("", [said("Failing test case: f(10)"), said("Failing test case: f(0)")])
""",
    )
    endings = {name: each.ending for name, each in recorder.results.items()}
    assert endings == {
        "test_both": Ending.FAILED,
        "test_complaints": Ending.TROUBLE,
        "test_two": Ending.FAILED,
    }
    assert recorder.results["test_two"].example == "Failing test case: f(0)"


def test_what_is_long_is_cut(tmp_path: Path) -> None:
    recorder, _ = recorded(
        tmp_path, "@quick\n@given(st.just('x' * 9000))\ndef test_it(x): assert not x\n"
    )
    assert len(recorder.results["test_it"].example) == 4_000
    recorder, _ = recorded(tmp_path, "raise ValueError('x' * 9000)\n")
    assert len(recorder.collection_trouble) == 4_000


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("import nothing", "ModuleNotFoundError: No module named 'nothing'"),
        ("assert 1 + 1 == 3", "assert (1 + 1) == 3"),
        ("def test_it(:", "SyntaxError: invalid syntax"),
    ],
)
def test_of_what_cannot_be_collected_the_error_is_told(
    tmp_path: Path, text: str, gist: str
) -> None:
    recorder, _ = recorded(tmp_path, f"{text}\n")
    assert recorder.collection_trouble.splitlines()[-1] == gist
    assert len(recorder.collection_trouble.splitlines()) < 6


def test_what_is_skipped_is_not_begun(tmp_path: Path) -> None:
    recorder, told = recorded(
        tmp_path, "def test_a(): pass\ndef test_b(): pass\n", skip=frozenset({"test_a"})
    )
    assert recorder.results.keys() == {"test_b"} == {name for name, _ in told}
