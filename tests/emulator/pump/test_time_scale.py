"""Pump time follows line time exactly: no fraction is lost, whatever the speed and its changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.time_scale import MAX_SPEED, TimeScale
from mockpump.protocol.errors import LocalProtocolError

SPEEDS = st.sampled_from([0, 1, 2, 7, 60, 3_600]) | st.integers(0, 10**9)
MOMENTS = st.integers(0, 10**9)
SECONDS = st.integers(0, 10**6)
SPANS = st.integers(0, 3_000_000) | st.integers(0, 10**10)
CHANGES = st.lists(st.tuples(SPANS, SPEEDS), max_size=8)


@given(SPEEDS, MOMENTS, SECONDS, SECONDS, st.none() | SECONDS)
def test_due_is_the_first_moment_at_which_it_is_so(
    speed: int, base: int, begin: int, wanted: int, until: int | None
) -> None:
    time_scale = TimeScale(speed, now=base, elapsed=begin, until=until)
    due = time_scale.due(wanted)
    if due is None:
        assert time_scale.elapsed(base + 10**13) < wanted or speed == 0
        return
    assert time_scale.elapsed(due) >= wanted
    assert due == base or time_scale.elapsed(due - 1) < wanted


@given(SPEEDS, MOMENTS, SECONDS, SECONDS, SPANS)
def test_it_holds_until_its_second(speed: int, base: int, begin: int, run: int, span: int) -> None:
    time_scale = TimeScale(speed, now=base, elapsed=begin, until=begin + run)
    free = TimeScale(speed, now=base, elapsed=begin)
    assert time_scale.elapsed(base + span) == min(free.elapsed(base + span), begin + run)
    assert time_scale.due(begin + run + 1) is None


@given(SPANS, SECONDS, SECONDS)
def test_a_second_that_has_gone_by_does_not_bring_it_back(
    span: int, begin: int, until: int
) -> None:
    time_scale = TimeScale(5, elapsed=begin, until=until)
    assert begin <= time_scale.elapsed(span) <= max(begin, until)


@given(MOMENTS, SECONDS, CHANGES, st.sets(SPANS, max_size=5))
def test_no_fraction_is_lost_over_changes(
    base: int, begin: int, changes: list[tuple[int, int]], probes: set[int]
) -> None:
    time_scale, now, ticks, last = TimeScale(0, now=base, elapsed=begin), base, begin * 10**6, begin
    for span, speed in changes:
        for probe in sorted(each for each in probes if each <= span):
            assert time_scale.elapsed(now + probe) >= last
            last = time_scale.elapsed(now + probe)
        now += span
        ticks += span * time_scale.speed if time_scale.speed else 0
        assert time_scale.elapsed(now) == ticks // 10**6
        time_scale.change(speed, now)
        assert time_scale.elapsed(now) == ticks // 10**6


@given(SPEEDS, st.lists(SPANS, max_size=6), SPANS)
def test_to_change_to_the_same_speed_changes_nothing(
    speed: int, spans: list[int], after: int
) -> None:
    steady, changed, now = TimeScale(speed), TimeScale(speed), 0
    for span in spans:
        now += span
        changed.change(speed, now)
    assert changed.elapsed(now + after) == steady.elapsed(now + after)


@given(SPEEDS, MOMENTS, SECONDS, SPANS)
def test_it_is_never_younger_than_it_was_made(
    speed: int, base: int, begin: int, before: int
) -> None:
    assert TimeScale(speed, now=base, elapsed=begin).elapsed(base - before) == begin


@given(MOMENTS, SECONDS, SECONDS)
def test_at_max_speed_somebody_else_says_how_late_it_is(now: int, begin: int, rebased: int) -> None:
    time_scale = TimeScale(MAX_SPEED, elapsed=begin)
    assert time_scale.elapsed(now) == begin
    assert time_scale.due(begin + 1) is None
    time_scale.rebase(rebased, now)
    assert time_scale.elapsed(now) == rebased
    time_scale.change(1, now)
    assert time_scale.elapsed(now + 3_000_000) == rebased + 3


def test_time_never_runs_backward() -> None:
    with pytest.raises(LocalProtocolError, match="no speed is -1"):
        TimeScale(-1)
    time_scale = TimeScale(2)
    with pytest.raises(LocalProtocolError):
        time_scale.change(-5, 0)
    assert time_scale.speed == 2


def test_a_day_in_twenty_four_seconds() -> None:
    assert TimeScale(3_600, now=5).due(86_400) == 24_000_005
