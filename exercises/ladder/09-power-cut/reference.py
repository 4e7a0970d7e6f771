"""A solution of exercise 9: cuts before any write, and what must be so when the pump wakes up."""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Change, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages import LogKind, Reason, When
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program

# A request that lacks nothing but its transaction.
Wish = Callable[[int], Message]


class Cutting(FaultyMemory):
    """Cuts the power once, after so many writes; None: never."""

    left: int | None = None

    def record(self, change: Change) -> None:
        if self.left is not None:
            self.brown_out, self.left = self.left == 0, self.left - 1
        super().record(change)


class Rig:
    """A pump, whose power can go, and whoever asks it."""

    def __init__(self, history: list[Wish] | None = None) -> None:
        self.memory = Cutting(RamMemory())
        self.memory.record(MADE)
        self.wake_up()
        self.transaction = 100
        for wish in history or []:
            self.ask(wish)

    def wake_up(self) -> None:
        self.memory.left = None
        self.memory.brown_out = False
        self.pump = Pump(self.memory)
        self.peer = Peer(largest_payload=240)

    def ask(self, wish: Wish) -> Message:
        self.transaction += 1
        return handle(self.pump, wish(self.transaction), self.peer)

    def cut_in(self, wish: Wish, writes: int) -> Message | None:
        """Ask with the power going after so many writes, and wake up; the reply, if one came."""
        reply, self.memory.left = None, writes
        with contextlib.suppress(PowerCut):
            reply = self.ask(wish)
        self.wake_up()
        return reply

    def stage(self, program: Program, when: When = When.NOW) -> Wish:
        """All of a transfer but the commit, which is what comes back."""
        image = programs.image(program)
        digest = programs.digest(image)
        handle(self.pump, m.BeginProgram(len(image), digest, self.pump.digest), self.peer)
        handle(self.pump, m.WriteProgram(0, image), self.peer)
        return partial(m.CommitProgram, digest=digest, when=when)

    @property
    def programs(self) -> tuple[bytes, bytes]:
        return self.pump.image, self.pump.pending_image

    @property
    def seen(self) -> tuple[Any, ...]:
        """What the pump is; the mode and the rate, which an alarm changes, come last."""
        d = handle(self.pump, m.GetStatus(), self.peer)
        assert isinstance(d, m.Status)
        return *self.programs, d.clock, d.reservoir, d.delivered, d.mode, d.rate

    @property
    def scenario(self) -> list[LogKind]:
        """What is in the log, but for restarts."""
        told = [each.kind for each in self.memory.log(1, 1_000).entries]
        return [each for each in told if each not in (LogKind.RESTARTED, LogKind.ALARM_RAISED)]


def made(program: Program) -> Change:
    """All that is in the memory of a new pump, to be put into many: quicker than to make many."""
    memory = RamMemory()
    initialize(memory, PumpConfig(program=program))
    return Change(memory.state() or b"", None, {0: memory.image(0)})


OLD = Program.flat("old", 20_000)
MADE = made(OLD)
PROGRAMS = st.integers(1, 30_000).map(lambda rate: Program.flat("new", rate))
WRITES = st.integers(0, 2)
WISHES: st.SearchStrategy[Wish] = st.one_of(
    st.sampled_from([m.Suspend, m.Resume, m.CancelBolus]),
    st.integers(0, 10**6).map(lambda clock: partial(m.SetClock, clock=clock)),
    st.integers(1, 10**6).map(
        lambda volume: partial(m.Refill, volume=volume, concentration=500),
    ),
)
HISTORIES = st.lists(WISHES, max_size=4)


@given(PROGRAMS, WRITES)
def test_the_program_is_wholly_the_old_one_or_the_new(new: Program, writes: int) -> None:
    rig = Rig()
    rig.cut_in(rig.stage(new), writes)
    assert rig.pump.image in (programs.image(OLD), programs.image(new))


@given(PROGRAMS, PROGRAMS, WRITES)
def test_one_that_waits_is_part_of_it(waits: Program, new: Program, writes: int) -> None:
    rig = Rig()
    rig.ask(rig.stage(waits, When.MIDNIGHT))
    old = rig.programs
    rig.cut_in(rig.stage(new), writes)
    assert rig.programs in (old, (programs.image(new), b""))


@given(HISTORIES)
def test_what_was_acknowledged_is_still_so(history: list[Wish]) -> None:
    rig = Rig(history)
    before = rig.seen
    rig.wake_up()
    assert rig.seen == before


@given(HISTORIES, WISHES, WRITES)
def test_a_cut_and_another_try_are_as_good_as_no_cut(
    history: list[Wish], wish: Wish, writes: int
) -> None:
    rig, lucky = Rig(history), Rig(history)
    rig.cut_in(wish, writes)
    rig.transaction -= 1
    assert rig.ask(wish) == lucky.ask(wish)
    assert (rig.seen, rig.scenario) == (lucky.seen, lucky.scenario)


# What is refused now and would be done later takes some to and fro.
RESTLESS = st.lists(st.sampled_from([m.Suspend, m.Resume]) | WISHES, min_size=2, max_size=8)


@given(RESTLESS)
def test_to_ask_again_does_nothing_and_says_the_same(history: list[Wish]) -> None:
    rig = Rig()
    replies = [rig.ask(wish) for wish in history]
    before, rig.transaction = rig.seen, 100
    assert [rig.ask(wish) for wish in history] == replies
    assert rig.seen == before


@given(HISTORIES, WISHES)
def test_what_cannot_be_written_is_not_done(history: list[Wish], wish: Wish) -> None:
    rig = Rig(history)
    before = rig.seen[:-2]
    rig.memory.fail_writes = True
    reply = rig.ask(wish)
    assert isinstance(reply, m.Refused)
    assert reply.reason is Reason.MEMORY_FAILED
    assert rig.seen[:-2] == before
