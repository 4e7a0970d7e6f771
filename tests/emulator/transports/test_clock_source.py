"""The real clock, the only one in the project: microseconds that never go back."""

import time

from mockpump.emulator.transports.clock import line_now


def test_it_counts_microseconds_of_the_monotonic_clock() -> None:
    before, now, after = time.monotonic_ns(), line_now(), time.monotonic_ns()
    assert before // 1000 <= now <= after // 1000


def test_it_never_goes_back() -> None:
    times = [line_now() for _ in range(1000)]
    assert times == sorted(times)
