"""The oracle of the whole pump: the same pump lived one second at a time, without a clever thought.

Each tick lets one second flow, then looks at what that second has brought about.  It shares nothing
with `mockpump.emulator` but the programs, the names of alarms, modes and reasons, and the numbers
that are documented: a micro-step of 10 nL, the days, the table of alarms that stop delivery.
"""

from copy import copy, deepcopy
from functools import cache
from itertools import accumulate, pairwise

from mockpump.protocol.messages import Alarm, Limits, Mode, Priority, RampMove, Reason, When
from mockpump.protocol.program import Program

STEP, NL, DAY, WEEK_MINUTES = 10, 3_600, 86_400, 10_080
STOPPING = {Alarm.EMPTY, Alarm.STALLED, Alarm.MEMORY_FAULT, Alarm.LIMIT_REACHED}
PASSING = {Alarm.LIMIT_REACHED, Alarm.RESTARTED}
LOW = {Alarm.PAIRING_LOCKED, Alarm.RESTARTED}


NOTHING = [(0, 0)] * WEEK_MINUTES


@cache
def minutes_of(program: Program) -> list[tuple[int, int]]:
    """For each minute of the week the number of its segment in the week, and the rate."""
    minutes, place = [], -1
    for pattern in program.week:
        starts = {segment.start: segment.rate for segment in program.patterns[pattern].segments}
        for minute in range(1_440):
            place += minute in starts
            minutes.append((place, starts.get(minute, minutes[-1][1] if minutes else 0)))
    return minutes


@cache
def peak_of(program: Program, percent: int) -> int:
    """The most in any 24 h of the week, in units; tried from every minute."""
    flow = [rate * percent // 100 * 60 for _, rate in minutes_of(program)] * 2
    sums = [0, *accumulate(flow)]
    return max(sums[at + 1_440] - sums[at] for at in range(WEEK_MINUTES))


def steps_of(program: Program) -> list[int]:
    return [percent_on(program, day) for day in (0, *(s.after for s in program.ramp if s.after))]


def percent_on(program: Program, ramp_day: int) -> int:
    return ([100] + [step.percent for step in program.ramp if step.after <= ramp_day])[-1]


def rises_too_much(before: int, after: int, limits: Limits) -> bool:
    return limits.rise < 65_535 and before > 0 and (after - before) * 100 > limits.rise * before


class NaiveWholePump:
    """Volumes in nL, sums in 1/3600 nL; `micro` is the clock in millionths of a second."""

    def __init__(
        self, program: Program | None, reservoir: int, limits: Limits, drift: int, dead: int
    ) -> None:
        self.capacity, self.limits, self.drift, self.dead = reservoir, limits, drift, dead
        self.elapsed = self.micro = self.due = self.rate = 0
        self.held: int | None
        self.pending: tuple[Program, When, int] | None
        self.adopt(program)
        self.mode = Mode.RUNNING if program else Mode.STOPPED
        self.bolus: tuple[int, int, int] | None = None
        # Units that it got, and how each bolus ended: its volume and what was left, or (0, 0).
        self.bolus_got, self.bolus_ends = 0, list[tuple[int, int]]()
        self.temporary: tuple[int, int] | None = None
        self.alarms: dict[Alarm, list[int]] = {}
        self.plugs = [[0, 500]]
        self.sums, self.assumed = [0], list[tuple[int, int]]()
        self.broken = False
        self.excess: Reason | None = None
        self.fill(reservoir)
        self.look()

    # -- what is so now --------------------------------------------------------------------------

    @property
    def clock(self) -> int:
        return self.micro // 1_000_000

    @property
    def day(self) -> int:
        return self.clock // DAY

    @property
    def ramp_day(self) -> int:
        return max(self.day - self.start_day, 0) if self.held is None else self.held

    @property
    def percent(self) -> int:
        ramped = self.program and self.program.ramp
        return percent_on(self.program, self.ramp_day) if ramped else 100

    @property
    def place_now(self) -> tuple[int, int]:
        """Which segment of which week rules: at an edge it is another."""
        week, minute = divmod(self.clock // 60, WEEK_MINUTES)
        return week, self.minutes[minute][0]

    @property
    def base_rate(self) -> int:
        return self.minutes[self.clock // 60 % WEEK_MINUTES][1] * self.percent // 100

    @property
    def bolus_rate(self) -> int:
        if self.bolus is None:
            return 0
        volume, duration, began = self.bolus
        return volume * NL // duration + (self.elapsed - began < volume * NL % duration)

    @property
    def bolus_left(self) -> int:
        if self.bolus is None:
            return 0
        return self.bolus[0] - self.bolus_got // NL

    @property
    def delivered(self) -> int:
        return self.due // (STEP * NL) * STEP

    @property
    def reservoir(self) -> int:
        return self.filled - (self.delivered - self.filled_at)

    @property
    def arriving(self) -> int:
        out = self.due - self.dead * NL
        ends = accumulate(amount for amount, _ in self.plugs)
        inside = [fluid for end, (_, fluid) in zip(ends, self.plugs, strict=True) if end > out]
        return 0 if out < 0 else [*inside, self.plugs[-1][1]][0]

    def inside(self, filled: int) -> tuple[int, int, int]:
        """What comes out next, what is filled in, and how much must pass before that (nL, up)."""
        room, own = self.dead * NL, 0
        others = [filled]
        for pumped, fluid in reversed(self.plugs):
            amount = min(pumped, room)
            own += amount if fluid == filled and set(others) == {filled} else 0
            others += [fluid] if amount else []
            room -= amount
        return others[-1], filled, -(-(self.dead * NL - own) // NL)

    def last_day(self, ahead: int = 0) -> int:
        """What flowed within the 24 h that end `ahead` seconds from now, if nothing more flows."""
        since = self.elapsed + ahead - DAY
        feared = sum(units for second, units in self.assumed if second > since)
        return self.due - self.sums[max(since, 0)] + feared

    @property
    def priority(self) -> Priority:
        worth = [
            Priority.HIGH if a in STOPPING else Priority.LOW if a in LOW else Priority.MEDIUM
            for a in self.alarms
        ]
        return max(worth, default=Priority.NONE)

    # -- time ------------------------------------------------------------------------------------

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.tick()
        self.written()

    def tick(self) -> None:
        before = self.due
        # Only a program that waits is interested in edges.
        place = self.pending and self.place_now
        self.due = min(before + self.rate, max(self.bottom, before))
        if self.bolus and self.rate:
            # What was not there is missing from the bolus first.
            missing = before + self.rate - self.due
            self.bolus_got += max(self.bolus_rate - missing, 0)
        self.plugs[-1][0] += self.due - before
        self.sums.append(self.due)
        self.elapsed += 1
        self.micro += 1_000_000 + self.drift
        if self.bolus and self.elapsed >= self.bolus[2] + self.bolus[1]:
            self.end_bolus(in_time=True)
        if self.temporary and self.elapsed >= self.temporary[1]:
            self.temporary = None
        if place:
            self.turn(at_edge=place != self.place_now)
        if before < self.low_mark <= self.due:
            self.show(Alarm.LOW_RESERVOIR)
        if before < self.bottom <= self.due:
            self.show(Alarm.EMPTY)
        self.look()

    def turn(self, *, at_edge: bool) -> None:
        if self.pending and self.rules_on(self.day, at_edge):
            self.adopt(self.pending[0])

    def rules_on(self, day: int, at_edge: bool) -> bool:
        _, when, committed = self.pending
        return day > committed or (when is When.EDGE and at_edge and day == committed)

    def look(self) -> None:
        """What alarms call for, what is to flow in the next second, and whether it may."""
        if self.mode is Mode.RUNNING and self.due >= self.bottom:
            self.show(Alarm.EMPTY)
        if self.alarms or self.mode is Mode.FAULT:
            self.obey()
        self.rate = 0
        if self.mode is not Mode.RUNNING:
            return
        percent = self.temporary[0] if self.temporary else 100
        self.rate = self.base_rate * percent // 100 + self.bolus_rate
        day_full = self.last_day(1) + self.rate > self.limits.daily // STEP * STEP * NL
        if self.rate and (self.rate > self.limits.rate or day_full):
            too_fast = self.rate > self.limits.rate
            self.excess = Reason.LIMIT_RATE if too_fast else Reason.LIMIT_DAILY
            self.show(Alarm.LIMIT_REACHED)
            self.look()

    def obey(self) -> None:
        stopping = STOPPING & set(self.alarms)
        if stopping and self.mode is not Mode.STOPPED:
            self.end_bolus()
            self.mode, self.temporary = Mode.FAULT, None
        if not stopping and self.mode is Mode.FAULT:
            self.mode = Mode.SUSPENDED

    # -- alarms: since, present, acknowledged ----------------------------------------------------

    def show(self, alarm: Alarm) -> None:
        if alarm in self.alarms and self.alarms[alarm][1]:
            return
        since = self.alarms.get(alarm, [self.elapsed])[0]
        self.alarms[alarm] = [since, alarm not in PASSING, False]

    def end(self, alarm: Alarm) -> None:
        if alarm in self.alarms:
            self.alarms[alarm][1] = False
        self.tidy()

    def acknowledge(self, alarm: Alarm) -> None:
        self.alarms[alarm][2] = True
        self.tidy()

    def tidy(self) -> None:
        self.alarms = {alarm: a for alarm, a in self.alarms.items() if a[1] or not a[2]}

    def written(self) -> None:
        """The memory has been written to, or could not be."""
        if self.broken:
            self.show(Alarm.MEMORY_FAULT)
        else:
            self.end(Alarm.MEMORY_FAULT)
        self.look()

    # -- what can be done to it ------------------------------------------------------------------

    def fill(self, volume: int) -> None:
        self.filled, self.filled_at = volume, self.delivered
        self.bottom = (self.delivered + volume // STEP * STEP) * NL
        low = (volume - volume // 10) // STEP * STEP
        self.low_mark = (self.delivered + low) * NL

    def refill(self, volume: int, concentration: int) -> None:
        self.plugs.append([0, concentration])
        self.fill(volume)
        if volume >= STEP:
            self.end(Alarm.LOW_RESERVOIR)
            self.end(Alarm.EMPTY)

    def commit(self, program: Program, when: When) -> None:
        if when is When.NOW:
            self.adopt(program)
            self.mode = Mode.RUNNING if self.mode is Mode.STOPPED else self.mode
        else:
            self.pending = (program, when, self.day)

    def adopt(self, program: Program | None) -> None:
        self.program, self.start_day, self.held, self.pending = program, self.day, None, None
        self.minutes = minutes_of(program) if program else NOTHING

    def rules_from(self, when: When) -> int:
        """Found by waiting for it, with nothing but the clock running."""
        kept = self.micro
        seconds, day, place = 0, self.day, self.place_now
        while self.day == day and (when is When.MIDNIGHT or self.place_now == place):
            seconds, self.micro = seconds + 1, self.micro + 1_000_000 + self.drift
        self.micro = kept
        return self.elapsed + seconds

    def set_clock(self, clock: int) -> None:
        self.micro = clock * 1_000_000
        self.turn(at_edge=False)

    def drop_pending(self) -> None:
        self.pending = None

    def enter(self, mode: Mode) -> None:
        self.end_bolus()
        self.mode = mode

    def start_bolus(self, volume: int, duration: int) -> None:
        self.bolus, self.bolus_got = (volume, duration, self.elapsed), 0

    def end_bolus(self, *, in_time: bool = False) -> None:
        if self.bolus:
            whole = in_time and not self.bolus_left
            self.bolus_ends.append((0, 0) if whole else (self.bolus[0], self.bolus_left))
        self.bolus = None

    def set_temporary(self, percent: int, duration: int) -> None:
        self.temporary = (percent, self.elapsed + duration)

    def end_temporary(self) -> None:
        self.temporary = None

    def set_limits(self, limits: Limits) -> None:
        self.limits = limits

    def move_ramp(self, move: RampMove) -> None:
        assert self.program is not None
        if move is RampMove.GO_ON:
            self.start_day, self.held = self.day - self.ramp_day, None
            return
        self.held = self.step_back() if move is RampMove.STEP_BACK else self.ramp_day

    def step_back(self) -> int:
        begun = [step.after for step in self.program.ramp if 0 < step.after <= self.ramp_day]
        return [0, 0, *begun][-2] if begun else 0

    # -- what it refuses -------------------------------------------------------------------------

    def objection_to_deed(self, name: str, *arguments: object) -> Reason | None:
        """What delivery would stop for in the second in which something is done; by doing it."""
        trial = copy(self)
        trial.alarms, trial.plugs, trial.excess = deepcopy(self.alarms), deepcopy(self.plugs), None
        trial.bolus_ends = []
        getattr(trial, name)(*arguments)
        trial.look()
        return trial.excess

    def objection_to_program(self, program: Program, limits: Limits) -> Reason | None:
        percents = steps_of(program)
        highest = max(segment.rate for each in program.patterns for segment in each.segments)
        if highest * max(percents) // 100 > limits.rate:
            return Reason.LIMIT_RATE
        if peak_of(program, max(percents)) > limits.daily // STEP * STEP * NL:
            return Reason.LIMIT_DAILY
        rises = pairwise(percents)
        if any(rises_too_much(before, after, limits) for before, after in rises):
            return Reason.LIMIT_RISE
        return None

    def objection_to_commit(self, program: Program, when: When) -> Reason | None:
        if reason := self.objection_to_program(program, self.limits):
            return reason
        if self.program is None:
            return None if when is When.NOW else Reason.OUT_OF_RANGE
        return Reason.LIMIT_RISE if self.rises_to(program, self.percent) else None

    def objection_to_ramp(self, move: RampMove) -> Reason | None:
        if self.program is None:
            return Reason.WRONG_MODE
        back = percent_on(self.program, self.step_back())
        return self.objection_to_percent(back if move is RampMove.STEP_BACK else self.percent)

    def objection_to_clock(self, clock: int) -> Reason | None:
        if self.program is None:
            return None
        there = copy(self)
        there.micro = clock * 1_000_000
        brought = self.pending and there.rules_on(there.day, at_edge=False)
        return self.objection_to_percent(self.percent if brought else there.percent)

    def objection_to_percent(self, percent: int) -> Reason | None:
        waits = self.pending and self.rises_to(self.pending[0], percent)
        high = waits or rises_too_much(self.percent, percent, self.limits)
        return Reason.LIMIT_RISE if high else None

    def rises_to(self, program: Program, percent: int, limits: Limits | None = None) -> bool:
        old, new = peak_of(self.program, percent), peak_of(program, steps_of(program)[0])
        return rises_too_much(old, new, limits or self.limits)

    def objection_to_bolus(self, volume: int, duration: int) -> Reason | None:
        if self.mode is not Mode.RUNNING:
            return Reason.WRONG_MODE
        if self.bolus:
            return Reason.BUSY
        if volume > self.limits.bolus:
            return Reason.LIMIT_BOLUS
        if self.rate + -(-volume * NL // duration) > self.limits.rate:
            return Reason.LIMIT_RATE
        full = self.last_day() + volume * NL > self.limits.daily // STEP * STEP * NL
        return Reason.LIMIT_DAILY if full else None

    def objection_to_temporary(self, percent: int) -> Reason | None:
        if self.mode is not Mode.RUNNING:
            return Reason.WRONG_MODE
        high = self.base_rate * percent // 100 + self.bolus_rate > self.limits.rate
        return Reason.LIMIT_RATE if high else None

    def objection_to_limits(self, limits: Limits) -> Reason | None:
        held = [self.program, self.pending[0] if self.pending else None]
        for program in filter(None, held):
            if reason := self.objection_to_program(program, limits):
                return reason
        if self.pending and self.rises_to(self.pending[0], self.percent, limits):
            return Reason.LIMIT_RISE
        if self.rate > limits.rate:
            return Reason.LIMIT_RATE
        if self.bolus and self.bolus[0] > limits.bolus:
            return Reason.LIMIT_BOLUS
        full = self.last_day() > limits.daily // STEP * STEP * NL
        return Reason.LIMIT_DAILY if full else None
