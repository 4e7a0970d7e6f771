"""The actions that read from the pump, and change nothing."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from mockpump.emulator.programmer.procedures import Procedure, read_log
from mockpump.emulator.pump.log_text import what_happened
from mockpump.emulator.simulation.actions.action import Action
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.narration import NarrationLine, clock_text
from mockpump.protocol import messages as m
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.units import microseconds, words_of

if TYPE_CHECKING:
    from mockpump.emulator.simulation.runner import ScenarioRunner
    from mockpump.emulator.simulation.scenario import Step

# How many entries of a log are told, the newest.
_MOST_ENTRIES = 8


class Show(Action, frozen=True):
    """What the pump says of itself: `status`, `alarms` or `log`."""

    key = "show"
    example = '"status"'

    what: Literal["status", "alarms", "log"]

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Look, and say it."""
        yield from _SHOWN[self.what](runner)


class Poll(Action, frozen=True):
    """Ask for the status that many times in one go; the window says how many go at a time."""

    key = "poll"
    example = "12"

    times: int

    def check(self) -> None:
        """As many as a link queues, at most."""
        if not 1 <= self.times <= LinkSettings().backlog:
            raise ScenarioError(f"poll is {self.times}, and not within 1..{LinkSettings().backlog}")

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Ask, and say how long it took."""
        often = "once" if self.times == 1 else f"{self.times} times in one go"
        yield NarrationLine("do", f"asks for the status, {often}")
        runner.programmer.reach()
        begun = runner.world.now
        runner.programmer.read(self._all)
        took = microseconds(runner.world.now - begun)
        replies = "1 reply" if self.times == 1 else f"{self.times} replies"
        yield NarrationLine("pump", f"{replies} in {took}")

    def _all(self) -> Procedure[None]:
        yield [m.GetStatus()] * self.times


def _status(runner: "ScenarioRunner") -> Iterator[NarrationLine]:
    report = runner.world.pump.report()
    yield NarrationLine(
        "pump",
        f"{words_of(report.mode)}, {report.rate:,} nL/h; pumped {report.delivered:,} nL,"
        f" arrived {report.arrived:,} nL; {report.reservoir:,} nL left",
    )


def _alarms(runner: "ScenarioRunner") -> Iterator[NarrationLine]:
    names = ", ".join(words_of(m.Alarm(alarm)) for alarm in runner.world.pump.panel.shown)
    yield NarrationLine("pump", f"alarms: {names or 'none'}")


def _log(runner: "ScenarioRunner") -> Iterator[NarrationLine]:
    entries = runner.programmer.read(read_log).entries
    yield NarrationLine("do", f"reads the log: {len(entries)} entries, and the chain holds")
    if len(entries) > _MOST_ENTRIES:
        yield NarrationLine("pump", "...")
    for entry in entries[-_MOST_ENTRIES:]:
        yield NarrationLine("pump", f"{clock_text(entry.clock)}  {what_happened(entry)}")


_SHOWN: dict[str, Callable[["ScenarioRunner"], Iterator[NarrationLine]]] = {
    "status": _status,
    "alarms": _alarms,
    "log": _log,
}
