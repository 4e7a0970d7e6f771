"""Memory in a file: one SQLite database a pump, that a cut of the power at any moment leaves whole.

The idea: one `record` is one transaction, and is on the disk (WAL, synchronous FULL) before it
returns.  What it writes is a list of statements, with a hook before each, so that a test can cut
the power everywhere.

The file may be looked into with any SQLite tool.  Not guarded against: a second name of the same
file by a hard link, and network file systems, where SQLite's WAL does not work.
"""

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Self

import msgspec

from mockpump.emulator.memory.interface import (
    LOG_ENTRIES,
    OUTCOMES,
    Change,
    LogPage,
    MemoryFailed,
    Outcome,
)
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.log import GENESIS, LogEntry, chain, encode_entry

APPLICATION_ID = int.from_bytes(b"mPmp")
# Seconds that a write waits for a curious SQLite tool; the pump stands still meanwhile.
PATIENCE = 0.1

# What makes a file of version N one of version N + 1.  Only ever add to it.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        "CREATE TABLE states (place INTEGER PRIMARY KEY CHECK (place = 0), state BLOB NOT NULL)",
        "CREATE TABLE images (slot INTEGER PRIMARY KEY CHECK (slot IN (0, 1)),"
        " image BLOB NOT NULL)",
        'CREATE TABLE outcomes (place INTEGER PRIMARY KEY, "transaction" INTEGER NOT NULL UNIQUE,'
        " request BLOB NOT NULL, reply BLOB NOT NULL)",
        # The chain after the newest entry that is no longer kept.
        "CREATE TABLE anchors (place INTEGER PRIMARY KEY CHECK (place = 0),"
        " number INTEGER NOT NULL, chain BLOB NOT NULL)",
        f"INSERT INTO anchors VALUES (0, 0, x'{GENESIS.hex()}')",
        "CREATE TABLE entries (number INTEGER PRIMARY KEY, elapsed INTEGER NOT NULL,"
        " clock INTEGER NOT NULL, kind INTEGER NOT NULL, first INTEGER NOT NULL,"
        " second INTEGER NOT NULL, chain BLOB NOT NULL)",
        "CREATE VIEW links AS SELECT number, chain FROM anchors"
        " UNION ALL SELECT number, chain FROM entries",
    ),
)

_FIELDS = LogEntry.__struct_fields__


class NotAMemory(MemoryFailed):
    """What is at that path is no pump's memory that this version can read."""


class MemoryBusy(MemoryFailed):
    """Another pump uses that memory."""


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
    statement of a record, from "begin" to "commit"; what it raises ends the record.
    """

    durable = True

    def __init__(self, connection: sqlite3.Connection, held: ExitStack) -> None:
        self.before_write: Callable[[str], None] = _no_hook
        self._connection = connection
        # What is to be let go of at the end: the connection first, the lock last.
        self._held = held

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new and empty memory, readable by its owner alone.

        `MemoryFailed` when the file exists already or cannot be written.
        """
        with _faults_of(path), ExitStack() as held:
            held.enter_context(_sole_use(path))
            with _new_file(path):
                connection = _connect(path, held)
                connection.execute("PRAGMA journal_mode = WAL")
                _migrate(connection)
            return cls(connection, held.pop_all())

    @classmethod
    def open(cls, path: Path) -> Self:
        """The memory of a pump that is to go on; one of an older version is brought up to date.

        `NotAMemory` when there is none, `MemoryBusy` while another pump runs on it, `MemoryFailed`
        when it cannot be read or written.
        """
        with _faults_of(path), ExitStack() as held:
            _expect_file(path)
            held.enter_context(_sole_use(path))
            return cls(_connect_checked(path, held), held.pop_all())

    @classmethod
    def look(cls, path: Path) -> Self:
        """A stopped pump's memory, only to be read; errors as in `open`.

        It is a copy, taken while no pump can start, so neither the file nor what a killed pump left
        beside it is changed; an older version is brought up to date in the copy.  While a pump
        runs, `MemoryBusy`: then ask the pump.
        """
        with _faults_of(path), ExitStack() as held:
            _expect_file(path)
            folder = Path(held.enter_context(TemporaryDirectory(prefix="mockpump-")))
            with _sole_use_if_possible(path):
                copy = _copied(path.resolve(), folder)
            connection = _connect_checked(copy, held)
            connection.execute("PRAGMA query_only = ON")
            return cls(connection, held.pop_all())

    # -- reading -----------------------------------------------------------------------------------

    def state(self) -> bytes | None:
        row = self._row("SELECT state FROM states")
        return row[0] if row else None

    def image(self, slot: int) -> bytes:
        row = self._row("SELECT image FROM images WHERE slot = ?", slot)
        return row[0] if row else b""

    def outcome(self, transaction: int) -> Outcome | None:
        sql = 'SELECT "transaction", request, reply FROM outcomes WHERE "transaction" = ?'
        row = self._row(sql, transaction)
        return Outcome(*row) if row else None

    def log(self, first: int, count: int) -> LogPage:
        newest, newest_chain = self._newest()
        (folded,) = self._row("SELECT number FROM anchors") or (0,)
        at = min(max(first, folded + 1), newest + 1)
        before = self._row("SELECT chain FROM links WHERE number = ?", at - 1)
        if before is None:
            raise MemoryFailed(f"the log is damaged: entry {at - 1} is missing")
        sql = f"SELECT {', '.join(_FIELDS)} FROM entries WHERE number >= ? ORDER BY number LIMIT ?"
        entries = tuple(_entry(row) for row in self._rows(sql, at, max(count, 0)))
        return LogPage(at, newest, before[0], newest_chain, entries)

    def _newest(self) -> tuple[int, bytes]:
        row = self._row("SELECT number, chain FROM links ORDER BY number DESC LIMIT 1")
        if row is None:
            raise MemoryFailed("the log is damaged: its anchor is missing")
        return row

    def _row(self, sql: str, *parameters: Any) -> tuple[Any, ...] | None:
        return next(iter(self._rows(sql, *parameters)), None)

    def _rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise MemoryFailed(f"the memory cannot be read: {error}") from error

    # -- writing -----------------------------------------------------------------------------------

    def record(self, change: Change) -> None:
        writes = self._writes(change)
        try:
            for write in writes:
                self.before_write(write.name)
                self._connection.execute(write.sql, write.parameters)
        except sqlite3.Error as error:
            self._roll_back()
            raise MemoryFailed(f"the memory cannot be written: {error}") from error
        except BaseException:
            # In WAL mode that writes nothing, so it is no help to a pump without power.
            self._roll_back()
            raise

    def _writes(self, change: Change) -> list[Write]:
        """All statements of one record."""
        return [
            Write("begin", "BEGIN IMMEDIATE"),
            Write("state", "INSERT OR REPLACE INTO states VALUES (0, ?)", (change.state,)),
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


def _entry(row: tuple[Any, ...]) -> LogEntry:
    try:
        entry = msgspec.convert(dict(zip(_FIELDS, row, strict=True)), LogEntry)
        encode_entry(entry)
    except (msgspec.ValidationError, LocalProtocolError) as error:
        raise MemoryFailed(f"the log is damaged: {error}") from error
    return entry


# -- the file --------------------------------------------------------------------------------------


def _connect(path: Path, held: ExitStack) -> sqlite3.Connection:
    """A connection to a file that exists, which `held` will close."""
    address = f"{path.resolve().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, PATIENCE, isolation_level=None, uri=True)
    held.callback(connection.close)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _connect_checked(path: Path, held: ExitStack) -> sqlite3.Connection:
    connection = _connect(path, held)
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise NotAMemory("it is no memory of a pump")
    _migrate(connection)
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring a file up to this version, wholly or not at all."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    newest = len(MIGRATIONS)
    if version > newest:
        raise NotAMemory(f"it is of version {version}, newer than {newest}: update mockpump")
    if version < newest:
        connection.execute("BEGIN IMMEDIATE")
        for statement in (step for steps in MIGRATIONS[version:] for step in steps):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {newest}")
        connection.execute("COMMIT")


@contextmanager
def _sole_use(path: Path) -> Iterator[None]:
    """Hold the lock of a memory.  `MemoryBusy` when another does.

    The kernel lets go of it when the process ends, however that ends, so none is ever stale; a file
    that is left of it is nobody's lock.  It is a file of its own because closing any descriptor of
    the database would drop the locks that SQLite has on it, and because on some systems a `flock`
    on the database would lock SQLite out.
    """
    lock = Path(f"{path.resolve()}-lock")
    with ExitStack() as held:
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            file = held.enter_context(os.fdopen(os.open(lock, flags, 0o600), "rb+"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise MemoryBusy("it is in use by another pump") from None
            # Whoever had it before may have removed the file since we opened it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                    break
        held.callback(lock.unlink, missing_ok=True)
        yield


@contextmanager
def _sole_use_if_possible(path: Path) -> Iterator[None]:
    """The same, except where a pump could not run anyhow, because it may not write there."""
    with ExitStack() as held:
        try:
            held.enter_context(_sole_use(path))
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EROFS}:
                raise
        yield


@contextmanager
def _new_file(path: Path) -> Iterator[None]:
    """An empty file that was not there before; gone again if what follows fails.

    SQLite gives the files beside a database the mode of the database.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _expect_file(path: Path) -> None:
    if not path.exists():
        raise NotAMemory("there is no such file")
    if not path.is_file():
        raise NotAMemory("it is no file")


def _copied(path: Path, folder: Path) -> Path:
    """A copy of a database at rest, with what its WAL holds."""
    copy = folder / "memory"
    shutil.copyfile(path, copy)
    with suppress(FileNotFoundError):
        shutil.copyfile(f"{path}-wal", f"{copy}-wal")
    return copy


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """Whatever goes wrong with a file, said in one line that names it."""
    try:
        yield
    except MemoryFailed as error:
        raise type(error)(f"{path}: {error}") from None
    except sqlite3.Error as error:
        kinds = {sqlite3.SQLITE_BUSY: MemoryBusy, sqlite3.SQLITE_NOTADB: NotAMemory}
        kind = kinds.get(getattr(error, "sqlite_errorcode", 0), MemoryFailed)
        raise kind(f"{path}: {error}") from error
    except FileExistsError:
        raise MemoryFailed(f"{path}: it exists already") from None
    except OSError as error:
        raise MemoryFailed(f"{path}: {error.strerror or error}") from error
