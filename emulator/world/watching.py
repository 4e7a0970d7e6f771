"""A story told while somebody watches that what must always be so is so."""

from collections.abc import Iterable, Iterator

from mockpump.emulator.world.invariants import Watched, unsettled
from mockpump.emulator.world.story import ExpectationFailed
from mockpump.emulator.world.telling import Teller, Told


class InvariantBroken(ExpectationFailed):
    """What must be so in every run is not: its name, and the figures."""


def watched(teller: Teller) -> Iterator[Told]:
    """Tell a story; after each line of it, and when the line is good again, look at the invariants.

    `InvariantBroken` for the first that does not hold; whatever the telling itself fails with.
    """
    watch = Watched(teller.world)
    for told in teller.tell():
        yield told
        _hold(watch.broken())
    _hold(unsettled(teller.world))
    _hold(watch.broken())


def _hold(faults: Iterable[str]) -> None:
    for fault in faults:
        raise InvariantBroken(fault)
