"""The actions on the line: what is wrong with it, and who else is there."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.programmer.errors import SessionTaken
from mockpump.emulator.simulation.actions.action import Action
from mockpump.emulator.simulation.adversary import TRICKS, connect_second_programmer
from mockpump.emulator.simulation.narration import NarrationLine

if TYPE_CHECKING:
    from mockpump.emulator.simulation.runner import ScenarioRunner
    from mockpump.emulator.simulation.scenario import Step

# How long an evicted programmer has to hear of it, in microseconds.
_MOMENT = 1_000_000


class ChangeLine(Action, frozen=True):
    """From now on this is wrong with the line, and nothing else."""

    key = "channel"
    example = '{ loss = "5%", delay = "20ms" }'

    impairments: dict[str, Any]

    def check(self) -> None:
        """It must be what can be wrong with a line."""
        read_impairments(self.impairments)

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Let the channel have it."""
        runner.world.impair(read_impairments(self.impairments))
        words = ", ".join(f"{name} {value}" for name, value in self.impairments.items())
        yield NarrationLine("do", f"from now on the line has {words or 'nothing wrong with it'}")


class HangUp(Action, frozen=True):
    """End the connection in good order; the next request opens another."""

    key = "hang_up"
    example = "true"

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Close it, if there is one."""
        yield NarrationLine("do", "hangs up")
        runner.world.disconnect()


class Rival(Action, frozen=True):
    """A second programmer of that name calls, on a line of its own; with `take_over = true` in the
    step it ends the session that the first one has.
    """

    key = "rival"
    example = '"a colleague"'

    name: str

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """It calls; a programmer whose session that ends has a moment to hear of it."""
        world = runner.world
        wish = ", and takes over the session" if step.take_over else ""
        yield NarrationLine("do", f"{self.name} calls on another line, with the same key{wish}")
        was_open = world.programmer.connection.is_open
        came = connect_second_programmer(world, runner.find_key, step.take_over)
        yield NarrationLine("pump", came)
        if step.take_over:
            world.wait(_MOMENT)
            if was_open and not world.programmer.connection.is_open:
                yield NarrationLine("pump", f"the first one is told: {SessionTaken()}")


class Attack(Action, frozen=True):
    """Somebody else on the line tries something: `listen`, `inject`, `unsealed`, `replay` or
    `guess`.
    """

    key = "attack"
    example = '"replay"'

    trick: Literal["listen", "replay", "unsealed", "inject", "guess"]

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Try it, and say what the pump made of it."""
        lines = TRICKS[self.trick](runner.attacker)
        yield NarrationLine("do", next(lines))
        for line in lines:
            yield NarrationLine("pump", line)
