"""What shows each defect of exercise 9, in a few lines."""

import contextlib

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Change, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.messages import When
from mockpump.protocol.program import Program


class _Cutting(FaultyMemory):
    """Lets so many writes through, and no more."""

    left = 99

    def record(self, change: Change) -> None:
        if not self.left:
            raise PowerCut
        self.left -= 1
        super().record(change)


def _pump() -> tuple[_Cutting, Pump]:
    memory = _Cutting(RamMemory())
    initialize(memory, PumpConfig(program=Program.flat("old", 20_000)))
    return memory, Pump(memory)


def _commit(pump: Pump, name: str, when: When = When.NOW, writes: int = 99) -> None:
    peer, image = Peer(largest_payload=240), programs.image(Program.flat(name, 10_000))
    digest = programs.digest(image)
    handle(pump, m.BeginProgram(len(image), digest, pump.digest), peer)
    handle(pump, m.WriteProgram(0, image), peer)
    memory = pump.memory
    assert isinstance(memory, _Cutting)
    memory.left = writes
    with contextlib.suppress(PowerCut):
        handle(pump, m.CommitProgram(len(name), digest, when), peer)
    memory.left = 99


def _name(image: bytes) -> str:
    return programs.from_image(image).name if image else ""


def cut_in_a_commit() -> bool:
    memory, pump = _pump()
    _commit(pump, "new", writes=1)
    try:
        return _name(Pump(memory).image) in ("old", "new")
    except MockpumpError:
        return False


def asked_again_after_a_cut() -> str:
    memory, pump = _pump()
    memory.left = 1
    with contextlib.suppress(PowerCut):
        handle(pump, m.Suspend(1), Peer())
    memory.left = 99
    return repr(handle(Pump(memory), m.Suspend(1), Peer()))


def suspended_before_a_cut() -> str:
    memory, pump = _pump()
    handle(pump, m.Suspend(1), Peer())
    return Pump(memory).mode.name


def a_no_asked_again() -> str:
    _, pump = _pump()
    for request in (m.Resume(1), m.Suspend(2), m.Resume(1)):
        handle(pump, request, Peer())
    return pump.mode.name


def cut_while_one_waits() -> bool:
    memory, pump = _pump()
    _commit(pump, "waits", When.MIDNIGHT)
    _commit(pump, "new", writes=1)
    woken = Pump(memory)
    return (_name(woken.image), _name(woken.pending_image)) in (("old", "waits"), ("new", ""))


def what_could_not_be_written() -> str:
    memory, pump = _pump()
    memory.fail_writes = True
    handle(pump, m.SetClock(1, 5_000), Peer())
    return repr(handle(pump, m.GetClock(), Peer()))
