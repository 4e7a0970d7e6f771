"""The whole pump beside a naive one that lives second by second, and against its own limits.

The first machine asks for everything a programmer can ask for, lets things break and the power go,
and compares all that can be seen after each step.  The second tries to get more out of a pump than
its limits allow, and counts for itself.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from naive_whole_pump import DAY, NL, NaiveWholePump
from pump_state import FailingMemory, Line

from mockpump.emulator.pump import factory
from mockpump.emulator.pump.factory import PumpConfig
from mockpump.emulator.pump.limits import WIDEST
from mockpump.emulator.pump.pump import CHECKPOINT_EVERY, Pump
from mockpump.emulator.pump.state import PumpIdentity, decode_state, encode_state
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.log import LOG_ENTRIES
from mockpump.protocol.messages import Alarm, Limits, Mode, RampMove, Reason, When
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

EVERY = settings.default.max_examples
PATTERNS = (
    DayPattern("a", (Segment(0, 1_200), Segment(60, 3_001), Segment(90, 0), Segment(150, 700))),
    DayPattern("b", (Segment(0, 599), Segment(720, 2_000), Segment(1_439, 4_000))),
)
PROGRAMS = [
    Program.flat("fast", 3_600),
    Program(1, "edges", (0, 1, 0, 1, 0, 0, 1), PATTERNS, ()),
    Program(1, "raised", (1, 0) * 3 + (1,), PATTERNS, (RampStep(1, 150), RampStep(3, 60))),
    Program(1, "at once", (0,) * 7, PATTERNS, (RampStep(0, 50), RampStep(1, 90), RampStep(4, 99))),
    Program.flat("slow", 37),
]
RESERVOIRS = st.sampled_from([20_000, 20_000, 20_000, 3_000, 995, 100, 10, 9, 0])
SPANS = st.sampled_from([0, 1, 59, 60, 600, 3_601]) | st.integers(0, 1_500)
CLOCKS = st.builds(
    lambda day, second: day * DAY + second,
    st.sampled_from([0, 1, 2, 3, 6, 7, 30]),
    st.sampled_from([0, 1, 3_500, 5_399, DAY - 60, DAY - 1]) | st.integers(0, DAY - 1),
)
# Multiples of a micro-step, so that a limit is what it seems.
BOLUS_DURATIONS = st.sampled_from([1, 7, 3_600]) | st.integers(1, 9_000)
PERCENTS = st.sampled_from([0, 33, 150, 250])
MOVES = st.sampled_from(RampMove)
TROUBLES = st.sampled_from([Alarm.STALLED, Alarm.LOW_BATTERY])
# All programs are just within them: whatever comes on top may be too much, at once or later.
NEAR = Limits(6_500, 10_000, 90_000, 80)
LIMITS = st.builds(
    Limits,
    st.sampled_from([1_000, 4_000, 8_000, 2**32 - 1]),
    st.sampled_from([0, 200, 10_000]),
    st.sampled_from([500, 1_500, 40_000, 100_000, 2**32 - 6]),
    st.sampled_from([0, 40, 300, m.NO_RISE_LIMIT]),
)


def made(limits: Limits = WIDEST, **config: Any) -> Pump:
    """A pump whose memory can be broken, and outlasts it."""
    reservoir = config.pop("reservoir")
    memory = FailingMemory()
    factory.initialize(
        memory, PumpConfig(PumpIdentity(reservoir=reservoir), limits=limits, **config)
    )
    return Pump(memory)


class Side:
    """A pump and its model; whatever is done is done to both."""

    line: Line
    model: NaiveWholePump

    @property
    def pump(self) -> Pump:
        return self.line.pump

    def ask(self, request: Any, objection: Reason | None, name: str = "", *arguments: Any) -> Any:
        """Ask the pump; do to the model what its method `name` does, unless it objects."""
        reply = self.line.ask(request)
        if objection is None and name:
            objection = self.model.objection_to_deed(name, *arguments)
        if self.model.broken:
            objection = Reason.MEMORY_FAILED
        elif objection is None and name:
            getattr(self.model, name)(*arguments)
        self.model.look()
        self.model.written()
        assert getattr(reply, "reason", None) == objection, reply
        return reply

    def wrong_mode(self, *modes: Mode) -> Reason | None:
        return None if self.model.mode in modes else Reason.WRONG_MODE

    # -- time ------------------------------------------------------------------------------------

    def live(self, seconds: int) -> None:
        self.pump.advance(self.pump.elapsed + seconds)
        self.model.live(seconds)

    def set_clock(self, clock: int) -> None:
        objection = self.model.objection_to_clock(clock)
        self.ask(m.SetClock(self.line.fresh(), clock), objection, "set_clock", clock)

    # -- delivery --------------------------------------------------------------------------------

    def commit(self, program: Program, when: When) -> None:
        objection = self.model.objection_to_commit(program, when)
        rules_from = self.model.elapsed if when is When.NOW else self.model.rules_from(when)
        image = self.line.stage(program)
        request = m.CommitProgram(self.line.fresh(), programs.digest(image), when)
        reply = self.ask(request, objection, "commit", program, when)
        if not isinstance(reply, m.Refused):
            assert reply.elapsed == rules_from

    def drop_pending(self) -> None:
        nothing = None if self.model.pending else Reason.NOTHING_TO_END
        self.ask(m.DropPending(self.line.fresh()), nothing, "drop_pending")

    def suspend(self) -> None:
        request = m.Suspend(self.line.fresh())
        self.ask(request, self.wrong_mode(Mode.RUNNING), "enter", Mode.SUSPENDED)

    def resume(self) -> None:
        request = m.Resume(self.line.fresh())
        self.ask(request, self.wrong_mode(Mode.SUSPENDED), "enter", Mode.RUNNING)

    def bolus(self, volume: int, duration: int) -> None:
        request = m.StartBolus(self.line.fresh(), m.BolusKind.BOLUS, volume, duration)
        objection = self.model.objection_to_bolus(volume, duration)
        self.ask(request, objection, "start_bolus", volume, duration)

    def bolus_and_clock(self, clock: int) -> None:
        """As fast a bolus as is allowed, and then perhaps a higher segment beside it."""
        self.set_right()
        self.set_clock(5_400)
        self.agree()
        room = min(self.model.limits.rate - self.model.rate, 10_000)
        if room > 0:
            self.bolus(room, 3_600)
        self.agree()
        self.set_clock(clock)

    def cancel_bolus(self) -> None:
        nothing = None if self.model.bolus else Reason.NOTHING_TO_END
        reply = self.ask(m.CancelBolus(self.line.fresh()), nothing, "end_bolus")
        if not isinstance(reply, m.Refused):
            volume, left = self.model.bolus_ends[-1]
            assert (reply.given, reply.left) == (volume - left, left)

    def temporary(self, percent: int, duration: int) -> None:
        request = m.SetTemporary(self.line.fresh(), percent, duration)
        objection = self.model.objection_to_temporary(percent)
        self.ask(request, objection, "set_temporary", percent, duration)

    def cancel_temporary(self) -> None:
        nothing = None if self.model.temporary else Reason.NOTHING_TO_END
        self.ask(m.CancelTemporary(self.line.fresh()), nothing, "end_temporary")

    def refill(self, volume: int, concentration: int) -> None:
        request = m.Refill(self.line.fresh(), volume, concentration)
        large = Reason.OUT_OF_RANGE if volume > self.model.capacity else None
        left, inside = self.model.reservoir, self.model.inside(concentration)
        reply = self.ask(request, large, "refill", volume, concentration)
        if not isinstance(reply, m.Refused):
            assert reply == m.Refilled(left, *inside)

    def move_ramp(self, move: RampMove) -> None:
        objection = self.model.objection_to_ramp(move)
        reply = self.ask(m.MoveRamp(self.line.fresh(), move), objection, "move_ramp", move)
        if not isinstance(reply, m.Refused):
            assert (reply.percent, bool(reply.state)) == (
                self.model.percent,
                self.model.held is not None,
            )

    def ramp_over_days(self, before: RampMove, clock: int, after: RampMove) -> None:
        self.move_ramp(before)
        self.agree()
        self.set_clock(clock)
        self.agree()
        self.move_ramp(after)

    # -- limits, alarms, faults ------------------------------------------------------------------

    def set_limits(self, limits: Limits) -> None:
        request = m.SetLimits(
            self.line.fresh(), limits.rate, limits.bolus, limits.daily, limits.rise
        )
        self.ask(request, self.model.objection_to_limits(limits), "set_limits", limits)

    def acknowledge(self, alarm: Alarm) -> None:
        unknown = None if alarm in self.model.alarms else Reason.NO_SUCH_ALARM
        request = m.AcknowledgeAlarm(self.line.fresh(), alarm)
        reply = self.ask(request, unknown, "acknowledge", alarm)
        if not isinstance(reply, m.Refused):
            assert reply.mode is self.model.mode

    def trouble(self, alarm: Alarm, ends: bool) -> None:
        self.pump.change(partial(self.pump.end if ends else self.pump.show, alarm))
        (self.model.end if ends else self.model.show)(alarm)
        self.model.look()
        self.model.written()

    def memory_fails(self, request: int, away: int, seen_at_once: bool) -> None:
        self.pump.memory.broken = self.model.broken = True
        [self.suspend, self.resume, self.cancel_bolus, self.drop_pending][request]()
        self.agree()
        self.live(away)
        self.agree()
        self.pump.memory.broken = self.model.broken = False
        if seen_at_once:
            self.acknowledge(Alarm.MEMORY_FAULT)

    def set_right(self) -> None:
        """All that it takes to have it run again."""
        self.refill(self.model.capacity, 700)
        self.trouble(Alarm.STALLED, ends=True)
        for alarm in sorted(self.model.alarms):
            self.acknowledge(alarm)
            self.agree()
        self.resume()

    def put_down_and_start(self) -> None:
        self.pump.shut_down()
        self.line.pump = Pump(self.pump.memory)
        self.model.written()

    def power_cut(self) -> None:
        # What is refused is recorded too, so there is nothing that could be forgotten.
        self.ask(m.Refill(self.line.fresh(), 2**32 - 1, 1), Reason.OUT_OF_RANGE)
        self.line.pump = Pump(self.pump.memory)
        model, feared = self.model, self.pump.delivery.last_day - self.model.last_day()
        assert 0 <= feared <= model.rate * CHECKPOINT_EVERY + 10 * NL
        model.assumed.append((model.elapsed, feared))
        model.show(Alarm.RESTARTED)
        model.look()

    # -- agreement -------------------------------------------------------------------------------

    def agree(self) -> None:
        self.agree_on_what_it_does()
        self.agree_on_what_it_is_to_do()
        self.agree_on_alarms_and_fluid()
        self.agree_on_how_boluses_ended()
        # Whatever it has lived through, its memory can be opened.
        assert decode_state(encode_state(self.pump._state())).mode is self.pump.mode

    def agree_on_what_it_does(self) -> None:
        model, pump = self.model, self.pump
        assert pump.report() == m.Telemetry(
            model.mode,
            model.elapsed,
            model.clock,
            model.rate,
            model.delivered,
            model.due % (10 * NL),
            model.reservoir,
            max(model.due - model.dead * NL, 0) // NL,
            model.bolus_left,
            model.priority,
        )
        assert pump.delivery.last_day == model.last_day()

    def agree_on_what_it_is_to_do(self) -> None:
        model, pump = self.model, self.pump
        d = pump.delivery
        assert pump.program == model.program
        assert pump.pending_image == (programs.image(model.pending[0]) if model.pending else b"")
        assert (d.pending and (d.pending.when, d.pending.day)) == (
            model.pending and model.pending[1:]
        )
        assert (d.limits, d.percent) == (model.limits, model.percent)
        assert (d.temporary and (d.temporary.percent, d.temporary.ends)) == model.temporary
        assert (d.bolus and (d.bolus.volume, d.bolus.duration, d.bolus.began)) == model.bolus

    def agree_on_alarms_and_fluid(self) -> None:
        model, pump = self.model, self.pump
        shown = pump.panel.shown.items()
        panel = {Alarm(a): [each.since, each.present, each.acknowledged] for a, each in shown}
        assert panel == model.alarms
        assert pump.catheter.arriving(pump.delivery.due) == model.arriving
        assert pump.catheter.concentration == model.plugs[-1][1]

    def agree_on_how_boluses_ended(self) -> None:
        entries = [*self.pump.memory.log(1, LOG_ENTRIES).entries, *self.pump.journal.entries]
        told = [(e.first, e.second) for e in entries if e.kind is m.LogKind.BOLUS_ENDED]
        assert told == self.model.bolus_ends


def then(do: Callable[..., None], **drawn: st.SearchStrategy[Any]) -> Any:
    """A rule that begins with time going by, and with a pump in trouble being set right or not."""

    def step(self: Side, seconds: int, helped: bool, **arguments: Any) -> None:
        self.live(seconds)
        if helped and self.model.mode is Mode.FAULT:
            self.set_right()
        self.agree()
        do(self, **arguments)

    step.__name__ = do.__name__
    return rule(seconds=SPANS, helped=st.sampled_from([True, True, False]), **drawn)(step)


class WholePump(Side, RuleBasedStateMachine):
    """Everything a programmer can ask for, what can go wrong, and time, in any order."""

    @initialize(
        program=st.sampled_from([*PROGRAMS, None]),
        reservoir=RESERVOIRS,
        drift=st.sampled_from([0, 0, 100_000, -100_000, 37]),
        dead=st.sampled_from([0, 7, 400]),
        limits=st.sampled_from([WIDEST, NEAR]),
    )
    def begin(
        self, program: Program | None, reservoir: int, drift: int, dead: int, limits: Limits
    ) -> None:
        pump = made(limits, program=program, reservoir=reservoir, drift=drift, dead=dead)
        self.line = Line(pump)
        self.model = NaiveWholePump(program, reservoir, limits, drift, dead)

    a = then(Side.set_clock, clock=CLOCKS)
    b = then(Side.commit, program=st.sampled_from(PROGRAMS), when=st.sampled_from(When))
    c = then(Side.drop_pending)
    d = then(Side.suspend)
    e = then(Side.resume)
    f = then(Side.bolus, volume=st.integers(1, 3_000), duration=BOLUS_DURATIONS)
    g = then(Side.cancel_bolus)
    s = then(Side.bolus_and_clock, clock=st.sampled_from([3_600, DAY - 60, 2 * DAY - 1]))
    h = then(Side.temporary, percent=PERCENTS, duration=st.integers(1, 9_000))
    i = then(Side.cancel_temporary)
    j = then(Side.refill, volume=RESERVOIRS, concentration=st.sampled_from([0, 500, 900]))
    k = then(Side.ramp_over_days, before=MOVES, clock=CLOCKS, after=MOVES)
    l = then(Side.set_limits, limits=LIMITS)  # noqa: E741
    n = then(Side.acknowledge, alarm=st.sampled_from(Alarm))
    o = then(Side.trouble, alarm=TROUBLES, ends=st.booleans())
    p = then(Side.memory_fails, request=st.integers(0, 3), away=SPANS, seen_at_once=st.booleans())
    q = then(Side.put_down_and_start)
    r = then(Side.power_cut)

    @invariant()
    def agreed(self) -> None:
        self.agree()


RATES = st.sampled_from([7_005, 100_000, 3_605])
WAYS_OUT = st.sampled_from(
    ["nothing", "suspend", "cancel", "temporary", "clock", "limits", "power"]
)


@settings(max_examples=max(EVERY // 5, 20))
@given(data=st.data())
def test_the_second_in_which_it_ran_empty_counts_as_it_was_a_day_later(data: st.DataObject) -> None:
    """The program alone fills the 24 h; what a second could not give is all the room there is."""
    rate, draw = data.draw(RATES), data.draw
    limits = Limits(2**32 - 1, m.MAX_BOLUS, rate * 24, m.NO_RISE_LIMIT)
    side = Side()
    side.line = Line(made(limits, program=Program.flat("flat", rate), reservoir=20_000_000, dead=0))
    side.model = NaiveWholePump(Program.flat("flat", rate), 20_000_000, limits, 0, 0)
    side.refill(draw(st.integers(10, 60 * rate // NL)), 500)
    if draw(st.booleans()):
        side.bolus(draw(st.integers(1, 40)), draw(st.integers(1, 30)))
    side.live(100)
    assert side.model.mode is Mode.FAULT
    side.set_right()
    side.live(draw(st.integers(0, 100)))
    room = side.model.limits.daily * NL - side.model.due - rate * (DAY - side.model.elapsed)
    side.bolus(max(room // NL + draw(st.integers(-2, 0)), 1), draw(st.integers(1, 60)))
    side.live(draw(st.integers(0, 60)))
    change_something(side, draw(WAYS_OUT))
    side.live(DAY - side.model.elapsed)
    for _ in range(draw(st.integers(0, 150))):
        side.live(1)
        side.agree()
    side.live(200)
    side.agree()


def change_something(side: Side, how: str) -> None:
    """What ends a bolus, or moves a breakpoint, in a day that is nearly full."""
    if how == "suspend":
        side.suspend()
        side.resume()
    elif how == "cancel":
        side.cancel_bolus()
    elif how == "temporary":
        side.temporary(99, 600)
    elif how == "clock":
        side.set_clock(5 * DAY)
    elif how == "limits":
        side.set_limits(side.model.limits)
    elif how == "power":
        side.power_cut()


TestWholePump = WholePump.TestCase
TestWholePump.settings = settings(max_examples=max(EVERY, 30), stateful_step_count=25)
