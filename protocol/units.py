"""Quantities and choices, as people write and read them; the one place for both ways.

Inside, everything is an integer: nL, nL/h, seconds of pump time, microseconds of line time, shares
in parts per billion.  What turns text into one says `BadQuantity`, with what to write instead.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from typing import NamedTuple

from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.program import UNITS_PER_NL
from mockpump.protocol.program import WEEKDAYS as DAYS

WEEKDAYS = tuple(day[:3].title() for day in DAYS)
_DAY = 86_400
_WEEK = 7 * _DAY
WHOLE = 1_000_000_000
_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_NUMBER = r"\d{1,9}(?:\.\d{1,9})?(?:e-\d{1,2})?"
_SHARE = re.compile(rf"({_NUMBER})(%?)", re.ASCII)
_SPAN = re.compile(rf"({_NUMBER})(us|ms|s|m|h)", re.ASCII)
_BIT = re.compile(r"(\d{1,9}):(\d{1,4})\.([0-7])", re.ASCII)
_SECONDS = {"d": _DAY, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile("".join(rf"(?:(\d{{1,7}}){unit})?" for unit in _SECONDS), re.ASCII)
_WEEK_TIME = re.compile(r"(?:([A-Za-z]{3,})\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
# In groups of three only: what somebody means by "1,5" is not 15.
_VOLUME = re.compile(r"\d{1,10}|\d{1,3}(_\d{3}){1,3}|\d{1,3}(,\d{3}){1,3}", re.ASCII)


class BadQuantity(MockpumpError):
    """A text that is no such quantity; says what to write."""


class Outage(NamedTuple):
    """A silence: from line time `begin` on, for `span`, both in microseconds."""

    begin: int
    span: int


class Burst(NamedTuple):
    """A Gilbert-Elliott line: the chance, before each byte, of going bad and of getting good again.

    `hit` is the chance that a byte on the bad line is bent.  All in parts per billion.
    """

    enter: int
    leave: int
    hit: int


# -- read ------------------------------------------------------------------------------------------


def read_duration(text: str, longest: int = 2**32 - 1) -> int:
    """A span of pump time such as `90s`, `30m`, `2h`, `1d` or `1h30m`, in seconds; at least 1."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise BadQuantity(f"invalid duration {text!r}: use 90s, 30m, 2h, 1d or 1h30m")
    parts = zip(match.groups(), _SECONDS.values(), strict=True)
    seconds = sum(int(count) * unit for count, unit in parts if count)
    if not seconds:
        raise BadQuantity(f"invalid duration {text!r}: the shortest is 1s")
    if seconds > longest:
        raise BadQuantity(f"invalid duration {text!r}: the longest is {duration(longest)}")
    return seconds


def read_week_time(text: str, day: str | None = None) -> int:
    """A time of the week such as `Mon 07:30:15`, in seconds since Monday at midnight.

    `day` is the day meant by a time without one; None: it must be said.
    """
    match = _WEEK_TIME.fullmatch(text.strip())
    wanted = "Mon 07:30" if day is None else "Mon 07:30 or 07:30:15"
    if match is None:
        raise BadQuantity(f"invalid time {text!r}: use {wanted}")
    named = (match[1] or day or "").lower()
    if not named:
        raise BadQuantity(f"invalid time {text!r}: it needs a day, as in Tue {text.strip()}")
    days = [at for at, name in enumerate(DAYS) if name.startswith(named)]
    hours, minutes, seconds = int(match[2]), int(match[3]), int(match[4] or 0)
    if len(days) != 1 or hours > 23 or minutes > 59 or seconds > 59:
        raise BadQuantity(f"invalid time {text!r}: use {wanted}")
    return days[0] * _DAY + hours * 3_600 + minutes * 60 + seconds


def read_volume(text: str, minimum: int = 0, maximum: int = 2**32 - 1) -> int:
    """A volume in whole nL such as `5000`, `5_000`, `5,000` or `5,000 nL`."""
    digits = text.strip().removesuffix("nL").strip()
    number = int(re.sub("[_,]", "", digits)) if _VOLUME.fullmatch(digits) else -1
    if not minimum <= number <= maximum:
        raise BadQuantity(
            f"invalid volume {text!r}: use a whole number of nL, {minimum:,} to {maximum:,}"
        )
    return number


class BitPlace(NamedTuple):
    """A bit on the line: frames and bytes count from 1, bit 7 is the highest of a byte."""

    frame: int
    byte: int
    bit: int


def read_share(text: str) -> int:
    """A share such as `5%`, `0.05` or `1e-4`, in parts per billion."""
    match = _SHARE.fullmatch(text)
    value = Decimal(match[1]) * (WHOLE // 100 if match[2] else WHOLE) if match else Decimal(-1)
    if not 0 <= value <= WHOLE:
        raise BadQuantity(f"invalid share {text!r}: use 5%, 0.05 or 1e-4, up to 100 %")
    return int(value)


def read_line_time(text: str) -> int:
    """A span of line time such as `50ms` or `2s`, in microseconds."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise BadQuantity(f"invalid time {text!r}: use 50ms or 2s")
    return int(Decimal(match[1]) * _UNITS[match[2]])


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
    """A bursty line such as `0.1%,20%,50%`: chance a byte to go bad, to get good, to be bent."""
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
