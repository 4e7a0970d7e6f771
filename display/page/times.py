"""Times in words, as the page says them."""

from mockpump.protocol.units import WEEKDAYS, time_of_day

_WEEK, _DAY = 604_800, 86_400


def span(microseconds: int) -> str:
    """A span of line time, as short as it can be said."""
    if microseconds < 1_000:
        return f"{microseconds} \N{MICRO SIGN}s"
    if microseconds < 999_500:
        return f"{round(microseconds / 1_000, 1 if microseconds < 10_000 else 0):g} ms"
    seconds = microseconds / 1_000_000
    return f"{round(seconds, 2 if seconds < 10 else 1 if seconds < 100 else 0):g} s"


def moment(microseconds: int) -> str:
    """A moment of line time."""
    return f"{microseconds / 1_000_000:.3f} s"


def clock(seconds: int) -> str:
    """A pump's clock, without its seconds."""
    week = f", week {seconds // _WEEK}" if seconds >= _WEEK else ""
    return f"{WEEKDAYS[seconds % _WEEK // _DAY]} {time_of_day(seconds)}{week}"
