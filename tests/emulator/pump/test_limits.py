"""The limits hold, whatever is tried: every second, every 24 h, and through a power cut.

What the motor has moved is counted here, outside the pump, in true time: what a pump forgets in a
power cut was moved all the same.
"""

from bisect import bisect_right
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_whole_pump import NaiveWholePump
from pump_state import Line, give

from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.limits import WIDEST, program_excesses, rise_excesses
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Alarm, Limits, Mode, Reason, When
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment
from mockpump.protocol.strategies import programs

DAY = 86_400
PROGRAMS = programs(max_patterns=3, max_segments=4, max_steps=3)
# No whole number of micro-steps: the motor cannot give the last of it.
DAILY = 1_999
TRIED = Limits(300, 900, DAILY, m.NO_RISE_LIMIT)
MORNING = DayPattern("m", (Segment(0, 20), Segment(480, 150), Segment(600, 40)))
RESTLESS = DayPattern("r", tuple(Segment(at * 30, 10 + at % 2 * 110) for at in range(48)))
NIGHT = DayPattern("n", (Segment(0, 120), Segment(300, 0), Segment(1_200, 100)))
TIGHT = [
    Program.flat("even", 82),
    Program.flat("little", 36),
    Program(1, "turns", (0, 1, 0, 1, 0, 1, 1), (MORNING, NIGHT), (RampStep(1, 120),)),
    Program(1, "restless", (0,) * 7, (RESTLESS,), ()),
]


def bolus(volume: int, rate: int) -> m.StartBolus:
    """One of about that rate, so that it may come near the limit and meet a higher segment."""
    return m.StartBolus(0, m.BolusKind.BOLUS, volume, volume * 3_600 // rate)


RAMPS = st.lists(st.integers(0, 200), max_size=2).flatmap(
    lambda percents: st.sampled_from([0, 1]).map(
        lambda first: tuple(RampStep(first + at, each) for at, each in enumerate(percents))
    )
)
ACTIONS = st.one_of(
    st.tuples(st.just("live"), st.sampled_from([61, 2_000, 3_600, 40_000, DAY])),
    st.tuples(st.just("live"), st.integers(1, 100_000)),
    st.tuples(st.just("commit"), st.sampled_from(TIGHT), st.sampled_from(When)),
    st.builds(bolus, st.sampled_from([60, 300, 900]), st.integers(100, 299)),
    st.builds(m.SetTemporary, st.just(0), st.integers(0, 250), st.integers(1, 90_000)),
    st.builds(m.SetClock, st.just(0), st.integers(0, 9 * DAY)),
    st.builds(m.SetLimits, st.just(0), st.just(300), st.just(900), st.just(DAILY), st.just(99)),
    st.sampled_from([m.Suspend(0), m.CancelBolus(0), m.CancelTemporary(0), m.DropPending(0)]),
    st.builds(m.MoveRamp, st.just(0), st.sampled_from(m.RampMove)),
    st.sampled_from([("power cut",), ("shut down",), ("go on",)]),
)


class Tried:
    """A pump whose every breakpoint is stopped at, with what its motor has moved by then."""

    def __init__(self, program: Program, drift: int = 0, limits: Limits = TRIED) -> None:
        memory = RamMemory()
        initialize(memory, PumpConfig(PumpIdentity(reservoir=2**31), program, limits, 0, drift))
        self.line = Line(Pump(memory))
        # True seconds that the pump has forgotten, and the nL that it has moved in them.
        self.lost_time = self.lost_volume = 0
        self.noted: list[tuple[int, int, int, int]] = []
        self.note()

    def note(self) -> None:
        """The true second, what the pump owes and has given in all, its rate, what it forgot."""
        d = self.line.pump.delivery
        assert d.rate <= d.limits.rate
        self.noted.append((d.elapsed + self.lost_time, d.due, d.rate, self.lost_volume))

    def live(self, seconds: int) -> None:
        pump = self.line.pump
        end = pump.elapsed + seconds
        while pump.elapsed < end:
            due = pump.delivery.due
            before = pump.elapsed
            pump.advance(
                min(pump.delivery.next_edge() or end, pump.journal.next_checkpoint + 3_000, end)
            )
            assert pump.delivery.due - due <= pump.delivery.limits.rate * (pump.elapsed - before)
            self.note()

    def commit(self, program: Program, when: When) -> None:
        self.line.commit(program, when=when)

    def restart(self) -> None:
        before = self.line.pump.delivery
        self.line.pump = Pump(self.line.pump.memory)
        after = self.line.pump.delivery
        self.lost_time += before.elapsed - after.elapsed
        self.lost_volume += before.delivered - after.delivered
        self.note()

    def power_cut(self, lost: int = 59) -> None:
        """This many seconds after a record, or with the next."""
        pump = self.line.pump
        self.line.ask(m.Resume(self.line.fresh()))
        next_record = min(pump.delivery.next_edge() or pump.elapsed + lost, pump.elapsed + lost)
        pump.delivery.advance(next_record)
        self.note()
        self.restart()

    def shut_down(self) -> None:
        self.line.pump.shut_down()
        self.restart()

    def go_on(self) -> None:
        for alarm in list(self.line.pump.panel.shown):
            self.line.ask(m.AcknowledgeAlarm(self.line.fresh(), Alarm(alarm)))
        self.line.ask(m.Resume(self.line.fresh()))

    def ask(self, request: Any) -> None:
        self.line.ask(type(request)(self.line.fresh(), *list(_values(request))[1:]))

    def moved_by(self, second: int) -> int:
        """What the motor had moved by a true second, in whole steps."""
        at = bisect_right(self.noted, second, key=lambda each: each[0]) - 1
        if at < 0:
            return 0
        true, due, rate, lost = self.noted[at]
        return lost + (due + rate * (second - true)) // 36_000 * 10

    def most_in_a_day(self) -> int:
        """Over the windows that begin or end at a breakpoint, or a second beside one."""
        ends = {
            true + side for true, *_ in self.noted for side in (-1, 0, 1, DAY - 1, DAY, DAY + 1)
        }
        last = self.noted[-1][0]
        return max(self.moved_by(end) - self.moved_by(end - DAY) for end in ends if end <= last)


def _values(request: Any) -> Any:
    return (getattr(request, name) for name in request.__struct_fields__)


@settings(max_examples=settings.default.max_examples * 2)
@given(
    st.lists(ACTIONS, min_size=3, max_size=25),
    st.sampled_from(TIGHT),
    st.sampled_from([0, 0, 100_000, -100_000, 11]),
)
def test_no_window_of_24_hours_holds_more_than_the_limit(
    actions: list[Any], first: Program, drift: int
) -> None:
    tried = Tried(first, drift)
    for action in [*actions, ("live", DAY)]:
        if isinstance(action, tuple):
            getattr(tried, action[0].replace(" ", "_"))(*action[1:])
        else:
            tried.ask(action)
        tried.note()
    assert tried.most_in_a_day() <= DAILY


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6), st.integers(950, 1_200))
def test_the_limit_holds_for_what_a_power_cut_has_hidden(spans: list[int], limit: int) -> None:
    """10 nL in each second, and each power cut hides up to a minute of them."""
    limits = Limits(50_000, 9_000, limit * 10, m.NO_RISE_LIMIT)
    tried = Tried(Program.flat("nothing", 0), 0, limits)
    tried.ask(m.StartBolus(0, m.BolusKind.BOLUS, 9_000, 900))
    for span in spans:
        tried.live(span)
        tried.power_cut()
    while (breakpoint := tried.line.pump.delivery.next_edge()) and breakpoint < DAY:
        tried.live(breakpoint - tried.line.pump.elapsed)
        assert tried.line.pump.delivery.last_day <= limits.daily * 3_600
    assert tried.most_in_a_day() <= limits.daily


@settings(max_examples=max(settings.default.max_examples // 10, 10))
@given(st.integers(980, 999), st.integers(1, 60), st.sampled_from([36, 72]))
def test_power_cuts_just_after_a_step_do_not_add_up(at: int, lost: int, rate: int) -> None:
    """Each hides a whole micro-step, however little was asked for in it."""
    tried = Tried(Program.flat("little", rate), 0)
    tried.live(at)
    for _ in range(220):
        tried.power_cut(lost)
        if tried.line.pump.mode is Mode.FAULT:
            break
    assert tried.most_in_a_day() <= DAILY


@given(st.integers(40, 299), st.integers(0, 3_599), st.integers(0, 250))
def test_a_bolus_that_meets_a_higher_segment_stops_in_time(
    rate: int, at: int, percent: int
) -> None:
    tried = Tried(TIGHT[-1])
    tried.live(at)
    tried.ask(bolus(900, rate))
    tried.ask(m.SetTemporary(0, percent, 7_000))
    # Whatever would be too much at once has been refused.
    assert tried.line.pump.mode is Mode.RUNNING
    asked = tried.line.pump.delivery.rate
    tried.live(3_600)
    assert all(each[2] <= TRIED.rate for each in tried.noted)
    assert tried.line.pump.mode is Mode.RUNNING or asked + 110 * 250 // 100 > TRIED.rate


@given(PROGRAMS, st.integers(0, 10**6), st.integers(0, 2 * 10**7), st.integers(0, 400))
def test_a_program_is_refused_for_what_it_breaks(
    program: Program, rate: int, daily: int, rise: int
) -> None:
    limits = Limits(rate, 0, daily, rise)
    found = next(program_excesses(program, limits), None)
    expected = NaiveWholePump(None, 0, WIDEST, 0, 0).objection_to_program(program, limits)
    assert (found and found.reason) == expected
    if found:
        assert found.figure > found.limit


@given(st.integers(1, 900), st.integers(0, 60), st.integers(0, 30))
def test_a_program_that_was_accepted_never_reaches_a_limit_by_itself(
    rate: int, more: int, day: int
) -> None:
    limits = Limits(rate, 0, rate * 24 + more, m.NO_RISE_LIMIT)
    memory = RamMemory()
    config = PumpConfig(PumpIdentity(reservoir=2**31), Program.flat("x", rate), limits)
    try:
        initialize(memory, config)
    except LocalProtocolError:
        assert limits.daily % 10, "refused, and no rounding to blame"
        return
    pump = Pump(memory)
    for seconds in (DAY - 1, DAY, DAY + 1, (day + 2) * DAY):
        pump.advance(seconds)
        assert pump.mode is Mode.RUNNING


@given(st.integers(0, 20), st.integers(0, 200), st.integers(0, 20), RAMPS, st.integers(0, 300))
def test_a_rise_is_measured_by_the_step_that_is_left_and_the_one_that_begins(
    before: int, percent: int, after: int, ramp: tuple[RampStep, ...], rise: int
) -> None:
    old, plain = Program.flat("a", before), Program.flat("b", after)
    new = Program(1, "b", plain.week, plain.patterns, ramp)
    begins = ramp[0].percent if ramp and ramp[0].after == 0 else 100
    was, will = before * percent // 100, after * begins // 100
    broken = was > 0 and will - was > was * rise / 100
    found = next(rise_excesses(old, percent, new, Limits(2**32 - 1, 0, 2**32 - 1, rise)), None)
    assert (found is not None) == broken
    if found is not None:
        assert found.reason is Reason.LIMIT_RISE
        assert found.figure > found.limit == rise


@pytest.mark.parametrize(("rise", "allowed"), [(300, True), (299, False)])
def test_a_step_back_is_no_way_around_the_limit_of_a_rise(rise: int, allowed: bool) -> None:
    """The ramp falls from 200 % to 50 %, and stepping back would rise by 300 %."""
    pump = new_pump()
    plain = Program.flat("x", 10)
    give(pump, Program(1, "x", plain.week, plain.patterns, (RampStep(0, 200), RampStep(1, 50))))
    pump.advance(2 * 86_400)
    line = Line(pump)
    line.ask(m.SetLimits(1, 200_000, 1_000, 480_000, rise))
    reply = line.ask(m.MoveRamp(2, m.RampMove.STEP_BACK))
    assert isinstance(reply, m.RampMoved) == allowed
    assert pump.delivery.percent == (200 if allowed else 50)
    if isinstance(reply, m.Refused):
        assert (reply.reason, reply.figure, reply.limit) == (Reason.LIMIT_RISE, 300, 299)


@pytest.mark.parametrize(("to", "allowed"), [(40, True), (41, False)])
def test_the_figure_and_the_limit_of_a_rise(to: int, allowed: bool) -> None:
    limits = Limits(2**32 - 1, 0, 2**32 - 1, 100)
    found = list(rise_excesses(Program.flat("a", 20), 100, Program.flat("b", to), limits))
    assert found == ([] if allowed else [(Reason.LIMIT_RISE, 105, 100)])
    assert list(rise_excesses(Program.flat("a", 0), 100, Program.flat("b", to), limits)) == []
