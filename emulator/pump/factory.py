"""How a pump is made: its first state, written into an empty memory."""

from typing import Any, NamedTuple

from mockpump.emulator.memory.interface import Change, Memory
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.alarms import AlarmPanel
from mockpump.emulator.pump.catheter import filled_with
from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.limits import WIDEST, program_excesses
from mockpump.emulator.pump.pairing import OPEN, Pairing
from mockpump.emulator.pump.pump import CHECKPOINT_EVERY, Pump, describe
from mockpump.emulator.pump.state import PumpIdentity, PumpState, encode_state
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import Limits, LogKind, Mode
from mockpump.protocol.program import Program
from mockpump.protocol.units import words_of

FACTORY_PROGRAM = Program.flat("factory", 20_000)
CONCENTRATION = 500
DEAD_VOLUME = 150_000


class PumpConfig(NamedTuple):
    """What a new pump is made with.

    Clock in seconds since a Monday at midnight, its drift in ppm, concentration in du/mL, the
    catheter's `dead` volume in nL.  All of it made up.  Unless it gets keys (`paired_with`) it is
    open: it asks for no session.
    """

    identity: PumpIdentity = PumpIdentity()
    program: Program | None = FACTORY_PROGRAM
    limits: Limits = WIDEST
    clock: int = 0
    drift: int = 0
    concentration: int = CONCENTRATION
    dead: int = DEAD_VOLUME
    pairing: Pairing = OPEN


def initialize(memory: Memory, config: PumpConfig) -> None:
    """Write a new pump into an empty memory.

    `LocalProtocolError` for what no message can carry, `ProgramError` for a program that breaks a
    rule.
    """
    m.encode(describe(config.identity))
    m.encode(m.Refilled(0, config.concentration, config.concentration, config.dead))
    m.encode(config.limits)
    if config.program is not None:
        programs.check(config.program)
        for excess in program_excesses(config.program, config.limits):
            reason = words_of(excess.reason)
            figures = f"{excess.figure:,}; allowed: {excess.limit:,}"
            raise LocalProtocolError(f"the program breaks a limit: {reason} ({figures})")
    delivery = Delivery(config.identity.reservoir, config.limits)
    delivery.set_clock(config.clock)
    delivery.set_drift(config.drift)
    images = {}
    if config.program is not None:
        images[0] = programs.image(config.program)
        delivery.set_program(config.program)
    state = PumpState(
        config.identity,
        Mode.RUNNING if images else Mode.STOPPED,
        delivery.state(),
        config.limits,
        filled_with(config.concentration, config.dead),
        AlarmPanel(),
        0 if images else None,
        None,
        None,
        CHECKPOINT_EVERY,
        True,
        config.pairing,
    )
    made = LogEntry(0, config.clock, LogKind.MADE, config.identity.serial, 0)
    memory.record(Change(encode_state(state), None, images, (made,)))


def new_memory(
    identity: PumpIdentity | None = None,
    program: Program | None = FACTORY_PROGRAM,
    clock: int = 0,
    **config: Any,
) -> Memory:
    """The memory, in RAM, of a new pump with a full reservoir and a program running.

    `config` is anything else that `PumpConfig` has; without it there are no limits and no keys.
    """
    memory = RamMemory(durable=False)
    initialize(memory, PumpConfig(identity or PumpIdentity(), program, clock=clock, **config))
    return memory


def new_pump(
    identity: PumpIdentity | None = None, program: Program | None = FACTORY_PROGRAM, **config: Any
) -> Pump:
    """The pump with such a memory."""
    return Pump(new_memory(identity, program, **config))
