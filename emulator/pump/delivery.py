"""Delivery: the motor that follows a program in whole micro-steps, and owes the rest.

The one idea: between two breakpoints the rate of everything that runs is constant, so time is
passed from breakpoint to breakpoint in closed form (`mockpump.emulator.pump.motor`).  What is asked
for is summed exactly, as one integer in units of 1/3600 nL; the motor has moved every whole
micro-step in it and owes the remainder.  So at every second, however time was cut up,

    delivered * 3600 + remainder == the integral of the rate over the time it was running

until a limit would be broken, or the reservoir cannot give another whole micro-step.  In that
second the motor stops; empty, it owes nothing any more.

Pure: time comes in as an argument.  Elapsed time only rises; the clock is what the patterns follow,
and may be set and drift.
"""

from mockpump.emulator.pump.delivery_state import (
    STEP,
    UNITS_PER_STEP,
    DeliveryState,
    Pending,
    ReservoirFill,
)
from mockpump.emulator.pump.motor import NEVER, Motor
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.emulator.schedule import DAY, Schedule
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Limits, RampMove, When
from mockpump.protocol.program import Program, check


class Delivery(Motor):
    """The motor, and what can be done to it."""

    __slots__ = ()

    # -- what it is doing ----------------------------------------------------------------------

    @property
    def clock(self) -> int:
        """What the clock shows: seconds since a Monday at midnight, below `CLOCK_CYCLE`."""
        return self.pump_clock.shown(self.elapsed)

    @property
    def rate(self) -> int:
        """The rate from this second on; 0 when suspended, empty or without a program."""
        return self._rate

    @property
    def due(self) -> int:
        """All that was ever asked of the motor, in units of 1/3600 nL."""
        return self._due

    @property
    def remainder(self) -> int:
        """What the motor owes, in units of 1/3600 nL: less than one micro-step."""
        return self._due % UNITS_PER_STEP

    @property
    def reservoir(self) -> int:
        """What is left in the reservoir."""
        return self.filling.volume - (self.delivered - self.filling.delivered)

    @property
    def percent(self) -> int:
        """The percentage of the present ramp step; 100 without a program."""
        return self.schedule.percent_at(self.pump_clock.at(self.elapsed)) if self.schedule else 100

    @property
    def pattern(self) -> int:
        """The place of the day pattern that rules today; 0 without a program."""
        return self.schedule.pattern_at(self.pump_clock.at(self.elapsed)) if self.schedule else 0

    @property
    def base_rate(self) -> int:
        """What the program asks for at this second, before a temporary rate scales it."""
        return self._base if self.running else 0

    @property
    def bolus_rate(self) -> int:
        """What a bolus adds at this second."""
        return self.bolus.span(self.elapsed)[0] if self.bolus else 0

    @property
    def last_day(self) -> int:
        """What was asked of the motor in the last 24 h, in units of 1/3600 nL."""
        return self.rolling.volume(self.elapsed, self._due)

    def moment(self, when: When) -> int:
        """The elapsed second from which a program committed now rules, as the clock stands."""
        if when is When.NOW or self.schedule is None:
            return self.elapsed
        midnight = (self.day + 1) * DAY
        edge = self.schedule.next_edge(self.pump_clock.at(self.elapsed))
        return self.pump_clock.when(edge if when is When.EDGE else midnight)

    def next_edge(self) -> int | None:
        """The elapsed second of the next breakpoint; None while only a call can change the rate."""
        return self._until if self._until != NEVER else None

    def percent_with(self, clock: int) -> int:
        """The percentage that would rule if the clock were set so.

        The present one where that brings the pending program, which takes over from it.
        """
        reading = self.pump_clock.reading_of(clock, self.elapsed)
        brings = self.pending is not None and reading // DAY > self.pending.day
        if self.schedule is None or brings:
            return self.percent
        return self.schedule.percent_at(reading)

    # -- what can be done to it ----------------------------------------------------------------

    def set_clock(self, clock: int) -> None:
        """Set the clock.  What was delivered stays; the schedule follows the new time.

        `LocalProtocolError` outside 0..`CLOCK_CYCLE` - 1.
        """
        self.pump_clock.set(clock, self.elapsed)
        self._recompute()

    def set_drift(self, drift: int) -> None:
        """Let the clock drift by so many ppm from now on."""
        self.pump_clock.set_drift(drift, self.elapsed)
        self._recompute()

    def set_program(self, program: Program) -> None:
        """Follow another program from this second on; its ramp begins on the present clock day.

        `ProgramError`, and nothing changed, when the program breaks a rule.
        """
        check(program)
        self.schedule = Schedule(program, self.day)
        self.drop_pending()
        self._recompute()

    def set_pending(self, program: Program, when: When) -> None:
        """Follow another program from the next edge, or midnight, on.

        `LocalProtocolError` for `When.NOW`, and where there is no program to go on with till then;
        `ProgramError` when the program breaks a rule.
        """
        if when is When.NOW or self.schedule is None:
            raise LocalProtocolError("a pending program needs another one before it")
        check(program)
        self.pending, self._next_program = Pending(when, self.day), program
        self._recompute()

    def drop_pending(self) -> None:
        """Go on with the present program after all."""
        self.pending = self._next_program = None
        self._refresh_rate()

    def move_ramp(self, move: RampMove) -> None:
        """Hold the ramp, let it go on, or go back a step; nothing without a program."""
        if self.schedule is not None:
            self.schedule = self.schedule.moved(move, self.day)
            self._recompute()

    def set_limits(self, limits: Limits) -> None:
        """Hold other limits from this second on."""
        self._hold_limits(limits)
        self._recompute()

    def start_bolus(self, bolus: Bolus) -> None:
        """Give a bolus on top of the program; it begins now."""
        self.bolus = bolus
        self._refresh_rate()

    def end_bolus(self) -> None:
        """Give no more of it."""
        self.bolus = None
        self._refresh_rate()

    def set_temporary(self, temporary: TemporaryRate | None) -> None:
        """Scale the program's rate for a while; None: no longer."""
        self.temporary = temporary
        self._refresh_rate()

    def fill(self, volume: int) -> None:
        """Empty the reservoir and fill in `volume`.  `DeliveryEvent.LOW` comes when a tenth is
        left.
        """
        self.filling = ReservoirFill(volume, self.delivered)
        self._mark_levels()
        self._recompute()

    def suspend(self) -> None:
        """Stand still; what the motor owes stays owed.  A bolus ends with it."""
        self.running = False
        self.bolus = None
        self._recompute()

    def halt(self) -> None:
        """Stand still, with nothing left on top of the program."""
        self._stop()
        self._recompute()

    def resume(self) -> None:
        """Follow the program again from this second on; what was missed stays missed."""
        self.running = True
        self._recompute()

    def assume(self, units: int) -> int:
        """Count so much (1/3600 nL) as moved before this second, because nobody knows.

        No more than the reservoir had.  What the motor may really have moved for it, in nL: whole
        micro-steps.
        """
        units = min(units, max(self._empty_at - self._due, 0))
        moved = (self._due + units) // UNITS_PER_STEP * STEP - self.delivered
        # A whole step may have been moved for less, and is owed again from here on.
        self.rolling.assume(self.elapsed, self._due, moved * UNITS_PER_STEP // STEP)
        self._recompute()
        return moved

    # -- kept and restored -----------------------------------------------------------------------

    def state(self) -> DeliveryState:
        """All that `restore` needs beside the programs."""
        schedule = self.schedule
        return DeliveryState(
            self.elapsed,
            self._due,
            self.running,
            self.pump_clock.copy(),
            self.filling,
            self.rolling.copy(),
            schedule.start_day if schedule else 0,
            schedule.held_day if schedule else None,
            self.bolus,
            self.temporary,
            self.pending,
        )

    def restore(self, state: DeliveryState, active: Program | None, later: Program | None) -> None:
        """Go on from where a `state` was kept; `later` is the program that was pending then."""
        self.elapsed, self._due, self.running = state.elapsed, state.due, state.running
        self.pump_clock, self.filling = state.clock, state.filling
        self.rolling = state.rolling.copy()
        self.schedule = Schedule(active, state.start_day, state.held_day) if active else None
        self.bolus, self.temporary = state.bolus, state.temporary
        self.pending, self._next_program = state.pending, later
        self._mark_levels()
        self._recompute()
