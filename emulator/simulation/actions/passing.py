"""The actions that let time pass: in the pump, or on the line."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mockpump.emulator.simulation.actions.action import Action
from mockpump.emulator.simulation.narration import NarrationLine, clock_text
from mockpump.protocol import messages as m
from mockpump.protocol.units import read_duration, words_of

if TYPE_CHECKING:
    from mockpump.emulator.simulation.runner import ScenarioRunner
    from mockpump.emulator.simulation.scenario import Step


class Live(Action, frozen=True):
    """Let pump time pass."""

    key = "live"
    example = '"6h"'

    duration: str

    def check(self) -> None:
        """It must be a duration."""
        read_duration(self.duration)

    @property
    def pump_time(self) -> int:
        """All of it."""
        return read_duration(self.duration)

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Let it pass, with points for the curves, and tell of the alarms."""
        pump = runner.world.pump
        before = set(pump.panel.shown)
        runner.live_until(pump.elapsed + self.pump_time, read_duration(runner.scenario.sample))
        yield NarrationLine("do", f"{self.duration} of pump time pass")
        # Another one, where the power was cut meanwhile.
        pump = runner.world.pump
        for alarm in sorted(set(pump.panel.shown) - before):
            since = clock_text(pump.delivery.pump_clock.at(pump.panel.shown[alarm].since))
            yield NarrationLine("pump", f"alarm: {words_of(m.Alarm(alarm))}, since {since}")


class Wait(Action, frozen=True):
    """Let time pass on the line, and none in the pump."""

    key = "wait"
    example = '"30s"'

    duration: str

    def check(self) -> None:
        """It must be a duration."""
        read_duration(self.duration)

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Let it pass."""
        runner.world.wait(read_duration(self.duration) * 1_000_000)
        yield NarrationLine("do", f"{self.duration} pass on the line")
