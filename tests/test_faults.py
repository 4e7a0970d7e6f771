"""Faults: each does what its row says, and what can be made good again is."""

import pytest

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import MemoryFailed, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.faults import (
    CLOCK_JUMP,
    FAULTS,
    Fault,
    clear,
    fault_named,
    inject,
)
from mockpump.emulator.pump.making import Making, make, new_pump
from mockpump.emulator.pump.station import Station
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Alarm, Mode

ALARM_OF = {
    Fault.STALL: Alarm.STALLED,
    Fault.LOW_BATTERY: Alarm.LOW_BATTERY,
    Fault.SENSOR_STUCK: Alarm.SENSOR_STUCK,
}


@pytest.fixture
def pump() -> Pump:
    memory = RamMemory()
    make(memory, Making())
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
    station = Station(pump)
    port = station.attach()
    station.do(lambda each: inject(each, Fault.BROWN_OUT), 0)
    station.change_pace(60, 0)
    station.advance(10_000_000_000)
    assert station.pump is not pump
    assert port.pump is station.pump
    assert Alarm.RESTARTED in station.pump.panel.shown
    before = station.pump.elapsed
    station.advance(10_001_000_000)
    assert station.pump.elapsed >= before


def test_what_happens_once_cannot_be_cleared(pump: Pump) -> None:
    for fault in (Fault.BROWN_OUT, Fault.CLOCK_JUMP):
        with pytest.raises(LocalProtocolError, match="happens once"):
            clear(pump, fault)


def test_a_memory_that_is_none_of_the_kind_cannot_be_made_to_fail() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be made to fail"):
        inject(new_pump(), Fault.MEMORY)


def test_every_fault_has_a_row_and_a_name() -> None:
    assert set(FAULTS) == set(Fault)
    assert fault_named("low-battery") is Fault.LOW_BATTERY
    with pytest.raises(KeyError):
        fault_named("thirst")
