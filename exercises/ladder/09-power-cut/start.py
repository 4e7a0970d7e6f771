"""Exercise 9: a commit under power cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program

OLD = Program.flat("old", 20_000)


def commit(pump: Pump, program: Program, transaction: int) -> Message:
    """Give a pump a program, from the announcement to the commit; the reply to that."""
    peer, image = Peer(largest_payload=240), programs.image(program)
    digest = programs.digest(image)
    handle(pump, m.BeginProgram(len(image), digest, pump.digest), peer)
    handle(pump, m.WriteProgram(0, image), peer)
    return handle(pump, m.CommitProgram(transaction, digest, m.When.NOW), peer)


@given(st.integers(1, 100_000))
def test_a_cut_before_the_first_write_leaves_the_old_one(rate: int) -> None:
    """A worked property: the power goes before anything is written, and comes back."""
    memory = FaultyMemory(RamMemory())
    initialize(memory, PumpConfig(program=OLD))
    pump = Pump(memory)
    memory.brown_out = True
    with pytest.raises(PowerCut):
        commit(pump, Program.flat("new", rate), 1)
    # What wakes up knows nothing but what is in the memory.
    assert Pump(memory).image == programs.image(OLD)


# Yours.  The power may go before any write, not only the first; there are other requests than a
# commit; and whoever got no reply asks again.
