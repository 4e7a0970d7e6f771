"""Exercise 6: delivered equals the integral."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.delivery import Delivery
from mockpump.protocol.program import Program

BOTTOMLESS = 10**15


@given(st.integers(0, 10**6), st.integers(0, 24))
def test_an_even_rate_for_whole_hours(rate: int, hours: int) -> None:
    """A worked property: so many nL/h for so many hours are so many nL, but for a step."""
    delivery = Delivery(BOTTOMLESS)
    delivery.set_program(Program.flat("even", rate))
    delivery.advance(hours * 3_600)
    assert 0 <= rate * hours - delivery.delivered < 500  # nL, far more than a step


# Yours: exactly, at every second, with programs that change and things on top of them.
