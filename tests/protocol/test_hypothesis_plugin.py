"""`from_type` knows the project's types, and asks for nothing of it before that."""

import subprocess
import sys

import pytest

ORDERS = {
    "hypothesis first": "import hypothesis\nimport mockpump.protocol.messages as m\n",
    "the project first": "import mockpump.protocol.messages as m\nimport hypothesis\n",
}
DRAWS = """
from hypothesis import find, given, settings, strategies as st
from mockpump.protocol.framing import Frame
from mockpump.protocol.program import Program, check
@settings(max_examples=20, database=None)
@given(st.from_type(m.Status), st.from_type(Frame), st.from_type(Program))
def drawn(status, frame, program):
    assert m.decode(m.encode(status)) == status
    check(program)
drawn()
print("drawn")
"""
KNOWN = """
from mockpump.protocol.framing import Frame
from mockpump.protocol.program import Program
from hypothesis.strategies._internal.types import _global_type_lookup as known
print(all(each in known for each in (m.Status, Frame, Program)))
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("order", ORDERS)
def test_from_type_just_works(order: str) -> None:
    assert run(ORDERS[order] + DRAWS) == "drawn"


def test_a_module_that_somebody_only_looked_for_is_registered_all_the_same() -> None:
    looked = "import hypothesis\nimport importlib.util\n" + "".join(
        f"importlib.util.find_spec('mockpump.protocol.{name}')\n"
        for name in ("messages", "program", "framing")
    )
    assert run(looked + ORDERS["hypothesis first"] + KNOWN) == "True"


@pytest.mark.parametrize("order", ORDERS)
def test_afterwards_it_is_as_if_nobody_had_stood_in_between(order: str) -> None:
    loader = "print(type(m.__loader__).__name__, type(m.__spec__.loader).__name__)\n"
    assert run(ORDERS[order] + loader) == "SourceFileLoader SourceFileLoader"


def test_hypothesis_alone_loads_nothing_of_the_project() -> None:
    loaded = "[name for name in sys.modules if name.startswith('mockpump.')]"
    assert run(f"import sys, hypothesis\nprint({loaded})") == "['mockpump._hypothesis']"


def test_the_project_alone_loads_no_hypothesis() -> None:
    code = "import sys, mockpump.protocol.messages\nprint('hypothesis' in sys.modules)"
    assert run(code) == "False"
