"""The motor: it moves from breakpoint to breakpoint, and knows the next one.

A breakpoint is a second in which the rate of everything that runs together may change: an edge of
the program, the turn or end of a bolus, the end of a temporary rate, the last second within a
limit, a level of the reservoir.  `mockpump.emulator.pump.delivery` says what can be asked of it.
"""

from mockpump.emulator.pump.clock import PumpClock
from mockpump.emulator.pump.delivery_state import (
    STEP,
    UNITS_PER_STEP,
    DeliveryEvent,
    Pending,
    ReservoirFill,
)
from mockpump.emulator.pump.limits import WIDEST, Excess, daily_excess, most_in_24_hours
from mockpump.emulator.pump.overrides import Bolus, CutBolus, TemporaryRate
from mockpump.emulator.pump.rolling_window import RollingVolume
from mockpump.emulator.schedule import DAY, ProgramProfile, Schedule
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Limits, Reason, When
from mockpump.protocol.program import Program, scaled

# When nothing will happen by itself.
NEVER = 2**63


class Motor:
    """The motor, the reservoir and the clock of one pump, left to themselves.

    Times in seconds, volumes in nL, rates in nL/h.  It begins running, with a full reservoir and
    without a program, at elapsed 0 and clock 0.  `events` is what came of itself, oldest first,
    each with its elapsed second and what it left of a bolus, if it cut one short: whoever drives it
    takes things out.  `excess` is what stopped it at a limit last.  `breakpoints_passed` is another
    number whenever a breakpoint has been passed.
    """

    # `_base` is the program's own rate and `_edge` the elapsed second until which it holds; `_rate`
    # is the sum of all that runs, until `_until`.  `_marks` are the levels ahead, as sums due.
    __slots__ = (
        "_base",
        "_daily_limit",
        "_due",
        "_edge",
        "_empty_at",
        "_marks",
        "_next_program",
        "_rate",
        "_steady_since",
        "_until",
        "bolus",
        "breakpoints_passed",
        "elapsed",
        "events",
        "excess",
        "filling",
        "limits",
        "pending",
        "pump_clock",
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
        self._due = 0
        self.filling = ReservoirFill(reservoir)
        self._mark_levels()
        self._recompute()

    # -- what it is doing ----------------------------------------------------------------------

    @property
    def day(self) -> int:
        """The clock's day, never gone around; its first Monday is day 0."""
        return self.pump_clock.at(self.elapsed) // DAY

    @property
    def delivered(self) -> int:
        """What the motor has moved: whole micro-steps of `STEP` nL."""
        return self._due // UNITS_PER_STEP * STEP

    @property
    def empty(self) -> bool:
        """Whether the reservoir cannot give another whole micro-step."""
        return self._due >= self._empty_at

    # -- time ----------------------------------------------------------------------------------

    def advance(self, elapsed: int) -> None:
        """Let time pass until `elapsed`.  `LocalProtocolError` when that is in the past."""
        if elapsed < self.elapsed:
            raise LocalProtocolError(f"time runs forward: {elapsed} s is before {self.elapsed} s")
        while elapsed >= self._until:
            self._due += self._rate * (self._until - self.elapsed)
            self.elapsed = self._until
            self._turn()
            if elapsed >= self._until and self._only_program_runs():
                self._fast_forward(elapsed)
        self._due += self._rate * (elapsed - self.elapsed)
        self.elapsed = elapsed

    def _turn(self) -> None:
        """What happens at a breakpoint."""
        self.breakpoints_passed += 1
        now = self.elapsed
        missing = self._take_back() if self._due > self._empty_at else 0
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
        while self._marks and self._due >= self._marks[-1][0]:
            self._pass_mark(self._marks.pop()[1], missing)
        self._set_rate()

    def _take_back(self) -> int:
        """What the reservoir could not give in the second that ends now: it is owed to nobody."""
        # Of less than a micro-step that was filled in nothing is watched, and nothing was given.
        if not self._marks:
            return 0
        missing = self._due - self._empty_at
        self._due = self._empty_at
        self.rolling.cut(self.elapsed, self._due)
        return missing

    def _enter_span(self) -> None:
        """Find the program's rate, and until when it holds."""
        if self.schedule is None:
            self._base, self._edge = 0, NEVER
        else:
            self._base, reading = self.schedule.span_at(self.pump_clock.at(self.elapsed))
            self._edge = self.pump_clock.when(reading)

    def _pass_mark(self, happening: DeliveryEvent, missing: int) -> None:
        if happening is DeliveryEvent.EMPTY:
            self._stop(missing)
        self._emit(happening)

    def _emit(self, happening: DeliveryEvent, cut: CutBolus | None = None) -> None:
        self.events.append((self.elapsed, happening, cut))

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

    def _set_rate(self) -> None:
        """Sum up what runs, and find the next breakpoint."""
        now = self.elapsed
        moving = self.running and self._due < self._empty_at
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
            until = min(until, turn)
        self.rolling.turn(now, self._due, rate)
        if rate and not self._clearly_within_limits(rate, until):
            until, excess = self._hold(rate, until)
            if excess is not None:
                self.excess = excess
                self._stop()
                self._emit(DeliveryEvent[excess.reason.name])
                self._set_rate()
                return
        self._rate = rate
        self._until = until

    def _clearly_within_limits(self, rate: int, until: int) -> bool:
        """Whether it is plain that neither a limit nor a level is met, as it nearly always is."""
        due = self._due + rate * (until - self.elapsed)
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
        safe = self.rolling.safe_until(now, self._due, rate, until, self._daily_limit)
        if safe == now:
            volume = self.rolling.volume(now + 1, self._due + rate)
            return now, daily_excess(volume, self.limits)
        left = self._marks[-1][0] - self._due
        if left <= rate * (safe - now):
            safe = now - (-left // rate)
        return safe, None

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
            self.rolling.follow(self.elapsed, self._due, program)
            self._due += units
            self.elapsed += seconds
            self._enter_span()
            self._set_rate()

    def _volume_before_next_check(self, schedule: Schedule, units: int) -> int:
        """What the program may deliver before a level or the limit of 24 h must be looked at.

        Where that is not less than `units`, it need not be exact.
        """
        left = self._marks[-1][0] - 1 - self._due
        if units <= left and units <= self._daily_limit - (
            self._due - self.rolling.breakpoints[0][1]
        ):
            return units
        if self.elapsed - self._steady_since >= DAY and schedule.highest_peak <= self._daily_limit:
            return left
        return min(left, self._daily_limit - self.rolling.volume(self.elapsed, self._due))

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
        marks = [(self.filling.level(left), happening) for happening, left in levels.items()]
        self._marks = [mark for mark in marks if mark[0] > self._due]
