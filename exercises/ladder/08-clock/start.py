"""Exercise 8: clock changes."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.delivery import Delivery

DAY = 86_400


@given(st.integers(0, 7 * DAY - 1), st.integers(0, 3 * DAY))
def test_a_fresh_clock_that_is_set_goes_on_from_there(clock: int, later: int) -> None:
    """A worked property: set in its first second, it shows that, and then what has gone by."""
    delivery = Delivery(1_000)
    delivery.set_clock(clock)
    delivery.advance(later)
    assert delivery.clock == clock + later


# Yours. What if it has run for a while; what if it drifts; and what does the pump do with it?
