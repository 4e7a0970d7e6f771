"""Memory that lasts as long as the process: for demos, tests and worlds in virtual time."""

from collections import OrderedDict

from mockpump.emulator.memory.interface import OUTCOMES, Outcome


class RamMemory:
    """A `Memory` of plain objects."""

    __slots__ = ("_outcomes", "_program")

    def __init__(self, program: bytes | None = None) -> None:
        self._program = program
        self._outcomes: OrderedDict[int, Outcome] = OrderedDict()

    def program(self) -> bytes | None:
        """The image of the active program; None before the first."""
        return self._program

    def outcome(self, transaction: int) -> Outcome | None:
        """What became of a transaction; None when it was never seen, or too long ago."""
        return self._outcomes.get(transaction)

    def record(self, outcome: Outcome, program: bytes | None = None) -> None:
        """Keep an outcome and, with it, a new active program."""
        self._outcomes[outcome.transaction] = outcome
        if len(self._outcomes) > OUTCOMES:
            self._outcomes.popitem(last=False)
        if program is not None:
            self._program = program
