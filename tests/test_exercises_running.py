"""A test file is run in processes of its own: what comes back, whatever is in it.

These are the tests that start processes; what the results mean is tested without any.
"""

import os
from pathlib import Path

import pytest

from mockpump.exercises.exercise import Patch
from mockpump.exercises.running import Bounds, Task, run_all
from mockpump.exercises.verdicts import Ending, Result, Run

EVERYTHING = """
import os, sys
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

def test_plain(): assert 1 + 1 == 3
def test_good(): assert os.environ["PYTHONHASHSEED"] == "0"
@given(st.integers(0, 1000))
def test_property(x): assert x < 7
@example(9)
@given(st.integers(0, 5))
def test_example(x): assert x < 7
@given(st.integers(0, 9))
def test_counted(x): assume(x % 2)
@given(st.integers().filter(lambda x: False))
def test_draws_nothing(x): pass
@settings(deadline=1)
@given(st.just(1))
def test_too_slow(x):
    import time
    time.sleep(0.02)
@pytest.mark.parametrize("x", [1, 2, 3])
def test_some(x): assert x != 2
@given(st.data())
def test_data(data):
    if data.draw(st.integers(0, 100)) > 90: pytest.fail("too much")
@given(st.lists(st.integers(0, 10**6), min_size=20))
def test_takes_long_to_make_smaller(xs):
    import time
    time.sleep(0.2)
    assert sum(xs) < 1000
def test_hangs():
    while True: pass
def test_leaves(): raise SystemExit(0)
def test_skipped(): pytest.skip("not today")
class Machine(RuleBasedStateMachine):
    count = 0
    @rule()
    def step(self):
        self.count += 1
        assert self.count < 4
TestMachine = Machine.TestCase
"""


def run(tmp_path: Path, text: str, patches: tuple[Patch, ...] = (), patience: float = 30.0) -> Run:
    file = tmp_path / "test_it.py"
    file.write_text(text, "utf-8")
    (found,) = run_all([Task(file, "it", patches, 7)], Bounds(1, patience, 60))
    return found


@pytest.mark.end_to_end
def test_everything_that_a_test_file_can_do(tmp_path: Path) -> None:
    before = os.environ.get("PYTHONHASHSEED")
    found = run(tmp_path, EVERYTHING, patience=2.0)
    results = found.results
    assert found.trouble == ""
    assert {name: each.ending for name, each in results.items()} == {
        "test_plain": Ending.FAILED,
        "test_good": Ending.PASSED,
        "test_property": Ending.FAILED,
        "test_example": Ending.FAILED,
        "test_counted": Ending.PASSED,
        "test_draws_nothing": Ending.TROUBLE,
        "test_too_slow": Ending.TROUBLE,
        "test_some": Ending.FAILED,
        "test_data": Ending.FAILED,
        "test_takes_long_to_make_smaller": Ending.FAILED,
        "test_hangs": Ending.TIMEOUT,
        "test_leaves": Ending.TROUBLE,
        "test_skipped": Ending.PASSED,
        "TestMachine": Ending.FAILED,
    }
    by_property = {name for name, each in results.items() if each.by_property}
    long = "test_takes_long_to_make_smaller"
    assert by_property == {"test_property", "test_data", long, "TestMachine"}
    assert "not made smaller in time" in results[long].example
    assert "x=7" in results["test_property"].example
    assert "explicit example" in results["test_example"].example
    assert results["test_example"].tried == 1
    assert results["test_property"].tried is not None
    assert "step()" in results["TestMachine"].example
    assert os.environ.get("PYTHONHASHSEED") == before


@pytest.mark.end_to_end
def test_a_patch_is_in_what_the_file_imports(tmp_path: Path) -> None:
    text = """
from mockpump.protocol.framing import checksum
from hypothesis import given, strategies as st
from mockpump.protocol.framing import Frame, encode_frame
import mockpump.protocol.messages
@given(st.from_type(Frame))
def test_types(frame): encode_frame(frame)
def test_it(): assert checksum(b"123456789") == 0x29B1
def test_elsewhere(): assert mockpump.protocol.messages.Reason
"""
    patch = Patch(
        "mockpump.protocol.framing", "return crc_hqx(data, 0xFFFF)", "return crc_hqx(data, 0)"
    )
    assert run(tmp_path, text).results["test_it"].ending is Ending.PASSED
    found = run(tmp_path, text, (patch,)).results
    assert found["test_types"].ending is Ending.PASSED
    assert (found["test_it"].ending, found["test_it"].exercised) == (Ending.FAILED, True)
    assert found["test_elsewhere"] == Result(Ending.PASSED, exercised=False)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("def test_it(:", "SyntaxError"),
        ("import os; os._exit(3)", "ended, with 3"),
    ],
)
def test_a_file_that_cannot_be_run(tmp_path: Path, text: str, trouble: str) -> None:
    found = run(tmp_path, text)
    assert found.results == {}
    assert trouble in found.trouble


@pytest.mark.end_to_end
def test_the_same_seed_finds_the_same(tmp_path: Path) -> None:
    text = """
from hypothesis import given, strategies as st
@given(st.lists(st.integers()))
def test_it(xs): assert len(xs) < 5 or xs[2] != max(xs)
"""
    first, second = (run(tmp_path, text).results["test_it"] for _ in range(2))
    assert first == second
    assert first.ending is Ending.FAILED
