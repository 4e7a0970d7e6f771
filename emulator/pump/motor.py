"""The motor: it moves from corner to corner, and knows the next one.

A corner is a second in which the rate of everything that runs together may change: an edge of the
program, the turn or end of a bolus, the end of a temporary rate, the last second within a limit, a
level of the reservoir.  `mockpump.emulator.pump.delivery` says what can be asked of it.
"""

from mockpump.emulator.pump.clock import PumpClock
from mockpump.emulator.pump.delivery_state import STEP, UNITS_PER_STEP, Filling, Happening, Pending
from mockpump.emulator.pump.limits import WIDEST, Excess, daily_excess, most_in_24_hours
from mockpump.emulator.pump.overlay import Bolus, CutBolus, Temporary
from mockpump.emulator.pump.rolling import RollingVolume
from mockpump.emulator.pump.schedule import DAY, BareProgram, Schedule
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Limits, Reason, When
from mockpump.protocol.program import Program, scaled

# When nothing will happen by itself.
NEVER = 2**63


class Motor:
    """The motor, the reservoir and the clock of one pump, left to themselves.

    Times in seconds, volumes in nL, rates in nL/h.  It begins running, with a full reservoir and
    without a program, at elapsed 0 and clock 0.  `happened` is what came of itself, oldest first,
    each with its elapsed second and what it left of a bolus, if it cut one short: whoever drives it
    takes things out.  `excess` is what stopped it at a limit last.  `turns` is another number
    whenever a corner has been passed.
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
        "_undisturbed",
        "_until",
        "bolus",
        "clock_work",
        "elapsed",
        "excess",
        "filling",
        "happened",
        "limits",
        "pending",
        "rolling",
        "running",
        "schedule",
        "temporary",
        "turns",
    )

    def __init__(self, reservoir: int, limits: Limits = WIDEST) -> None:
        if reservoir < 0:
            raise LocalProtocolError(f"a reservoir cannot hold {reservoir} nL")
        self.elapsed = 0
        self.running = True
        self.schedule: Schedule | None = None
        self.bolus: Bolus | None = None
        self.temporary: Temporary | None = None
        self.pending: Pending | None = None
        self._next_program: Program | None = None
        self._hold_limits(limits)
        self.rolling = RollingVolume()
        self.clock_work = PumpClock()
        self.happened: list[tuple[int, Happening, CutBolus | None]] = []
        self.excess: Excess | None = None
        self.turns = 0
        self._due = 0
        self.filling = Filling(reservoir)
        self._mark_levels()
        self._look()

    # -- what it is doing ----------------------------------------------------------------------

    @property
    def day(self) -> int:
        """The clock's day, never gone around; its first Monday is day 0."""
        return self.clock_work.at(self.elapsed) // DAY

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
            if elapsed >= self._until and self._is_bare():
                self._leap(elapsed)
        self._due += self._rate * (elapsed - self.elapsed)
        self.elapsed = elapsed

    def _turn(self) -> None:
        """What happens at a corner."""
        self.turns += 1
        now = self.elapsed
        missing = self._take_back() if self._due > self._empty_at else 0
        if self.bolus is not None and now >= self.bolus.ends:
            self._undisturbed = now
            self._end_bolus(self.bolus, missing)
        if self.temporary is not None and now >= self.temporary.ends:
            self.temporary = None
            self._undisturbed = now
            self._happen(Happening.TEMPORARY_ENDED)
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
            self._base, reading = self.schedule.span_at(self.clock_work.at(self.elapsed))
            self._edge = self.clock_work.when(reading)

    def _pass_mark(self, happening: Happening, missing: int) -> None:
        if happening is Happening.EMPTY:
            self._stop(missing)
        self._happen(happening)

    def _happen(self, happening: Happening, cut: CutBolus | None = None) -> None:
        self.happened.append((self.elapsed, happening, cut))

    def _end_bolus(self, bolus: Bolus, missing: int = 0) -> None:
        left = bolus.left(self.elapsed, missing)
        if left or self.elapsed < bolus.ends:
            self._happen(Happening.BOLUS_CUT, CutBolus(bolus.volume, left))
        else:
            self._happen(Happening.BOLUS_ENDED)
        self.bolus = None

    def _take_pending(self, *, at_edge: bool) -> None:
        pending, program = self.pending, self._next_program
        if pending is None or program is None:
            return
        # A clock that was set back must come to the day of the commit again.
        edge = at_edge and pending.when is When.EDGE
        if self.day > pending.day or (edge and self.day == pending.day):
            self._undisturbed = self.elapsed
            self.schedule = Schedule(program, self.day)
            self.pending = self._next_program = None
            self._enter_span()
            self._happen(Happening.PROGRAM)

    def _set_rate(self) -> None:
        """Sum up what runs, and find the next corner."""
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
        if rate and not self._surely_holds(rate, until):
            until, excess = self._hold(rate, until)
            if excess is not None:
                self.excess = excess
                self._stop()
                self._happen(Happening[excess.reason.name])
                self._set_rate()
                return
        self._rate = rate
        self._until = until

    def _surely_holds(self, rate: int, until: int) -> bool:
        """Whether it is plain that neither a limit nor a level is met, as it nearly always is."""
        due = self._due + rate * (until - self.elapsed)
        return (
            rate <= self.limits.rate
            and due < self._marks[-1][0]
            # What `RollingVolume.safe_until` asks first, without the call.
            and due - self.rolling.corners[0][1] <= self._daily_limit
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

    def _is_bare(self) -> bool:
        """Whether there is nothing but a program, by a clock that keeps the time.

        It must be one that never breaks the limit of the rate, at no step of its ramp.
        """
        extras = self.bolus or self.temporary or self.pending or self.clock_work.drift
        if extras or not self.running or self._until != self._edge:
            return False
        return self.schedule is not None and self.schedule.highest_rate <= self.limits.rate

    def _leap(self, elapsed: int) -> None:
        """Jump ahead over a stretch of the bare program, as far as nothing else can happen."""
        schedule = self.schedule
        if schedule is None:
            return
        program = BareProgram(schedule, self.clock_work.at(self.elapsed))
        seconds = elapsed - self.elapsed
        units = program.volume(seconds)
        most = self._most_by_itself(schedule, units)
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

    def _most_by_itself(self, schedule: Schedule, units: int) -> int:
        """What the program may deliver before a level or the limit of 24 h must be looked at.

        Where that is not less than `units`, it need not be exact.
        """
        left = self._marks[-1][0] - 1 - self._due
        if units <= left and units <= self._daily_limit - (self._due - self.rolling.corners[0][1]):
            return units
        if self.elapsed - self._undisturbed >= DAY and schedule.highest_peak <= self._daily_limit:
            return left
        return min(left, self._daily_limit - self.rolling.volume(self.elapsed, self._due))

    def _look(self) -> None:
        """Begin anew from what is set, after anything but time has changed it."""
        self._undisturbed = self.elapsed
        self._enter_span()
        self._take_pending(at_edge=False)
        self._set_rate()

    def _overlay(self) -> None:
        """Go on with another sum; the place in the program is what it was."""
        self._undisturbed = self.elapsed
        self._set_rate()

    def _stop(self, missing: int = 0) -> None:
        self.running = False
        if self.bolus is not None:
            self._end_bolus(self.bolus, missing)
        if self.temporary is not None:
            self._happen(Happening.TEMPORARY_ENDED)
        self.temporary = None

    def _hold_limits(self, limits: Limits) -> None:
        self.limits = limits
        self._daily_limit = most_in_24_hours(limits)

    def _mark_levels(self) -> None:
        self._empty_at = self.filling.level(0)
        levels = {Happening.EMPTY: 0, Happening.LOW: self.filling.volume // 10}
        marks = [(self.filling.level(left), happening) for happening, left in levels.items()]
        self._marks = [mark for mark in marks if mark[0] > self._due]
