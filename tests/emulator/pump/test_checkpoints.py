"""Checkpoints: what is recorded by itself, how often, and what a record says that stands longer.

The truth is the pump whose power is cut; what wakes up knows only its memory.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paired import KEYS, Line
from pump_state import state_of

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Change, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.overrides import Bolus
from mockpump.emulator.pump.pairing import paired_with
from mockpump.emulator.pump.pump import CHECKPOINT_EVERY, Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import PumpIdentity, decode_state
from mockpump.emulator.pump.time_scale import MAX_SPEED, TimeScale
from mockpump.protocol import messages as m
from mockpump.protocol.messages import BolusKind, Limits, LogKind, Mode
from mockpump.protocol.program import DayPattern, Program, Segment
from mockpump.protocol.strategies import programs as any_programs

SECOND = 1_000_000
DAY = 86_400
BETWEEN = 100_000
PROGRAMS = any_programs(max_patterns=2, max_segments=4, max_steps=1)
SPEEDS = st.sampled_from([1, 60, 600, 3_600, 100_000, 1_000_000]) | st.integers(1, 10_000)
SPANS = st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=10)
LIMITS = Limits(200_000, 10**6, 4_000_000, 65_535)


class Looked(RamMemory):
    """A memory at which somebody may look at any moment; `most` records, then the power is cut."""

    __slots__ = ("most", "records")
    observed = True

    def __init__(self, most: int = 10**9) -> None:
        super().__init__()
        self.most, self.records = most, 0

    def record(self, change: Change) -> None:
        if self.records >= self.most:
            self.most = 10**9
            raise PowerCut
        super().record(change)
        self.records += 1


def station_on(
    memory: RamMemory,
    program: Program,
    speed: int | None,
    reservoir: int = 2**31,
) -> PumpServer:
    initialize(memory, PumpConfig(PumpIdentity(reservoir=reservoir), program))
    pump = Pump(memory)
    # A program may break them, which then stops it.
    pump.change(lambda: pump.delivery.set_limits(LIMITS))
    return PumpServer(pump, TimeScale(speed))


def bolus(pump: Pump, volume: int, duration: int) -> None:
    given = Bolus(BolusKind.BOLUS, volume, duration, pump.elapsed)
    if pump.mode is Mode.RUNNING and pump.delivery.bolus is None:
        pump.change(lambda: pump.delivery.start_bolus(given))


# -- a memory that nobody looks at -----------------------------------------------------------------


@given(PROGRAMS, SPEEDS, SPANS, st.integers(100, 10**6))
def test_what_nobody_sees_is_left_out_and_the_last_of_it_is_not(
    program: Program, speed: int, spans: list[int], reservoir: int
) -> None:
    """Whenever the pump has come to rest its memory holds what every checkpoint would have left."""
    seen, unseen = (
        station_on(memory, program, speed, reservoir) for memory in (Looked(), RamMemory())
    )
    now = 0
    for span in spans:
        now += span
        for server in (seen, unseen):
            server.handle_timer(now)
            if span % 3 == 1:
                server.do(lambda pump: bolus(pump, 100, 90), now)
        assert unseen.pump.memory.state() == seen.pump.memory.state()
    for server in (seen, unseen):
        server.reboot(now)
    assert state_of(unseen.pump) == state_of(seen.pump)
    assert unseen.pump.memory.log(1, 99) == seen.pump.memory.log(1, 99)


def test_a_quiet_day_in_ram_is_a_few_records_and_none_awaits_a_checkpoint() -> None:
    class Counted(Looked):
        observed = False

    memory = Counted()
    server = station_on(memory, Program.flat("f", 10_000), 3_600)
    assert server.next_stop(0) == 24 * SECOND  # midnight
    before = memory.records
    server.handle_timer(23 * SECOND)
    assert memory.records - before == 1
    assert decode_state(memory.state() or b"").delivery.elapsed == 23 * 3_600


def test_who_may_look_at_a_memory_or_stop_its_writes() -> None:
    assert SqliteMemory.observed
    memory = FaultyMemory(RamMemory())
    assert not memory.observed
    memory.brown_out = True
    assert memory.observed
    memory.brown_out, memory.fail_writes = False, True
    assert memory.observed
    assert FaultyMemory(Looked()).observed


# -- a pump that nobody calls ----------------------------------------------------------------------


def unaccounted(memory: Any) -> int:
    """What the pump that wakes up says it may have moved beyond its record."""
    before = memory.log(1, 1).newest
    Pump(memory)
    page = memory.log(before + 1, 9)
    (entry,) = [each for each in page.entries if each.kind is LogKind.RESTARTED]
    return int(entry.second)


def moved_since_the_record(pump: Pump) -> int:
    state = decode_state(pump.memory.state() or b"")
    there = Pump(_copy(pump.memory, state))
    return pump.delivery.delivered - there.delivery.delivered


def _copy(memory: Any, state: Any) -> RamMemory:
    copy = RamMemory()
    images = {slot: memory.image(slot) for slot in (0, 1)}
    copy.record(Change(memory.state(), None, images))
    return copy


VOLUMES = st.sampled_from([500, 20_000, 900_000])
TURNS = st.lists(
    st.tuples(st.booleans(), st.integers(0, SECOND), st.sampled_from(["", "", "bolus", "pace"])),
    min_size=3,
    max_size=12,
)


@given(PROGRAMS, SPEEDS, TURNS, st.integers(1, 12), st.integers(10**4, 10**8), st.data())
def test_the_power_may_be_cut_at_any_moment_and_no_more_was_moved_than_is_said(
    program: Program,
    speed: int,
    turns: list[tuple[bool, int, str]],
    records: int,
    reservoir: int,
    data: st.DataObject,
) -> None:
    """Between two turns or before any write, with a driver that is late or early."""
    memory = Looked()
    server = station_on(memory, program, speed, reservoir)
    server.between_records = BETWEEN
    memory.most = memory.records + records
    truth, now = server.pump, 0
    for waits, span, what in turns:
        stop = server.next_stop(now)
        now = now + span if not waits or stop is None else max(now, stop) + span // 20
        server.advance(now)
        if server.pump is truth and what == "bolus":
            server.do(lambda pump: bolus(pump, data.draw(VOLUMES), 100), now)
        if server.pump is truth and what == "pace":
            server.set_speed(data.draw(SPEEDS), now)
        if server.pump is not truth:
            break
    else:
        memory.most = 10**9
        assert moved_since_the_record(truth) <= unaccounted(memory)
        return
    # It was cut before a write, and the server has woken another up.
    (entry,) = [e for e in memory.log(1, 999).entries if e.kind is LogKind.RESTARTED][-1:]
    due = decode_state(memory.state() or b"").delivery.due
    assert truth.delivery.delivered - due // 36_000 * 10 <= entry.second


@pytest.mark.parametrize("late", [0, 90_000, 150_000, 450_000])
@pytest.mark.parametrize("speed", [60, 700, 3_600, 100_000])
def test_it_may_be_cut_before_each_of_its_records_however_late_they_are(
    speed: int, late: int
) -> None:
    hours = tuple(Segment(60 * hour, 20_000 + 37_000 * (hour % 3)) for hour in range(24))
    program = Program(1, "hours", (0,) * 7, (DayPattern("d", hours),), ())
    for records in range(1, 12):
        memory = Looked()
        server = station_on(memory, program, speed)
        server.between_records = BETWEEN
        memory.most = memory.records + records
        truth, now = server.pump, 0
        while server.pump is truth:
            stop = server.next_stop(now)
            assert stop is not None
            now = max(now, stop) + late
            server.advance(now)
        (entry,) = [e for e in memory.log(1, 999).entries if e.kind is LogKind.RESTARTED]
        moved = truth.delivery.delivered - server.pump.delivery.delivered
        assert 0 <= moved <= entry.second


@given(SPEEDS, st.lists(st.integers(0, 600_000), min_size=60, max_size=60), PROGRAMS)
def test_a_pump_that_nobody_calls_records_at_most_ten_times_a_second(
    speed: int, lateness: list[int], program: Program
) -> None:
    memory = Looked()
    server = station_on(memory, program, speed)
    server.between_records = BETWEEN
    server.advance(0)
    now, before = 0, memory.records
    for late in lateness:
        stop = server.next_stop(now)
        assert stop is not None
        now = max(now, stop) + late
        server.advance(now)
    # One record it makes as it starts to cover what comes, and an alarm may come at the end.
    assert memory.records - before <= now // BETWEEN + 3
    # Nor does it wake up for anything else.
    assert len(lateness) <= now // BETWEEN + 3


@pytest.mark.parametrize("speed", [60, 599, 600, 3_600, 100_000])
def test_what_is_recorded_is_never_older_than_it_covers(speed: int) -> None:
    memory = Looked()
    server = station_on(memory, Program.flat("f", 10_000), speed)
    server.between_records = BETWEEN
    now = 0
    while now < 3 * SECOND:
        stop = server.next_stop(now)
        assert stop is not None
        now = max(now + 1, stop + 700)
        server.advance(now)
        state = decode_state(memory.state() or b"")
        age = server.pump.elapsed - state.delivery.elapsed
        assert age <= max(CHECKPOINT_EVERY, state.covers)
        assert state.covers == speed // 5
        assert age <= max(CHECKPOINT_EVERY, speed // 10)


def test_a_pump_that_goes_slowly_again_records_as_a_slow_one_does() -> None:
    memory = Looked()
    server = station_on(memory, Program.flat("f", 10_000), 100_000)
    server.between_records = BETWEEN
    server.advance(SECOND)
    server.set_speed(1, SECOND)
    state = decode_state(memory.state() or b"")
    assert (state.covers, state.delivery.elapsed) == (0, 100_000)
    assert server.next_stop(SECOND) == SECOND + 60 * SECOND
    server.set_speed(MAX_SPEED, SECOND)
    assert decode_state(memory.state() or b"").covers == 0


def test_a_cut_in_the_record_of_a_new_pace_is_a_cut_like_any() -> None:
    memory = Looked()
    server = station_on(memory, Program.flat("f", 10_000), 1)
    server.between_records = BETWEEN
    before = server.pump
    memory.most = memory.records
    server.set_speed(3_600, 10 * SECOND)
    assert server.pump is not before
    assert LogKind.RESTARTED in [each.kind for each in memory.log(1, 9).entries]


def test_what_is_told_is_not_forgotten_for_longer_than_a_checkpoint() -> None:
    """A record may cover hours; but whoever is answered has been told how old the pump is."""
    from test_server import Watcher

    from mockpump.protocol import messages as m

    memory = Looked()
    server = station_on(memory, Program.flat("f", 10_000), 100_000)
    server.between_records = BETWEEN
    watcher = Watcher(server)
    for now in (30_000, 31_000, 70_000):
        told = watcher.ask(m.GetClock(), now).elapsed
        assert told == now // 10
        assert told - decode_state(memory.state() or b"").delivery.elapsed < CHECKPOINT_EVERY + 40


def test_a_record_that_covers_a_corner_says_what_comes_after_it() -> None:
    """The reservoir runs empty within what the record covers: then nothing more is moved."""
    memory = Looked()
    server = station_on(memory, Program.flat("f", 36_000), 100_000, reservoir=5_000)
    server.between_records = BETWEEN
    server.advance(0)
    server.advance(SECOND // 1_000)
    assert decode_state(memory.state() or b"").covers == 20_000
    assert unaccounted(memory) == 5_000


# -- a pump that comes to stand still, and one whose process did ----------------------------------


@given(PROGRAMS, st.sampled_from([1, 60, 3_600, 100_000]), st.integers(1, 200_000))
def test_what_stands_still_has_recorded_how_it_stands(
    program: Program, speed: int, run: int
) -> None:
    """Nothing comes any more that would have it recorded: no deadline is left."""
    memory = Looked()
    server = station_on(memory, program, 0, reservoir=100_000)
    server.between_records = 100_000
    server.set_speed(speed, 0, run)
    now = 0
    while (deadline := server.next_deadline(now)) is not None:
        now = max(now + 1, deadline)
        server.handle_timer(now)
    assert server.pump.elapsed == run
    recorded = decode_state(memory.state() or b"")
    assert (recorded.delivery.elapsed, recorded.mode) == (run, server.pump.mode)
    assert recorded.covers == 0


@pytest.mark.parametrize("speed", [1, 4, 250])
def test_a_pump_that_is_late_lives_it_all_for_a_few_records(speed: int) -> None:
    """Its process stood still for an hour; a record a checkpoint would take longer than a slice."""
    memory = Looked()
    server = station_on(memory, Program.flat("f", 10_000), speed)
    server.between_records = 100_000
    server.handle_timer(SECOND)
    before = memory.records
    for _ in range(20):
        if server.advance(3_601 * SECOND, 1):
            break
    assert server.pump.elapsed == 3_601 * speed
    assert memory.records - before <= 5
    # As soon as it is late no longer, its records stand for what they usually do.
    server.handle_timer(3_601 * SECOND + max(SECOND // speed, 100_000))
    assert server.pump.journal.covers == 2 * 100_000 * speed // SECOND


def test_who_holds_no_key_has_nothing_recorded_by_asking() -> None:
    memory = Looked()
    initialize(memory, PumpConfig(pairing=paired_with(KEYS)))
    server = PumpServer(Pump(memory), TimeScale(86_400))
    server.between_records = 100_000
    line = Line(server)

    line.connect()
    line.ask(m.GetStatus())  # the first of them is noted
    before, began = memory.records, line.now
    for _ in range(200):
        line.now += 5_000
        server.handle_timer(line.now)
        line.ask(m.GetStatus())
        line.ask(m.Identify())
    assert memory.records - before <= (line.now - began) // BETWEEN + 1
