"""Quantities and choices as people read them."""

from enum import Enum

from mockpump.protocol import program as program_ranges
from mockpump.protocol.program import UNITS_PER_NL

WEEKDAYS = tuple(day[:3].title() for day in program_ranges.WEEKDAYS)
_DAY = 86_400
_WEEK = 7 * _DAY


def volume(nanolitres: int) -> str:
    """A volume."""
    return f"{nanolitres:,} nL"


def rate(nanolitres_an_hour: int) -> str:
    """A rate."""
    return f"{nanolitres_an_hour:,} nL/h"


def exact_volume(units: int) -> str:
    """A volume in units of 1/3600 nL, to the last unit."""
    whole, rest = divmod(units, UNITS_PER_NL)
    return volume(whole) if not rest else f"{whole:,} + {rest}/{UNITS_PER_NL} nL"


def time_of_day(clock: int) -> str:
    """Hours and minutes."""
    return f"{clock % _DAY // 3600:02}:{clock % 3600 // 60:02}"


def clock_time(clock: int) -> str:
    """A pump's clock: week day, time and week."""
    day = WEEKDAYS[clock % _WEEK // _DAY]
    return f"{day} {time_of_day(clock)}:{clock % 60:02}, week {clock // _WEEK}"


def duration(seconds: int) -> str:
    """A span of pump time."""
    days, rest = divmod(seconds, _DAY)
    text = f"{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days} d {text}" if days else text


def microseconds(time: int | None) -> str:
    """A span of line time."""
    return "not measured" if time is None else f"{time / 1000:.1f} ms"


def choice_name(choice: Enum) -> str:
    """How one of a few things is typed and shown."""
    return choice.name.lower().replace("_", "-")


def words_of(member: Enum) -> str:
    """The name of a member of an enumeration, as people write it."""
    return member.name.lower().replace("_", " ")
