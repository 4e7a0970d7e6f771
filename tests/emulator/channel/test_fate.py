"""Fates: a pure function of the seed and the transmission, with bits of its own for each stage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.channel.fate import SPARED, WORD, Fates, Place, Stage, below, threshold
from mockpump.protocol.units import WHOLE

COUNTS = st.integers(-(2**40), 2**40)
PLACES = st.builds(Place, st.booleans(), COUNTS, st.integers(0, 15), COUNTS, COUNTS)
STAGES = st.sampled_from(list(Stage))


def test_these_bytes_on_every_platform_and_version() -> None:
    fate = Fates(7).fate(Place(True, 1, 3, 0, 1))
    assert (hex(fate.loss), hex(fate.bits)) == ("0xf740537321b736e2", "0xe05be2b89dff6706")


@given(st.integers(), PLACES, PLACES)
def test_a_fate_depends_on_the_seed_and_the_transmission_alone(
    seed: int, place: Place, other: Place
) -> None:
    fates = Fates(seed)
    first = fates.fate(place)
    assert (fates.fate(other) == first) is (other == place)
    assert fates.fate(place) == Fates(seed).fate(place) == first
    assert Fates(seed + 1).fate(place) != first


@given(PLACES, st.tuples(STAGES, st.integers(0, 100)), st.tuples(STAGES, st.integers(0, 100)))
def test_every_stage_has_bits_of_its_own(
    place: Place, one: tuple[Stage, int], other: tuple[Stage, int]
) -> None:
    fates = Fates(0)
    assert (fates.block(place, *one) == fates.block(place, *other)) is (one == other)
    assert b"".join(word.to_bytes(8) for word in fates.words(place, *one)) == fates.block(
        place, *one
    )


@pytest.mark.parametrize(
    "part", ["from_programmer", "connection", "kind", "number", "transmission"]
)
def test_no_part_of_a_place_is_left_out(part: str) -> None:
    place = Place(False, 1, 3, 5, 1)
    other = place._replace(**{part: not place.from_programmer if part == "from_programmer" else 2})
    assert Fates(0).fate(place) != Fates(0).fate(other)


@given(st.integers(0, WHOLE))
def test_a_threshold_is_the_share_of_all_words(share: int) -> None:
    least = threshold(share)
    assert (least - 1) * WHOLE < share * WORD <= least * WHOLE or share == least == 0
    assert (threshold(0), threshold(WHOLE)) == (0, WORD)


@given(st.integers(1, 2**20), st.integers(0, WORD - 1))
def test_a_number_below_another_is_fair(count: int, word: int) -> None:
    assert 0 <= below(count, word) < count
    assert below(count, 0) == 0
    assert below(count, WORD - 1) == count - 1


def test_who_is_spared_meets_nothing() -> None:
    assert all(word >= threshold(WHOLE - 1) for word in SPARED)
    assert below(1, SPARED.jitter) == 0
