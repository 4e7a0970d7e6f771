"""What a change would do, said before it is made: another program, another time on the clock."""

from typing import NamedTuple, cast

from msgspec.structs import replace

from mockpump.emulator.programmer.errors import RequestRefused
from mockpump.emulator.programmer.procedures import Procedure, read_program
from mockpump.emulator.schedule import CLOCK_CYCLE, DAY, WEEK, nearest
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Integer, Record, fields_of
from mockpump.protocol.program import Program, daily_volume, percents
from mockpump.protocol.program import percents as steps_of

_DAYS = 7


class DayChange(Record, frozen=True):
    """A run of weekdays (0 is Monday, both ends included) whose volumes are the same.

    `before` and `after` are volumes a day in units of 1/3600 nL, as the ramp stands and as the new
    program begins; `before` is None when there was no program.
    """

    first: int
    last: int
    before: int | None
    after: int


def compare(before: Program | None, after: Program, percent: int = 100) -> list[DayChange]:
    """The weekdays in order, like ones that follow each other in one entry.

    `percent` is that of the ramp step at which the program before stands.
    """
    changes: list[DayChange] = []
    for day in range(_DAYS):
        old = None if before is None else daily_volume(before, day, percent)
        new = daily_volume(after, day, percents(after)[0])
        if changes and (changes[-1].before, changes[-1].after) == (old, new):
            changes[-1] = DayChange(changes[-1].first, day, old, new)
        else:
            changes.append(DayChange(day, day, old, new))
    return changes


# What a clock can be set to, in seconds since the Monday of week 0 at midnight.
_CLOCK = cast(Integer, dict(fields_of(m.SetClock))["clock"])
FIRST_TO_LAST = range(_CLOCK.minimum, _CLOCK.maximum + 1)
# More days than any clock counts.
_EVER = 2**32


# People say a time of the week, and clocks are set by minutes.  So a time without a week is the
# nearest one, at most half a week back or ahead.
#
# The schedule follows the clock, and with the day the ramp and a pending program.  The pump does
# not tell on which day the ramp began, but which step rules: so beforehand the programmer knows the
# steps that may rule afterwards, and only after the setting the one that does.
class WeekTime(NamedTuple):
    """A time of the week in seconds since Monday at midnight, and its week; None: the nearest."""

    second: int
    week: int | None = None

    def near(self, clock: int) -> int:
        """What the clock is to be set to when it shows `clock`.

        It may be before the first week, or after the last one that can be set (`FIRST_TO_LAST`).
        """
        if self.week is not None:
            return self.week * WEEK + self.second
        return clock + nearest(clock % WEEK, self.second, WEEK)


class ClockPlan(Record, frozen=True):
    """What setting the clock of a pump to `target` may bring.

    `percents` are those of the ramp steps that may rule afterwards, in place of `percent`: one of
    them, the present one, when no step is crossed.  `pending` is the name of the program that may
    take over, if one does.
    """

    target: int
    percent: int
    percents: tuple[int, ...]
    pending: str | None

    @property
    def crosses(self) -> bool:
        """Whether a step of the ramp or a pending program may be crossed."""
        return self.pending is not None or self.percents != (self.percent,)


class Crossed(Record, frozen=True):
    """What was crossed: the percentage afterwards, and the program that took over, if one did."""

    percent: int
    program: str | None


def plan_clock(wanted: WeekTime) -> Procedure[ClockPlan]:
    """Ask a pump for what it takes to know."""
    shown: m.Clock = yield m.GetClock()
    target = wanted.near(shown.clock)
    change = nearest(shown.clock, target, CLOCK_CYCLE)
    days = (shown.clock + change) // DAY - shown.clock // DAY
    crosses_nothing = ClockPlan(target, 100, (100,), None)
    if not days or target not in FIRST_TO_LAST:
        # Ramp and pending program follow the day alone.
        return crosses_nothing
    try:
        return (yield from _plan_days(crosses_nothing, days))
    except RequestRefused as no:
        if no.refused.reason is not m.Reason.UNKNOWN_MESSAGE:
            raise
        # A pump under construction that has no ramp yet, or no programs.
        return crosses_nothing


def _plan_days(plan: ClockPlan, days: int) -> Procedure[ClockPlan]:
    """The same for a clock that moves by this many days."""
    status: m.Status = yield m.GetStatus()
    details: m.Details = yield m.GetDetails()
    active = yield from read_program()
    percents: tuple[int, ...] = (status.percent,)
    if active.program is not None and details.ramp is m.RampState.FOLLOWING:
        percents = percents_after(active.program, status.percent, days)
    pending = None
    if days > 0 and details.pending is not m.When.NOW:
        waits = (yield from read_program(m.Slot.PENDING)).program
        if waits is not None:
            # It brings its own ramp along, from its first day on.
            pending, percents = waits.name, tuple(sorted({*percents, steps_of(waits)[0]}))
    return replace(plan, percent=status.percent, percents=percents, pending=pending)


def percents_after(program: Program, percent: int, days: int) -> tuple[int, ...]:
    """The percentages that may rule when a ramp whose step has that one moves by this many days."""
    # A step of day 0 rules in place of the 100 % of no step; the first rules before day 0 too.
    first = [] if program.ramp and program.ramp[0].after == 0 else [(0, 100)]
    steps = [*first, *((step.after, step.percent) for step in program.ramp)]
    begins = [-_EVER, *(after for after, _ in steps[1:])]
    spans = list(zip(begins, [*begins[1:], _EVER], (share for _, share in steps), strict=True))
    return tuple(
        sorted(
            {
                share
                for begin, end, now in spans
                for later, until, share in spans
                if now == percent and later < end + days and begin + days < until
            }
        )
    )


def read_crossed(plan: ClockPlan) -> Procedure[Crossed]:
    """Ask the pump what the setting that was planned has crossed."""
    status: m.Status = yield m.GetStatus()
    details: m.Details = yield m.GetDetails()
    took_over = plan.pending is not None and details.pending is m.When.NOW
    return Crossed(status.percent, plan.pending if took_over else None)
