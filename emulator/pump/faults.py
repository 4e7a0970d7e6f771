"""What can go wrong with the pump itself, injected on purpose: by a scenario, a test or a command.

One table.  A fault that lasts can be cleared again; the others happen once.
"""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import NamedTuple

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.schedule import CLOCK_CYCLE
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Alarm

# How far the clock jumps ahead, in seconds.
CLOCK_JUMP = 5_400


class Fault(Enum):
    """What can be made to go wrong."""

    STALL = "the motor stops turning"
    MEMORY = "the memory cannot be written"
    BROWN_OUT = "the power goes just before the next write, and comes back"
    LOW_BATTERY = "the battery runs low"
    SENSOR_STUCK = "the reservoir's sensor shows the same whatever is moved"
    CLOCK_JUMP = "the clock jumps ahead by an hour and a half"


def _stall(pump: Pump) -> None:
    pump.change(partial(pump.show, Alarm.STALLED))


def _turn_again(pump: Pump) -> None:
    pump.change(partial(pump.end, Alarm.STALLED))


def _run_low(pump: Pump) -> None:
    pump.change(partial(pump.show, Alarm.LOW_BATTERY))


def _charge(pump: Pump) -> None:
    pump.change(partial(pump.end, Alarm.LOW_BATTERY))


def _stick(pump: Pump) -> None:
    def stick() -> None:
        if pump.sensor is None:
            pump.sensor = pump.delivery.reservoir
        pump.show(Alarm.SENSOR_STUCK)

    pump.change(stick)


def _follow(pump: Pump) -> None:
    def follow() -> None:
        pump.sensor = None
        pump.end(Alarm.SENSOR_STUCK)

    pump.change(follow)


def _jump(pump: Pump) -> None:
    clock = (pump.delivery.clock + CLOCK_JUMP) % CLOCK_CYCLE
    pump.change(partial(operations.set_clock, pump, clock))


def _memory(pump: Pump) -> FaultyMemory:
    if not isinstance(pump.memory, FaultyMemory):
        raise LocalProtocolError("this pump's memory cannot be made to fail")
    return pump.memory


def _spoil(pump: Pump) -> None:
    _memory(pump).fail_writes = True


def _mend(pump: Pump) -> None:
    _memory(pump).fail_writes = False


def _brown_out(pump: Pump) -> None:
    _memory(pump).brown_out = True


class FaultRule(NamedTuple):
    """One row of the table.  `clear` is None for what happens once."""

    inject: Callable[[Pump], None]
    clear: Callable[[Pump], None] | None = None


FAULTS: dict[Fault, FaultRule] = {
    Fault.STALL: FaultRule(_stall, _turn_again),
    Fault.MEMORY: FaultRule(_spoil, _mend),
    Fault.BROWN_OUT: FaultRule(_brown_out),
    Fault.LOW_BATTERY: FaultRule(_run_low, _charge),
    Fault.SENSOR_STUCK: FaultRule(_stick, _follow),
    Fault.CLOCK_JUMP: FaultRule(_jump),
}


def inject(pump: Pump, fault: Fault) -> None:
    """Make it happen.

    `LocalProtocolError` where the pump's memory is none that can be made to fail.
    """
    FAULTS[fault].inject(pump)


def clear(pump: Pump, fault: Fault) -> None:
    """Clear it.  `LocalProtocolError` for what happens only once."""
    mend = FAULTS[fault].clear
    if mend is None:
        raise LocalProtocolError(f"{fault.name.lower()} happens once; there is nothing to clear")
    mend(pump)


def fault_named(name: str) -> Fault:
    """The fault of that name, such as `low-battery`; KeyError when there is none."""
    return Fault[name.upper().replace("-", "_")]
