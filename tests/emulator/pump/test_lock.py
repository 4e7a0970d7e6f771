"""The lock after too many wrong proofs: it is line time that opens it, at whatever speed."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paired import KEYS, OTHER_KEYS, Line, line, paired_pump

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Memory
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.errors import SessionRefused
from mockpump.emulator.programmer.programmer import Connected, Failed
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.pairing import LOCKED_FOR, MOST_FAILURES
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import decode_state
from mockpump.emulator.pump.time_scale import MAX_SPEED, TimeScale
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.keys import PairingKey
from mockpump.protocol.messages import Alarm, Reason
from mockpump.protocol.messages.base import Access

SECOND = 1_000_000
CLINICIAN, WRONG = KEYS[Access.CLINICIAN], OTHER_KEYS[Access.CLINICIAN]
SPEEDS = [0, 1, 3_600, MAX_SPEED]


def no(it: Line, key: PairingKey) -> m.Refused:
    """What the pump says to a key that it does not let in."""
    it.events.clear()
    event = it.prove(key)
    assert isinstance(event, Failed)
    assert isinstance(event.error, SessionRefused)
    it.hang_up()
    return event.error.refused


def locked(speed: int | None = 0, memory: Memory | None = None) -> Line:
    """A line into a pump that has just had its fifth wrong proof."""
    pump = paired_pump(memory=memory)
    it = Line(PumpServer(pump, TimeScale(speed), random.Random(4).randbytes))
    for _ in range(MOST_FAILURES):
        # The fifth is told that it is wrong, like those before it.
        assert no(it, WRONG).reason is Reason.WRONG_PROOF
    assert it.server.pump.pairing.locked
    return it


def opens_at(it: Line) -> int:
    """The line time at which it will be open, as the server says."""
    ends = it.server._lock_ends_at
    assert ends is not None
    return ends


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_is_closed_for_a_minute_of_line_time_and_then_open(speed: int | None) -> None:
    it = locked(speed)
    ends = opens_at(it)
    assert LOCKED_FOR * SECOND - SECOND < ends - it.now <= LOCKED_FOR * SECOND
    it.wait(ends - it.now - 20_000)
    assert no(it, CLINICIAN).reason is Reason.PAIRING_LOCKED
    it.wait(20_000)
    assert not it.server.pump.pairing.locked
    assert not it.server.pump.panel.present(Alarm.PAIRING_LOCKED)
    assert isinstance(it.prove(CLINICIAN), Connected)


@given(st.integers(0, LOCKED_FOR * SECOND - SECOND), st.sampled_from(SPEEDS))
def test_the_refusal_says_how_many_seconds_of_line_time_are_left(
    later: int, speed: int | None
) -> None:
    it = locked(speed)
    it.wait(later)
    ends = opens_at(it)
    heard: list[int] = []
    it.tap = lambda sent, data: heard.append(it.now) or data if sent else data  # type: ignore[func-returns-value]
    refused = no(it, CLINICIAN)
    assert refused.reason is Reason.PAIRING_LOCKED
    assert refused.figure in {-((now - ends) // SECOND) for now in heard}
    assert 1 <= refused.figure <= LOCKED_FOR


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_opens_by_itself_though_nobody_calls(speed: int | None) -> None:
    """Not even a line is there: a pump that wakes up locked, and is only looked after in time."""
    pump = Pump(locked(speed).server.pump.memory)
    server, now = PumpServer(pump, TimeScale(speed, elapsed=pump.elapsed)), 0
    while pump.pairing.locked:
        due = server.next_deadline(now)
        assert due is not None
        now = max(now, due)
        server.handle_timer(now)
    assert now == LOCKED_FOR * SECOND
    # It is recorded, not only so.
    assert not decode_state(pump.memory.state() or b"").pairing.locked


def test_a_restart_begins_the_minute_anew() -> None:
    it = locked()
    first = opens_at(it)
    it.wait(40 * SECOND)
    it.server.reboot(it.now)
    assert opens_at(it) == it.now + LOCKED_FOR * SECOND > first
    assert no(it, CLINICIAN).figure == LOCKED_FOR


def test_new_keys_open_it_and_the_next_one_has_its_own_minute() -> None:
    it = locked()
    it.wait(40 * SECOND)
    it.server.do(lambda pump: pump.change(lambda: operations.pair(pump, KEYS)), it.now)
    for _ in range(MOST_FAILURES):
        no(it, WRONG)
    assert it.server.pump.lock_left == LOCKED_FOR
    assert no(it, CLINICIAN).figure == LOCKED_FOR


def test_where_it_cannot_be_recorded_it_stays_closed_for_as_long_again() -> None:
    memory = FaultyMemory(RamMemory())
    it = locked(memory=memory)
    memory.fail_writes = True
    it.wait(LOCKED_FOR * SECOND - SECOND)
    assert no(it, CLINICIAN).figure == 1
    it.now = opens_at(it)
    it.server.handle_timer(it.now)
    assert it.server.pump.lock_left == LOCKED_FOR
    assert it.server.pump.pairing.locked
    due = it.server.next_deadline(it.now)
    assert due is not None
    assert due > it.now
    assert no(it, CLINICIAN).figure == LOCKED_FOR
    memory.fail_writes = False
    it.wait(LOCKED_FOR * SECOND)
    assert not it.server.pump.pairing.locked


def test_a_power_cut_in_its_end_leaves_it_closed() -> None:
    memory = FaultyMemory(RamMemory())
    it = locked(memory=memory)
    ends = opens_at(it)
    it.wait(30 * SECOND)
    memory.brown_out = True
    it.wait(30 * SECOND)
    assert it.server.pump.pairing.locked
    assert opens_at(it) > ends
    it.wait(LOCKED_FOR * SECOND)
    assert not it.server.pump.pairing.locked


@pytest.mark.parametrize("speed", SPEEDS)
def test_in_a_world_in_virtual_time_too(speed: int | None) -> None:
    world = World(paired_pump(), speed=speed)
    for _ in range(MOST_FAILURES):
        with pytest.raises(SessionRefused, match="wrong proof"):
            world.call(lambda _: WRONG)
        world.hang_up()
    with pytest.raises(SessionRefused, match="pairing locked, for another 60 s"):
        world.call(lambda _: CLINICIAN)
    world.hang_up()
    world.wait(LOCKED_FOR * SECOND)
    assert world.call(lambda _: CLINICIAN).access is Access.CLINICIAN


def test_a_greeting_outlasts_the_lock() -> None:
    """A `Prove` that is not looked at is not a guess: the greeting it belongs to still stands."""
    first = line()
    second = Line(first.server, seed=8)
    second.connect()
    welcome = second.ask(m.Hello(1, 1, Access.CLINICIAN, bytes(16)))
    assert isinstance(welcome, m.Welcome)
    for _ in range(MOST_FAILURES):
        no(first, WRONG)
    second.now = first.now
    assert second.ask(m.Prove(bytes(16))).refused.reason is Reason.PAIRING_LOCKED
    second.wait(LOCKED_FOR * SECOND)
    assert second.ask(m.Prove(bytes(16))).refused.reason is Reason.WRONG_PROOF


@pytest.mark.parametrize(("failures", "until"), [(5, 80), (7, 3_000), (4, 0), (0, 0)])
def test_a_memory_that_knew_the_end_in_pump_time_still_opens(failures: int, until: int) -> None:
    memory = RamMemory()
    paired_pump(memory=memory).shut_down()
    facts = json.loads(memory.state() or b"")
    facts["pairing"] |= {"failures": failures, "locked_until": until}
    state = decode_state(json.dumps(facts).encode())
    assert state.pairing.failures == failures
    assert state.pairing.locked is bool(until)
