"""Faults: each does what its row says, and what can be made good again is."""

from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pump_state import Line, state_of

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import MemoryFailed, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.faults import (
    CLOCK_JUMP,
    FAULTS,
    Fault,
    clear,
    fault_named,
    inject,
)
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Alarm, Mode

FLUIDS = st.sampled_from([500, 900])
ALARM_OF = {
    Fault.STALL: Alarm.STALLED,
    Fault.LOW_BATTERY: Alarm.LOW_BATTERY,
    Fault.SENSOR_STUCK: Alarm.SENSOR_STUCK,
}


@pytest.fixture
def pump() -> Pump:
    memory = RamMemory()
    initialize(memory, PumpConfig())
    pump = Pump(FaultyMemory(memory))
    pump.advance(1_000)
    return pump


@pytest.mark.parametrize("fault", ALARM_OF, ids=lambda fault: fault.name)
def test_a_lasting_fault_is_an_alarm_until_it_is_cleared(pump: Pump, fault: Fault) -> None:
    inject(pump, fault)
    assert pump.panel.present(ALARM_OF[fault])
    assert pump.mode is (Mode.FAULT if fault is Fault.STALL else Mode.RUNNING)
    clear(pump, fault)
    assert not pump.panel.present(ALARM_OF[fault])
    assert ALARM_OF[fault] in pump.panel.shown


def test_a_stuck_sensor_shows_the_same_whatever_is_moved(pump: Pump) -> None:
    inject(pump, Fault.SENSOR_STUCK)
    shown = pump.report().reservoir
    pump.advance(100_000)
    assert pump.report().reservoir == shown > pump.delivery.reservoir
    clear(pump, Fault.SENSOR_STUCK)
    assert pump.report().reservoir == pump.delivery.reservoir


def test_a_stuck_sensor_is_stuck_in_the_record_too(pump: Pump) -> None:
    inject(pump, Fault.SENSOR_STUCK)
    assert Pump(pump.memory).sensor == pump.sensor is not None


def test_a_fault_that_cannot_be_recorded_does_not_happen(pump: Pump) -> None:
    inject(pump, Fault.MEMORY)
    with pytest.raises(MemoryFailed):
        inject(pump, Fault.SENSOR_STUCK)
    assert pump.sensor is None


def test_a_clock_that_jumps_delivers_nothing_for_it(pump: Pump) -> None:
    clock, due = pump.delivery.clock, pump.delivery.due
    inject(pump, Fault.CLOCK_JUMP)
    assert (pump.delivery.clock, pump.delivery.due) == (clock + CLOCK_JUMP, due)


def test_a_memory_that_fails_stops_the_pump_until_it_works_again(pump: Pump) -> None:
    inject(pump, Fault.MEMORY)
    pump.advance(2_000)
    assert (pump.mode, pump.panel.present(Alarm.MEMORY_FAULT)) == (Mode.FAULT, True)
    clear(pump, Fault.MEMORY)
    pump.advance(2_001)
    assert not pump.panel.present(Alarm.MEMORY_FAULT)


def test_a_brown_out_is_a_power_cut_before_the_next_write(pump: Pump) -> None:
    inject(pump, Fault.BROWN_OUT)
    with pytest.raises(PowerCut):
        pump.advance(2_000)


def test_a_station_starts_its_pump_anew_after_a_brown_out(pump: Pump) -> None:
    server = PumpServer(pump)
    port = server.attach()
    server.do(lambda each: inject(each, Fault.BROWN_OUT), 0)
    server.set_speed(60, 0)
    server.advance(10_000_000_000)
    assert server.pump is not pump
    assert port.pump is server.pump
    assert Alarm.RESTARTED in server.pump.panel.shown
    before = server.pump.elapsed
    server.advance(10_001_000_000)
    assert server.pump.elapsed >= before


def test_what_happens_once_cannot_be_cleared(pump: Pump) -> None:
    for fault in (Fault.BROWN_OUT, Fault.CLOCK_JUMP):
        with pytest.raises(LocalProtocolError, match="happens once"):
            clear(pump, fault)


def test_a_memory_that_is_none_of_the_kind_cannot_be_made_to_fail() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be made to fail"):
        inject(new_pump(), Fault.MEMORY)


LASTING = [fault for fault, rule in FAULTS.items() if rule.clear is not None]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("inject"), st.sampled_from(LASTING)),
        st.tuples(st.just("clear"), st.sampled_from(LASTING)),
        st.tuples(st.just("live"), st.integers(1, 9_000)),
        st.tuples(st.just("ask"), st.sampled_from(Alarm).map(partial(m.AcknowledgeAlarm, 0))),
        st.tuples(st.just("ask"), st.sampled_from([m.Resume(0), m.Suspend(0)])),
        st.tuples(st.just("ask"), st.builds(m.Refill, st.just(0), st.integers(0, 10**6), FLUIDS)),
    ),
    max_size=12,
)


def lived(steps: list[tuple[str, Any]], times: int) -> tuple[dict[str, Any], bytes]:
    """What can be seen of a pump to which each fault was done this many times, and its record."""
    memory = RamMemory()
    initialize(memory, PumpConfig(PumpIdentity(reservoir=60_000)))
    line = Line(Pump(FaultyMemory(memory)))
    for name, value in steps:
        if name == "live":
            line.pump.advance(line.pump.elapsed + value)
        elif name == "ask":
            line.ask(replace(value, transaction=line.fresh()))
        else:
            for _ in range(times):
                with suppress(MemoryFailed):
                    (inject if name == "inject" else clear)(line.pump, value)
    return state_of(line.pump), memory.state() or b""


@given(STEPS)
def test_done_twice_or_three_times_is_done_once(steps: list[tuple[str, Any]]) -> None:
    """Whatever it is done to: acknowledged or not, there already, or never injected."""
    once = lived(steps, 1)
    assert lived(steps, 2) == once
    assert lived(steps, 3) == once


def test_stuck_again_it_shows_what_it_showed_when_it_stuck(pump: Pump) -> None:
    inject(pump, Fault.SENSOR_STUCK)
    shown = pump.reservoir
    pump.advance(100_000)
    inject(pump, Fault.SENSOR_STUCK)
    assert pump.reservoir == shown > pump.delivery.reservoir


def test_what_was_seen_and_is_still_there_need_not_be_seen_again(pump: Pump) -> None:
    inject(pump, Fault.LOW_BATTERY)
    pump.panel.acknowledge(Alarm.LOW_BATTERY)
    inject(pump, Fault.LOW_BATTERY)
    assert pump.panel.shown[Alarm.LOW_BATTERY].acknowledged
    clear(pump, Fault.LOW_BATTERY)
    assert Alarm.LOW_BATTERY not in pump.panel.shown


def test_every_fault_has_a_row_and_a_name() -> None:
    assert set(FAULTS) == set(Fault)
    assert fault_named("low-battery") is Fault.LOW_BATTERY
    with pytest.raises(KeyError):
        fault_named("thirst")
