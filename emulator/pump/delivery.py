"""Delivery: the motor that follows a program in whole micro-steps, and owes the rest.

The one idea: what the program asks for is summed exactly, as one integer in units of 1/3600 nL; the
motor has moved every whole micro-step in it and owes the remainder.  So at every second, however
time was cut up,

    delivered * 3600 + remainder == the integral of the rate over the time it was running

until the reservoir cannot give another whole micro-step.  In that second the motor stops, and owes
nothing any more.

Pure: time comes in as an argument.  Elapsed time only rises; the clock is what the patterns follow,
and may be set.
"""

from collections.abc import Iterator

from mockpump.emulator.pump.schedule import DAY, WEEK, Schedule
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.program import UNITS_PER_NL, Program

STEP = 10
UNITS_PER_STEP = STEP * UNITS_PER_NL
# The clock runs around in the most whole weeks that a u32 holds (136 years), so that the days of
# the week go on without a break.
CLOCK_CYCLE = 2**32 // WEEK * WEEK
_NEVER = 2**63


class Delivery:
    """The motor, the reservoir and the clock of one pump.

    Times in seconds, volumes in nL, rates in nL/h.  It begins running, with a full reservoir and
    without a program, at elapsed 0 and clock 0.
    """

    # `emptied_at` is the elapsed second in which the last micro-step was moved; None until then.
    # `_due` is the sum, `_capacity` where it must stop; both in units of 1/3600 nL.  `_rate` holds
    # until `_until` in elapsed time: the program's next `_edge`, or the moment of running empty.
    __slots__ = (
        "_capacity",
        "_due",
        "_edge",
        "_filled",
        "_offset",
        "_rate",
        "_spans",
        "_until",
        "elapsed",
        "emptied_at",
        "running",
        "schedule",
    )

    def __init__(self, reservoir: int) -> None:
        if reservoir < 0:
            raise LocalProtocolError(f"a reservoir cannot hold {reservoir} nL")
        self.elapsed = 0
        self.running = True
        self.schedule: Schedule | None = None
        self._spans: Iterator[tuple[int, int]] = iter(())
        self._offset = 0
        self._due = 0
        self._filled = reservoir
        self._capacity = reservoir // STEP * UNITS_PER_STEP
        self.emptied_at: int | None = None if self._capacity else 0
        self._look()

    # -- what it is doing ----------------------------------------------------------------------

    @property
    def clock(self) -> int:
        """What the clock says: seconds since a Monday at midnight, below `CLOCK_CYCLE`."""
        return self._time % CLOCK_CYCLE

    @property
    def rate(self) -> int:
        """The rate from this second on; 0 when suspended, empty or without a program."""
        return self._rate

    @property
    def delivered(self) -> int:
        """What the motor has moved: whole micro-steps of `STEP` nL."""
        return self._due // UNITS_PER_STEP * STEP

    @property
    def remainder(self) -> int:
        """What the motor owes, in units of 1/3600 nL: less than one micro-step."""
        return self._due % UNITS_PER_STEP

    @property
    def reservoir(self) -> int:
        """What is left in the reservoir."""
        return self._filled - self.delivered

    @property
    def empty(self) -> bool:
        """Whether the reservoir cannot give another whole micro-step."""
        return self.emptied_at is not None

    @property
    def percent(self) -> int:
        """The percentage of the present ramp step; 100 without a program."""
        return self.schedule.percent_at(self._time) if self.schedule else 100

    @property
    def pattern(self) -> int:
        """The place of the day pattern that rules today; 0 without a program."""
        return self.schedule.pattern_at(self._time) if self.schedule else 0

    def next_edge(self) -> int | None:
        """The elapsed second at which `rate` may change next; None while only a call can do that.

        An edge of the program, or the moment of running empty.
        """
        return self._until if self._until != _NEVER else None

    # -- what happens to it --------------------------------------------------------------------

    def advance(self, elapsed: int) -> None:
        """Let time pass until `elapsed`.  `LocalProtocolError` when that is in the past."""
        seconds = elapsed - self.elapsed
        if seconds < 0:
            raise LocalProtocolError(f"time runs forward: {elapsed} s is before {self.elapsed} s")
        if elapsed < self._until:
            self._due += self._rate * seconds
            self.elapsed = elapsed
        elif elapsed == self._edge:
            self._due += self._rate * seconds
            self.elapsed = elapsed
            self._enter_span()
        else:
            self._advance_past_edge(elapsed)

    def set_clock(self, clock: int) -> None:
        """Set the clock.  What was delivered stays; the schedule follows the new time.

        `LocalProtocolError` outside 0..`CLOCK_CYCLE` - 1.
        """
        if not 0 <= clock < CLOCK_CYCLE:
            raise LocalProtocolError(f"no clock says {clock} s: it is not in 0..{CLOCK_CYCLE - 1}")
        # By the difference, so that setting it to what it says changes nothing after a cycle too.
        self._offset += clock - self.clock
        self._look()

    def set_program(self, program: Program) -> None:
        """Follow another program from this second on; its ramp begins on the present clock day.

        `ProgramError`, and nothing changed, when the program breaks a rule.
        """
        self.schedule = Schedule(program, self._time // DAY)
        self._look()

    def suspend(self) -> None:
        """Stand still; what the motor owes stays owed."""
        self.running = False
        self._look()

    def resume(self) -> None:
        """Follow the program again from this second on; what was missed stays missed."""
        self.running = True
        self._look()

    # -- inside --------------------------------------------------------------------------------

    @property
    def _time(self) -> int:
        """The clock as the schedule knows it, which never goes around."""
        return self.elapsed + self._offset

    def _advance_past_edge(self, elapsed: int) -> None:
        # One edge is cheaper to walk over than to look up; beyond that the closed form wins.
        if elapsed > self._edge:
            self._due += self._rate * (self._edge - self.elapsed)
            self.elapsed = self._edge
            self._enter_span()
        if elapsed < self._until:
            self._due += self._rate * (elapsed - self.elapsed)
            self.elapsed = elapsed
        else:
            self._advance_over_edges(elapsed)

    def _advance_over_edges(self, elapsed: int) -> None:
        assert self.schedule is not None  # nothing else has edges
        seconds = elapsed - self.elapsed
        units = self.schedule.volume(self._time, seconds)
        left = self._capacity - self._due
        if units >= left:
            moment = self.schedule.moment_of(self._time, left, seconds)
            assert moment is not None  # it is within these seconds
            self.emptied_at = moment - self._offset
            units = left
        self._due += units
        self.elapsed = elapsed
        self._look()

    def _look(self) -> None:
        """Find the place in the schedule again, after more than the next edge has gone by."""
        if self.schedule is None or not self.running or self.empty:
            self._rate, self._edge, self._until = 0, _NEVER, _NEVER
            self._spans = iter(())
        else:
            self._spans = self.schedule.spans_from(self._time)
            self._enter_span()

    def _enter_span(self) -> None:
        rate, end = next(self._spans)
        self._rate = rate
        self._edge = self._until = edge = end - self._offset
        left = self._capacity - self._due
        if rate * (edge - self.elapsed) >= left:
            self._until = self.elapsed - (-left // rate)
            self._edge = _NEVER
