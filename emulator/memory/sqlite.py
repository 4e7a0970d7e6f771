"""Memory in a file: one SQLite database a pump, that a cut of the power at any moment leaves whole.

The idea: one `record` is one transaction, and is on the disk (WAL, synchronous FULL) before it
returns.  What it writes is a list of statements, with a hook before each, so that a test can cut
the power everywhere.

The file may be looked into with any SQLite tool.  Not guarded against: a second name of the same
file by a hard link, and network file systems, where SQLite's WAL does not work.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from mockpump.emulator.memory.interface import Change, LogPage, MemoryFailed, Outcome
from mockpump.emulator.memory.sqlite_file import Opened, create_file, look_into_file, open_file
from mockpump.emulator.memory.sqlite_lock import SameFiles
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.log import LOG_ENTRIES, LogEntry, chain, encode_entry
from mockpump.protocol.messages import CHAIN_SIZE, OUTCOMES

_MARK = "INSERT OR REPLACE INTO marks VALUES (0, ?)"
_FIELDS = LogEntry.__struct_fields__


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
        self._path = opened.path
        self._files = SameFiles(opened.path)
        # How far the mark has come that says that a pump runs: into the WAL, into the file itself.
        self._marked, self._mark_shows = False, False

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new and empty memory, readable by its owner alone.

        `MemoryFailed` when the file exists already or cannot be written.
        """
        return cls(create_file(path))

    @classmethod
    def open(cls, path: Path) -> Self:
        """The memory of a pump that is to go on; one of an older version is brought up to date.

        `NotAMemory` when there is none, `MemoryBusy` while another pump runs on it, `MemoryFailed`
        when it cannot be read or written.
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
        """The memory, if its log is whole: what is wrong with it is said now, and not one day."""
        memory = cls(opened)
        with ExitStack() as unless_whole:
            unless_whole.callback(memory.close)
            try:
                page = memory.log(1, LOG_ENTRIES)
            except MemoryFailed as error:
                raise MemoryFailed(f"{path}: {error}") from None
            if page.first + len(page.entries) != page.newest + 1:
                raise MemoryFailed(f"{path}: the log is damaged: an entry is missing")
            unless_whole.pop_all()
        return memory

    # -- reading -----------------------------------------------------------------------------------

    def state(self) -> bytes | None:
        row = self._row("SELECT state FROM states")
        return _blob(row[0], "its state") if row else None

    def image(self, slot: int) -> bytes:
        row = self._row("SELECT image FROM images WHERE slot = ?", slot)
        return _blob(row[0], f"the image in slot {slot}") if row else b""

    def outcome(self, transaction: int) -> Outcome | None:
        sql = 'SELECT request, reply FROM outcomes WHERE "transaction" = ?'
        row = self._row(sql, transaction)
        if row is None:
            return None
        request, reply = (_blob(each, f"the outcome of {transaction}") for each in row)
        return Outcome(transaction, request, reply)

    def outcome_count(self) -> int:
        # Places are counted on and never given again while the newest row stays, as it always does.
        (newest,) = self._row("SELECT max(place) FROM outcomes") or (None,)
        return 0 if newest is None else _number(newest)

    def log(self, first: int, count: int) -> LogPage:
        newest, newest_chain = self._newest()
        (folded,) = self._row("SELECT number FROM anchors") or (0,)
        folded = _number(folded)
        at = min(max(first, folded + 1), newest + 1)
        before = self._row("SELECT chain FROM links WHERE number = ?", at - 1)
        if before is None:
            raise MemoryFailed(f"the log is damaged: entry {at - 1} is missing")
        sql = f"SELECT {', '.join(_FIELDS)} FROM entries WHERE number >= ? ORDER BY number LIMIT ?"
        entries = tuple(_entry(row) for row in self._rows(sql, at, max(count, 0)))
        return LogPage(at, newest, _chain(before[0]), newest_chain, entries)

    def _newest(self) -> tuple[int, bytes]:
        row = self._row("SELECT number, chain FROM links ORDER BY number DESC LIMIT 1")
        if row is None:
            raise MemoryFailed("the log is damaged: its anchor is missing")
        return _number(row[0]), _chain(row[1])

    def _row(self, sql: str, *parameters: Any) -> tuple[Any, ...] | None:
        return next(iter(self._rows(sql, *parameters)), None)

    def _rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise MemoryFailed(f"the memory cannot be read: {error}") from error

    # -- writing -----------------------------------------------------------------------------------

    # A pump's file says that the pump runs, from the first record after it was opened until it is
    # closed; else a copy of it without the WAL beside it would pass for a whole pump that was put
    # down in good order, and what was acknowledged would be missing without a word.
    #
    #     the file itself    the WAL beside it      a copy of the file alone
    #     not in use         nothing                is the whole pump
    #     not in use         "in use", a record     is whole: that record acknowledged nothing yet
    #     in use             all that is newer      says that it lacks its WAL
    #     in use             "not in use"           says so too, and lacks nothing
    #     not in use         nothing                is the whole pump
    #
    # From line 2 to 3 the first record is copied into the file at once: not before that does it
    # return, so nothing that is acknowledged comes before the mark.  (Some other program that reads
    # the file just then holds the copying up; each further record tries again.)  From 3 to 4 all
    # that is newer is copied first and the mark taken back after it, so the page with the mark is
    # the only one that the last copying, from 4 to 5, still writes.  A cut of the power anywhere in
    # between leaves the WAL beside the file, and the WAL has everything.

    def record(self, change: Change) -> None:
        self._files.check()
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
        if not self._mark_shows:
            self._show_mark()

    def _show_mark(self) -> None:
        """Have the mark in the file itself; somebody who reads may hold that up until later."""
        if not self._marked:
            self._marked = True
            self._files = SameFiles(self._path, Path(f"{self._path}-wal"))
        self._mark_shows = self._copy_wal()

    def _copy_wal(self) -> bool:
        """Copy what the WAL holds into the file, without waiting; whether all of it is there."""
        try:
            row = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error:
            return False  # what was recorded is in the WAL
        busy, pages, copied = row
        return not busy and pages == copied

    def _take_back_mark(self) -> None:
        if self._marked:
            self._marked = False
            with suppress(sqlite3.Error, MemoryFailed):
                self._files.check()
                self._copy_wal()
                self._connection.execute(_MARK, (0,))

    def _writes(self, change: Change) -> list[Write]:
        """All statements of one record."""
        return [
            Write("begin", "BEGIN IMMEDIATE"),
            *(() if self._marked else [Write("mark", _MARK, (1,))]),
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
        with closing(self._held):
            self._take_back_mark()


def _blob(value: object, what: str) -> bytes:
    """Bytes as they were written; whoever edits the file by hand may have left something else."""
    if not isinstance(value, bytes):
        raise MemoryFailed(f"the memory is damaged: {what} is not made of bytes")
    return value


def _number(value: object) -> int:
    """The number of an entry, likewise."""
    if not isinstance(value, int) or not 0 <= value < 2**32:
        raise MemoryFailed("the log is damaged: what should be the number of an entry is none")
    return value


def _chain(value: object) -> bytes:
    """The chain after an entry, likewise."""
    if len(_blob(value, "its log")) != CHAIN_SIZE:
        raise MemoryFailed("the log is damaged: what should be its chain is none")
    return _blob(value, "its log")


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


def _entry(row: tuple[Any, ...]) -> LogEntry:
    try:
        entry = msgspec.convert(dict(zip(_FIELDS, row, strict=True)), LogEntry)
        encode_entry(entry)
    except (msgspec.ValidationError, LocalProtocolError) as error:
        raise MemoryFailed(f"the log is damaged: {error}") from error
    return entry
