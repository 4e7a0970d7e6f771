"""For tests of your own: values to draw with Hypothesis, and two links on a line of your making.

from hypothesis import given
from mockpump.testing import LinkPair, programs

@given(programs())
def test_mine(program): ...
"""

from mockpump.emulator.simulation.link_pair import FrameFate, LinkPair
from mockpump.protocol.strategies import frames, messages, programs

__all__ = ["FrameFate", "LinkPair", "frames", "messages", "programs"]
