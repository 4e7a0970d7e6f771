"""Exercise 12: ramp and rolling limits."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.limits import WIDEST, program_excesses
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment


@given(st.integers(0, 5_000), st.integers(1, 30), st.integers(0, 200))
def test_the_widest_limits_let_everything_pass(rate: int, after: int, percent: int) -> None:
    """A worked property: what nothing ever meets refuses nothing."""
    pattern = DayPattern("day", (Segment(0, rate),))
    program = Program(1, "one step", (0,) * 7, (pattern,), (RampStep(after, percent),))
    assert list(program_excesses(program, WIDEST)) == []


# Yours: weeks with days that differ, ramps with several steps, and limits drawn near to what those
# would need; then pumps that live for days under such limits.  A model of what 24 h give comes
# first.
