"""A program in closed form: what it delivers between any two seconds, without stepping through.

The one idea: at one ramp step a program is a week that repeats.  So the week is laid flat once, as
the ends of its segments with what has been delivered by then; any span is two look-ups in it, plus
whole weeks by multiplication.  A span that crosses ramp steps is cut at them.

Clock times are seconds since a Monday at midnight (any integer will do, however large); volumes are
in units of 1/3600 nL (`UNITS_PER_NL`), which one nL/h delivers in one second.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from operator import mul, sub

import msgspec

from mockpump.protocol.messages import RampMove
from mockpump.protocol.program import Program, scaled

DAY = 86_400
WEEK = 7 * DAY
# The clock runs around in the most whole weeks that a u32 holds (136 years), so that the days of
# the week go on without a break.
CLOCK_CYCLE = 2**32 // WEEK * WEEK


def nearest(shown: int, wanted: int, cycle: int) -> int:
    """How far it is from one place of a dial to another: at most half a cycle, back or ahead.

    What a dial shows comes again and again.  Whoever sets it means the time next to the one that it
    shows, so a setting by minutes is one by minutes where the dial goes around too.  Ahead where
    both ways are as long.
    """
    ahead = (wanted - shown) % cycle
    return ahead if 2 * ahead <= cycle else ahead - cycle


class Schedule:
    """A program that began on clock day `start_day`.

    Ramp step k rules from clock day `start_day + after` on; a clock set back before `start_day`
    counts as day 0.  With a `held_day`, the ramp stands still on that day after its beginning.
    The program must be a sound one, as `check` has it.
    """

    __slots__ = (
        "_edges",
        "_highest_peak",
        "_percents",
        "_rates",
        "_turns",
        "_week",
        "held_day",
        "highest_rate",
        "program",
        "start_day",
    )

    def __init__(self, program: Program, start_day: int, held_day: int | None = None) -> None:
        self.program = program
        self.start_day = start_day
        self.held_day = held_day
        self._highest_peak: int | None = None
        self._edges, self._rates = _flattened(program)
        # A step at day 0 rules before `start_day` too, and in place of the 100 % of no step.
        first = bool(program.ramp) and program.ramp[0].after == 0
        self._turns = tuple((start_day + step.after) * DAY for step in program.ramp[first:])
        percents = [step.percent for step in program.ramp]
        self._percents: tuple[int, ...] = tuple(percents if first else [100, *percents])
        if held_day is not None:
            self._percents = (self._percents[self._step_of(held_day)],)
            self._turns = ()
        self._week = _Week(self._edges, self._rates, self._percents[0])
        # In nL/h, at the highest ramp step.
        self.highest_rate = scaled(max(self._rates), max(self._percents))

    def percent_at(self, clock: int) -> int:
        """The percentage of the ramp step that rules at this second; 100 before the first."""
        return self._percents[bisect_right(self._turns, clock)]

    def moved(self, move: RampMove, today: int) -> "Schedule":
        """The same program with its ramp held, going on or a step back, from clock day `today`."""
        ramp_day = max(today - self.start_day, 0) if self.held_day is None else self.held_day
        if move is RampMove.GO_ON:
            return Schedule(self.program, today - ramp_day)
        if move is RampMove.STEP_BACK:
            begins = [0, *(step.after for step in self.program.ramp if step.after)]
            ramp_day = begins[max(self._step_of(ramp_day) - 1, 0)]
        return Schedule(self.program, self.start_day, ramp_day)

    def _step_of(self, ramp_day: int) -> int:
        later = [step.after for step in self.program.ramp if step.after]
        return bisect_right(later, ramp_day)

    def peak(self, percent: int) -> int:
        """The most that any 24 h of the week deliver at a percentage, in units of 1/3600 nL."""
        week = _Week(self._edges, self._rates, percent)
        # The volume of a day that slides over straight pieces is highest where it has a breakpoint.
        return max(
            max(week.until(edge + DAY) - before, before - week.until(edge - DAY))
            for edge, before in zip(week.edges, week.before, strict=True)
        )

    @property
    def highest_peak(self) -> int:
        """`peak` at the highest ramp step ahead; looked for once."""
        if self._highest_peak is None:
            self._highest_peak = self.peak(max(self._percents))
        return self._highest_peak

    def pattern_at(self, clock: int) -> int:
        """The place of the day pattern that rules at this second."""
        return self.program.week[clock // DAY % 7]

    def rate_at(self, clock: int) -> int:
        """The rate in nL/h during the second that begins at `clock`."""
        base = self._rates[bisect_right(self._edges, clock % WEEK) - 1]
        return scaled(base, self.percent_at(clock))

    def next_edge(self, clock: int) -> int:
        """The first second after `clock` at which the rate may change: a segment or a midnight.

        A ramp step is a midnight, and every midnight begins a segment.
        """
        into = clock % WEEK
        return clock - into + self._edges[bisect_right(self._edges, into)]

    def span_at(self, clock: int) -> tuple[int, int]:
        """`rate_at` and `next_edge`, in one look."""
        week = self._week_at(self.percent_at(clock))
        into = clock % WEEK
        place = bisect_right(week.edges, into)
        return week.rates[place - 1], clock - into + week.edges[place]

    def volume(self, clock: int, seconds: int) -> int:
        """What is delivered from `clock` on within `seconds`, in units of 1/3600 nL; exact."""
        end, at = clock + seconds, bisect_right(self._turns, clock)
        if at == len(self._turns) or end <= self._turns[at]:
            # Nearly always the ramp stands still.
            week = self._week_at(self._percents[at])
            return week.until(end) - week.until(clock)
        cuts = self._cut(clock, end)
        return sum(week.until(end) - week.until(begin) for begin, end, week in cuts)

    def moment_of(self, clock: int, units: int, limit_seconds: int) -> int | None:
        """The first second by which `units` (of 1/3600 nL) are delivered, counting from `clock`.

        None when that takes longer than `limit_seconds`.
        """
        if units <= 0:
            return clock
        for begin, end, week in self._cut(clock, clock + limit_seconds):
            before = week.until(begin)
            held = week.until(end) - before
            if held >= units:
                return week.moment(before + units)
            units -= held
        return None

    def _cut(self, begin: int, end: int) -> Iterator[tuple[int, int, "_Week"]]:
        """The pieces of a span within which the ramp stands still."""
        at = bisect_right(self._turns, begin)
        while begin < end:
            stop = min(end, self._turns[at]) if at < len(self._turns) else end
            yield begin, stop, self._week_at(self._percents[at])
            begin, at = stop, at + 1

    def _week_at(self, percent: int) -> "_Week":
        # Only the week in use is kept: all the weeks of a long ramp would outweigh the pump.
        if self._week.percent != percent:
            self._week = _Week(self._edges, self._rates, percent)
        return self._week


class ProgramProfile(msgspec.Struct, frozen=True):
    """What a program delivers from a second of the clock on, alone: a `RateProfile`."""

    schedule: Schedule
    clock: int

    def volume(self, seconds: int) -> int:
        return self.schedule.volume(self.clock, seconds)

    def spans(self) -> Iterator[tuple[int, int]]:
        clock = self.clock
        while True:
            rate, clock = self.schedule.span_at(clock)
            yield rate, clock - self.clock

    def later(self, seconds: int) -> "ProgramProfile":
        return ProgramProfile(self.schedule, self.clock + seconds)


class _Week:
    """The repeating week at one percentage.  `until` counts from clock 0."""

    __slots__ = ("before", "edges", "percent", "rates")

    def __init__(self, edges: "array[int]", rates: "array[int]", percent: int) -> None:
        self.percent = percent
        self.edges = edges
        share = {rate: scaled(rate, percent) for rate in set(rates)}
        self.rates: array[int] = array("I", map(share.__getitem__, rates))
        delivered: Iterator[int] = map(mul, self.rates, map(sub, edges[1:], edges))
        # What the week has delivered at each of its edges; at the last, in the whole week.
        self.before: array[int] = array("Q", accumulate(delivered, initial=0))

    def until(self, clock: int) -> int:
        """The units delivered from clock 0 until `clock`."""
        weeks, into = divmod(clock, WEEK)
        at = bisect_right(self.edges, into) - 1
        within = self.before[at] + self.rates[at] * (into - self.edges[at])
        return weeks * self.before[-1] + within

    def moment(self, units: int) -> int:
        """The first clock second at which `until` is at least `units`; something must flow."""
        weeks, left = divmod(units - 1, self.before[-1])
        # It happens in the segment after the last edge by which less was delivered; that one flows.
        at = bisect_left(self.before, left + 1) - 1
        seconds = -(-(left + 1 - self.before[at]) // self.rates[at])
        return weeks * WEEK + self.edges[at] + seconds


def _flattened(program: Program) -> tuple["array[int]", "array[int]"]:
    """The edges of the week in seconds, both ends included, and the rates between, unscaled."""
    week = [
        (day * DAY + segment.start * 60, segment.rate)
        for day, pattern in enumerate(program.week)
        for segment in program.patterns[pattern].segments
    ]
    edges = array("I", (*(start for start, _ in week), WEEK))
    return edges, array("I", (rate for _, rate in week))
