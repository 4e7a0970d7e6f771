"""The volume of the last 24 h, against a sum over every second of it."""

from collections.abc import Iterator
from itertools import count
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump import rolling_window
from mockpump.emulator.pump.rolling_window import RollingVolume

# A day of few seconds, so that each of them can be looked at.
SHORT = 40
SPANS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), min_size=1, max_size=12)
short_day = patch.object(rolling_window, "DAY", SHORT)


def lived(spans: list[tuple[int, int]]) -> tuple[RollingVolume, list[int], int]:
    """The history of spans of (seconds, rate), its sum at each second, and the last rate."""
    history, sums = RollingVolume(), [0]
    for seconds, rate in spans:
        history.turn(len(sums) - 1, sums[-1], rate)
        for _ in range(seconds):
            sums.append(sums[-1] + rate)
    return history, sums, spans[-1][1]


def within_a_day(sums: list[int], second: int) -> int:
    return sums[second] - sums[max(second - SHORT, 0)]


@short_day
@given(SPANS)
def test_the_volume_is_the_sum_of_the_last_days_seconds(spans: Any) -> None:
    history, sums, _ = lived(spans)
    now = len(sums) - 1
    assert history.volume(now, sums[now]) == within_a_day(sums, now)
    for second in range(max(now - SHORT, 0), now + 1):
        assert history.delivered_by(second) == sums[second]


@short_day
@given(SPANS, st.integers(0, 100), st.integers(0, 150))
def test_safe_until_is_the_last_second_before_it_would_be_too_much(
    spans: Any, ahead: int, limit: int
) -> None:
    history, sums, rate = lived(spans)
    now = len(sums) - 1
    for _ in range(ahead):
        sums.append(sums[-1] + rate)
    # What is beyond the limit already is nothing that going on could keep within it.
    bad = [s for s in range(now, now + ahead + 1) if within_a_day(sums, s) > limit]
    expected = max(bad[0] - 1, now) if bad else now + ahead
    assert history.safe_until(now, sums[now], rate, now + ahead, limit) == expected


@short_day
@given(SPANS, st.integers(0, 60), SPANS, st.integers(0, 60), st.integers(0, 60), st.integers(0, 4))
def test_what_is_assumed_counts_for_a_day_and_then_no_more(
    before: Any, units: int, after: Any, ahead: int, full: int, room: int
) -> None:
    history, sums, _ = lived(before)
    crash = len(sums) - 1
    history.assume(crash, sums[-1], units)
    for seconds, rate in after:
        history.turn(len(sums) - 1, sums[-1], rate)
        for _ in range(seconds):
            sums.append(sums[-1] + rate)
    now, rate = len(sums) - 1, after[-1][1]

    def within(second: int) -> int:
        return within_a_day(sums, second) + (units if second - SHORT < crash else 0)

    assert history.volume(now, sums[now]) == within(now)
    sums += [sums[-1] + rate * second for second in range(1, ahead + 1)]
    # The limit is near at one second or another.
    limit = within(now + min(full, ahead)) + room
    bad = [s for s in range(now, now + ahead + 1) if within(s) > limit]
    expected = max(bad[0] - 1, now) if bad else now + ahead
    assert history.safe_until(now, sums[now], rate, now + ahead, limit) == expected


@short_day
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5), st.integers(0, 5)), min_size=1),
    st.integers(0, 100),
    st.integers(0, 5),
    st.integers(0, 100),
    st.integers(0, 4),
)
def test_a_second_that_was_cut_short_counts_as_it_was(
    spans: list[tuple[int, int, int]], ahead: int, rate: int, full: int, room: int
) -> None:
    history, sums = RollingVolume(), [0]
    for seconds, each, missing in spans:
        history.turn(len(sums) - 1, sums[-1], each)
        sums += [sums[-1] + each * second for second in range(1, seconds + 1)]
        sums[-1] -= min(missing, each)
        history.cut(len(sums) - 1, sums[-1])
    now = len(sums) - 1
    history.turn(now, sums[now], rate)
    sums += [sums[-1] + rate * second for second in range(1, ahead + 1)]
    copy = RollingVolume(history.pieces())
    limit = within_a_day(sums, now + min(full, ahead)) + room
    bad = [s for s in range(now, now + ahead + 1) if within_a_day(sums, s) > limit]
    expected = max(bad[0] - 1, now) if bad else now + ahead
    assert copy.safe_until(now, sums[now], rate, now + ahead, limit) == expected
    for second in range(max(now - SHORT, 0), now + 1):
        assert copy.delivered_by(second) == history.delivered_by(second) == sums[second]


@short_day
@given(st.lists(st.integers(0, 2), min_size=SHORT, max_size=3 * SHORT))
def test_it_keeps_a_whole_day_however_often_the_rate_changes(rates: list[int]) -> None:
    history, sums = RollingVolume(), [0]
    for second, rate in enumerate(rates):
        history.turn(second, sums[-1], rate)
        assert history.volume(second, sums[-1]) == within_a_day(sums, second)
        sums.append(sums[-1] + rate)


@short_day
@given(SPANS)
def test_a_copy_of_its_pieces_is_the_same_and_they_are_no_more_than_a_day(spans: Any) -> None:
    history, sums, rate = lived(spans)
    now = len(sums) - 1
    history.turn(now, sums[-1], rate + 1)
    pieces = history.pieces()
    assert [began for began, _, _ in pieces if began <= now - SHORT] in ([], [pieces[0][0]])
    copy = RollingVolume(pieces)
    for second in range(now - SHORT, now + 1):
        assert copy.delivered_by(second) == history.delivered_by(second) == sums[max(second, 0)]


class Wave:
    """A course of spans of (seconds, rate), again and again."""

    def __init__(self, spans: list[tuple[int, int]], began: int = 0) -> None:
        self.seconds = [rate for seconds, rate in spans for _ in range(seconds)]
        self.began = began

    def _rate(self, second: int) -> int:
        return self.seconds[(self.began + second) % len(self.seconds)]

    def volume(self, seconds: int) -> int:
        return sum(map(self._rate, range(seconds)))

    def spans(self) -> Iterator[tuple[int, int]]:
        for second in count():
            yield self._rate(second), second + 1

    def later(self, seconds: int) -> "Wave":
        return Wave([(1, rate) for rate in self.seconds], self.began + seconds)


@short_day
@given(SPANS, SPANS, st.integers(1, 3 * SHORT), SPANS, st.integers(0, 60), st.integers(0, 150))
def test_a_course_is_the_same_as_all_its_straight_pieces(
    before: Any, wave: Any, seconds: int, after: Any, ahead: int, limit: int
) -> None:
    history, sums, _ = lived(before)
    history.follow(len(sums) - 1, sums[-1], Wave(wave))
    straight = lived(
        [*before, *((1, Wave(wave).volume(s + 1) - Wave(wave).volume(s)) for s in range(seconds))]
    )[0]
    for second in range(1, seconds + 1):
        sums.append(sums[-1] + Wave(wave).volume(second) - Wave(wave).volume(second - 1))
    for span, rate in after:
        for each in (history, straight):
            each.turn(len(sums) - 1, sums[-1], rate)
        sums += [sums[-1] + rate * second for second in range(1, span + 1)]
    now, rate = len(sums) - 1, after[-1][1]
    copy = RollingVolume(history.pieces())
    for each in (history, RollingVolume(history.breakpoints), copy):
        assert each.volume(now, sums[now]) == within_a_day(sums, now)
        asked = (now, sums[now], rate, now + ahead, limit)
        assert each.safe_until(*asked) == straight.safe_until(*asked)
        for second in range(max(now - SHORT, 0), now + 1):
            assert each.delivered_by(second) == sums[second]


def test_a_real_day_has_86400_seconds() -> None:
    history = RollingVolume()
    history.turn(10, 0, 1)
    history.turn(20, 10, 0)
    volumes = [history.volume(each, 10) for each in (86_410, 86_411, 86_419, 86_420)]
    assert volumes == [10, 9, 1, 0]
