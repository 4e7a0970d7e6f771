"""How quantities are typed: volumes, times of the week, spans of time, speeds.

The devices count in integers (nL, nL/h, seconds); this is the only place that makes them out of
what people type.  `mockpump.emulator.wording` is the way back.
"""

import re

import click

from mockpump.emulator.programmer.preview import WeekTime
from mockpump.emulator.pump.time_scale import MAX_SPEED
from mockpump.protocol.program import WEEKDAYS as DAYS
from mockpump.protocol.units import duration

# The highest speed that is a number: eleven days a second.
MAX_FACTOR = 1_000_000
_DAY = 86_400
_CLOCK = re.compile(r"(?:([A-Za-z]{3,})\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


class ClockTime(click.ParamType[int]):
    """A time of the week, such as `Mon 07:30`, as seconds since Monday at midnight.

    `day` is the day meant by a time without one; None: it must be said.
    """

    name = "time"

    def __init__(self, day: str | None = "Mon") -> None:
        self.day = day

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Seconds from 0 to a week."""
        if isinstance(value, int):
            return value
        match = _CLOCK.fullmatch(str(value).strip())
        if match is None:
            forms = "'Mon 07:30'" if self.day is None else "'Mon 07:30' or '07:30:15'"
            self.fail(f"{value!r} is not like {forms}", param, ctx)
        day = match[1] or self.day or ""
        hours, minutes, seconds = int(match[2]), int(match[3]), int(match[4] or 0)
        if not day:
            self.fail(f"{value!r} has no day of the week: write 'Tue 07:30'", param, ctx)
        known = [at for at, name in enumerate(DAYS) if name.startswith(day.lower())]
        if len(known) != 1 or hours > 23 or minutes > 59 or seconds > 59:
            self.fail(f"{value!r} is no time of the week", param, ctx)
        return known[0] * _DAY + hours * 3600 + minutes * 60 + seconds


class ClockDate(click.ParamType[WeekTime]):
    """A time of the week such as `Mon 07:30`, the nearest one; or of one week: `Mon 07:30, week 2`.

    As a clock is printed, so it can be typed.
    """

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> WeekTime:
        """The time, and its week if one is named."""
        time, comma, named = str(value).partition(",")
        week = re.fullmatch(r"\s*week (\d{1,9})\s*", named, re.ASCII)
        if comma and week is None:
            self.fail(f"{value!r} is not like 'Mon 07:30' or 'Mon 07:30, week 2'", param, ctx)
        second = ClockTime(day=None).convert(time, param, ctx)
        return WeekTime(second, int(week[1]) if week else None)


class Duration(click.ParamType[int]):
    """A span of pump time such as `90s`, `30m`, `2h` or `1d`, in seconds; at most `longest`."""

    name = "duration"

    def __init__(self, longest: int = 2**32 - 1) -> None:
        self.longest = longest

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Seconds, at least 1."""
        match = re.fullmatch(r"(\d{1,7})([smhd])", str(value), re.ASCII)
        if match is None:
            self.fail(f"{value!r} is not like 90s, 30m, 2h or 1d", param, ctx)
        seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": _DAY}[match[2]]
        if not seconds:
            self.fail(f"{value!r} is no time at all", param, ctx)
        if seconds > self.longest:
            self.fail(f"{value!r} is longer than {duration(self.longest)}", param, ctx)
        return seconds


class Volume(click.ParamType[int]):
    """A volume in nL: a whole number, `minimum` to `maximum`, in groups of three if one likes."""

    name = "volume"

    def __init__(self, minimum: int = 0, maximum: int = 2**32 - 1) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Nanolitres."""
        text = str(value).strip().removesuffix("nL").strip()
        # In groups of three only: what somebody means by "1,5" is not 15.
        whole = re.fullmatch(r"\d{1,10}|\d{1,3}(_\d{3}){1,3}|\d{1,3}(,\d{3}){1,3}", text, re.ASCII)
        number = int(re.sub("[_,]", "", text)) if whole else -1
        if not self.minimum <= number <= self.maximum:
            numbers = f"{self.minimum:,} to {self.maximum:,}"
            self.fail(f"{value!r} is no whole number of nL, {numbers}", param, ctx)
        return number


class Speed(click.ParamType[int | None]):
    """Seconds of pump time a second: a whole number from `minimum` on, or `max`."""

    name = "speed"

    def __init__(self, minimum: int = 0) -> None:
        self.minimum = minimum

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """The speed; `MAX_SPEED` for `max`."""
        text = str(value)
        if text == "max":
            return MAX_SPEED
        whole = re.fullmatch(r"\d{1,9}", text, re.ASCII) is not None
        if not whole or not self.minimum <= int(text) <= MAX_FACTOR:
            numbers = f"a whole number, {self.minimum} to {MAX_FACTOR}"
            self.fail(f"{value!r} is neither 'max' nor {numbers}", param, ctx)
        return int(text)


def speed_text(speed: int | None) -> str:
    """A speed, as it is typed."""
    return "max" if speed is MAX_SPEED else str(speed)
