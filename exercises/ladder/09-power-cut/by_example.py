"""Exercise 9 as one would write it without properties: right, and caught nothing."""

import pytest

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

OLD, NEW = (Program.flat(name, rate) for name, rate in (("old", 20_000), ("new", 25_000)))
IMAGE = programs.image(NEW)
COMMIT = m.CommitProgram(7, programs.digest(IMAGE), m.When.NOW)


@pytest.fixture
def pump() -> Pump:
    memory = FaultyMemory(RamMemory())
    initialize(memory, PumpConfig(program=OLD))
    return Pump(memory)


def memory_of(pump: Pump) -> FaultyMemory:
    assert isinstance(pump.memory, FaultyMemory)
    return pump.memory


def commit(pump: Pump) -> Message:
    peer = Peer(largest_payload=240)
    handle(pump, m.BeginProgram(len(IMAGE), COMMIT.digest, pump.digest), peer)
    handle(pump, m.WriteProgram(0, IMAGE), peer)
    return handle(pump, COMMIT, peer)


def test_a_commit(pump: Pump) -> None:
    assert isinstance(commit(pump), m.ProgramCommitted)
    assert pump.image == IMAGE


def test_a_commit_outlasts_a_cut(pump: Pump) -> None:
    commit(pump)
    woken = Pump(pump.memory)
    assert woken.image == IMAGE
    assert woken.mode is m.Mode.RUNNING


def test_a_commit_that_was_cut(pump: Pump) -> None:
    memory_of(pump).brown_out = True
    with pytest.raises(PowerCut):
        commit(pump)
    woken = Pump(pump.memory)
    assert woken.image == programs.image(OLD)
    assert isinstance(commit(woken), m.ProgramCommitted)
    assert Pump(pump.memory).image == IMAGE


def test_the_same_commit_again(pump: Pump) -> None:
    reply = commit(pump)
    woken = Pump(pump.memory)
    assert handle(woken, COMMIT, Peer(largest_payload=240)) == reply
    assert woken.image == IMAGE


def test_the_outcome_can_be_asked_for(pump: Pump) -> None:
    peer = Peer(largest_payload=240)
    asked = handle(pump, m.QueryOutcome(7), peer)
    assert isinstance(asked, m.OutcomeKnown)
    assert asked.fate is m.OutcomeStatus.NEVER_SEEN
    reply = commit(pump)
    known = handle(Pump(pump.memory), m.QueryOutcome(7), peer)
    assert isinstance(known, m.OutcomeKnown)
    assert (known.fate, known.reply) == (m.OutcomeStatus.DONE, m.encode(reply))


def test_a_memory_that_cannot_be_written(pump: Pump) -> None:
    memory_of(pump).fail_writes = True
    reply = commit(pump)
    assert isinstance(reply, m.Refused)
    assert reply.reason is m.Reason.MEMORY_FAILED
    memory_of(pump).fail_writes = False
    assert Pump(pump.memory).image == programs.image(OLD)


def test_suspend(pump: Pump) -> None:
    assert isinstance(handle(pump, m.Suspend(8), Peer()), m.Suspended)
    assert pump.mode is m.Mode.SUSPENDED
