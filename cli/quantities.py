"""The quantities of `mockpump.protocol.units` as types of click's parameters, and the speed."""

import re

import click

from mockpump.emulator.programmer.preview import WeekTime
from mockpump.emulator.pump.time_scale import MAX_SPEED
from mockpump.protocol.units import (
    BadQuantity,
    Scale,
    read_amount,
    read_exact_duration,
    read_line_time,
    read_week_time,
)

# The highest speed that is a number: eleven days a second.
MAX_FACTOR = 1_000_000


class ClockTime(click.ParamType[int]):
    """A time of the week, such as `Mon 07:30`, as seconds since Monday at midnight."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Seconds from 0 to a week; a time without a day is one of Monday's."""
        try:
            return value if isinstance(value, int) else read_week_time(str(value), "Mon")
        except BadQuantity as error:
            self.fail(str(error), param, ctx)


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
            wanted = "Mon 07:30, or Mon 07:30, week 2"
            self.fail(f"invalid time {value!r}: use {wanted}", param, ctx)
        try:
            return WeekTime(read_week_time(time), int(week[1]) if week else None)
        except BadQuantity as error:
            self.fail(str(error), param, ctx)


class Duration(click.ParamType[int]):
    """A span of pump time such as `90s`, `30m` or `1h30m`, in seconds; at most `longest`.

    With `bare`, a number without a unit is one of seconds.
    """

    name = "duration"

    def __init__(self, longest: int = 2**32 - 1, *, bare: bool = False) -> None:
        self.longest = longest
        self.bare = bare

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Seconds, at least 1."""
        text = str(value)
        try:
            return read_exact_duration(
                f"{text}s" if self.bare and text.isdecimal() else text, self.longest
            )
        except BadQuantity as error:
            self.fail(str(error), param, ctx)


class LineTime(click.ParamType[int]):
    """A time by the clock on the wall, such as `500ms` or `1m30s`, in microseconds; 0 is none."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Microseconds."""
        text = str(value)
        try:
            return read_line_time("0s" if text == "0" else text)
        except BadQuantity as error:
            self.fail(str(error), param, ctx)


class Amount(click.ParamType[int]):
    """A number of a scale such as `20uL` or `150%`: `minimum` to `maximum` of its first unit."""

    def __init__(self, scale: Scale, minimum: int = 0, maximum: int = 2**32 - 1) -> None:
        self.name = scale.name
        self.scale = scale
        self.minimum = minimum
        self.maximum = maximum

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """How many of the first unit."""
        try:
            return read_amount(str(value), self.scale, self.minimum, self.maximum)
        except BadQuantity as error:
            self.fail(str(error), param, ctx)


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
