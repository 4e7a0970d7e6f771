"""The device: what it remembers, when it runs empty, and that a refused program leaves no mark."""

import gc
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_program import NaivePump
from pump_state import give, state_of

from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import FACTORY_PROGRAM, new_pump
from mockpump.emulator.pump.modes import ModeInput
from mockpump.emulator.pump.pump import LAST_SECOND, Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.schedule import CLOCK_CYCLE
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.messages import Alarm, Mode
from mockpump.protocol.program import Program, ProgramError
from mockpump.protocol.strategies import programs as any_programs

PROGRAMS = any_programs(max_patterns=2, max_segments=3, max_steps=2)
SMALL = st.integers(0, 50_000)
STRETCHES = st.lists(st.integers(0, 90_000), min_size=1, max_size=6)
UNSORTED = programs._CODEC.encode(
    Program(1, "x", (1,) * 7, FACTORY_PROGRAM.patterns, ())  # there is no pattern 1
)


def small_pump(reservoir: int, program: Program = FACTORY_PROGRAM) -> Pump:
    return new_pump(PumpIdentity(reservoir=reservoir), program)


@given(PROGRAMS, SMALL, STRETCHES)
def test_it_faults_in_the_second_it_runs_empty(
    program: Program, reservoir: int, stretches: list[int]
) -> None:
    pump, naive = small_pump(reservoir, program), NaivePump(reservoir)
    naive.do("set_program", program)
    told = []
    for stretch in stretches:
        naive.do("advance", stretch)
        if pump.advance(pump.elapsed + stretch):
            told.append(pump.elapsed)
        assert pump.mode is (Mode.RUNNING if naive.emptied_at is None else Mode.FAULT)
        empty = pump.panel.shown.get(Alarm.EMPTY)
        assert (empty and empty.since) == naive.emptied_at
        assert pump.report().mode is pump.mode
    if naive.emptied_at:
        fresh = small_pump(reservoir, program)
        assert not fresh.advance(naive.emptied_at - 1)
        assert fresh.advance(naive.emptied_at)
        assert fresh.report().mode is Mode.FAULT
        assert len(told) == 1


@given(PROGRAMS, SMALL, STRETCHES)
def test_any_chopping_of_time_gives_the_same_pump(
    program: Program, reservoir: int, stretches: list[int]
) -> None:
    chopped, whole = small_pump(reservoir, program), small_pump(reservoir, program)
    for stretch in stretches:
        chopped.advance(chopped.elapsed + stretch)
    whole.advance(sum(stretches))
    assert state_of(chopped) == state_of(whole)


@pytest.mark.parametrize("reservoir", [0, 9])
def test_a_pump_that_is_empty_from_the_start_never_runs(reservoir: int) -> None:
    pump = small_pump(reservoir)
    assert pump.mode is Mode.FAULT
    assert not pump.advance(100)
    assert pump.delivery.delivered == 0


def test_without_a_program_it_is_stopped_until_one_comes() -> None:
    pump = new_pump(program=None)
    assert (pump.mode, pump.image, pump.digest) == (Mode.STOPPED, b"", programs.digest(b""))
    pump.advance(3_600)
    assert pump.delivery.delivered == 0
    give(pump, Program.flat("x", 3_600))
    pump.advance(2 * 3_600)
    assert (pump.mode, pump.delivery.delivered) == (Mode.RUNNING, 3_600)


@given(PROGRAMS, st.integers(0, CLOCK_CYCLE - 1))
def test_it_wakes_up_with_what_its_memory_holds(program: Program, clock: int) -> None:
    pump = new_pump(program=program, clock=clock)
    assert pump.image == programs.image(program)
    assert (pump.mode, pump.delivery.clock, pump.elapsed) == (Mode.RUNNING, clock, 0)


@pytest.mark.parametrize("image", [b"", b"\x01", b"garbage", UNSORTED, bytes(2_048)])
@pytest.mark.parametrize("suspended", [False, True])
def test_what_is_no_program_changes_nothing(image: bytes, suspended: bool) -> None:
    pump = new_pump()
    pump.advance(1_000)
    if suspended:
        pump.enter(ModeInput.SUSPEND)
    before = state_of(pump)
    with pytest.raises((DecodeError, ProgramError)):
        pump.activate(image)
    assert state_of(pump) == before


@given(PROGRAMS, st.integers(0, 100_000))
def test_suspended_stays_suspended_through_a_new_program(program: Program, seconds: int) -> None:
    pump = new_pump()
    pump.advance(50)
    pump.enter(ModeInput.SUSPEND)
    give(pump, program)
    delivered = pump.delivery.delivered
    pump.advance(50 + seconds)
    assert pump.mode is Mode.SUSPENDED
    assert pump.delivery.delivered == delivered


def test_its_life_ends_where_a_u32_ends() -> None:
    pump = small_pump(2**32 - 1)
    pump.advance(LAST_SECOND + 1_000)
    assert pump.elapsed == LAST_SECOND
    m.encode(pump.report())
    pump.advance(2**40)
    assert pump.elapsed == LAST_SECOND


def test_time_runs_forward() -> None:
    pump = new_pump()
    pump.advance(10)
    with pytest.raises(LocalProtocolError):
        pump.advance(9)


@pytest.mark.parametrize(
    "identity",
    [
        PumpIdentity(reservoir=2**32),
        PumpIdentity(serial=-1),
        PumpIdentity(name="x" * 33),
        PumpIdentity(name="\x1b[2J"),
    ],
)
def test_an_identity_that_no_message_carries_is_refused_at_once(identity: PumpIdentity) -> None:
    with pytest.raises(LocalProtocolError):
        new_pump(identity)


def test_it_says_who_it_is() -> None:
    identity = new_pump(PumpIdentity(7, "pump seven", 1_000)).describe()
    assert (identity.serial, identity.name, identity.reservoir) == (7, "pump seven", 1_000)
    assert (identity.version, identity.step) == (1, 10)


def _weight(things: int) -> int:
    """Bytes of Python objects for a pump and its line, each."""

    def make(count: int) -> Iterable[object]:
        return [(pump := new_pump(), Endpoint(pump)) for _ in range(count)]

    kept = make(1)
    gc.collect()
    tracemalloc.start()
    try:
        kept = make(things)
        return tracemalloc.get_traced_memory()[0] // things
    finally:
        tracemalloc.stop()
        del kept


def test_a_pump_and_its_line_are_small() -> None:
    assert _weight(100) < 64 * 1024 // 2


@pytest.mark.parametrize("rate", [-1, 2**32])
def test_a_rate_that_no_program_has_is_refused_as_that(rate: int) -> None:
    with pytest.raises(ProgramError, match="rate"):
        new_pump(program=Program.flat("x", rate))
