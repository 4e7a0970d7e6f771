"""Bad stretches: the state of a slot is the same whoever asks, and the chain is as promised."""

from itertools import pairwise

import pytest
from binomial import bounds
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.channel.fate import BadStretches, Chance, stretches
from mockpump.protocol.units import WHOLE, Burst

SHARES = st.sampled_from([0, 1, WHOLE // 1_000, WHOLE // 5, WHOLE // 2, WHOLE - 1, WHOLE])
SLOTS = st.integers(0, 10**13)


def line(enter: int, leave: int, seed: int = 0) -> BadStretches:
    return BadStretches(Burst(enter, leave, WHOLE), Chance(seed, "burst"))


@given(SHARES, SHARES, st.lists(SLOTS, min_size=1, max_size=20), st.integers(0, 3))
def test_a_slot_is_what_it_is_whatever_was_asked_before(
    enter: int, leave: int, slots: list[int], seed: int
) -> None:
    one = line(enter, leave, seed)
    asked = [one.bad(slot) for slot in slots]
    assert asked == [line(enter, leave, seed).bad(slot) for slot in slots]
    assert list(reversed(asked)) == [line(enter, leave, seed).bad(slot) for slot in slots[::-1]]


# Below and above a sum of one, where the slots between decisions swap the state.
@pytest.mark.parametrize(
    ("enter", "leave"), [(0.001, 0.2), (0.02, 0.05), (0.3, 0.4), (0.5, 0.5), (0.9, 0.8), (0.2, 1)]
)
def test_it_turns_bad_and_good_as_often_as_it_says(enter: float, leave: float) -> None:
    """So bad stretches are as long, and the share of bad slots is as large, as these two say."""
    it = line(int(enter * WHOLE), int(leave * WHOLE), seed=1)
    bad = [it.bad(slot) for slot in range(100_000)]
    steps = list(pairwise(bad))
    from_good, from_bad = (sum(one is state for one, _ in steps) for state in (False, True))
    turned_bad = sum(other and not one for one, other in steps)
    turned_good = sum(one and not other for one, other in steps)
    assert turned_bad in bounds(from_good, enter)
    assert leave == 1 or turned_good in bounds(from_bad, leave)
    assert leave < 1 or turned_good == from_bad


@pytest.mark.parametrize(("enter", "leave"), [(0.001, 0.2), (0.3, 0.4), (0.9, 0.8)])
def test_far_apart_it_is_bad_as_often_as_its_share_says(enter: float, leave: float) -> None:
    """Slots that know nothing of each other: the count is binomial, from the first slot on."""
    it = line(int(enter * WHOLE), int(leave * WHOLE), seed=2)
    share = enter / (enter + leave)
    assert sum(it.bad(n * 10**6) for n in range(20_000)) in bounds(20_000, share)
    first = [line(int(enter * WHOLE), int(leave * WHOLE), seed).bad(0) for seed in range(2_000)]
    assert sum(first) in bounds(2_000, share)


def test_what_never_changes() -> None:
    assert not any(line(0, 0).bad(slot) for slot in (0, 1, 10**15))
    assert not any(line(0, WHOLE).bad(slot) for slot in range(100))
    assert all(line(WHOLE, 0).bad(slot) for slot in range(100))
    swapping = [line(WHOLE, WHOLE).bad(slot) for slot in range(100)]
    assert all(one is not other for one, other in pairwise(swapping))


def test_a_week_of_a_line_that_hardly_ever_changes_is_not_walked_along() -> None:
    """Some hashes, for 7e10 slots of a fast line that decides once in 5e8."""
    drawn = []

    class Counted(Chance):
        def block(self, message: bytes) -> bytes:
            drawn.append(message)
            return super().block(message)

    it = BadStretches(Burst(1, 1, WHOLE), Counted(0, "burst"))
    told = {it.bad(slot) for slot in range(7 * 10**10, 0, -(10**9))}
    assert told == {True, False}
    assert len(drawn) < 500


@given(st.lists(st.booleans(), max_size=20))
def test_stretches_are_where_it_is_bad(bad: list[bool]) -> None:
    found = stretches(bad)
    assert [at for begin, end in found for at in range(begin, end)] == [
        at for at, each in enumerate(bad) if each
    ]
    assert all(end < begin for (_, end), (begin, _) in pairwise(found))
