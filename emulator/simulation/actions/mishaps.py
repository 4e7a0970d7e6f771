"""The actions that make something go wrong with the pump itself, and clear it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from mockpump.emulator.memory.interface import MemoryFailed, PowerCut
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.faults import FAULTS, Fault
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.simulation.actions.action import Action, choice_named
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.protocol.units import choice_name, words_of

if TYPE_CHECKING:
    from mockpump.emulator.simulation.runner import ScenarioRunner
    from mockpump.emulator.simulation.scenario import Step


class InjectFault(Action, frozen=True):
    """Make something go wrong with the pump itself: a fault, by its name."""

    key = "fault"
    example = '"low-battery"'

    name: str

    def check(self) -> None:
        """There must be such a fault."""
        choice_named(Fault, self.name)

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Make it happen."""
        fault = choice_named(Fault, self.name)
        inject = partial(faults.inject, fault=fault)
        yield from _do_to_pump(runner, inject, f"a fault: {fault.value}")


class ClearFault(Action, frozen=True):
    """Clear a fault that lasts."""

    key = "clear"
    example = '"low-battery"'

    name: str

    def check(self) -> None:
        """There must be such a fault, and it must be one that lasts."""
        fault = choice_named(Fault, self.name)
        if FAULTS[fault].clear is None:
            last = ", ".join(choice_name(each) for each, rule in FAULTS.items() if rule.clear)
            raise ScenarioError(
                f"the fault {self.name!r} happens once and does not last; those that do are {last}"
            )

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Clear it."""
        fault = choice_named(Fault, self.name)
        clear = partial(faults.clear, fault=fault)
        yield from _do_to_pump(runner, clear, f"cleared: {words_of(fault)}")


def _do_to_pump(
    runner: "ScenarioRunner", action: Callable[[Pump], None], words: str
) -> Iterator[NarrationLine]:
    failed = None
    try:
        runner.world.server.do(action, runner.world.now)
    except MemoryFailed as error:
        failed = error
    yield NarrationLine("do", words)
    if failed is not None:
        yield NarrationLine("pump", str(failed))


class Reboot(Action, frozen=True):
    """Cut the power, and let it come again."""

    key = "reboot"
    example = "true"

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Cut it."""
        runner.world.server.do(_cut_power, runner.world.now)
        yield NarrationLine("do", "cuts the power and lets it come again")


def _cut_power(pump: Pump) -> None:
    raise PowerCut
