"""Gaps between hits: a word finds the very step that a naive walk finds."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.channel.fate import WORD, Gaps

WORDS = st.integers(0, WORD - 1)


def naive(none: Fraction, word: int, most: int) -> int:
    """Step by step: the gap is at least j with the chance none**j."""
    gap, chance = 0, none
    while gap < most and word < chance * WORD:
        gap, chance = gap + 1, chance * none
    return gap


@given(st.integers(1, WORD), WORDS, st.integers(0, 6))
def test_it_is_what_a_walk_finds(none: int, word: int, bits: int) -> None:
    gap = Gaps(none, bits).gap(word)
    exactly = naive(Fraction(none, WORD), word, 2 ** (bits + 1) - 1)
    # Its powers are rounded down, each by less than one of 2**64.
    slightly_less = naive(Fraction(max(none - 1, 0), WORD), min(word + 2**bits, WORD), exactly)
    assert slightly_less <= gap <= exactly


@given(WORDS, WORDS, WORDS)
def test_a_higher_share_never_gives_a_longer_gap(one: int, other: int, word: int) -> None:
    rarely, often = max(one, other), min(one, other)
    assert Gaps(often, 20).gap(word) <= Gaps(rarely, 20).gap(word)


@given(st.integers(1, WORD), WORDS, st.integers(0, 1_000))
def test_what_passes_at_a_glance_passes(none: int, word: int, steps: int) -> None:
    gaps = Gaps(none, 20)
    if gaps.passes(steps, word):
        assert gaps.gap(word) > steps


def test_the_ends() -> None:
    assert Gaps(0, 20).gap(0) == 0
    assert Gaps(WORD, 20).gap(WORD - 1) == 2**21 - 1
    assert Gaps(WORD // 2, 20).gap(WORD - 1) == 0
    assert Gaps(WORD // 2, 20).gap(WORD // 2 - 1) == 1
    assert Gaps(WORD // 2, 20).passes(1, 0)
    assert not Gaps(WORD // 2, 20).passes(1, WORD // 2)
