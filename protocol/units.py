"""Quantities and choices, as people write and read them; the one place for both ways.

Inside, everything is an integer: nL, nL/h, seconds of pump time, microseconds of line time, shares
in parts per billion.  What turns text into one says `BadQuantity`, with what to write instead.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.program import UNITS_PER_NL
from mockpump.protocol.program import WEEKDAYS as DAYS

WEEKDAYS = tuple(day[:3].title() for day in DAYS)
_DAY = 86_400
_WEEK = 7 * _DAY
WHOLE = 1_000_000_000
_NUMBER = r"\d{1,9}(?:\.\d{1,9})?(?:e-\d{1,2})?"
_SHARE = re.compile(rf"({_NUMBER})\s?(%?)", re.ASCII)
_BIT = re.compile(r"(\d{1,9}):(\d{1,4})\.([0-7])", re.ASCII)
# The largest first, as they are typed.
_SECONDS = {"d": _DAY, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile("".join(rf"(?:(\d{{1,7}}){unit})?" for unit in _SECONDS), re.ASCII)
_MICROSECONDS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_WEEK_TIME = re.compile(r"(?:([A-Za-z]{3,})\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
# In groups of three only: what somebody means by "1,5" is not 15.
_WHOLE_PART = r"\d{1,10}|\d{1,3}(?:_\d{3}){1,3}|\d{1,3}(?:,\d{3}){1,3}"
_AMOUNT = re.compile(rf"(-?(?:{_WHOLE_PART})(?:\.\d{{1,12}})?)\s*((?![\d_,.])\S*)", re.ASCII)


class Scale(NamedTuple):
    """How an amount is typed: its name, its units and what they hold of the first, examples."""

    name: str
    units: Mapping[str, int]
    examples: str


VOLUME = Scale(
    "volume", {"nL": 1, "uL": 1_000, "µL": 1_000, "mL": 1_000_000}, "5000, 5,000 nL, 20uL or 10 mL"
)
RATE = Scale(
    "rate",
    {f"{unit}/h": size for unit, size in VOLUME.units.items()},
    "20000, 20,000 nL/h, 20uL/h or 1.5 mL/h",
)
PERCENTAGE = Scale("percentage", {"%": 1}, "150 or 150%")
CONCENTRATION = Scale("concentration", {"du/mL": 1}, "900 or 900 du/mL")
DRIFT = Scale("drift", {"ppm": 1}, "20, -20 or 20ppm")


class BadQuantity(MockpumpError):
    """A text that is not such a quantity; says what to write."""


class Outage(NamedTuple):
    """A silence: from line time `begin` on, for `span`, both in microseconds."""

    begin: int
    span: int


class Burst(NamedTuple):
    """A Gilbert-Elliott line: the chance, before each byte, of going bad and of getting good again.

    `hit` is the chance that a byte on the bad line is damaged.  All in parts per billion.
    """

    enter: int
    leave: int
    hit: int


# -- read ------------------------------------------------------------------------------------------


def read_amount(text: str, scale: Scale, minimum: int = 0, maximum: int = 2**32 - 1) -> int:
    """An exact decimal and a unit, in the smallest unit, which is meant where none is said."""
    match = _AMOUNT.fullmatch(text.strip())
    base = next(iter(scale.units))
    sizes = {unit.casefold(): size for unit, size in scale.units.items()}
    size = sizes.get((match[2] or base).casefold()) if match else None
    if match is None or size is None:
        raise BadQuantity(f"invalid {scale.name} {text!r}: use {scale.examples}")
    exact = Fraction(re.sub("[_,]", "", match[1])) * size
    if exact.denominator != 1:
        raise BadQuantity(
            f"invalid {scale.name} {text!r}: nothing is smaller than 1 {base};"
            f" use a whole number of {base}"
        )
    if not minimum <= exact <= maximum:
        raise BadQuantity(f"invalid {scale.name} {text!r}: use {minimum:,} to {maximum:,} {base}")
    return int(exact)


def read_duration(text: str, longest: int = 2**32 - 1) -> int:
    """A span of pump time such as `90s`, `30m`, `2h`, `1d` or `1h30m`, in seconds; at least 1."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise BadQuantity(f"invalid duration {text!r}: use 90s, 30m, 2h, 1d or 1h30m")
    parts = zip(match.groups(), _SECONDS.values(), strict=True)
    seconds = sum(int(count) * unit for count, unit in parts if count)
    return _as_long(text, seconds, longest)


def read_exact_duration(text: str, longest: int = 2**32 - 1) -> int:
    """The same with decimals, as in `1.5h`, that come out as whole seconds; not for files."""
    seconds = _span(text, _SECONDS)
    if seconds is None:
        return read_duration(text, longest)
    if seconds.denominator != 1 and seconds > 1:
        raise BadQuantity(f"invalid duration {text!r}: use whole seconds of pump time")
    return _as_long(text, int(seconds), longest)


def _as_long(text: str, seconds: int, longest: int) -> int:
    if not seconds:
        raise BadQuantity(f"invalid duration {text!r}: the shortest is 1s")
    if seconds > longest:
        raise BadQuantity(f"invalid duration {text!r}: the longest is {duration(longest)}")
    return seconds


def _span(text: str, units: Mapping[str, int]) -> Fraction | None:
    """The sum of numbers with units, the largest unit first; None of any other text."""
    parts = "".join(rf"(?:({_NUMBER})\s*{unit}\s*)?" for unit in units)
    match = re.fullmatch(parts, text, re.ASCII) if text else None
    if match is None:
        return None
    given = zip(match.groups(), units.values(), strict=True)
    return sum((Fraction(count) * size for count, size in given if count), Fraction())


def read_week_time(text: str, day: str | None = None) -> int:
    """A time of the week such as `Mon 07:30:15`, in seconds since Monday at midnight.

    `day` is the day meant by a time without one; None: it must be said.
    """
    match = _WEEK_TIME.fullmatch(text.strip())
    wanted = "Mon 07:30" if day is None else "Mon 07:30 or 07:30:15"
    if match is None:
        raise BadQuantity(f"invalid time {text!r}: use {wanted}")
    hours, minutes, seconds = int(match[2]), int(match[3]), int(match[4] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise BadQuantity(f"invalid time {text!r}: use {wanted}")
    named = (match[1] or day or "").lower()
    if not named:
        raise BadQuantity(f"invalid time {text!r}: it needs a day, as in Tue {text.strip()}")
    days = [at for at, name in enumerate(DAYS) if name.startswith(named)]
    if len(days) != 1:
        raise BadQuantity(f"invalid time {text!r}: use {wanted}")
    return days[0] * _DAY + hours * 3_600 + minutes * 60 + seconds


class BitPlace(NamedTuple):
    """A bit on the line: frames and bytes count from 1, bit 7 is the highest of a byte."""

    frame: int
    byte: int
    bit: int


def read_share(text: str) -> int:
    """A share such as `5%`, `0.05` or `1e-4`, in parts per billion."""
    match = _SHARE.fullmatch(text)
    if match is None:
        raise BadQuantity(f"invalid share {text!r}: use 5%, 0.05 or 1e-4, up to 100 %")
    value = Fraction(match[1]) * (WHOLE // 100 if match[2] else WHOLE)
    if value > WHOLE:
        raise BadQuantity(f"invalid share {text!r}: above 100 %; use 5%, 0.05 or 1e-4")
    return int(value)


def read_line_time(text: str) -> int:
    """A span of line time such as `50ms`, `2s` or `1m30s`, in microseconds."""
    time = _span(text, _MICROSECONDS)
    if time is None:
        raise BadQuantity(f"invalid time {text!r}: use 50ms or 2s")
    return int(time)


def read_outage(text: str) -> Outage:
    """A silence such as `10s@30s`: ten seconds long, thirty seconds after the beginning."""
    lasting, _, begin = text.partition("@")
    try:
        return Outage(read_line_time(begin), read_line_time(lasting))
    except BadQuantity:
        raise BadQuantity(f"invalid outage {text!r}: use DURATION@START, as in 10s@30s") from None


def read_frame_number(text: str) -> int:
    """The number of a frame, such as `3`: its place among all that are sent, from 1."""
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise BadQuantity(f"invalid frame number {text!r}: use 3; frames count from 1, both ways")
    return int(text)


def read_bit(text: str) -> BitPlace:
    """A bit on the line such as `5:27.3`: of frame 5, in byte 27, the bit 3."""
    match = _BIT.fullmatch(text)
    if match is None or not (int(match[1]) and int(match[2])):
        raise BadQuantity(
            f"invalid bit {text!r}: use FRAME:BYTE.BIT, as in 5:27.3; frames and bytes count"
            " from 1, bits from 7 to 0"
        )
    return BitPlace(int(match[1]), int(match[2]), int(match[3]))


def read_burst(text: str) -> Burst:
    """A bursty line such as `0.1%,20%,50%`: chance a byte to go bad, to get good, to be damaged."""
    parts = text.split(",")
    try:
        enter, leave, hit = map(read_share, parts)
    except (ValueError, BadQuantity):
        raise BadQuantity(f"invalid burst {text!r}: use three shares, as in 0.1%,20%,50%") from None
    return Burst(enter, leave, hit)


# -- written ---------------------------------------------------------------------------------------


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


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest, whatever its case; empty when none is near."""
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else ""
