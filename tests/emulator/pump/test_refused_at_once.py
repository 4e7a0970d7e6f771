"""What would break a limit in the very second of a request is refused, whichever way it comes.

The pump stops at a limit whatever happens; but a request that would only bring that about is not
answered as done.
"""

import pytest
from pump_state import Line, state_of

from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.limits import WIDEST
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages import Limits, Mode
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

DAY = 86_400


def made(program: Program, limits: Limits = WIDEST, clock: int = 0) -> Pump:
    memory = RamMemory()
    initialize(memory, PumpConfig(PumpIdentity(reservoir=2**31), program, limits, clock))
    return Pump(memory)


def day(*segments: tuple[int, int]) -> DayPattern:
    return DayPattern("d", tuple(Segment(*each) for each in segments))


# -- what breaks a limit at once is refused, whichever way it comes --

RAISED = Program(
    1,
    "p",
    (0,) * 7,
    (day((0, 1_000)),),
    (RampStep(0, 25), RampStep(2, 50), RampStep(4, 100), RampStep(6, 10)),
)
RISES = Limits(10**6, 10**6, 2**32 - 1, 100)


def refusal(reply: object) -> tuple[m.Reason, int, int]:
    assert isinstance(reply, m.Refused), reply
    return reply.reason, reply.figure, reply.limit


def test_a_clock_set_forwards_is_no_way_over_the_steps_of_a_ramp() -> None:
    pump = made(RAISED, RISES)
    over_two = handle(pump, m.SetClock(1, 4 * DAY), Peer())
    assert refusal(over_two) == (m.Reason.LIMIT_RISE, 300, 100)
    assert pump.delivery.clock == 0
    assert isinstance(handle(pump, m.SetClock(2, 2 * DAY), Peer()), m.ClockSet)
    assert isinstance(handle(pump, m.SetClock(3, 4 * DAY), Peer()), m.ClockSet)


def test_a_clock_set_back_is_no_way_up_a_ramp_that_has_fallen() -> None:
    pump = made(RAISED, RISES)
    pump.advance(6 * DAY)
    back = handle(pump, m.SetClock(1, 5 * DAY), Peer())
    assert refusal(back) == (m.Reason.LIMIT_RISE, 900, 100)


def test_a_clock_that_is_set_is_no_way_round_what_waits() -> None:
    """Twice as much waits beside 50 %; beside 25 % it would be four times."""
    pump = made(RAISED, RISES)
    pump.advance(2 * DAY)
    image = programs.image(Program.flat("p", 1_000))
    pump.change(lambda: pump.activate(image, m.When.MIDNIGHT), None, image)
    back = handle(pump, m.SetClock(1, DAY), Peer())
    assert refusal(back) == (m.Reason.LIMIT_RISE, 300, 100)
    # Forwards it rules at once, so the step that would have begun does not count.
    assert isinstance(handle(pump, m.SetClock(2, 4 * DAY), Peer()), m.ClockSet)
    assert pump.delivery.rate == 1_000


HILLS = Program(1, "p", (0,) * 7, (day((0, 1_000), (60, 8_000)),), ())


def busy(transaction: int = 90) -> tuple[Pump, Peer]:
    """At 1,000 nL/h and 3,600 more of a bolus, where 10,000 are allowed and 8,000 come next."""
    pump, peer = made(HILLS, Limits(10_000, 10**6, 2**32 - 1, 65_535)), Peer()
    handle(pump, m.StartBolus(transaction, m.BolusKind.BOLUS, 3_600, 3_600), peer)
    return pump, peer


def test_a_clock_that_is_set_to_where_all_would_be_too_much_is_refused() -> None:
    pump, peer = busy()
    before = state_of(pump)
    reply = handle(pump, m.SetClock(1, 3_600), peer)
    assert refusal(reply) == (m.Reason.LIMIT_RATE, 11_600, 10_000)
    assert state_of(pump) == before
    outcome = pump.memory.outcome(1)
    assert outcome is not None
    assert m.decode(outcome.reply) == reply
    # Asked again it says the same; a fault of the clock asks nobody, and stops at the limit.
    assert handle(pump, m.SetClock(1, 3_600), peer) == reply
    faults.inject(pump, faults.Fault.CLOCK_JUMP)
    assert pump.mode is Mode.FAULT


def test_a_program_that_will_be_too_much_is_refused_today() -> None:
    pump, _ = busy()
    later = Program(1, "p", (0,) * 7, (day((0, 1_000), (1_200, 30_000)),), ())
    assert refusal(Line(pump).commit(later)) == (m.Reason.LIMIT_RATE, 30_000, 10_000)


def test_a_program_that_would_be_too_much_beside_a_bolus_is_refused() -> None:
    pump, _ = busy()
    reply = Line(pump).commit(Program.flat("f", 7_000))
    assert refusal(reply) == (m.Reason.LIMIT_RATE, 10_600, 10_000)
    assert pump.mode is Mode.RUNNING


def test_the_end_of_a_temporary_rate_may_be_too_much() -> None:
    pump, peer = made(Program.flat("f", 8_000), Limits(10_000, 10**6, 2**32 - 1, 65_535)), Peer()
    handle(pump, m.SetTemporary(1, 10, DAY), peer)
    handle(pump, m.StartBolus(2, m.BolusKind.BOLUS, 3_600, 3_600), peer)
    reply = handle(pump, m.CancelTemporary(3), peer)
    assert refusal(reply) == (m.Reason.LIMIT_RATE, 11_600, 10_000)
    # What would break it only later stops there.
    pump.advance(10)
    assert pump.mode is Mode.RUNNING


def test_a_day_that_is_full_is_not_resumed() -> None:
    pump, peer = made(Program.flat("f", 72), Limits(10**6, 10**6, 2_000, 65_535)), Peer()
    handle(pump, m.StartBolus(1, m.BolusKind.BOLUS, 1_900, 1_900), peer)
    pump.advance(DAY // 2)
    assert pump.mode is Mode.FAULT
    handle(pump, m.AcknowledgeAlarm(2, m.Alarm.LIMIT_REACHED), peer)
    reply = handle(pump, m.Resume(3), peer)
    assert refusal(reply) == (m.Reason.LIMIT_DAILY, 2_001, 2_000)
    assert pump.mode is Mode.SUSPENDED
    assert not pump.panel.shown
    pump.advance(DAY + 1)
    assert isinstance(handle(pump, m.Resume(4), peer), m.Resumed)


# -- a program that waits while the clock is set --


@pytest.mark.parametrize("when", [m.When.MIDNIGHT, m.When.EDGE])
def test_a_clock_set_back_brings_nothing_that_waits(when: m.When) -> None:
    pump, peer = made(HILLS, clock=DAY + 7_200), Peer()
    image = programs.image(Program.flat("next", 5))
    pump.change(lambda: pump.activate(image, when), None, image)
    handle(pump, m.SetClock(1, 0), peer)
    assert pump.pending_image
    # An edge of the day before, and that day's end, are not yet what was waited for.
    pump.advance(DAY - 1)
    assert pump.pending_image
    pump.advance(DAY)
    assert bool(pump.pending_image) == (when is m.When.MIDNIGHT)
    pump.advance(2 * DAY)
    assert not pump.pending_image
    assert pump.delivery.rate == 5


@pytest.mark.parametrize("when", [m.When.MIDNIGHT, m.When.EDGE])
def test_a_clock_set_past_midnight_brings_what_waits(when: m.When) -> None:
    pump, peer = made(HILLS, clock=7_200), Peer()
    image = programs.image(Program.flat("next", 5))
    pump.change(lambda: pump.activate(image, when), None, image)
    handle(pump, m.SetClock(1, DAY + 5), peer)
    assert not pump.pending_image
    assert pump.delivery.rate == 5
