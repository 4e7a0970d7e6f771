"""An example, a property and a state machine for an own pump: run `pytest` in this folder."""

from hypothesis import given, settings
from hypothesis import strategies as st
from own_pump import LIFE, TiredPump

from mockpump import World
from mockpump import messages as m
from mockpump.serial import connect
from mockpump.testing import PumpMachine


def test_a_bolus_over_a_bad_line(world, programmer, bad_line):
    world.impair(bad_line)
    started = programmer.start_bolus(m.BolusKind.BOLUS, 50_000, 600)
    world.run_until(started.ends)
    assert world.pump.bolus_left == 0


@given(st.integers(0, 3 * LIFE))
def test_the_battery_is_low_after_a_day(seconds):
    world = World(TiredPump.new(), speed=3600)
    with world.connect() as programmer:
        world.run_until(seconds)
        alarms = programmer.alarms()
    assert bool(alarms.present) == (world.pump.elapsed >= LIFE)


def test_a_pump_of_mockpump_on_a_pty(pump_port):
    with connect(pump_port) as programmer:
        assert programmer.status().mode is m.Mode.RUNNING


class TiredMachine(PumpMachine):
    """Everything a programmer and a line can do to it; after each step all must still be true."""

    def new_pump(self):
        return TiredPump.new()


TestTiredPump = TiredMachine.TestCase
TestTiredPump.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
