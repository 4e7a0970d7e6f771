"""Memory that lasts as long as the process: for demos, tests and worlds in virtual time."""

from collections import OrderedDict

from mockpump.emulator.memory.interface import (
    LOG_ENTRIES,
    OUTCOMES,
    SLOTS,
    Change,
    LogPage,
    Outcome,
)
from mockpump.protocol.log import GENESIS, LogEntry, chain


class RamMemory:
    """A `Memory` of plain objects."""

    __slots__ = ("_entries", "_folded", "_images", "_newest", "_outcomes", "_start", "_state")

    durable = False

    def __init__(self) -> None:
        self._state: bytes | None = None
        self._images = [b""] * SLOTS
        self._outcomes: OrderedDict[int, Outcome] = OrderedDict()
        self._entries: list[LogEntry] = []
        self._folded = 0
        self._start = self._newest = GENESIS

    def state(self) -> bytes | None:
        return self._state

    def image(self, slot: int) -> bytes:
        return self._images[slot]

    def outcome(self, transaction: int) -> Outcome | None:
        return self._outcomes.get(transaction)

    def log(self, first: int, count: int) -> LogPage:
        at = min(max(first - self._folded - 1, 0), len(self._entries))
        before = chain(self._start, self._entries[:at])
        newest = self._folded + len(self._entries)
        page = tuple(self._entries[at : at + count])
        return LogPage(self._folded + at + 1, newest, before, self._newest, page)

    def record(self, change: Change) -> None:
        self._state = change.state
        for slot, image in change.images.items():
            self._images[slot] = image
        if change.outcome is not None:
            self._outcomes[change.outcome.transaction] = change.outcome
            if len(self._outcomes) > OUTCOMES:
                self._outcomes.popitem(last=False)
        self._entries += change.entries
        self._newest = chain(self._newest, change.entries)
        over = len(self._entries) - LOG_ENTRIES
        if over > 0:
            self._start = chain(self._start, self._entries[:over])
            self._folded += over
            del self._entries[:over]

    def close(self) -> None:
        pass
