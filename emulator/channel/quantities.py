"""How an impairment is written: shares, spans, outages; all of them integers inside.

A share is in parts per billion, a span in microseconds, so that the same text gives the same bytes
on every machine.
"""

import re
from decimal import Decimal
from typing import NamedTuple

from mockpump.protocol.errors import MockpumpError

WHOLE = 1_000_000_000
_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_NUMBER = r"\d{1,9}(?:\.\d{1,9})?(?:e-\d{1,2})?"
_SHARE = re.compile(rf"({_NUMBER})(%?)", re.ASCII)
_SPAN = re.compile(rf"({_NUMBER})(us|ms|s|m|h)", re.ASCII)


class BadQuantity(MockpumpError):
    """A text that is no such quantity; says what one looks like."""


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


def share(text: str) -> int:
    """A share such as `5%`, `0.05` or `1e-4`, in parts per billion."""
    match = _SHARE.fullmatch(text)
    value = Decimal(match[1]) * (WHOLE // 100 if match[2] else WHOLE) if match else Decimal(-1)
    if not 0 <= value <= WHOLE:
        raise BadQuantity(f"{text!r} is no share such as 5%, 0.05 or 1e-4")
    return int(value)


def span(text: str) -> int:
    """A span such as `50ms` or `2s`, in microseconds."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise BadQuantity(f"{text!r} is no time such as 50ms or 2s")
    return int(Decimal(match[1]) * _UNITS[match[2]])


def outage(text: str) -> Outage:
    """A silence such as `10s@30s`: ten seconds long, thirty seconds after the beginning."""
    lasting, _, begin = text.partition("@")
    try:
        return Outage(span(begin), span(lasting))
    except BadQuantity:
        raise BadQuantity(f"{text!r} is no outage such as 10s@30s") from None


def burst(text: str) -> Burst:
    """A bursty line such as `0.1%,20%,50%`: chance a byte to go bad, to get good, to be bent."""
    parts = text.split(",")
    try:
        enter, leave, hit = map(share, parts)
    except (ValueError, BadQuantity):
        raise BadQuantity(f"{text!r} is no burst such as 0.1%,20%,50%") from None
    return Burst(enter, leave, hit)
