"""For tests of your own: values to draw, a state machine over a pump, two links on a line.

from hypothesis import given
from mockpump.testing import LinkPair, PumpMachine, programs

@given(programs())
def test_mine(program): ...

class TestPump(PumpMachine.TestCase): ...

The fixtures of pytest are in `mockpump.fixtures`.
"""

from mockpump.emulator.simulation.link_pair import FrameFate, LinkPair
from mockpump.emulator.simulation.pump_machine import PumpMachine
from mockpump.protocol.strategies import frames, messages, programs

__all__ = ["FrameFate", "LinkPair", "PumpMachine", "frames", "messages", "programs"]
