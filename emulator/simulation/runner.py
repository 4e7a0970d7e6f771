"""Running a scenario: its steps done to a pump in virtual time, and what came of each, in words.

One runner for every scenario.  It walks the steps, yields lines as it goes, and takes points for
the curves.  A refusal that the scenario does not expect, or an expected one that does not come, is
a `ScenarioError`: so a scenario is a test of itself.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.impairments import Impairments, read_impairments
from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Memory
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.handshake import FindKey
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.limits import FACTORY
from mockpump.emulator.pump.pairing import draw_keys, paired_with
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.simulation.adversary import Adversary
from mockpump.emulator.simulation.curves import Recorder
from mockpump.emulator.simulation.errors import ExpectationFailed, ScenarioError
from mockpump.emulator.simulation.expectations import ExpectPart, differences
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.emulator.simulation.retrying import PumpUnreachable, RetryingProgrammer
from mockpump.emulator.simulation.scenario import Scenario, Step
from mockpump.emulator.simulation.world import Draws, World
from mockpump.emulator.trace.format import PROGRAMMER, PUMP
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.messages.base import Access
from mockpump.protocol.program import Program, ProgramError
from mockpump.protocol.units import read_duration, read_week_time

# The line of a scenario that says nothing of it.
_USUAL = Impairments(delay=1_000)


class Library(NamedTuple):
    """What a scenario may call for: programs by name, and memories in which writes can be cut."""

    program: Callable[[str], Program]
    cuttable: Callable[[], Memory]


class ScenarioRunner:
    """Tells one scenario.  `recorder` holds the curves afterwards."""

    def __init__(self, scenario: Scenario, library: Library, seed: int = 0) -> None:
        self.scenario = scenario
        self.library = library
        self.keys = draw_keys(Draws(seed).source(PUMP, "key"))
        memory = RamMemory()
        try:
            initialize(memory, self.config())
        except (LocalProtocolError, ProgramError) as error:
            raise ScenarioError(f"{scenario.name}: it cannot begin: {error}") from None
        channel = Channel(read_impairments(scenario.channel) if scenario.channel else _USUAL, seed)
        part = scenario.programmer
        settings = LinkSettings(max_payload=part.payload, window=part.window)
        pump = Pump(FaultyMemory(memory))
        self.world = World(pump, seed=seed, speed=0, channel=channel, settings=settings)
        key = self.keys[Access[part.access.upper()]]
        self.find_key: FindKey = lambda _: key
        self.programmer = RetryingProgrammer(self.world, self.find_key)
        self.attacker = Adversary(self.world)
        self.recorder = Recorder(self.world.pump)

    def tell(self) -> Iterator[NarrationLine]:
        """The whole scenario, line by line."""
        try:
            for told in self._tell():
                self.world.tell(*told)
                yield told
        except ScenarioError as error:
            self.world.tell("failed", str(error))
            raise

    def _tell(self) -> Iterator[NarrationLine]:
        for step in self.scenario.step:
            if step.at is not None:
                self.live_until(read_duration(step.at))
            if step.say:
                yield NarrationLine("say", " ".join(step.say.split()))
            yield from self._act(step)
            if isinstance(step.expect, ExpectPart):
                yield from self._expect(step.expect)
        self.recorder.take(self.world.pump)

    def _act(self, step: Step) -> Iterator[NarrationLine]:
        if step.action is None:
            return
        try:
            with self.world.doing("action", step.action.key):
                yield from step.action.run(self, step)
        except PumpUnreachable:
            yield NarrationLine("pump", "out of reach")

    def _expect(self, expected: ExpectPart) -> Iterator[NarrationLine]:
        wrong = list(differences(self.world.pump, expected))
        if wrong:
            raise ExpectationFailed(f"expected {'; '.join(wrong)}")
        yield NarrationLine("pump", "as expected")

    # -- for the actions -------------------------------------------------------------------------

    def live_until(self, elapsed: int, every: int | None = None) -> None:
        """Let pump time pass until the pump is that old; nothing when it is already.

        `every`: the seconds between points for the curves, the first one now; None: none.
        """
        self.world.set_speed(self.scenario.speed)
        while self.world.pump.elapsed < elapsed:
            if every is not None:
                self.recorder.take(self.world.pump)
            stop = elapsed if every is None else self.world.pump.elapsed + every
            self.world.run_until(min(stop, elapsed))
        self.world.set_speed(0)

    def transaction(self) -> int:
        """A fresh one, whatever may come of it: so the next one does not depend on that."""
        return self.world.draws.transaction(PROGRAMMER)

    def config(self) -> PumpConfig:
        """What the pump was made with."""
        part = self.scenario.pump
        identity = PumpIdentity(name=f"{self.scenario.name} pump", reservoir=part.reservoir)
        return PumpConfig(
            identity,
            self.library.program(part.program),
            part.limits.in_place_of(FACTORY),
            read_week_time(part.clock),
            part.drift,
            part.concentration,
            part.dead,
            paired_with(self.keys),
        )
