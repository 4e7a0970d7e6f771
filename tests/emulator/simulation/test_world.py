"""A world: the same seed gives the same bytes, a day adds up, and a naive pump beside it agrees."""

import hashlib
import json
import os
import subprocess
import sys
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from naive_program import NaivePump
from pump_state import state_of

from mockpump.emulator.channel.channel import Channel, duration
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.programmer.errors import ConnectionLost, OutcomeUnknown, RequestRefused
from mockpump.emulator.programmer.procedures import ask, read_program, set_program
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.factory import FACTORY_PROGRAM, new_pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.pump.time_scale import MAX_SPEED
from mockpump.emulator.schedule import CLOCK_CYCLE
from mockpump.emulator.simulation.world import World
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import InternalError, LocalProtocolError
from mockpump.protocol.framing import OVERHEAD
from mockpump.protocol.link.types import CloseReason, LinkSettings
from mockpump.protocol.messages import Mode
from mockpump.protocol.program import (
    UNITS_PER_NL,
    DayPattern,
    Program,
    Segment,
    daily_volume,
)
from mockpump.protocol.strategies import programs as any_programs

DAY = 86_400
PROGRAMS = any_programs(max_patterns=2, max_segments=4, max_steps=1)
HALVES = Program(
    1, "halves", (0,) * 7, (DayPattern("d", (Segment(0, 7_001), Segment(721, 90_000))),), ()
)
LINES = st.builds(
    Impairments,
    delay=st.integers(0, 300_000),
    baud=st.sampled_from([0, 1_200, 9_600, 115_200]) | st.just(0),
)


def scenario(
    seed: int, speed: int | None = 3_600, line: Impairments | None = None
) -> tuple[World, str]:
    """A whole demo, and the digest of every byte on the line with its time."""
    trace = hashlib.sha256()
    world = World(
        seed=seed,
        speed=speed,
        channel=Channel(line) if line else None,
        tap=lambda *chunk: trace.update(repr(chunk).encode()),
    )
    connected = world.call()
    world.run(ask(m.Identify()))
    base = world.run(read_program()).digest
    world.run(set_program(HALVES, base, 1, connected.max_payload))
    world.run(ask(m.Subscribe(600)))
    world.run_until(DAY)
    world.run(ask(m.Subscribe(0)))
    world.run(ask(m.Suspend(2)))
    world.disconnect()
    return world, trace.hexdigest()


# -- determinism ---------------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [3_600, MAX_SPEED])
def test_the_same_seed_gives_the_same_bytes(speed: int | None) -> None:
    one, two = scenario(5, speed), scenario(5, speed)
    assert one[1] == two[1]
    assert one[0].now == two[0].now
    assert one[0].telemetry == two[0].telemetry
    assert state_of(one[0].pump) == state_of(two[0].pump)
    assert scenario(6, speed)[1] != one[1]


def test_hash_seeds_change_nothing() -> None:
    # The tests' folder comes along, so that this very module tells the scenario there too.
    code = "import test_world as t; print(t.scenario(5)[1], t.scenario(5, None)[1])"
    told = set()
    for seed in ("1", "2"):
        paths = os.pathsep.join([os.path.dirname(__file__), *filter(None, sys.path)])  # noqa: PTH120
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        told.add(done.stdout.decode().strip())
    assert told == {f"{scenario(5)[1]} {scenario(5, MAX_SPEED)[1]}"}


def settle(world: World) -> None:
    """Have what is still on its way arrive."""
    world.run(ask(m.GetClock()))
    world.run(ask(m.GetClock()))


# -- sums ------------------------------------------------------------------------------------------


@given(PROGRAMS, LINES)
def test_a_day_through_the_world_adds_up_to_the_last_unit(
    program: Program, line: Impairments
) -> None:
    pump = new_pump(PumpIdentity(reservoir=2**32 - 1), program)
    world = World(pump, speed=0, channel=Channel(line))
    world.connect()
    world.run(ask(m.Subscribe(3_600)))
    world.set_speed(MAX_SPEED, run=DAY)
    world.run_until(DAY)
    settle(world)
    last = world.telemetry[-1]
    assert last.elapsed == world.pump.elapsed == DAY
    # The ramp may step at midnight, not within the day.
    percent = next((step.percent for step in program.ramp if step.after == 0), 100)
    total = daily_volume(program, 0, percent)
    assert last.delivered * UNITS_PER_NL + last.remainder == total


@pytest.mark.parametrize("speed", [1, 60, 3_600, 86_400, MAX_SPEED])
def test_every_speed_delivers_the_same(speed: int | None) -> None:
    patient = LinkSettings(keepalive=2**31, idle_timeout=2**32 - 1)
    world = World(new_pump(program=HALVES), speed=0, settings=patient)
    world.connect()
    world.run(ask(m.Subscribe(3_600)))
    world.set_speed(speed, run=DAY)
    world.run_until(DAY)
    settle(world)
    status = world.run(ask(m.GetStatus()))
    assert status.elapsed == DAY
    assert status.delivered * UNITS_PER_NL + status.remainder == daily_volume(HALVES, 0)
    hours = [report.elapsed for report in world.telemetry]
    # Faster than the line carries reports, some are conflated; the last never is.
    assert hours[-1] == DAY
    assert all(early < late for early, late in pairwise(hours))
    if speed != 86_400:
        assert hours == list(range(3_600, DAY + 1, 3_600))


# -- line time -------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.sampled_from([300, 9_600, 115_200]))
def test_the_line_takes_exactly_its_time(latency: int, baud: int) -> None:
    sent: list[tuple[int, bool, int]] = []
    line = Impairments(delay=latency, baud=baud)
    world = World(
        channel=Channel(line), tap=lambda now, who, data: sent.append((now, who, len(data)))
    )
    world.connect()
    asked, size = next((now, size) for now, by_programmer, size in sent if by_programmer)
    answered, answer_size = next((now, size) for now, who, size in sent if not who)
    assert answered - asked == duration(size, baud) + latency
    assert world.now - answered == duration(answer_size, baud) + latency


def test_what_is_sent_while_the_line_is_busy_waits_its_turn() -> None:
    line = Impairments(baud=9_600)
    world = World(channel=Channel(line))
    world._ship(True, b"x" * 10)
    world._ship(False, b"x" * 7)
    world._ship(True, b"x" * 20)
    arrivals = [(each.at, len(each.data)) for each in world.channel.arrivals(10**6)]
    assert arrivals == [
        (duration(7, 9_600), 7),
        (duration(10, 9_600), 10),
        (duration(10, 9_600) + duration(20, 9_600), 20),
    ]


def test_what_arrives_at_the_same_moment_arrives_in_the_order_it_was_sent() -> None:
    world = World(channel=Channel())
    arrived: list[bytes] = []
    world._arrive = lambda chunk: arrived.append(chunk.data)  # type: ignore[method-assign]
    sent = [bytes((n * 37 % 256,)) for n in range(50)]
    for data in sent:
        world._ship(True, data)
    world._turn(None)
    assert arrived == sent


def test_speed_changes_nothing_about_the_links_timers() -> None:
    def sizes(speed: int | None) -> list[tuple[int, bool, int]]:
        sent: list[tuple[int, bool, int]] = []
        world = World(
            seed=1, speed=speed, tap=lambda now, who, data: sent.append((now, who, len(data)))
        )
        world.connect()
        for _ in range(3):
            world.run(ask(m.GetStatus()))
        while world.now < 30_000_000:  # keep-alives
            world._turn(None)
        world.run(ask(m.GetStatus()))
        world.disconnect()
        return sent

    assert len(sizes(0)) > 10
    assert sizes(1) == sizes(60) == sizes(3_600) == sizes(10**6) == sizes(MAX_SPEED) == sizes(0)


def test_a_small_payload_will_do() -> None:
    smallest = LinkSettings(max_payload=64, window=1)
    sent: list[int] = []
    world = World(settings=smallest, tap=lambda now, who, data: sent.append(len(data)))
    connected = world.call()
    assert (connected.max_payload, connected.window) == (64, 1)
    base = world.run(read_program()).digest
    world.run(set_program(HALVES, base, 1, connected.max_payload))
    assert world.run(read_program()).program == HALVES
    assert max(sent) <= 64 + OVERHEAD + 3


def test_what_is_done_by_hand_is_written_down_when_it_is_done() -> None:
    written: list[dict[str, Any]] = []
    world = World(new_pump(), speed=60)
    world.record(TraceWriter(lambda line: written.append(json.loads(line))))
    world.wait(3_000_000)
    world.server.do(partial(faults.inject, fault=faults.Fault.STALL), world.now)
    world.wait(5_000_000)
    logged = [(each["t"], each["kind"]) for each in written if each["what"] == "log"]
    assert logged == [(0, "made"), (3_000_000, "alarm_raised")]
    modes = [(each["t"], each["mode"]) for each in written if each["what"] == "pump"]
    assert modes == [(0, "running"), (3_000_000, "fault")]


# -- what is asked of the world in error -----------------------------------------------------------


def test_it_does_not_wait_for_what_never_comes() -> None:
    world = World(speed=0)
    world.connect()
    with pytest.raises(LocalProtocolError, match="never is 10 s old"):
        world.run_until(10)
    world.set_speed(MAX_SPEED)
    with pytest.raises(LocalProtocolError):
        world.run_until(10)
    world.set_speed(60, run=5)
    with pytest.raises(LocalProtocolError):
        world.run_until(6)
    world.run_until(5)
    assert world.pump.elapsed == 5
    world.disconnect()
    with pytest.raises(InternalError):
        world._turn(None)


def test_to_disconnect_twice_is_harmless() -> None:
    world = World()
    world.disconnect()
    world.connect()
    world.disconnect()
    before = world.now
    world.disconnect()
    assert world.now == before
    world.connect()
    assert world.run(ask(m.Suspend(1))) == m.Suspended(world.pump.elapsed)


def cut(world: World, from_programmer: bool) -> None:
    """From now on nothing arrives any more in one direction."""
    ship = world._ship

    def lossy(by_programmer: bool, data: bytes) -> None:
        if by_programmer is not from_programmer:
            ship(by_programmer, data)

    world._ship = lossy  # type: ignore[method-assign]


def test_a_line_without_a_pump_is_lost() -> None:
    world = World()
    cut(world, from_programmer=True)
    with pytest.raises(ConnectionLost) as lost:
        world.connect()
    assert lost.value.reason is CloseReason.NO_ANSWER


@pytest.mark.parametrize("reply_lost", [True, False])
def test_a_line_that_goes_during_a_change_leaves_it_unknown(reply_lost: bool) -> None:
    world = World()
    world.connect()
    world.run(ask(m.GetStatus()))
    cut(world, from_programmer=not reply_lost)
    with pytest.raises(OutcomeUnknown) as unknown:
        world.run(ask(m.Suspend(9)))
    assert unknown.value.transaction == 9
    assert world.pump.mode is (Mode.SUSPENDED if reply_lost else Mode.RUNNING)
    assert world.programmer.belief.mode is Mode.RUNNING
    assert world.now < 30_000_000


def test_belief_and_truth_stand_side_by_side() -> None:
    world = World(speed=3_600)
    world.connect()
    status = world.run(ask(m.GetStatus()))
    belief = world.programmer.belief
    assert (belief.elapsed, belief.delivered) == (status.elapsed, status.delivered)
    heard_at = belief.heard_at
    world.run_until(50_000)
    assert (belief.elapsed, belief.heard_at) == (status.elapsed, heard_at)
    assert world.pump.elapsed >= 50_000


# -- beside a naive pump ---------------------------------------------------------------------------


class NaiveScenario(RuleBasedStateMachine):
    """Requests and hours go into a world, and into a pump that sums minute by minute."""

    RESERVOIR = 400_000

    @initialize(program=PROGRAMS, line=LINES, speed=st.sampled_from([60, 3_600]))
    def begin(self, program: Program, line: Impairments, speed: int) -> None:
        pump = new_pump(PumpIdentity(reservoir=self.RESERVOIR), program)
        self.world = World(pump, speed=speed, channel=Channel(line))
        self.world.connect()
        self.naive = NaivePump(self.RESERVOIR)
        self.naive.do("set_program", program)
        self.mode = Mode.RUNNING
        self.digest = programs.digest(programs.image(program))
        self.transaction = 0
        self.speed = speed

    def run(self, procedure: Any) -> Any:
        """What the procedure returns, or the refusal it ended with; the naive pump's time too."""
        self.transaction += 1
        self.world.set_speed(0)
        self.catch_up()
        try:
            return self.world.run(procedure)
        except RequestRefused as refused:
            return refused.refused
        finally:
            self.world.set_speed(self.speed)

    def catch_up(self) -> None:
        self.naive.do("advance", self.world.pump.elapsed - self.naive.elapsed)
        if self.mode is Mode.RUNNING and self.naive.emptied_at is not None:
            self.mode = Mode.FAULT
            self.naive.do("suspend")

    @rule(seconds=st.integers(0, 30_000))
    def live(self, seconds: int) -> None:
        self.world.run_until(self.world.pump.elapsed + seconds)

    @rule()
    def suspend(self) -> None:
        reply = self.run(ask(m.Suspend(self.transaction)))
        if self.mode is Mode.RUNNING:
            assert reply == m.Suspended(self.naive.elapsed)
            self.mode = Mode.SUSPENDED
            self.naive.do("suspend")
        else:
            assert reply == m.Refused(0x20, m.Reason.WRONG_MODE, 0, self.mode, 0)

    @rule()
    def resume(self) -> None:
        reply = self.run(ask(m.Resume(self.transaction)))
        if self.mode is Mode.SUSPENDED:
            assert reply == m.Resumed(self.naive.elapsed)
            self.mode = Mode.RUNNING
            self.naive.do("resume")
        else:
            assert reply == m.Refused(0x21, m.Reason.WRONG_MODE, 0, self.mode, 0)

    @rule(clock=st.integers(0, 2**31 - 1))
    def set_clock(self, clock: int) -> None:
        reply = self.run(ask(m.SetClock(self.transaction, clock)))
        assert reply == m.ClockSet(self.naive.clock % CLOCK_CYCLE, clock)
        self.naive.do("set_clock", clock)

    @rule(program=PROGRAMS | st.just(FACTORY_PROGRAM))
    def commit(self, program: Program) -> None:
        reply = self.run(set_program(program, self.digest, self.transaction, 240))
        self.digest = programs.digest(programs.image(program))
        assert reply == m.ProgramCommitted(self.digest, self.naive.elapsed)
        self.naive.do("set_program", program)

    @rule(program=PROGRAMS)
    def commit_on_a_stale_base(self, program: Program) -> None:
        reply = self.run(set_program(program, bytes(8), self.transaction, 240))
        assert reply == m.Refused(0x10, m.Reason.STALE_BASE, 3, 0, 0)

    @rule(interval=st.sampled_from([0, 60, 900]))
    def subscribe(self, interval: int) -> None:
        assert self.run(ask(m.Subscribe(interval))) == m.Subscribed(interval)

    @rule()
    def reconnect(self) -> None:
        self.world.disconnect()
        self.world.connect()

    @precondition(lambda self: self.world.programmer.connection.is_open)
    @invariant()
    def both_agree(self) -> None:
        status = self.run(ask(m.GetStatus()))
        assert status.mode is self.mode
        assert status.elapsed == self.naive.elapsed
        assert status.clock == self.naive.clock % CLOCK_CYCLE
        assert status.delivered * UNITS_PER_NL + status.remainder == self.naive.units
        assert status.reservoir == self.RESERVOIR - status.delivered
        assert self.world.pump.digest == self.digest
        belief = self.world.programmer.belief
        assert (belief.mode, belief.elapsed) == (status.mode, status.elapsed)


TestBesideANaivePump = NaiveScenario.TestCase
TestBesideANaivePump.settings = settings(stateful_step_count=settings().stateful_step_count // 3)


def test_flat_programs_are_what_they_say() -> None:
    world = World(new_pump(program=Program.flat("hourly", 3_600)), speed=3_600)
    world.run_until(3_600)
    assert world.pump.delivery.delivered == 3_600
