"""What the pump will not go beyond, whoever asks; all of it invented.

The rules that can be checked before anything happens stand here: a program, a bolus or other limits
are refused with the figure and the limit.  All else is held by delivery itself, which stops in the
last second in which the limit still holds.  Where that is the very second of a request, the request
is refused (`Pump.change`); what only time brings about (a bolus that meets a higher segment, a day
that fills up) raises an alarm.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from mockpump.emulator.pump.state import STEP, UNITS_PER_STEP
from mockpump.emulator.schedule import Schedule
from mockpump.protocol.messages import MAX_BOLUS, NO_RISE_LIMIT, Limits, Reason
from mockpump.protocol.program import UNITS_PER_NL, Program, percents, scaled

# Limits that nothing ever meets.
WIDEST = Limits(2**32 - 1, MAX_BOLUS, 2**32 - 1, NO_RISE_LIMIT)
# What a pump is made with, unless told otherwise.
FACTORY = Limits(rate=200_000, bolus=500_000, daily=2_000_000, rise=300)


def most_in_24_hours(limits: Limits) -> int:
    """The daily limit in units of 1/3600 nL: whole micro-steps, so it holds for the motor too."""
    return limits.daily // STEP * UNITS_PER_STEP


class Excess(NamedTuple):
    """A limit that would be broken: which, by what figure, and what would be allowed."""

    reason: Reason
    figure: int
    limit: int


def program_excesses(program: Program, limits: Limits) -> Iterator[Excess]:
    """What a program would break by itself, at its highest ramp step."""
    percent = max(percents(program))
    rate = scaled(_highest_rate(program), percent)
    if rate > limits.rate:
        yield Excess(Reason.LIMIT_RATE, rate, limits.rate)
    yield from daily_excesses(Schedule(program, 0).peak(percent), limits)
    for before, after in pairwise(percents(program)):
        yield from rises(before, after, limits)


def daily_excesses(units: int, limits: Limits) -> Iterator[Excess]:
    """What this much (1/3600 nL) within 24 h would break; the figure is rounded up."""
    if units > most_in_24_hours(limits):
        yield daily_excess(units, limits)


def daily_excess(units: int, limits: Limits) -> Excess:
    """That this much (1/3600 nL) within 24 h is too much; the figure is rounded up."""
    return Excess(Reason.LIMIT_DAILY, -(-units // UNITS_PER_NL), limits.daily)


def rise_excesses(
    before: Program, percent: int, after: Program, limits: Limits
) -> Iterator[Excess]:
    """What changing from a program, at its present percentage, to another would break.

    Two programs are compared by the most that they deliver within 24 h; the new one as it begins.
    """
    old = Schedule(before, 0).peak(percent)
    new = Schedule(after, 0).peak(percents(after)[0])
    yield from rises(old, new, limits)


def rises(before: int, after: int, limits: Limits) -> Iterator[Excess]:
    """What a rise from one figure to another would break: percent of a ramp, or volumes."""
    # From nothing every rise is without measure; the other limits are there for that.
    if limits.rise == NO_RISE_LIMIT:
        return
    if before and (after - before) * 100 > limits.rise * before:
        yield Excess(Reason.LIMIT_RISE, -(-(after - before) * 100 // before), limits.rise)


def _highest_rate(program: Program) -> int:
    return max(segment.rate for pattern in program.patterns for segment in pattern.segments)
