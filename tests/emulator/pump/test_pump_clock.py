"""The pump's clock: both directions fit each other, it never runs backwards, and can be set."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.clock import MAX_DRIFT, PumpClock
from mockpump.emulator.schedule import CLOCK_CYCLE, WEEK
from mockpump.protocol.errors import LocalProtocolError

DRIFTS = st.integers(-MAX_DRIFT, MAX_DRIFT) | st.sampled_from([0, 1, -1, MAX_DRIFT, -MAX_DRIFT])
SECONDS = st.integers(0, 2**32) | st.integers(0, 100)
CLOCKS = st.builds(PumpClock, SECONDS, SECONDS, DRIFTS)


@given(CLOCKS, SECONDS)
def test_when_is_the_first_second_that_says_it(clock: PumpClock, ahead: int) -> None:
    reading = clock.reading + ahead
    when = clock.when(reading)
    assert clock.at(when) >= reading
    assert clock.at(when - 1) < reading


@given(CLOCKS, SECONDS)
def test_it_never_runs_backwards_and_its_own_reading_is_found_again(
    clock: PumpClock, ahead: int
) -> None:
    seconds = range(clock.elapsed + ahead, clock.elapsed + ahead + 30)
    readings = [clock.at(second) for second in seconds]
    assert all(0 <= later - earlier <= 2 for earlier, later in pairwise(readings))
    assert all(clock.when(clock.at(second)) <= second for second in seconds)


@given(CLOCKS, st.integers(0, 5_000))
def test_a_million_seconds_gain_the_drift(clock: PumpClock, times: int) -> None:
    later = clock.elapsed + times * 1_000_000
    assert clock.at(later) - clock.reading == times * (1_000_000 + clock.drift)


@given(CLOCKS, SECONDS, st.integers(0, CLOCK_CYCLE - 1), st.integers(0, 10**6))
def test_set_it_shows_that_and_goes_on_at_its_own_pace(
    clock: PumpClock, ahead: int, to: int, after: int
) -> None:
    now = clock.elapsed + ahead
    before = clock.at(now)
    clock.set(to, now)
    assert clock.shown(now) == to
    # Of all the readings that show it, the nearest.
    change = clock.at(now) - before
    assert abs(change) == min(abs(change + turns * CLOCK_CYCLE) for turns in (-1, 0, 1))
    assert clock.at(now + after) - clock.at(now) == PumpClock(0, 0, clock.drift).at(after)


@given(CLOCKS, SECONDS)
def test_to_set_what_it_shows_changes_nothing_it_shows(clock: PumpClock, ahead: int) -> None:
    now = clock.elapsed + ahead
    before = clock.at(now)
    clock.set(clock.shown(now), now)
    assert clock.at(now) == before


@given(CLOCKS, SECONDS, DRIFTS)
def test_another_drift_does_not_move_it(clock: PumpClock, ahead: int, drift: int) -> None:
    now = clock.elapsed + ahead
    before = clock.at(now)
    clock.set_drift(drift, now)
    assert (clock.at(now), clock.drift) == (before, drift)


def test_it_goes_around_in_whole_weeks() -> None:
    clock = PumpClock(CLOCK_CYCLE - 1)
    assert CLOCK_CYCLE % WEEK == 0
    assert (clock.shown(0), clock.shown(1), clock.at(1)) == (CLOCK_CYCLE - 1, 0, CLOCK_CYCLE)


@pytest.mark.parametrize(("reading", "to"), [(CLOCK_CYCLE - 60, 240), (60, CLOCK_CYCLE - 240)])
def test_set_by_minutes_it_moves_by_minutes_where_it_goes_around(reading: int, to: int) -> None:
    clock = PumpClock(reading)
    clock.set(to, 0)
    assert abs(clock.at(0) - reading) == 300


@pytest.mark.parametrize("wrong", [-1, CLOCK_CYCLE])
def test_what_no_clock_shows_is_refused(wrong: int) -> None:
    clock = PumpClock(5)
    with pytest.raises(LocalProtocolError):
        clock.set(wrong, 1)
    assert clock == PumpClock(5)


@pytest.mark.parametrize("wrong", [MAX_DRIFT + 1, -MAX_DRIFT - 1])
def test_a_broken_clock_is_refused(wrong: int) -> None:
    clock = PumpClock(5)
    with pytest.raises(LocalProtocolError):
        clock.set_drift(wrong, 1)
    assert clock == PumpClock(5)
