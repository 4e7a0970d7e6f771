"""A bolus is exact to the unit, never speeds up, and changes its rate once at the most."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.overrides import Bolus
from mockpump.protocol.messages import MAX_BOLUS, BolusKind
from mockpump.protocol.program import UNITS_PER_NL

VOLUMES = st.integers(1, MAX_BOLUS) | st.integers(1, 50)
BOLUSES = st.builds(
    Bolus, st.sampled_from(BolusKind), VOLUMES, st.integers(1, 900), st.integers(0, 10**6)
)


@given(BOLUSES)
def test_the_seconds_add_up_to_the_volume_and_the_rate_never_rises(bolus: Bolus) -> None:
    seconds = range(bolus.began, bolus.ends)
    rates = [bolus.span(second)[0] for second in seconds]
    assert len(rates) == bolus.duration
    assert sum(rates) == bolus.volume * UNITS_PER_NL
    assert all(later <= earlier <= later + 1 for earlier, later in pairwise(rates))
    assert bolus.rate == rates[0] == max(rates)


@given(BOLUSES)
def test_given_is_the_sum_so_far(bolus: Bolus) -> None:
    so_far = 0
    for second in range(bolus.began, bolus.ends):
        assert bolus.given(second) == so_far
        so_far += bolus.span(second)[0]
    assert bolus.given(bolus.ends) == bolus.given(bolus.ends + 1_000) == so_far
    assert bolus.given(bolus.began - 1) == 0


@given(BOLUSES)
def test_a_span_holds_until_it_says_and_then_another_begins(bolus: Bolus) -> None:
    second, spans = bolus.began, 0
    while second < bolus.ends:
        rate, until = bolus.span(second)
        assert second < until <= bolus.ends
        assert {bolus.span(each)[0] for each in range(second, until)} == {rate}
        second, spans = until, spans + 1
    assert second == bolus.ends
    assert spans <= 2


def test_ten_nanolitres_in_seven_seconds() -> None:
    bolus = Bolus(BolusKind.BOLUS, 10, 7, 100)
    assert [bolus.span(second) for second in (100, 105, 106)] == [
        (5_143, 106),
        (5_143, 106),
        (5_142, 107),
    ]
