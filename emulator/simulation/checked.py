"""A scenario told while somebody watches that what must always be so is so."""

from collections.abc import Iterable, Iterator

from mockpump.emulator.simulation.invariants import Watched, unsettled
from mockpump.emulator.simulation.runner import NarrationLine, ScenarioRunner
from mockpump.emulator.simulation.scenario import ExpectationFailed


class InvariantBroken(ExpectationFailed):
    """What must be so in every run is not: its name, and the figures."""


def checked(runner: ScenarioRunner) -> Iterator[NarrationLine]:
    """Tell a scenario; after each line of it, and when the line is good again, look at the
    invariants.

    `InvariantBroken` for the first that does not hold; whatever the telling itself fails with.
    """
    watch = Watched(runner.world)
    for told in runner.tell():
        yield told
        _hold(watch.broken())
    _hold(unsettled(runner.world))
    _hold(watch.broken())


def _hold(faults: Iterable[str]) -> None:
    for fault in faults:
        raise InvariantBroken(fault)
