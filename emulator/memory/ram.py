"""Memory that lasts as long as the process: for demos, tests and worlds in virtual time."""

from collections.abc import Iterable
from typing import SupportsBytes

from mockpump.emulator.memory.interface import SLOTS, Change, LogPage, MemoryFailed, Outcome
from mockpump.protocol.log import (
    ENTRY_SIZE,
    GENESIS,
    LOG_ENTRIES,
    LogEntry,
    encode_entry,
    entries_of,
    link,
)
from mockpump.protocol.messages import CHAIN_SIZE, OUTCOMES

_ROW = ENTRY_SIZE + CHAIN_SIZE


# The idea: each entry is kept as its bytes with the chain after it, all of one size, in one array.
# So a log of a thousand entries takes 25 kB instead of ten times that, and where a page begins, the
# chain before it need not be worked out again.
class ChainedLog:
    """The newest `LOG_ENTRIES` entries, and the chain of all there ever were."""

    __slots__ = ("_anchor", "_folded", "_newest", "_rows")

    def __init__(self) -> None:
        # How many entries are no longer kept, and the chain after the last of them.
        self._folded = 0
        self._anchor = GENESIS
        # The chain after the newest of all.
        self._newest = GENESIS
        self._rows = bytearray()

    def append(self, entries: Iterable[LogEntry]) -> None:
        """Put entries at the end, all or none.

        `LocalProtocolError` when one has a value out of its range.
        """
        rows = bytearray()
        last = self._newest
        for entry in entries:
            encoded = encode_entry(entry)
            last = link(last, encoded)
            rows += encoded + last
        self._rows += rows
        self._newest = last
        over = len(self._rows) // _ROW - LOG_ENTRIES
        if over > 0:
            self._anchor = self._chain_after(over * _ROW)
            self._folded += over
            del self._rows[: over * _ROW]

    def page(self, first: int, count: int) -> LogPage:
        """As `Memory.log` has it."""
        kept = len(self._rows) // _ROW
        at = min(max(first - self._folded - 1, 0), kept)
        end = min(at + max(count, 0), kept)
        starts = range(at * _ROW, end * _ROW, _ROW)
        rows = (self._rows[start : start + ENTRY_SIZE] for start in starts)
        return LogPage(
            self._folded + at + 1,
            self._folded + kept,
            self._chain_after(at * _ROW),
            self._newest,
            tuple(entries_of(b"".join(rows))),
        )

    def _chain_after(self, end: int) -> bytes:
        """The chain after the row that ends there."""
        return bytes(self._rows[end - CHAIN_SIZE : end]) if end else self._anchor


class RamMemory:
    """A `Memory` of plain objects.

    `durable`: whether the pump is to treat it like one that outlasts a power cut, with checkpoints;
    for worlds in which the power is cut.
    """

    # Whoever looks at it is in this process, and waits till the pump has come to rest.
    observed = False

    __slots__ = ("_images", "_log", "_outcome_count", "_outcomes", "_state", "durable")

    def __init__(self, *, durable: bool = True) -> None:
        self.durable = durable
        self._state: SupportsBytes | None = None
        self._images = [b""] * SLOTS
        # A dict remembers in which order its keys came.
        self._outcomes: dict[int, Outcome] = {}
        self._outcome_count = 0
        self._log = ChainedLog()

    def state(self) -> bytes | None:
        return None if self._state is None else bytes(self._state)

    def image(self, slot: int) -> bytes:
        return self._images[slot]

    def outcome(self, transaction: int) -> Outcome | None:
        return self._outcomes.get(transaction)

    def outcome_count(self) -> int:
        return self._outcome_count

    def log(self, first: int, count: int) -> LogPage:
        return self._log.page(first, count)

    def record(self, change: Change) -> None:
        # What can raise comes first, so that nothing is changed when it does.
        images = self._images
        if change.images:
            images = _with_images(images, change.images)
        if change.entries:
            self._log.append(change.entries)
        self._images = images
        self._state = change.state
        if change.outcome is not None:
            self._remember(change.outcome)

    def close(self) -> None:
        pass

    def _remember(self, outcome: Outcome) -> None:
        self._outcome_count += 1
        # Taken out first: what is recorded again is the newest again.
        self._outcomes.pop(outcome.transaction, None)
        self._outcomes[outcome.transaction] = outcome
        if len(self._outcomes) > OUTCOMES:
            del self._outcomes[next(iter(self._outcomes))]


def _with_images(images: list[bytes], new: dict[int, bytes]) -> list[bytes]:
    for slot in new.keys() - set(range(SLOTS)):
        raise MemoryFailed(f"there are {SLOTS} slots for images, and none of them is {slot}")
    return [new.get(slot, image) for slot, image in enumerate(images)]
