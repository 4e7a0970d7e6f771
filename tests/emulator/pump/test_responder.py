"""The toy's index: within 0 and 100, towards where the dose points, however time is cut up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.responder import Responder

RATES = st.floats(0, 10_000)
SECONDS = st.integers(0, 10**6)
RESPONDERS = st.builds(Responder, st.floats(0.1, 1e4), st.floats(1, 1e6), st.floats(0, 100))


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@given(RESPONDERS, SECONDS, RATES)
def test_it_goes_towards_its_target_and_not_beyond(
    toy: Responder, seconds: int, rate: float
) -> None:
    before, target = toy.index, toy.target(rate)
    after = toy.live(seconds, rate)
    assert 0 <= after <= 100
    assert min(before, target) - 1e-9 <= after <= max(before, target) + 1e-9
    assert toy.index == after


@given(RESPONDERS, st.lists(SECONDS, max_size=8), RATES)
def test_how_time_is_cut_makes_no_difference(
    toy: Responder, seconds: list[int], rate: float
) -> None:
    whole = Responder(toy.half, toy.half_life, toy.index)
    whole.live(sum(seconds), rate)
    for each in seconds:
        toy.live(each, rate)
    assert toy.index == close(whole.index)


@given(RESPONDERS, RATES, RATES)
def test_more_dose_never_points_lower(toy: Responder, one: float, other: float) -> None:
    assert toy.target(min(one, other)) <= toy.target(max(one, other)) < 100


@given(RESPONDERS, RATES)
def test_half_way_nearer_in_a_half_life(toy: Responder, rate: float) -> None:
    toy.half_life = 3_600.0
    middle = (toy.index + toy.target(rate)) / 2
    assert toy.live(3_600, rate) == close(middle)


def test_half_is_the_rate_that_ends_at_fifty_and_nothing_ends_at_nothing() -> None:
    toy = Responder(half=7.0)
    assert (toy.target(7.0), toy.target(0.0)) == (50.0, 0.0)
    assert toy.live(10**9, 7.0) == 50.0
