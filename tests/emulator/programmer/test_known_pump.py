"""Which pump answers: the first one met is the only one that will do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mockpump.emulator.programmer.errors import OtherPump
from mockpump.emulator.programmer.known_pump import KnownPump, PumpMet, require_same
from mockpump.protocol import messages as m

ONE = m.Identity(1, 1, 20_000_000, 10, "one")
COUNTS = st.none() | st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("change", [{"serial": 2}, {"name": "two"}, {"reservoir": 1}, {"step": 9}])
def test_whoever_differs_in_anything_is_another(change: dict[str, object]) -> None:
    with pytest.raises(OtherPump, match="answers, not pump 1"):
        require_same(PumpMet(ONE, 3), PumpMet(replace(ONE, **change), 3))


def test_both_numbers_are_named() -> None:
    with pytest.raises(OtherPump) as caught:
        require_same(PumpMet(ONE), PumpMet(replace(ONE, serial=2, name="two")))
    assert str(caught.value) == 'pump 2 ("two") answers, not pump 1 ("one")'


@given(COUNTS, COUNTS)
def test_a_count_that_went_back_is_that_of_an_older_copy(
    before: int | None, now: int | None
) -> None:
    went_back = before is not None and now is not None and now < before
    if went_back:
        with pytest.raises(OtherPump, match="an older copy"):
            require_same(PumpMet(ONE, before), PumpMet(ONE, now))
    else:
        require_same(PumpMet(ONE, before), PumpMet(ONE, now))


@given(st.lists(COUNTS))
def test_it_knows_the_largest_count_that_it_was_told(counts: list[int | None]) -> None:
    known, said = KnownPump(), -1
    for count in counts:
        if count is not None and count < said:
            with pytest.raises(OtherPump):
                known.meet(PumpMet(ONE, count))
        else:
            known.meet(PumpMet(ONE, count))
            said = said if count is None else count
    if known.met is not None:
        assert known.met.outcomes == (None if said == -1 else said)


def test_a_number_that_was_said_beforehand_must_fit() -> None:
    KnownPump(serial=1).check(PumpMet(ONE))
    with pytest.raises(OtherPump, match=r'^pump 1 \("one"\) answers, not pump 2$'):
        KnownPump(serial=2).check(PumpMet(ONE))


def test_to_check_is_not_to_meet() -> None:
    known = KnownPump()
    known.check(PumpMet(ONE))
    assert known.met is None
    known.meet(PumpMet(ONE))
    with pytest.raises(OtherPump):
        known.meet(PumpMet(replace(ONE, serial=2)))
    assert known.met == PumpMet(ONE)
