"""The actions that need a program: to give it to the pump, or to cut the power meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from mockpump.emulator.memory.interface import Memory, PowerCut
from mockpump.emulator.programmer.procedures import read_program, set_program
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.simulation.actions.action import Action
from mockpump.emulator.simulation.actions.requests import change
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.log import chain
from mockpump.protocol.program import Program

if TYPE_CHECKING:
    from mockpump.emulator.simulation.runner import ScenarioRunner
    from mockpump.emulator.simulation.scenario import Step


class _Naming(Action, frozen=True, kw_only=True):
    """The base of the actions that name a program, and from when on it is to rule."""

    name: str
    at: Literal["now", "edge", "midnight"] = "now"

    @property
    def programs(self) -> tuple[str, ...]:
        """The one that it names."""
        return (self.name,)


class SetProgram(_Naming, frozen=True, kw_only=True):
    """Give the pump a program by its name among the examples, to rule from `now`, the next `edge`
    or `midnight` on: staged, read back, compared, committed.
    """

    key = "program"
    example = '{ name = "week", at = "midnight" }'
    refusable = True

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Stage, read back, compare, commit."""
        wanted = runner.library.program(self.name)
        yield NarrationLine(
            "do", f'gives it the program "{wanted.name}", to rule from {self.at} on'
        )
        transaction, when = runner.transaction(), m.When[self.at.upper()]
        active = runner.programmer.read(read_program)
        room = runner.world.programmer.connection.max_message
        commit = partial(set_program, wanted, active.digest, transaction, room, when)
        yield from change(self, runner, step, commit)


class SweepPowerCuts(_Naming, frozen=True, kw_only=True):
    """Commit a program to a pump like this one, again and again, with the power cut before each of
    the writes in turn.
    """

    key = "power_cut"
    example = '{ name = "week" }'

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """A line for each write."""
        wanted = runner.library.program(self.name)
        yield NarrationLine(
            "do", f'commits "{wanted.name}", with the power cut before each write in turn'
        )
        for cut_before, woke in sweep_power_cuts(runner.library.cuttable, runner.config(), wanted):
            what = f"cut before {cut_before:<8}" if cut_before else "not cut:"
            yield NarrationLine("pump", f"{what} {woke}")


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
    """Cut the power after this number of `writes` of a commit: the write cut off, "" if none."""
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
