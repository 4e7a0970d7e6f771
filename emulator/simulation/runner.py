"""Telling a scenario: its steps done to a pump in virtual time, and what came of each, in words.

One runner for every scenario.  It yields lines as it goes, and takes points for the curves.  A
refusal that the scenario does not expect, or an expected one that does not come, is a
`ScenarioError`: so a scenario is a test of itself.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.impairments import Impairments, read_impairments
from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Memory, MemoryFailed, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.errors import SessionTaken
from mockpump.emulator.programmer.handshake import FindKey
from mockpump.emulator.programmer.procedures import (
    Procedure,
    ask,
    read_log,
    read_program,
    set_program,
)
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.limits import FACTORY
from mockpump.emulator.pump.log_text import what_happened
from mockpump.emulator.pump.pairing import draw_keys, paired_with
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.simulation.actions import REQUESTS, clock_text, said, with_limits
from mockpump.emulator.simulation.adversary import TRICKS, Adversary, connect_second_programmer
from mockpump.emulator.simulation.curves import Recorder
from mockpump.emulator.simulation.retrying import PumpUnreachable, RetryingProgrammer
from mockpump.emulator.simulation.scenario import (
    ExpectationFailed,
    ExpectPart,
    ProgramPart,
    Scenario,
    ScenarioError,
    Step,
    moment,
    span,
)
from mockpump.emulator.simulation.world import Draws, World
from mockpump.emulator.trace.format import PROGRAMMER, PUMP
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.log import chain
from mockpump.protocol.messages import Alarm, LogKind, Refused
from mockpump.protocol.messages.base import Access, Message
from mockpump.protocol.program import Program, ProgramError
from mockpump.protocol.units import words_of

_WHOLE_LOG = 2**31


def differences(pump: Pump, expected: ExpectPart) -> Iterator[str]:
    """Everything that is not as expected, in words."""
    found = _found(pump)
    for name, wanted in _wanted(expected).items():
        if found[name] != wanted:
            yield f"{name} is {found[name]}, not {wanted}"
    kinds = _kinds(pump)
    for kind in expected.log or ():
        if not kinds[kind.replace("-", "_")]:
            yield f"no entry {kind} in the log"


def check_refusal(step: Step, reply: Message) -> None:
    """`ExpectationFailed` unless an action was refused, or not, as its step expects."""
    refused = reply.reason.name.lower() if isinstance(reply, Refused) else ""
    expected = step.expect if isinstance(step.expect, str) else ""
    if expected not in ("anything", refused):
        what = f"refused with {refused}" if refused else "not refused"
        wanted = f"to be refused with {expected}" if expected else "not to be refused"
        action = step.action[0] if step.action else ""
        raise ExpectationFailed(f"{action}: it was {what}, and was {wanted}")


def _wanted(expected: ExpectPart) -> dict[str, object]:
    names = (name for name in ExpectPart.__struct_fields__ if name != "log")
    given = {name: getattr(expected, name) for name in names}
    if expected.alarms is not None:
        given["alarms"] = sorted(each.replace("-", "_") for each in expected.alarms)
    return {name: value for name, value in given.items() if value is not None}


def _found(pump: Pump) -> dict[str, object]:
    kinds = _kinds(pump)
    return {
        "mode": pump.mode.name.lower(),
        "program": pump.program.name if pump.program else "",
        "delivered": pump.delivery.delivered,
        "boluses": kinds["bolus_started"],
        "sessions": kinds["session_started"],
        "turned_away": _turned_away(pump),
        "alarms": sorted(Alarm(each).name.lower() for each in pump.panel.shown),
    }


def _turned_away(pump: Pump) -> int:
    """How many were turned away: one entry may speak of several, and some are in none yet."""
    kind, entries = LogKind.TURNED_AWAY, pump.memory.log(1, _WHOLE_LOG).entries
    return pump.journal.strangers.count(kind) + sum(
        each.second for each in entries if each.kind is kind
    )


def _kinds(pump: Pump) -> Counter[str]:
    """How many entries of each kind the log has that are still kept."""
    entries = pump.memory.log(1, _WHOLE_LOG).entries
    return Counter(LogKind(each.kind).name.lower() for each in entries)


def sweep_power_cuts(
    cuttable: Callable[[], Memory], config: PumpConfig, wanted: Program
) -> Iterator[tuple[str, str]]:
    """Before which write the power was cut, and what the pump woke up with; "": not cut at all."""
    writes = 0
    while True:
        with closing(cuttable()) as memory:
            cut_before = _cut_commit(memory, config, wanted, writes)
            if not cut_before:
                yield "", f"committed, after {writes} writes"
                return
            yield cut_before, _waking(Pump(memory))
        writes += 1


def _cut_commit(memory: Any, config: PumpConfig, wanted: Program, writes: int) -> str:
    """Cut the power after so many `writes` of a commit: the write cut off, "" if none was."""
    initialize(memory, config)
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


# The line of a scenario that says nothing of it.
_USUAL = Impairments(delay=1_000)
# How long whoever is evicted has to hear of it, in microseconds.
_MOMENT = 1_000_000
# How many entries of a log are told, the newest.
_MOST_ENTRIES = 8


class NarrationLine(NamedTuple):
    """A line of the telling.  `kind`: say (the narrator), do (an action), pump (what it says)."""

    kind: str
    text: str


class Library(NamedTuple):
    """What a scenario may call for: programs by name, and memories in which writes can be cut."""

    program: Callable[[str], Program]
    cuttable: Callable[[], Memory]


class ScenarioRunner:
    """Tells one scenario.  `recorder` holds the curves afterwards."""

    def __init__(self, scenario: Scenario, library: Library, seed: int = 0) -> None:
        self.scenario = scenario
        self.library = library
        self.keys = draw_keys(Draws(seed).source(PUMP, "key"))
        memory = RamMemory()
        try:
            initialize(memory, self._config())
        except (LocalProtocolError, ProgramError) as error:
            raise ScenarioError(f"{scenario.name}: it cannot begin: {error}") from None
        channel = Channel(read_impairments(scenario.channel) if scenario.channel else _USUAL, seed)
        part = scenario.programmer
        settings = LinkSettings(max_payload=part.payload, window=part.window)
        pump = Pump(FaultyMemory(memory))
        self.world = World(pump, seed=seed, speed=0, channel=channel, settings=settings)
        key = self.keys[Access[part.access.upper()]]
        self.find_key: FindKey = lambda _: key
        self.programmer = RetryingProgrammer(self.world, self.find_key)
        self.attacker = Adversary(self.world)
        self.recorder = Recorder(self.world.pump)

    def _config(self) -> PumpConfig:
        part = self.scenario.pump
        identity = PumpIdentity(name=f"{self.scenario.name} pump", reservoir=part.reservoir)
        return PumpConfig(
            identity,
            self.library.program(part.program),
            with_limits(FACTORY, part.limits),
            moment(part.clock),
            part.drift,
            part.concentration,
            part.dead,
            paired_with(self.keys),
        )

    def tell(self) -> Iterator[NarrationLine]:
        """The whole scenario, line by line."""
        try:
            for told in self._tell():
                self._write_down(*told)
                yield told
        except ScenarioError as error:
            self._write_down("failed", str(error))
            raise

    def _write_down(self, kind: str, text: str) -> None:
        self.world.tell(kind, text)

    def _tell(self) -> Iterator[NarrationLine]:
        for step in self.scenario.step:
            if step.at is not None:
                self._until(span(step.at))
            if step.say:
                yield NarrationLine("say", " ".join(step.say.split()))
            if step.action is not None:
                try:
                    with self.world.doing("action", step.action[0]):
                        yield from self._do(step, *step.action)
                except PumpUnreachable:
                    yield NarrationLine("pump", "out of reach")
            if isinstance(step.expect, ExpectPart):
                yield from self._expect(step.expect)
        self.recorder.take(self.world.pump)

    def _do(self, step: Step, name: str, value: Any) -> Iterator[NarrationLine]:
        if name in REQUESTS:
            request, words = REQUESTS[name](self.world.pump, self.transaction(), value)
            yield NarrationLine("do", words)
            yield from self._outcome(step, partial(ask, request))
        else:
            yield from _ACTIONS[name](self, step, value)

    # -- actions -----------------------------------------------------------------------------------

    def live(self, step: Step, text: str) -> Iterator[NarrationLine]:
        """Let pump time go by."""
        seconds, every = span(text), span(self.scenario.sample)
        end = self.world.pump.elapsed + seconds
        self.world.set_speed(self.scenario.speed)
        before = set(self.world.pump.panel.shown)
        while self.world.pump.elapsed < end:
            self.recorder.take(self.world.pump)
            self.world.run_until(min(self.world.pump.elapsed + every, end))
        self.world.set_speed(0)
        yield NarrationLine("do", f"{text} of pump time pass")
        for alarm in sorted(set(self.world.pump.panel.shown) - before):
            shown = self.world.pump.panel.shown[alarm]
            yield NarrationLine(
                "pump",
                f"alarm: {words_of(m.Alarm(alarm))}, since "
                f"{clock_text(self.world.pump.delivery.pump_clock.at(shown.since))}",
            )

    def _outcome(
        self, step: Step, procedure: Callable[[], Procedure[Any]]
    ) -> Iterator[NarrationLine]:
        reply: Message | None = None
        self.programmer.reach()
        self.world.drop_replies = step.lose_reply
        for heard in self.programmer.change(procedure):
            if heard.text:
                yield NarrationLine("do" if heard.text.startswith("calls") else "pump", heard.text)
            reply = heard.reply
        self.world.drop_replies = False
        self.recorder.take(self.world.pump)
        if reply is not None:
            yield NarrationLine("pump", said(reply))
            check_refusal(step, reply)

    def _until(self, elapsed: int) -> None:
        """Let pump time go by until the pump is that old; nothing when it is already."""
        self.world.set_speed(self.scenario.speed)
        self.world.run_until(elapsed)
        self.world.set_speed(0)

    def _expect(self, expected: ExpectPart) -> Iterator[NarrationLine]:
        wrong = list(differences(self.world.pump, expected))
        if wrong:
            raise ExpectationFailed(f"expected, and not so: {'; '.join(wrong)}")
        yield NarrationLine("pump", "as expected")

    def reboot(self, step: Step, _: bool) -> Iterator[NarrationLine]:
        """The power is cut, and comes again."""
        self.world.server.do(_reboot, self.world.now)
        yield NarrationLine("do", "cuts the power and lets it come again")

    def change_channel(self, step: Step, given: dict[str, Any]) -> Iterator[NarrationLine]:
        """From now on other things are wrong with the line."""
        self.world.impair(read_impairments(given))
        words = ", ".join(f"{name} {value}" for name, value in given.items())
        yield NarrationLine("do", f"from now on the line has {words or 'nothing wrong with it'}")

    def wait(self, step: Step, text: str) -> Iterator[NarrationLine]:
        """Let time go by on the line, and none in the pump."""
        self.world.wait(span(text) * 1_000_000)
        yield NarrationLine("do", f"{text} pass on the line")

    def rival(self, step: Step, name: str) -> Iterator[NarrationLine]:
        """A second programmer calls, on a line of its own."""
        wish = ", and takes over the session" if step.take_over else ""
        yield NarrationLine("do", f"{name} calls on another line, with the same key{wish}")
        was_open = self.world.programmer.connection.is_open
        yield NarrationLine(
            "pump", connect_second_programmer(self.world, self.find_key, step.take_over)
        )
        if step.take_over:
            self.world.wait(_MOMENT)
            if was_open and not self.world.programmer.connection.is_open:
                yield NarrationLine("pump", f"the first one is told: {SessionTaken()}")

    def attack(self, step: Step, trick: str) -> Iterator[NarrationLine]:
        """Somebody else on the line tries something."""
        lines = TRICKS[trick](self.attacker)
        yield NarrationLine("do", f"{next(lines)}")
        for line in lines:
            yield NarrationLine("pump", line)

    def transaction(self) -> int:
        """A fresh one, whatever may come of it: so the next one does not depend on that."""
        return self.world.draws.transaction(PROGRAMMER)

    def program(self, step: Step, part: ProgramPart) -> Iterator[NarrationLine]:
        """Stage, read back, compare, commit."""
        wanted = self.library.program(part.name)
        yield NarrationLine(
            "do", f'gives it the program "{wanted.name}", to rule from {part.at} on'
        )
        transaction, when = self.transaction(), m.When[part.at.upper()]
        active = self.programmer.read(read_program)
        room = self.world.programmer.connection.max_message
        commit = partial(set_program, wanted, active.digest, transaction, room, when)
        yield from self._outcome(step, commit)

    def fault(self, step: Step, name: str) -> Iterator[NarrationLine]:
        """Something goes wrong with the pump itself."""
        fault = faults.fault_named(name)
        yield from self._apply_fault(partial(faults.inject, fault=fault), f"a fault: {fault.value}")

    def clear(self, step: Step, name: str) -> Iterator[NarrationLine]:
        """It is made good again."""
        fault = faults.fault_named(name)
        words = f"made good again: {words_of(fault)}"
        yield from self._apply_fault(partial(faults.clear, fault=fault), words)

    def _apply_fault(self, action: Callable[[Pump], None], words: str) -> Iterator[NarrationLine]:
        failed = None
        try:
            self.world.server.do(action, self.world.now)
        except MemoryFailed as error:
            failed = error
        yield NarrationLine("do", words)
        if failed is not None:
            yield NarrationLine("pump", str(failed))

    def show(self, step: Step, what: str) -> Iterator[NarrationLine]:
        """What the pump says of itself."""
        if what == "log":
            read = self.programmer.read(read_log)
            yield NarrationLine(
                "do", f"reads the log: {len(read.entries)} entries, and the chain holds"
            )
            if len(read.entries) > _MOST_ENTRIES:
                yield NarrationLine("pump", "...")
            for entry in read.entries[-_MOST_ENTRIES:]:
                yield NarrationLine("pump", f"{clock_text(entry.clock)}  {what_happened(entry)}")
        elif what == "alarms":
            shown = self.world.pump.panel.shown
            names = ", ".join(words_of(m.Alarm(alarm)) for alarm in shown)
            yield NarrationLine("pump", f"alarms: {names or 'none'}")
        else:
            report = self.world.pump.report()
            yield NarrationLine(
                "pump",
                f"{words_of(report.mode)}, {report.rate:,} nL/h; pumped {report.delivered:,} nL,"
                f" arrived {report.arrived:,} nL; {report.reservoir:,} nL left",
            )

    def power_cut(self, step: Step, part: ProgramPart) -> Iterator[NarrationLine]:
        """The same commit again and again, the power cut before each of its writes."""
        wanted = self.library.program(part.name)
        yield NarrationLine(
            "do", f'commits "{wanted.name}", with the power cut before each write in turn'
        )
        for cut_before, woke in sweep_power_cuts(self.library.cuttable, self._config(), wanted):
            what = f"cut before {cut_before:<8}" if cut_before else "not cut:"
            yield NarrationLine("pump", f"{what} {woke}")


def _reboot(pump: Pump) -> None:
    raise PowerCut


_ACTIONS: dict[str, Callable[[ScenarioRunner, Step, Any], Iterator[NarrationLine]]] = {
    "live": ScenarioRunner.live,
    "program": ScenarioRunner.program,
    "fault": ScenarioRunner.fault,
    "clear": ScenarioRunner.clear,
    "show": ScenarioRunner.show,
    "power_cut": ScenarioRunner.power_cut,
    "reboot": ScenarioRunner.reboot,
    "channel": ScenarioRunner.change_channel,
    "wait": ScenarioRunner.wait,
    "rival": ScenarioRunner.rival,
    "attack": ScenarioRunner.attack,
}
