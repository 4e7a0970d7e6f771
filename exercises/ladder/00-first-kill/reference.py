"""A solution of exercise 0: a model of the sum, what is refused, and the limit itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.units import BadQuantity, read_duration

COUNTS = st.integers(0, 100)


@given(st.integers(1, 1_000))
def test_hours(hours: int) -> None:
    assert read_duration(f"{hours}h") == 3_600 * hours


@given(COUNTS, st.integers(1, 100))
def test_hours_and_minutes(hours: int, minutes: int) -> None:
    assert read_duration(f"{hours}h{minutes}m") == 3_600 * hours + 60 * minutes


@given(st.sampled_from(["0s", "0m", "0h", "0d", "0h0m", "0d0h0m0s"]))
def test_no_time_at_all_is_refused(text: str) -> None:
    with pytest.raises(BadQuantity):
        read_duration(text)


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_the_longest_is_allowed_and_nothing_above_it(seconds: int, more: int) -> None:
    assert read_duration(f"{seconds}s", seconds) == seconds
    with pytest.raises(BadQuantity):
        read_duration(f"{seconds + more}s", seconds)
