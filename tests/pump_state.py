"""What can be seen of a pump and of a peer, as one value: equal before and after means untouched.

Also requests such as a programmer makes, and a memory that fails when it is told to.
"""

from functools import partial
from typing import Any

import msgspec
from hypothesis import strategies as st

from mockpump.emulator.memory.interface import Change, MemoryFailed
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages.base import CATALOGUE, Direction, Message
from mockpump.protocol.program import Program

_SEEN = [
    "elapsed",
    "clock",
    "delivered",
    "remainder",
    "reservoir",
    "rate",
    "percent",
    "pattern",
    "empty",
    "due",
    "last_day",
    "limits",
    "bolus",
    "temporary",
    "pending",
]

REQUESTS = [e.message for e in CATALOGUE.values() if e.direction is Direction.REQUEST]


def state_of(pump: Pump) -> dict[str, Any]:
    """Everything that can be seen of a pump, what it would remember of its program included."""
    delivery = pump.delivery
    schedule = delivery.schedule
    return {
        **{name: getattr(delivery, name) for name in _SEEN},
        "edge": delivery.next_edge(),
        "program": schedule and (schedule.program, schedule.start_day, schedule.held_day),
        "mode": pump.mode,
        "image": pump.image,
        "pending_image": pump.pending_image,
        "panel": dict(pump.panel.shown),
        "fluids": list(pump.catheter.fluids),
        "log": pump.memory.log(1, 1_000),
        "report": pump.report(),
    }


def state_of_caller(peer: Peer) -> dict[str, Any]:
    """Everything that a connection has left behind in the pump."""
    return {**msgspec.structs.asdict(peer), "staging": msgspec.structs.asdict(peer.staging)}


def give(pump: Pump, program: Program, when: m.When = m.When.NOW) -> None:
    """Make a program the active one without a peer."""
    image = programs.image(program)
    pump.change(partial(pump.activate, image, when), None, image)


class FailingMemory(RamMemory):
    """Fails every `record` while `broken`."""

    __slots__ = ("broken",)

    def __init__(self) -> None:
        super().__init__()
        self.broken = False

    def record(self, change: Change) -> None:
        if self.broken:
            raise MemoryFailed("the memory is broken")
        super().record(change)


class Line:
    """A peer at a pump without anything between them; transactions count up by themselves."""

    def __init__(self, pump: Pump, largest_payload: int = 200) -> None:
        self.pump = pump
        self.peer = Peer(largest_payload=largest_payload)
        self.next_transaction = 1_000_000

    def ask(self, request: Message) -> Any:
        return handle(self.pump, request, self.peer)

    def fresh(self) -> int:
        self.next_transaction += 1
        return self.next_transaction

    def stage(self, program: Program, piece: int = 200) -> bytes:
        """Everything of a program transfer but the commit."""
        image = programs.image(program)
        self.ask(m.BeginProgram(len(image), programs.digest(image), self.pump.digest))
        for offset in range(0, len(image), piece):
            self.ask(m.WriteProgram(offset, image[offset : offset + piece]))
        return image

    def commit(
        self, program: Program, transaction: int | None = None, when: m.When = m.When.NOW
    ) -> Any:
        """A whole program transfer; the reply to the commit."""
        digest = programs.digest(self.stage(program))
        return self.ask(m.CommitProgram(transaction or self.fresh(), digest, when))


def plain_requests(pump: Pump) -> st.SearchStrategy[Message]:
    """Requests as a programmer of this pump might make them, few of them quite wrong."""
    image = programs.image(Program.flat("other", 7_000))
    transactions = st.integers(0, 9)
    digests = st.sampled_from([pump.digest, programs.digest(image), bytes(8)])
    slots = st.sampled_from(m.Slot)
    return st.one_of(
        st.sampled_from([m.Identify(), m.GetStatus(), m.GetClock(), m.AbortProgram()]),
        st.sampled_from([m.GetDetails(), m.GetLimits(), m.GetAlarms(), m.ReadLog(1)]),
        st.builds(m.QueryOutcome, transactions),
        st.builds(m.SetClock, transactions, st.integers(0, 2**31 - 1)),
        st.builds(m.BeginProgram, st.just(len(image)), digests, digests),
        st.just(m.WriteProgram(0, image)),
        st.just(m.WriteProgram(0, image[:9])),
        st.just(m.WriteProgram(9, image[9:])),
        st.builds(m.ReadProgram, slots, st.integers(0, 60), st.integers(1, 60)),
        st.builds(m.CommitProgram, transactions, digests, st.sampled_from(m.When)),
        st.builds(m.DropPending, transactions),
        st.builds(m.Suspend, transactions),
        st.builds(m.Resume, transactions),
        st.builds(
            m.StartBolus,
            transactions,
            st.sampled_from(m.BolusKind),
            st.integers(1, 30_000),
            st.integers(1, 40_000),
        ),
        st.builds(m.CancelBolus, transactions),
        st.builds(m.SetTemporary, transactions, st.integers(0, 250), st.integers(1, 40_000)),
        st.builds(m.CancelTemporary, transactions),
        st.builds(m.Refill, transactions, st.integers(0, 1_000_000), st.integers(0, 2_000)),
        st.builds(m.MoveRamp, transactions, st.sampled_from(m.RampMove)),
        st.builds(
            m.SetLimits,
            transactions,
            st.integers(0, 80_000),
            st.integers(0, 60_000),
            st.integers(0, 800_000),
            st.integers(0, 300),
        ),
        st.builds(m.AcknowledgeAlarm, transactions, st.sampled_from(m.Alarm)),
        st.builds(m.Subscribe, st.sampled_from([0, 1, 60, 86_400])),
    )
