"""Memory in a file: one SQLite database a pump, that a cut of the power at any moment leaves whole.

The idea: one `record` is one transaction, and is on the disk (WAL, synchronous FULL) before it
returns.  What it writes is a list of statements, with a hook before each, so that a test can cut
the power everywhere.

The file may be looked into with any SQLite tool.  Not guarded against: network file systems, where
SQLite's WAL does not work.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from mockpump.emulator.memory import sqlite_values as values
from mockpump.emulator.memory.interface import SLOTS, Change, LogPage, MemoryFailed, Outcome
from mockpump.emulator.memory.sqlite_file import Opened, create_file, look_into_file, open_file
from mockpump.protocol.log import LOG_ENTRIES, LogEntry, chain
from mockpump.protocol.messages import OUTCOMES

_FIELDS = ", ".join(values.FIELDS)


class Write(NamedTuple):
    """One statement of a record, and the name by which the hook knows it."""

    name: str
    sql: str
    parameters: tuple[Any, ...] = ()


def _no_hook(name: str) -> None:
    pass


class SqliteMemory:
    """A `Memory` in a file.  Made by `create`, `open` or `look`; `close` it.

    It belongs to the thread that opened it.  `before_write` is called with a name before each
    statement of a record, from "begin" to "commit"; what it raises ends the record.  `lacks_wal`:
    it is a file that was copied while its pump ran, without the WAL beside it, so what the pump
    had acknowledged by then may be missing.
    """

    durable = True
    observed = True

    def __init__(self, opened: Opened) -> None:
        self.before_write: Callable[[str], None] = _no_hook
        self.lacks_wal = opened.lacks_wal
        self._connection = opened.connection
        self._held = opened.held
        self._in_use = opened.in_use

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new and empty memory, readable by its owner alone.

        `MemoryFailed` when the file exists already or cannot be written.
        """
        return cls(create_file(path))

    @classmethod
    def open(cls, path: Path) -> Self:
        """The memory of a pump that is to go on; one of an older version is brought up to date.

        `NotAMemory` when there is none, `MemoryBusy` while another pump runs on it or another
        program reads it, `MemoryFailed` when it cannot be read or written.
        """
        return cls._checked(open_file(path), path)

    @classmethod
    def look(cls, path: Path) -> Self:
        """The memory of a pump that does not run, only to be read; errors as in `open`.

        It is a copy, taken while no pump can start, so neither the file nor the log of SQLite that
        a killed pump left beside it is changed; one of an older version is brought up to date in
        the copy.  While a pump runs, `MemoryBusy`: then ask the pump.  `record` is `MemoryFailed`.
        """
        return cls._checked(look_into_file(path), path)

    @classmethod
    def _checked(cls, opened: Opened, path: Path) -> Self:
        """The memory, if all in it is what a pump writes."""
        memory = cls(opened)
        with ExitStack() as unless_whole:
            unless_whole.callback(memory.close)
            try:
                memory._check()
            except MemoryFailed as error:
                raise MemoryFailed(f"{path}: {error}") from None
            unless_whole.pop_all()
        return memory

    def _check(self) -> None:
        """Read all there is once."""
        self.state()
        for slot in range(SLOTS):
            self.image(slot)
        # One that goes on from there may come to more; nothing fails for that.
        if (count := self.outcome_count()) > values.MOST_OUTCOMES:
            raise MemoryFailed(f"the memory is damaged: no pump has ever had {count:,} outcomes")
        if len(self.outcomes()) > OUTCOMES:
            raise MemoryFailed(f"the memory is damaged: it has more than {OUTCOMES} outcomes")
        page = self.log(1, LOG_ENTRIES)
        if page.first + len(page.entries) != page.newest + 1:
            raise MemoryFailed("the log is damaged: an entry is missing")
        for (link,) in self._rows("SELECT chain FROM entries"):
            values.link_of(link)

    # -- reading -----------------------------------------------------------------------------------

    def state(self) -> bytes | None:
        row = self._row("SELECT state FROM states")
        return values.blob(row[0], "its state") if row else None

    def image(self, slot: int) -> bytes:
        row = self._row("SELECT image FROM images WHERE slot = ?", slot)
        return values.blob(row[0], f"the image in slot {slot}") if row else b""

    def outcome(self, transaction: int) -> Outcome | None:
        row = self._row('SELECT * FROM outcomes WHERE "transaction" = ?', transaction)
        return values.outcome(*row) if row else None

    def outcomes(self) -> list[Outcome]:
        """All that are remembered; in a file that no pump has written, one more than there may be.

        The oldest comes first.
        """
        rows = self._rows("SELECT * FROM outcomes ORDER BY place LIMIT ?", OUTCOMES + 1)
        return [values.outcome(*row) for row in rows]

    def outcome_count(self) -> int:
        # Places are counted on and never given again while the newest row stays, as it always does.
        (newest,) = self._row("SELECT max(place) FROM outcomes") or (None,)
        return 0 if newest is None else values.outcome_count(newest)

    def log(self, first: int, count: int) -> LogPage:
        newest, newest_chain = self._newest()
        (folded,) = self._row("SELECT number FROM anchors") or (0,)
        folded = values.number(folded)
        at = min(max(first, folded + 1), newest + 1)
        before = self._row("SELECT chain FROM links WHERE number = ?", at - 1)
        if before is None:
            raise MemoryFailed(f"the log is damaged: entry {at - 1} is missing")
        sql = f"SELECT {_FIELDS} FROM entries WHERE number >= ? ORDER BY number LIMIT ?"
        entries = tuple(values.entry(row) for row in self._rows(sql, at, max(count, 0)))
        return LogPage(at, newest, values.link_of(before[0]), newest_chain, entries)

    def _newest(self) -> tuple[int, bytes]:
        row = self._row("SELECT number, chain FROM links ORDER BY number DESC LIMIT 1")
        if row is None:
            raise MemoryFailed("the log is damaged: its anchor is missing")
        return values.number(row[0]), values.link_of(row[1])

    def _row(self, sql: str, *parameters: Any) -> tuple[Any, ...] | None:
        return next(iter(self._rows(sql, *parameters)), None)

    def _rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise MemoryFailed(f"the memory cannot be read: {error}") from error

    # -- writing -----------------------------------------------------------------------------------

    def record(self, change: Change) -> None:
        if self._in_use is not None:
            self._in_use.check_files()
        writes = self._writes(change)
        try:
            with ExitStack() as unless_written:
                # In WAL mode that writes nothing, so it is no help to a pump without power.
                unless_written.callback(self._roll_back)
                for write in writes:
                    self.before_write(write.name)
                    self._connection.execute(write.sql, write.parameters)
                unless_written.pop_all()
        except sqlite3.Error as error:
            raise MemoryFailed(f"the memory cannot be written: {error}") from error
        if self._in_use is not None:
            self._in_use.stays = False

    def _writes(self, change: Change) -> list[Write]:
        """All statements of one record."""
        return [
            Write("begin", "BEGIN IMMEDIATE"),
            Write("state", "INSERT OR REPLACE INTO states VALUES (0, ?)", (bytes(change.state),)),
            *(
                Write("image", "INSERT OR REPLACE INTO images VALUES (?, ?)", each)
                for each in change.images.items()
            ),
            *(_outcome_writes(change.outcome) if change.outcome else ()),
            *(_log_writes(change.entries, *self._newest()) if change.entries else ()),
            Write("commit", "COMMIT"),
        ]

    def _roll_back(self) -> None:
        # After some errors SQLite has done so itself.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._held.close()


# -- what a record writes --------------------------------------------------------------------------


def _outcome_writes(outcome: Outcome) -> Iterator[Write]:
    # A place of NULL is one after the last; what is recorded again moves there.
    insert = "INSERT OR REPLACE INTO outcomes VALUES (NULL, ?, ?, ?)"
    yield Write("outcome", insert, (outcome.transaction, outcome.request, outcome.reply))
    newest = "SELECT place FROM outcomes ORDER BY place DESC LIMIT 1 OFFSET ?"
    yield Write("forget", f"DELETE FROM outcomes WHERE place <= ({newest})", (OUTCOMES,))


def _log_writes(entries: tuple[LogEntry, ...], number: int, last: bytes) -> Iterator[Write]:
    """Entries after that number and chain; whatever is then too old is folded into the anchor."""
    for entry in entries:
        number, last = number + 1, chain(last, (entry,))
        row = (number, *msgspec.structs.astuple(entry), last)
        yield Write("entry", "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    oldest = (number - LOG_ENTRIES,)
    link = "SELECT number, chain FROM entries WHERE number = ?"
    yield Write("anchor", f"INSERT OR REPLACE INTO anchors SELECT 0, * FROM ({link})", oldest)
    yield Write("fold", "DELETE FROM entries WHERE number <= ?", oldest)
