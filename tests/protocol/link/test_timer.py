"""RFC 6298 by hand: each figure here was worked out from the RFC's own rules."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.link.timer import (
    LONGEST_MEASURED,
    ByteTimeEstimator,
    RetransmissionTimer,
)
from mockpump.protocol.link.types import LinkSettings

# How many bytes there were, there and back, in what is measured; and in what is awaited.
SIZES = (500, 500)
SIZE = 10
WIDE = LinkSettings(min_timeout=1, max_timeout=60_000_000)


def test_first_measurement():
    """2.2: SRTT = R, RTTVAR = R / 2, so that the timeout is three round trips."""
    timer = RetransmissionTimer(WIDE)
    assert timer.timeout == 1_000_000  # 2.1: until something has been measured
    timer.measure(100_000, *SIZES)
    assert timer.round_trip.smoothed == 100_000
    assert timer.timeout == 300_000


def test_following_measurements():
    """2.3: RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R'| first, then SRTT = 7/8 SRTT + 1/8 R'."""
    timer = RetransmissionTimer(WIDE)
    timer.measure(100_000, *SIZES)  # SRTT 100,000, RTTVAR 50,000
    timer.measure(
        180_000, *SIZES
    )  # RTTVAR 37,500 + 20,000 = 57,500; SRTT 87,500 + 22,500 = 110,000
    assert timer.round_trip.smoothed == 110_000
    assert timer.timeout == 110_000 + 4 * 57_500
    timer.measure(30_000, *SIZES)  # RTTVAR 43,125 + 20,000 = 63,125; SRTT 96,250 + 3,750 = 100,000
    assert timer.round_trip.smoothed == 100_000
    assert timer.timeout == 100_000 + 4 * 63_125


@given(st.integers(0, 60_000_000), st.lists(st.integers(0, 60_000_000), max_size=30))
def test_estimate_stays_among_the_measurements(first, rest):
    timer = RetransmissionTimer(WIDE)
    for measured in (first, *rest):
        timer.measure(measured, *SIZES)
    assert min(first, *rest, first) <= timer.round_trip.smoothed <= max(first, *rest, first)
    assert timer.round_trip.smoothed <= timer.timeout or timer.timeout == 60_000_000


@given(st.integers(0, 200_000))
def test_steady_round_trip_is_learned(round_trip):
    timer = RetransmissionTimer(WIDE)
    timer.measure(60_000_000, *SIZES)
    for _ in range(200):
        timer.measure(round_trip, *SIZES)
    # Integer division stops short by less than its divisor.
    assert abs(timer.round_trip.smoothed - round_trip) < 8
    assert timer.timeout - round_trip < 8 + 4 * 8


def test_never_below_the_least_and_as_long_as_the_line_needs_up_to_a_minute():
    timer = RetransmissionTimer(LinkSettings(min_timeout=200_000, max_timeout=4_000_000))
    timer.measure(1_000, *SIZES)
    assert timer.timeout == 200_000
    timer.measure(50_000_000, *SIZES)
    assert 50_000_000 < timer.timeout < LONGEST_MEASURED
    timer.measure(500_000_000, *SIZES)
    assert timer.timeout == LONGEST_MEASURED == 60_000_000  # RFC 6298, 2.5
    timer.start(0, SIZE)
    timer.expire(timer.due_at)
    assert timer.timeout > 50_000_000  # there is no doubling beyond max_timeout, but no going back


def test_the_least_wins_over_the_greatest():
    timer = RetransmissionTimer(LinkSettings(initial_timeout=1, min_timeout=500, max_timeout=100))
    timer.start(0, SIZE)
    timer.expire(timer.due_at)
    assert timer.timeout == 500


def test_doubles_at_each_expiry_up_to_the_highest():
    """5.5 and 5.6: double, and start over."""
    timer = RetransmissionTimer(LinkSettings())
    timer.start(0, SIZE)
    assert timer.due_at == 1_000_000
    due = []
    for _ in range(4):
        timer.expire(timer.due_at)
        due.append(timer.due_at)
    assert due == [3_000_000, 7_000_000, 11_000_000, 15_000_000]
    assert timer.expiries == 4


def test_progress_forgives_expiries_and_keeps_the_doubled_timeout():
    """5.2, 5.3; and Karn: the timeout stays doubled until a fresh frame has been measured."""
    timer = RetransmissionTimer(LinkSettings())
    timer.start(0, SIZE)
    timer.expire(1_000_000)
    timer.progress(1_500_000, last_sent_at=1_000_000, size=SIZE)
    assert (timer.expiries, timer.timeout, timer.due_at) == (0, 2_000_000, 3_500_000)
    timer.stop()
    assert timer.due_at is None
    timer.measure(100_000, *SIZES)
    assert timer.timeout == 300_000


def test_only_what_goes_again_once_more_is_certain_to_be_what_is_acknowledged():
    """Until something fresh was measured: the line may have become slower than it was."""
    timer = RetransmissionTimer(LinkSettings())
    timer.start(0, SIZE)
    assert [timer.expire(timer.due_at) for _ in range(3)] == [False, True, True]
    timer.progress(20_000_000, last_sent_at=0, size=SIZE)
    assert timer.expire(timer.due_at)
    timer.measure(100_000, *SIZES)
    assert [timer.expire(timer.due_at) for _ in range(2)] == [False, True]


# -- long frames on slow lines ---------------------------------------------------------------------

LINES = st.tuples(st.integers(0, 1_000_000), st.integers(0, 5_000))


@given(LINES, st.lists(st.integers(1, 3_000), min_size=2, unique=True))
def test_two_sizes_tell_latency_from_pace(line, sizes):
    (latency, byte_time), pace = line, ByteTimeEstimator()
    for size in sizes:
        pace.measure(latency + size * byte_time, size)
    assert pace.byte_time == byte_time


@given(st.lists(st.tuples(st.integers(0, 10_000_000), st.integers(1, 3_000)), min_size=1))
def test_no_byte_takes_longer_than_a_round_trip_shows(measured):
    pace = ByteTimeEstimator()
    for round_trip, size in measured:
        pace.measure(round_trip, size)
    most = max(size for _, size in measured)
    quickest = min(round_trip for round_trip, size in measured if size == most)
    assert 0 <= pace.byte_time <= -(-quickest // most)


@given(LINES, st.integers(10, 50), st.integers(10, 50), st.integers(10, 1_024))
def test_a_longer_frame_is_given_what_the_line_needs(line, first, second, size):
    """An acknowledgement of 16 bytes that comes as soon as it can is never too late."""
    latency, byte_time = line
    timer = RetransmissionTimer(LinkSettings())
    for short in (first, second):
        timer.measure(latency + (short + 16) * byte_time, short, 16)
    timer.start(0, size)
    assert timer.due_at >= latency + (size + 16) * byte_time


def test_by_hand():
    """9,600 baud: a byte takes 1,042 us; frames of 30 and 40 bytes, acknowledgements of 10."""
    timer = RetransmissionTimer(LinkSettings())
    timer.measure(40 * 1_042, 30, 10)
    timer.measure(50 * 1_042, 40, 10)
    timer.start(0, 1_009)
    assert timer.due_at == 200_000 + (1_009 - 40) * 1_042


# -- the probe -------------------------------------------------------------------------------------

SOON = LinkSettings(min_timeout=10_000, ack_delay=5_000)


def in_step(gaps: int) -> RetransmissionTimer:
    """A whole window was sent at 10 ms; from 200 ms on one of it comes through every 20 ms."""
    timer = RetransmissionTimer(SOON)
    timer.measure(200_000, *SIZES)  # the timeout is 600,000
    timer.start(0, SIZE)
    for number in range(gaps + 1):
        timer.progress(200_000 + number * 20_000, last_sent_at=10_000, size=SIZE)
    return timer


def test_an_overdue_acknowledgement_calls_for_a_probe():
    """One gap of 20 ms is smoothed 20, deviation 10: 60 ms; and 5 that it may be kept back."""
    assert in_step(0).due_at == 200_000 + 600_000  # it is not known yet what their pace is
    assert in_step(1).due_at == 220_000 + 65_000


def test_what_was_sent_late_is_given_a_round_trip():
    timer = in_step(5)
    timer.progress(320_000, last_sent_at=310_000, size=SIZE)
    assert timer.due_at == 310_000 + 200_000


def test_a_probe_is_no_expiry_and_the_timeout_follows_it():
    timer = in_step(1)
    timer.expire(285_000)
    assert (timer.expiries, timer.timeout, timer.due_at) == (0, 600_000, 885_000)
    timer.expire(885_000)
    assert (timer.expiries, timer.timeout, timer.due_at) == (1, 1_200_000, 2_085_000)


def test_after_a_probe_or_a_timeout_there_is_none_until_a_fresh_frame_was_measured():
    """Whoever is late time and again is not to be pressed."""
    timer = in_step(1)
    timer.expire(285_000)
    timer.progress(300_000, last_sent_at=10_000, size=SIZE)
    assert timer.due_at == 300_000 + 600_000
    timer.measure(200_000, *SIZES)
    timer.progress(320_000, last_sent_at=10_000, size=SIZE)
    assert timer.due_at < 320_000 + timer.timeout


def test_the_pace_is_not_measured_across_a_probe_or_a_pause():
    after_a_probe, after_a_pause = in_step(1), in_step(1)
    after_a_probe.expire(285_000)
    after_a_pause.stop()
    after_a_probe.measure(200_000, *SIZES)
    for timer in (after_a_probe, after_a_pause):
        timer.progress(3_000_000, last_sent_at=2_700_000, size=SIZE)
        assert timer.due_at == 3_000_000 + 65_000


@given(
    st.integers(1, 10_000_000),
    st.lists(st.tuples(st.integers(0, 1_000_000), st.integers(0, 1_000_000)), min_size=1),
)
def test_a_probe_is_never_later_than_the_timeout_nor_sooner_than_the_least(round_trip, steps):
    timer, now = RetransmissionTimer(LinkSettings()), 0
    timer.measure(round_trip, *SIZES)
    for gap, age in steps:
        now += gap
        timer.progress(now, last_sent_at=now - age, size=SIZE)
        assert now + LinkSettings().min_timeout <= timer.due_at <= now + timer.timeout
