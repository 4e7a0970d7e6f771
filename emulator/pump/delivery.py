"""Delivery: the motor that follows a program in whole micro-steps, and owes the rest.

Between two *breakpoints* the rate of everything that runs together is constant.  A breakpoint is a
second in which it may change: an edge of the program, the turn or end of a bolus, the end of a
temporary rate, the last second within a limit, a level of the reservoir.

    rate                 ________
      |        _________|        |___          bolus on top of the program
      |  _____|                      |______
      +--b----b---------b--------b---b-----b-- time; a breakpoint at each b

So time is passed from breakpoint to breakpoint in closed form.  What is asked for is summed
exactly, as one integer in units of 1/3600 nL, which is what one nL/h gives in a second; the motor
has moved every whole micro-step in it and owes the remainder.  At every second, however time was
cut up,

    delivered * 3600 + remainder == the integral of the rate over the time it was running

until a limit would be broken, or the reservoir cannot give another whole micro-step.  In that
second the motor stops; empty, it owes nothing any more.

Pure: time comes in as an argument.  Elapsed time only rises; the clock is what the patterns follow,
and may be set and drift.
"""

from mockpump.emulator.pump.clock import PumpClock
from mockpump.emulator.pump.limits import WIDEST, Excess, daily_excess, most_in_24_hours
from mockpump.emulator.pump.overrides import Bolus, CutBolus, TemporaryRate
from mockpump.emulator.pump.rolling_window import RollingVolume
from mockpump.emulator.pump.state import (
    STEP,
    UNITS_PER_STEP,
    DeliveryEvent,
    DeliveryState,
    Pending,
    ReservoirFill,
)
from mockpump.emulator.schedule import DAY, ProgramProfile, Schedule
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Limits, RampMove, Reason, When
from mockpump.protocol.program import Program, check, scaled

# When nothing will happen by itself.
NEVER = 2**63


class Delivery:
    """The motor, the reservoir and the clock of one pump, what runs on them, and the limits.

    Times in seconds, volumes in nL, rates in nL/h.  It begins running, with a full reservoir and
    without a program, at elapsed 0 and clock 0.  `events` is what came of itself, oldest first,
    each with its elapsed second and what it left of a bolus, if it cut one short: whoever drives it
    takes them out.  `excess` is what stopped it at a limit last.  `breakpoints_passed` is another
    number whenever a breakpoint has been passed.

    `rate` is that from this second on, 0 when suspended, empty or without a program; `due` all that
    was ever asked of the motor, in units of 1/3600 nL.
    """

    # `_base` is the program's own rate and `_edge` the elapsed second until which it holds;
    # `rate` is the sum of all that runs, until `_until`.  `_marks` are the levels ahead, as sums
    # due.
    __slots__ = (
        "_base",
        "_daily_limit",
        "_edge",
        "_empty_at",
        "_marks",
        "_next_program",
        "_steady_since",
        "_until",
        "bolus",
        "breakpoints_passed",
        "due",
        "elapsed",
        "events",
        "excess",
        "filling",
        "limits",
        "pending",
        "pump_clock",
        "rate",
        "rolling",
        "running",
        "schedule",
        "temporary",
    )

    def __init__(self, reservoir: int, limits: Limits = WIDEST) -> None:
        if reservoir < 0:
            raise LocalProtocolError(f"a reservoir cannot hold {reservoir} nL")
        self.elapsed = 0
        self.running = True
        self.schedule: Schedule | None = None
        self.bolus: Bolus | None = None
        self.temporary: TemporaryRate | None = None
        self.pending: Pending | None = None
        self._next_program: Program | None = None
        self._hold_limits(limits)
        self.rolling = RollingVolume()
        self.pump_clock = PumpClock()
        self.events: list[tuple[int, DeliveryEvent, CutBolus | None]] = []
        self.excess: Excess | None = None
        self.breakpoints_passed = 0
        self.due = 0
        self.filling = ReservoirFill(reservoir)
        self._mark_levels()
        self._recompute()

    # -- what it is doing ----------------------------------------------------------------------

    @property
    def clock(self) -> int:
        """What the clock shows: seconds since a Monday at midnight, below `CLOCK_CYCLE`."""
        return self.pump_clock.shown(self.elapsed)

    @property
    def remainder(self) -> int:
        """What the motor owes, in units of 1/3600 nL: less than one micro-step."""
        return self.due % UNITS_PER_STEP

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
        return self.rolling.volume(self.elapsed, self.due)

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

    @property
    def day(self) -> int:
        """The clock's day, never gone around; its first Monday is day 0."""
        return self.pump_clock.at(self.elapsed) // DAY

    @property
    def delivered(self) -> int:
        """What the motor has moved: whole micro-steps of `STEP` nL."""
        return self.due // UNITS_PER_STEP * STEP

    @property
    def empty(self) -> bool:
        """Whether the reservoir cannot give another whole micro-step."""
        return self.due >= self._empty_at

    # -- what can be done to it ----------------------------------------------------------------

    def set_clock(self, clock: int) -> None:
        """Set the clock.  What was delivered stays; the schedule follows the new time.

        `LocalProtocolError` outside 0..`CLOCK_CYCLE` - 1.
        """
        self.pump_clock.set(clock, self.elapsed)
        self._recompute()

    def set_drift(self, drift: int) -> None:
        """Let the clock drift by this many ppm from now on."""
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
        """Count this much (1/3600 nL) as moved before this second, because nobody knows.

        No more than the reservoir had.  What the motor may really have moved for it, in nL: whole
        micro-steps.
        """
        units = min(units, max(self._empty_at - self.due, 0))
        moved = (self.due + units) // UNITS_PER_STEP * STEP - self.delivered
        # A whole step may have been moved for less, and is owed again from here on.
        self.rolling.assume(self.elapsed, self.due, moved * UNITS_PER_STEP // STEP)
        self._recompute()
        return moved

    # -- kept and restored -----------------------------------------------------------------------

    def state(self) -> DeliveryState:
        """All that `restore` needs beside the programs."""
        schedule = self.schedule
        return DeliveryState(
            self.elapsed,
            self.due,
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
        self.elapsed, self.due, self.running = state.elapsed, state.due, state.running
        self.pump_clock, self.filling = state.clock, state.filling
        self.rolling = state.rolling.copy()
        self.schedule = Schedule(active, state.start_day, state.held_day) if active else None
        self.bolus, self.temporary = state.bolus, state.temporary
        self.pending, self._next_program = state.pending, later
        self._mark_levels()
        self._recompute()

    # -- time ----------------------------------------------------------------------------------

    def advance(self, elapsed: int) -> None:
        """Let time pass until `elapsed`.  `LocalProtocolError` when that is in the past."""
        if elapsed < self.elapsed:
            raise LocalProtocolError(f"time runs forward: {elapsed} s is before {self.elapsed} s")
        while elapsed >= self._until:
            self.due += self.rate * (self._until - self.elapsed)
            self.elapsed = self._until
            self._turn()
            if elapsed >= self._until and self._only_program_runs():
                self._fast_forward(elapsed)
        self.due += self.rate * (elapsed - self.elapsed)
        self.elapsed = elapsed

    def _turn(self) -> None:
        """What happens at a breakpoint."""
        self.breakpoints_passed += 1
        now = self.elapsed
        missing = self._take_back() if self.due > self._empty_at else 0
        if self.bolus is not None and now >= self.bolus.ends:
            self._steady_since = now
            self._end_bolus(self.bolus, missing)
        if self.temporary is not None and now >= self.temporary.ends:
            self.temporary = None
            self._steady_since = now
            self._emit(DeliveryEvent.TEMPORARY_ENDED)
        if now >= self._edge:
            self._enter_span()
            if self.pending is not None:
                self._take_pending(at_edge=True)
        while self._marks and self.due >= self._marks[-1][0]:
            self._pass_mark(self._marks.pop()[1], missing)
        self._set_rate()

    def _take_back(self) -> int:
        """What the reservoir could not give in the second that ends now: it is owed to nobody."""
        # Of less than a micro-step that was filled in nothing is watched, and nothing was given.
        if not self._marks:
            return 0
        missing = self.due - self._empty_at
        self.due = self._empty_at
        self.rolling.cut(self.elapsed, self.due)
        return missing

    def _enter_span(self) -> None:
        """Find the program's rate, and until when it holds."""
        if self.schedule is None:
            self._base, self._edge = 0, NEVER
        else:
            self._base, reading = self.schedule.span_at(self.pump_clock.at(self.elapsed))
            self._edge = self.pump_clock.when(reading)

    def _pass_mark(self, event: DeliveryEvent, missing: int) -> None:
        if event is DeliveryEvent.EMPTY:
            self._stop(missing)
        self._emit(event)

    def _emit(self, event: DeliveryEvent, cut: CutBolus | None = None) -> None:
        self.events.append((self.elapsed, event, cut))

    def _end_bolus(self, bolus: Bolus, missing: int = 0) -> None:
        left = bolus.left(self.elapsed, missing)
        if left or self.elapsed < bolus.ends:
            self._emit(DeliveryEvent.BOLUS_CUT, CutBolus(bolus.volume, left))
        else:
            self._emit(DeliveryEvent.BOLUS_ENDED)
        self.bolus = None

    def _take_pending(self, *, at_edge: bool) -> None:
        pending, program = self.pending, self._next_program
        if pending is None or program is None:
            return
        # A clock that was set back must come to the day of the commit again.
        edge = at_edge and pending.when is When.EDGE
        if self.day > pending.day or (edge and self.day == pending.day):
            self._steady_since = self.elapsed
            self.schedule = Schedule(program, self.day)
            self.pending = self._next_program = None
            self._enter_span()
            self._emit(DeliveryEvent.PROGRAM)

    # The next breakpoint is a minimum over all that runs, found whenever any of it has changed, and
    # no later: whoever changes something calls `_recompute` (the place in the program may be
    # another) or `_refresh_rate` (it is not).  A limit is not an event that somebody watches for
    # but a second that is known beforehand: the last one up to which the present rate may hold.
    # Reaching it, the same sum is made again; if not even one more second is left, delivery stops
    # there, so that a limit is never exceeded, not by one unit.
    def _set_rate(self) -> None:
        """Sum up what runs, and find the next breakpoint."""
        now = self.elapsed
        moving = self.running and self.due < self._empty_at
        # Standing still, only a program that waits for an edge makes one worth stopping at.
        until = self._edge if moving or self.pending is not None else NEVER
        rate = self._base if moving else 0
        if self.temporary is not None:
            rate = scaled(rate, self.temporary.percent)
            until = min(until, self.temporary.ends)
        if self.bolus is not None:
            more, turn = self.bolus.span(now)
            if moving:
                rate += more
            until = turn if turn < until else until
        self.rolling.turn(now, self.due, rate)
        if rate and not self._clearly_within_limits(rate, until):
            until, excess = self._hold(rate, until)
            if excess is not None:
                self.excess = excess
                self._stop()
                self._emit(DeliveryEvent[excess.reason.name])
                self._set_rate()
                return
        self.rate = rate
        self._until = until

    def _clearly_within_limits(self, rate: int, until: int) -> bool:
        """Whether it is plain that neither a limit nor a level is met, as it nearly always is."""
        due = self.due + rate * (until - self.elapsed)
        return (
            rate <= self.limits.rate
            and due < self._marks[-1][0]
            # What `RollingVolume.safe_until` asks first, without the call.
            and due - self.rolling.breakpoints[0][1] <= self._daily_limit
        )

    def _hold(self, rate: int, until: int) -> tuple[int, Excess | None]:
        """Until when a rate may hold, and what is broken when that is not even a second."""
        now = self.elapsed
        if rate > self.limits.rate:
            return now, Excess(Reason.LIMIT_RATE, rate, self.limits.rate)
        safe = self.rolling.safe_until(now, self.due, rate, until, self._daily_limit)
        if safe == now:
            volume = self.rolling.volume(now + 1, self.due + rate)
            return now, daily_excess(volume, self.limits)
        left = self._marks[-1][0] - self.due
        if left <= rate * (safe - now):
            safe = now - (-left // rate)
        return safe, None

    # Fast-forwarding.  A year of a program has thousands of edges, and a schedule knows in closed
    # form what it gives between any two seconds.  So where nothing but the program runs, all edges
    # up to where somebody looks are passed at once.  That is exact if nothing would have happened
    # at any of them but another rate:
    #
    # 1. Nothing ends or takes over: no bolus, no temporary rate, no pending program; and the clock
    #    does not drift, so that an edge of the clock is a second of pump time.
    #
    # 2. The limit of the rate holds at the highest segment of the highest ramp step ahead.
    #
    # 3. No level of the reservoir is passed.  The sum due only rises, so it is enough that the sum
    #    at the end is below the next level; else the jump ends in the last second before it.
    #
    # 4. The limit of 24 h holds at every second.  Each of these is enough, the cheapest first: all
    #    that is due at the end, less what was due a day before the beginning, fits into the limit;
    #    the program alone has run for a day, and its fullest 24 h fit; what is free of the last
    #    24 h is not used up, which is safe because what leaves the window only makes room.
    #
    # What a jump leaves behind is one piece of the rolling window that bends (`ProgramProfile`).  A
    # test holds every jump against the same time passed edge by edge.
    def _only_program_runs(self) -> bool:
        """Whether there is nothing but a program, by a clock that keeps the time.

        It must be one that never breaks the limit of the rate, at no step of its ramp.
        """
        extras = self.bolus or self.temporary or self.pending or self.pump_clock.drift
        if extras or not self.running or self._until != self._edge:
            return False
        return self.schedule is not None and self.schedule.highest_rate <= self.limits.rate

    def _fast_forward(self, elapsed: int) -> None:
        """Jump ahead over a stretch of the bare program, as far as nothing else can happen."""
        schedule = self.schedule
        if schedule is None:
            return
        program = ProgramProfile(schedule, self.pump_clock.at(self.elapsed))
        seconds = elapsed - self.elapsed
        units = program.volume(seconds)
        most = self._volume_before_next_check(schedule, units)
        beyond = schedule.moment_of(program.clock, most + 1, seconds) if units > most else None
        if beyond is not None:
            seconds = beyond - program.clock - 1
            units = program.volume(seconds)
        if self.elapsed + seconds > self._until:
            self.rolling.follow(self.elapsed, self.due, program)
            self.due += units
            self.elapsed += seconds
            self._enter_span()
            self._set_rate()

    def _volume_before_next_check(self, schedule: Schedule, units: int) -> int:
        """What the program may deliver before a level or the limit of 24 h must be looked at.

        Where that is not less than `units`, it need not be exact.
        """
        left = self._marks[-1][0] - 1 - self.due
        if units <= left and units <= self._daily_limit - (
            self.due - self.rolling.breakpoints[0][1]
        ):
            return units
        if self.elapsed - self._steady_since >= DAY and schedule.highest_peak <= self._daily_limit:
            return left
        return min(left, self._daily_limit - self.rolling.volume(self.elapsed, self.due))

    def _recompute(self) -> None:
        """Begin anew from what is set, after anything but time has changed it."""
        self._steady_since = self.elapsed
        self._enter_span()
        self._take_pending(at_edge=False)
        self._set_rate()

    def _refresh_rate(self) -> None:
        """Go on with another sum; the place in the program is what it was."""
        self._steady_since = self.elapsed
        self._set_rate()

    def _stop(self, missing: int = 0) -> None:
        self.running = False
        if self.bolus is not None:
            self._end_bolus(self.bolus, missing)
        if self.temporary is not None:
            self._emit(DeliveryEvent.TEMPORARY_ENDED)
        self.temporary = None

    def _hold_limits(self, limits: Limits) -> None:
        self.limits = limits
        self._daily_limit = most_in_24_hours(limits)

    def _mark_levels(self) -> None:
        self._empty_at = self.filling.level(0)
        levels = {DeliveryEvent.EMPTY: 0, DeliveryEvent.LOW: self.filling.volume // 10}
        marks = [(self.filling.level(left), event) for event, left in levels.items()]
        self._marks = [mark for mark in marks if mark[0] > self.due]
