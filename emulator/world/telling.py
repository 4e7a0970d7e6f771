"""Telling a story: its steps done to a pump in virtual time, and what came of each, in words.

One runner for every story.  It yields lines as it goes, and takes points for the curves.  A refusal
that the story does not expect, or an expected one that does not come, is a `StoryError`: so a story
is a test of itself.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Memory, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.errors import ConnectionLost, OutcomeUnknown, RequestRefused
from mockpump.emulator.programmer.procedures import (
    Procedure,
    ask,
    learn_outcome,
    read_log,
    read_program,
    set_program,
)
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.limits import FACTORY
from mockpump.emulator.pump.making import Making, make
from mockpump.emulator.pump.pump_state import PumpIdentity
from mockpump.emulator.world.curves import Recorder
from mockpump.emulator.world.deeds import REQUESTS, clock_text, said, with_limits, words_of
from mockpump.emulator.world.story import (
    ProgramPart,
    Step,
    Story,
    StoryError,
    moment,
    span,
)
from mockpump.emulator.world.world import World
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.catalogue import Message
from mockpump.protocol.log import chain
from mockpump.protocol.program import Program


class Told(NamedTuple):
    """A line of the telling.  `kind`: say (the narrator), do (a deed), pump (what it says)."""

    kind: str
    text: str


class Library(NamedTuple):
    """What a story may call for: programs by name, and memories in which writes can be cut."""

    program: Callable[[str], Program]
    cuttable: Callable[[], Memory]


class Teller:
    """Tells one story.  `recorder` holds the curves afterwards."""

    def __init__(self, story: Story, library: Library, seed: int = 0) -> None:
        self.story = story
        self.library = library
        memory = RamMemory()
        make(memory, self._making())
        self.world = World(Pump(FaultyMemory(memory)), seed=seed, speed=0)
        self.recorder = Recorder(self.world.pump)

    def _making(self) -> Making:
        part = self.story.pump
        identity = PumpIdentity(name=f"{self.story.name} pump", reservoir=part.reservoir)
        return Making(
            identity,
            self.library.program(part.program),
            with_limits(FACTORY, part.limits),
            moment(part.clock),
            part.drift,
            part.concentration,
            part.dead,
        )

    def tell(self) -> Iterator[Told]:
        """The whole story, line by line."""
        self.world.connect()
        for step in self.story.step:
            if step.say:
                yield Told("say", " ".join(step.say.split()))
            if step.deed is not None:
                yield from self._do(step, *step.deed)
        self.recorder.take(self.world.pump)

    def _do(self, step: Step, name: str, value: Any) -> Iterator[Told]:
        if name in REQUESTS:
            request, words = REQUESTS[name](self.world.pump, self.transaction(), value)
            yield Told("do", words)
            yield from self._outcome(step, partial(ask, request))
        else:
            yield from _DEEDS[name](self, step, value)

    # -- deeds -----------------------------------------------------------------------------------

    def live(self, step: Step, text: str) -> Iterator[Told]:
        """Let pump time go by."""
        seconds, every = span(text), span(self.story.sample)
        self._reach()
        end = self.world.pump.elapsed + seconds
        self.world.change_pace(self.story.speed)
        before = set(self.world.pump.panel.shown)
        while self.world.pump.elapsed < end:
            self.recorder.take(self.world.pump)
            self.world.live(min(self.world.pump.elapsed + every, end))
        self.world.change_pace(0)
        yield Told("do", f"{text} of pump time go by")
        for alarm in sorted(set(self.world.pump.panel.shown) - before):
            shown = self.world.pump.panel.shown[alarm]
            yield Told(
                "pump",
                f"alarm: {words_of(m.Alarm(alarm))}, since "
                f"{clock_text(self.world.pump.delivery.clock_work.at(shown.since))}",
            )

    def _outcome(self, step: Step, procedure: Callable[[], Procedure[Any]]) -> Iterator[Told]:
        self._reach()
        self.world.deaf = step.lose_reply
        try:
            reply: Message = self.world.run(procedure())
        except RequestRefused as refused:
            reply = refused.refused
        except OutcomeUnknown as unknown:
            yield Told("pump", f"nothing is heard: {unknown}")
            self.world.deaf = False
            self._reach()
            known = self.world.run(learn_outcome(unknown.transaction))
            yield Told("do", "calls again, and asks what became of that transaction")
            fate = known.fate.name.lower().replace("_", " ")
            yield Told("pump", f"it is known to be {fate}: the request is not sent a second time")
            reply = m.decode(known.reply) if known.reply else known
        finally:
            self.world.deaf = False
        self.recorder.take(self.world.pump)
        yield Told("pump", said(reply))
        _check_expectation(step, reply)

    def _read(self, procedure: Callable[[], Procedure[Any]]) -> Any:
        """What a procedure that only reads gives; a pump that has started anew is called again."""
        self._reach()
        try:
            return self.world.run(procedure())
        except ConnectionLost:
            self._reach()
            return self.world.run(procedure())

    def _reach(self) -> None:
        if not self.world.programmer.connection.is_open:
            self.world.connect()

    def transaction(self) -> int:
        """A fresh one, from the world's own randomness."""
        return self.world.random.randrange(2**32)

    def program(self, step: Step, part: ProgramPart) -> Iterator[Told]:
        """Stage, read back, compare, commit."""
        wanted = self.library.program(part.name)
        yield Told("do", f'gives it the program "{wanted.name}", to rule from {part.at} on')
        active = self._read(read_program)
        transaction, when = self.transaction(), m.When[part.at.upper()]
        commit = partial(set_program, wanted, active.digest, transaction, 240, when)
        yield from self._outcome(step, commit)

    def fault(self, step: Step, name: str) -> Iterator[Told]:
        """Something goes wrong with the pump itself."""
        fault = faults.fault_named(name)
        self.world.station.do(partial(faults.inject, fault=fault), self.world.now)
        yield Told("do", f"a fault: {fault.value}")

    def clear(self, step: Step, name: str) -> Iterator[Told]:
        """It is made good again."""
        fault = faults.fault_named(name)
        self.world.station.do(partial(faults.clear, fault=fault), self.world.now)
        yield Told("do", f"made good again: {fault.name.lower().replace('_', ' ')}")

    def show(self, step: Step, what: str) -> Iterator[Told]:
        """What the pump says of itself."""
        if what == "log":
            read = self._read(read_log)
            yield Told("do", f"reads the log: {len(read.entries)} entries, and the chain holds")
            for entry in read.entries[-8:]:
                clock = clock_text(entry.clock)
                yield Told("pump", f"{clock}  {words_of(entry.kind)} {entry.first} {entry.second}")
        elif what == "alarms":
            shown = self.world.pump.panel.shown
            names = ", ".join(words_of(m.Alarm(alarm)) for alarm in shown)
            yield Told("pump", f"alarms: {names or 'none'}")
        else:
            report = self.world.pump.report()
            yield Told(
                "pump",
                f"{words_of(report.mode)}, {report.rate:,} nL/h; pumped {report.delivered:,} nL,"
                f" arrived {report.arrived:,} nL; {report.reservoir:,} nL left",
            )

    def power_cut(self, step: Step, part: ProgramPart) -> Iterator[Told]:
        """The same commit again and again, the power cut before each of its writes."""
        wanted = self.library.program(part.name)
        yield Told("do", f'commits "{wanted.name}", with the power cut before each write in turn')
        writes = 0
        while True:
            with closing(self.library.cuttable()) as memory:
                cut_before = self._cut_commit(memory, wanted, writes)
                if not cut_before:
                    yield Told("pump", f"not cut: committed, after {writes} writes")
                    return
                yield Told("pump", f"cut before {cut_before:<8} {_waking(Pump(memory))}")
            writes += 1

    def _cut_commit(self, memory: Any, wanted: Program, writes: int) -> str:
        """Cut the power after so many `writes` of a commit: the write cut off, "" if none was."""
        make(memory, self._making())
        pump = Pump(memory)
        image = programs.image(wanted)
        names: list[str] = []

        def cut(name: str) -> None:
            names.append(name)
            if len(names) > writes:
                raise PowerCut

        memory.before_write = cut
        try:
            pump.change(partial(pump.activate, image), None, image)
        except PowerCut:
            memory.before_write = lambda _: None
            return names[-1]
        return ""


def _waking(pump: Pump) -> str:
    kept = "none" if pump.program is None else f'"{pump.program.name}"'
    whole = "the log's chain holds" if _verified(pump) else "THE LOG IS BROKEN"
    return f"wakes up with {kept}; {whole}"


def _verified(pump: Pump) -> bool:
    page = pump.memory.log(1, 1_000)
    return chain(page.before, page.entries) == page.newest_chain


def _check_expectation(step: Step, reply: Message) -> None:
    refused = reply.reason.name.lower() if isinstance(reply, m.Refused) else ""
    if refused != step.expect:
        what = f"refused with {refused}" if refused else "not refused"
        wanted = f"to be refused with {step.expect}" if step.expect else "not to be refused"
        raise StoryError(f"step {step.deed}: it was {what}, and was {wanted}")


_DEEDS: dict[str, Callable[[Teller, Step, Any], Iterator[Told]]] = {
    "live": Teller.live,
    "program": Teller.program,
    "fault": Teller.fault,
    "clear": Teller.clear,
    "show": Teller.show,
    "power_cut": Teller.power_cut,
}
