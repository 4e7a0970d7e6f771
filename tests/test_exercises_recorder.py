"""What is taken down of a test file's functions, and what is told while they still run.

The file is run by a pytest within this one: nothing of it is patched, so no process is needed.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mockpump.exercises.patching import Exercised
from mockpump.exercises.recorder import Recorder
from mockpump.exercises.verdicts import Ending, Result

HEAD = """
import pytest
from hypothesis import assume, errors, example, given, settings, strategies as st
quick = settings(max_examples=50, database=None, derandomize=True, deadline=None)
"""
Told = list[tuple[str, Result | None, bool]]


def recorded(tmp_path: Path, text: str, **more: Any) -> tuple[Recorder, Told]:
    told: Told = []

    def tell(name: str, result: Result | None, *, over: bool) -> None:
        told.append((name, result, over))

    file = tmp_path / "test_it.py"
    file.write_text(HEAD + text, "utf-8")
    recorder = Recorder(Exercised(), tell, **more)
    arguments = [str(file), "-q", "-c", os.devnull, f"--rootdir={tmp_path}"]
    sys.modules.pop("test_it", None)  # that of the test before
    pytest.main([*arguments, "-p", "no:cacheprovider", "--import-mode=importlib"], [recorder])
    return recorder, told


def early(told: Told) -> list[Result]:
    """What was told of failures before they were made smaller."""
    return [result for _, result, over in told if result is not None and not over]


def test_what_fails_is_told_once_before_it_is_made_smaller(tmp_path: Path) -> None:
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
    (first,) = early(told)
    assert (first.ending, first.by_property, first.tried) == (Ending.FAILED, True, 1)
    assert "not made smaller in time" in first.example
    assert told[0] == ("test_it", None, False)
    assert told[-1] == ("test_it", recorder.results["test_it"], True)
    assert recorder.results["test_it"].tried == 1
    assert "x=0" in recorder.results["test_it"].example
    assert "generated value" not in recorder.results["test_it"].example


def test_an_assumption_is_no_failure(tmp_path: Path) -> None:
    recorder, told = recorded(
        tmp_path,
        """
@quick
@given(st.integers())
def test_it(x): assume(x % 2)
""",
    )
    assert early(told) == []
    result = recorder.results["test_it"]
    assert result.ending is Ending.PASSED
    assert result.tried is not None
    assert result.tried >= 50


def test_pytests_own_failure_is_told_too(tmp_path: Path) -> None:
    _, told = recorded(
        tmp_path, "@quick\n@given(st.integers())\ndef test_it(x): pytest.fail('no')\n"
    )
    assert [each.ending for each in early(told)] == [Ending.FAILED]


def test_an_example_in_the_file_is_none_that_was_drawn(tmp_path: Path) -> None:
    recorder, told = recorded(
        tmp_path,
        "@quick\n@example(9)\n@given(st.integers(0, 5))\ndef test_it(x): assert x < 7\n",
    )
    assert [each.by_property for each in early(told)] == [False]
    assert not recorder.results["test_it"].by_property


def test_each_parameter_counts_for_itself(tmp_path: Path) -> None:
    _, told = recorded(
        tmp_path,
        """
@pytest.mark.parametrize("y", [1, 2, 3])
@quick
@given(st.integers())
def test_it(y, x): assert y < 3
""",
    )
    assert [each.tried for each in early(told)] == [1]


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


def test_what_is_skipped_is_not_begun(tmp_path: Path) -> None:
    recorder, told = recorded(
        tmp_path, "def test_a(): pass\ndef test_b(): pass\n", skip=frozenset({"test_a"})
    )
    assert recorder.results.keys() == {"test_b"} == {name for name, _, _ in told}
