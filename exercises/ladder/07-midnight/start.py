"""Exercise 7: midnight."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.schedule import DAY, Schedule
from mockpump.protocol.program import Program


@given(st.integers(0, 10**6), st.integers(0, 60 * DAY), st.integers(0, 60 * DAY))
def test_an_even_rate_is_even(rate: int, clock: int, seconds: int) -> None:
    """A worked property: with one segment there is nothing to get wrong, not even at midnight."""
    schedule = Schedule(Program.flat("even", rate), 0)
    assert schedule.rate_at(clock) == rate
    assert schedule.volume(clock, seconds) == rate * seconds


# Yours: patterns that differ, a week that uses them, and a ramp.
