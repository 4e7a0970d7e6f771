"""`PumpMachine`: a sound pump passes it, and it says what is wrong with one that is not."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from mockpump import Pump, World
from mockpump import messages as m
from mockpump.emulator.programmer.errors import OtherPump
from mockpump.emulator.pump.pairing import draw_keys, paired_with
from mockpump.emulator.simulation.invariants import InvariantBroken
from mockpump.emulator.simulation.world import Draws
from mockpump.testing import PumpMachine

ENOUGH = settings(
    max_examples=200,
    stateful_step_count=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class PairedMachine(PumpMachine):
    def new_pump(self) -> Pump:
        keys = draw_keys(Draws(0).source("pump", "keys"))
        return Pump.new(pairing=paired_with(keys))


TestOpenPump = PumpMachine.TestCase
TestPairedPump = PairedMachine.TestCase


class Forgetful(Pump):
    """Does what it was asked for, and forgets that it was asked."""

    def change(self, effect: Callable[[], None], outcome: Any = None, image: Any = None) -> Any:
        return super().change(effect, None, image)


class Inventive(Pump):
    """Logs a refill that nobody has asked for when the power comes back."""

    def _account_for_crash(self, state: Any) -> None:
        self.log(m.LogKind.REFILLED, 1, 1)
        super()._account_for_crash(state)


@pytest.mark.parametrize(
    ("kind", "says"), [(Forgetful, "had recorded"), (Inventive, "exactly-once: refilled 1 times")]
)
def test_it_finds_what_is_wrong_with_a_pump(kind: type[Pump], says: str) -> None:
    class Machine(PumpMachine):
        def new_pump(self) -> Pump:
            return kind.new()

    with pytest.raises((InvariantBroken, OtherPump), match=says):
        run_state_machine_as_test(Machine, settings=ENOUGH)


def test_a_pump_of_another_class_stays_one() -> None:
    world = World(Inventive.new())
    world.server.reboot(world.now)
    assert type(world.pump) is Inventive
