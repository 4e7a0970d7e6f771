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


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("order", ORDERS)
def test_from_type_just_works(order: str) -> None:
    assert run(ORDERS[order] + DRAWS) == "drawn"


def test_hypothesis_alone_loads_nothing_of_the_project() -> None:
    loaded = "[name for name in sys.modules if name.startswith('mockpump.')]"
    assert run(f"import sys, hypothesis\nprint({loaded})") == "['mockpump._hypothesis']"


def test_the_project_alone_loads_no_hypothesis() -> None:
    code = "import sys, mockpump.protocol.messages\nprint('hypothesis' in sys.modules)"
    assert run(code) == "False"
