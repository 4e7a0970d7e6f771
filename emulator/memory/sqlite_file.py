"""The file of a memory: made, locked, opened, brought up to date, copied.

The idea: everything that is held open is given to an `ExitStack`, so a failure half way and a
`close` at the end let go of the same things in the same order: the connection first, the lock last.
"""

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.protocol.log import GENESIS

# What SQLite files say they are; `file` and every SQLite tool show it.
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


class NotAMemory(MemoryFailed):
    """What is at that path is no pump's memory that this version can read."""


class MemoryBusy(MemoryFailed):
    """Another pump uses that memory."""


_NO_MEMORY = "it is no memory of a pump"


class Opened(NamedTuple):
    """A connection, and what to close when it is no longer wanted: itself and all behind it."""

    connection: sqlite3.Connection
    held: ExitStack


def create_file(path: Path) -> Opened:
    """A new and empty memory.  `MemoryFailed` when the file exists or cannot be written."""
    with _faults_of(path), ExitStack() as held:
        held.enter_context(_sole_use(path))
        # The connection is closed before the file is removed: so it leaves nothing beside it.
        with _new_file(path), ExitStack() as connected:
            connection = _connect(path, connected)
            connection.execute("PRAGMA journal_mode = WAL")
            _migrate(connection)
            held.enter_context(connected.pop_all())
        return Opened(connection, held.pop_all())


def open_file(path: Path) -> Opened:
    """The memory of a pump that is to go on; one of an older version is brought up to date.

    `NotAMemory` when there is none, `MemoryBusy` while another pump runs on it, `MemoryFailed`
    when it cannot be read or written.
    """
    with _faults_of(path), ExitStack() as held:
        _expect_file(path)
        held.enter_context(_sole_use(path))
        connection = _connect_checked(path, held)
        # What SQLite may not write it opens all the same, and says so at the first statement that
        # writes: better now than at the first record.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("ROLLBACK")
        return Opened(connection, held.pop_all())


def look_into_file(path: Path) -> Opened:
    """A copy of the memory of a pump that does not run, not to be written; errors as above.

    What is on the disk stays as it is.
    """
    with _faults_of(path), ExitStack() as held:
        _expect_file(path)
        folder = Path(held.enter_context(TemporaryDirectory(prefix="mockpump-")))
        with _sole_use_if_possible(path):
            copy = _copied(_real(path), folder)
        connection = _connect_checked(copy, held)
        connection.execute("PRAGMA query_only = ON")
        return Opened(connection, held.pop_all())


def _connect(path: Path, held: ExitStack) -> sqlite3.Connection:
    """A connection to a file that exists, which `held` will close."""
    address = f"{_real(path).as_uri()}?mode=rw"
    connection = sqlite3.connect(address, timeout=PATIENCE, isolation_level=None, uri=True)
    held.callback(connection.close)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _connect_checked(path: Path, held: ExitStack) -> sqlite3.Connection:
    connection = _connect(path, held)
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise NotAMemory(_NO_MEMORY)
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
    lock = Path(f"{_real(path)}-lock")
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
    with ExitStack() as unless_made:
        unless_made.callback(path.unlink, missing_ok=True)
        yield
        unless_made.pop_all()


def _real(path: Path) -> Path:
    """Where a path leads; not `resolve`, which fails in its own way on links in a circle."""
    return Path(os.path.realpath(path))


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
        # The low byte is the kind of error.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_NOTADB:
            raise NotAMemory(f"{path}: {_NO_MEMORY}") from error
        kind = MemoryBusy if code == sqlite3.SQLITE_BUSY else MemoryFailed
        raise kind(f"{path}: {error}") from error
    except UnicodeDecodeError:
        # The damage is in a text that an error of SQLite's quotes.
        raise MemoryFailed(f"{path}: it is damaged") from None
    except FileExistsError:
        raise MemoryFailed(f"{path}: it exists already") from None
    except OSError as error:
        raise MemoryFailed(f"{path}: {(error.strerror or str(error)).lower()}") from error
