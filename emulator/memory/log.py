"""The newest stretch of an event log, in RAM: what a memory of plain objects keeps it in.

The idea: each entry is kept as its bytes with the chain after it, all of one size, in one array.
So a log of a thousand entries takes 25 kB instead of ten times that, and where a page begins, the
chain before it need not be worked out again.
"""

from collections.abc import Iterable

from mockpump.emulator.memory.interface import LogPage
from mockpump.protocol.log import (
    ENTRY_SIZE,
    GENESIS,
    LOG_ENTRIES,
    LogEntry,
    encode_entry,
    entries_of,
    link,
)
from mockpump.protocol.messages import CHAIN_SIZE

_ROW = ENTRY_SIZE + CHAIN_SIZE


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
