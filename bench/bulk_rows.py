"""Bulk over a bad line of 115,200 baud: our link with three windows, and lrzsz's three protocols.

All run at once, each over a line of its own with the same impairments: the rate of such a line is
real time, which nobody can make go faster.
"""

import asyncio
from collections.abc import Awaitable

from bench.live_line import LRZSZ, Stalled, Transfer, has_lrzsz, lrzsz, our_link
from bench.pairs import Effort
from bench.table import Finding, absent
from mockpump.emulator.channel.impairments import Impairments
from mockpump.protocol.link.types import MAX_WINDOW, LinkSettings
from mockpump.protocol.units import WHOLE

_BAUD = 115_200
_LINE = _BAUD / 10  # bytes a second
_BLOCK = 1_024
_WINDOWS = {"window 1": 1, "default window": LinkSettings().window, "widest window": MAX_WINDOW}
# The share of KiBs that are hit, and what of the line's rate the default window must keep then.
_CASES = ((0, 0.95), (1, 0.93), (5, 0.88))
# The first with which each case is hit about as often as it says, short and long.
_SEED = 4


def bulk(effort: Effort) -> list[Finding]:
    """What is left of the line's rate, clean and with 1 % and 5 % of the KiBs hit."""
    size = 8_000 * effort.rounds
    return [finding for case in _CASES for finding in asyncio.run(_case(size, *case))]


async def _case(size: int, percent: int, least: float) -> list[Finding]:
    line = Impairments(baud=_BAUD, ber=_ber_of(percent))
    transfer = Transfer(size, line, _SEED, 5 + 3 * size / _LINE)
    works: dict[str, Awaitable[float]] = {
        name: our_link(transfer, window) for name, window in _WINDOWS.items()
    }
    if has_lrzsz():
        works |= {name: lrzsz(transfer, name) for name in LRZSZ}
    rates = dict(
        zip(works, await asyncio.gather(*works.values(), return_exceptions=True), strict=True)
    )
    case = f"bulk, {percent} % hit" if percent else "bulk, clean"
    ours = rates.pop("default window")
    if isinstance(ours, BaseException):
        raise ours
    target = f">={least * _LINE / 1e3:.3g} k"
    floor = Finding(case, "", "B/s", ours, target=target, met=ours >= least * _LINE)
    beside = [_beside(case, ours, name, rate) for name, rate in rates.items()]
    missing = [] if has_lrzsz() else [absent(case, "lrzsz")]
    return [floor, *beside, *missing]


def _ber_of(percent: int) -> int:
    """The bit error rate that hits that share of all KiBs, in parts per billion."""
    spared: float = (1 - percent / 100) ** (1 / (8 * _BLOCK))
    return round((1 - spared) * WHOLE)


def _beside(case: str, ours: float, name: str, rate: float | BaseException) -> Finding:
    if isinstance(rate, Stalled):
        return Finding(case, name, note="stalled")
    if isinstance(rate, BaseException):
        raise rate
    return Finding(case, name, "B/s", ours, rate, ours / rate)
