"""The mock pump itself: identity, mode, delivery and memory, driven by pump time and requests.

Pure: pump time comes in by `advance`, requests by `mockpump.emulator.pump.commands`; nothing here
knows a connection, a clock or a file.  It is a toy; no real device works like this.
"""

from mockpump.emulator.memory.interface import Memory
from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.delivery_state import STEP
from mockpump.emulator.pump.modes import ModeInput, following
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.fields import Record
from mockpump.protocol.messages import PROTOCOL_VERSION, Identity, Mode, Telemetry
from mockpump.protocol.program import Program

RESERVOIR = 20_000_000
FACTORY_PROGRAM = programs.flat("factory", 20_000)
# Elapsed time is a u32 on the wire: a pump's life ends there, after 136 years.
LAST_SECOND = 2**32 - 1


class PumpIdentity(Record, frozen=True):
    """What sets one made-up pump apart from another.  Reservoir in nL."""

    serial: int = 1001
    name: str = "mock pump"
    reservoir: int = RESERVOIR


class Pump:
    """A virtual pump.  Volumes in nL, rates in nL/h, times in seconds of pump time.

    `LocalProtocolError` for an identity that no message can carry; `DecodeError` or `ProgramError`
    when what the memory holds is no program.
    """

    __slots__ = ("delivery", "identity", "image", "memory", "mode")

    def __init__(
        self, memory: Memory, identity: PumpIdentity | None = None, clock: int = 0
    ) -> None:
        self.identity = identity or PumpIdentity()
        self.memory = memory
        self.delivery = Delivery(reservoir=self.identity.reservoir)
        self.delivery.set_clock(clock)
        self.mode = Mode.STOPPED
        self.image = b""
        m.encode(self.describe())
        stored = memory.program()
        if stored is not None:
            self.activate(stored)

    @property
    def elapsed(self) -> int:
        """Pump time since the pump was made."""
        return self.delivery.elapsed

    @property
    def digest(self) -> bytes:
        """The digest of the active program; that of nothing when there is none."""
        return programs.digest(self.image)

    def advance(self, elapsed: int) -> bool:
        """Live on until `elapsed`; whether the mode changed on the way."""
        before = self.mode
        self.delivery.advance(min(elapsed, LAST_SECOND))
        self._notice_empty()
        return self.mode is not before

    def enter(self, event: ModeInput) -> None:
        """Change the mode as the table says."""
        self.mode = following(self.mode, event)
        if self.mode is Mode.RUNNING:
            self.delivery.resume()
        else:
            self.delivery.suspend()
        self._notice_empty()

    def _notice_empty(self) -> None:
        if self.delivery.empty and self.mode is Mode.RUNNING:
            self.enter(ModeInput.EMPTY)

    def activate(self, image: bytes) -> None:
        """Make a program the active one, from this second on.

        `DecodeError` or `ProgramError`, and nothing changed, when it is the image of none.
        """
        self.delivery.set_program(programs.from_image(image))
        self.image = image
        self.enter(ModeInput.PROGRAM)

    def describe(self) -> Identity:
        """Who this pump is."""
        identity = self.identity
        return Identity(PROTOCOL_VERSION, identity.serial, identity.reservoir, STEP, identity.name)

    def report(self) -> Telemetry:
        """What the pump is doing at this moment."""
        d = self.delivery
        return Telemetry(
            self.mode,
            d.elapsed,
            d.clock,
            d.rate,
            d.delivered,
            d.remainder,
            d.reservoir,
            d.delivered,
            0,
            m.Priority.NONE,
        )


def new_pump(
    identity: PumpIdentity | None = None, program: Program = FACTORY_PROGRAM, clock: int = 0
) -> Pump:
    """A pump with its memory in RAM, its reservoir full and a program running."""
    from mockpump.emulator.memory.ram import RamMemory

    return Pump(RamMemory(programs.image(program)), identity, clock)
