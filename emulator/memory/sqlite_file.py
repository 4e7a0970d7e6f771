"""The file of a memory: made, locked, opened, brought up to date, copied.

The idea: everything that is held open is given to an `ExitStack`, so a failure half way and a
`close` at the end let go of the same things in the same order: the mark that a pump runs, the
connection, the lock.
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.emulator.memory.sqlite_lock import MemoryBusy, sole_use
from mockpump.emulator.memory.sqlite_mark import MARKED_FROM, InUse, is_marked, wal_of
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
    (
        # Whether a pump runs on it.
        "CREATE TABLE marks (place INTEGER PRIMARY KEY CHECK (place = 0), in_use INTEGER NOT NULL)",
        "INSERT INTO marks VALUES (0, 0)",
    ),
)
# How every SQLite file begins, and where in it its application says which one it is.
MAGIC, _APPLICATION_AT = b"SQLite format 3\0", 68
# What a file system says that knows no links.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
# Far more than a pump's memory ever has, its WAL included.
_MOST = 256 * 1024 * 1024


class NotAMemory(MemoryFailed):
    """What is at that path is no pump's memory that this version can read."""


_FULL = os.strerror(errno.ENOSPC).lower()
# What SQLite wants for its index, in bytes.
_ROOM = 65_536
_NO_MEMORY = "it is not the memory of a pump"


class Opened(NamedTuple):
    """A connection, and what to close when it is no longer wanted: itself and all behind it.

    `in_use` is the mark that a pump runs, None where none can; `lacks_wal`: it has that mark from
    another life, and no WAL.
    """

    connection: sqlite3.Connection
    held: ExitStack
    in_use: InUse | None = None
    lacks_wal: bool = False


def create_file(path: Path) -> Opened:
    """A new and empty memory.  `MemoryFailed` when the file exists or cannot be written."""
    real = real_path(path)
    with _faults_of(path), ExitStack() as held:
        held.enter_context(sole_use(real))
        # The connection is closed before the file is removed: so it leaves nothing beside it.
        with _new_file(path), ExitStack() as connected:
            connection = _connect(path, connected)
            connection.execute("PRAGMA journal_mode = WAL")
            _migrate(connection)
            # Without its WAL too it is a memory.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            in_use = _marked(connection, real, connected)
            held.enter_context(connected.pop_all())
        return Opened(connection, held.pop_all(), in_use)


class NewFile:
    """A memory that is being made beside where it is to be, and comes there whole or not at all.

    Make it at `path`, `close` it, `put_in_place`.  Whoever is killed in between leaves a folder
    that says in its name that what is in it is unfinished, and nothing else.
    """

    def __init__(self, place: Path, folder: Path) -> None:
        self.path = folder / place.name
        self._place = place

    def put_in_place(self) -> None:
        """Give it its name; `MemoryFailed` when something else has that by now."""
        with _faults_of(self._place):
            # What an earlier pump of that name has left would be taken for this one's.
            for beside in ("-wal", "-shm", "-journal"):
                Path(f"{self._place}{beside}").unlink(missing_ok=True)
            try:
                os.link(self.path, self._place)
            except OSError as error:
                if error.errno not in _NO_LINKS or os.path.lexists(self._place):
                    raise
                self.path.rename(self._place)
            self.path.unlink(missing_ok=True)
            _sync_folder(self._place.parent)


@contextmanager
def new_file(path: Path) -> Iterator[NewFile]:
    """A place to make a memory that is to be at `path`; `MemoryFailed` when something is there."""
    with ExitStack() as held:
        with _faults_of(path):
            held.enter_context(sole_use(real_path(path)))
            if os.path.lexists(path):
                raise FileExistsError
            folder = TemporaryDirectory(
                prefix="unfinished-pump-", dir=path.parent, ignore_cleanup_errors=True
            )
            held.enter_context(folder)
        new = NewFile(path, Path(folder.name))
        try:
            yield new
        except MemoryFailed as error:
            # Nobody knows it by the name that it has meanwhile.
            error.args = (str(error).replace(str(new.path), str(path), 1),)
            raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_file(path: Path) -> Opened:
    """The memory of a pump that is to go on; one of an older version is brought up to date.

    `NotAMemory` when there is none, `MemoryBusy` while another pump runs on it or another program
    reads it, `MemoryFailed` when it cannot be read or written.
    """
    with _faults_of(path), ExitStack() as held:
        _expect_file(path)
        real = real_path(path)
        held.enter_context(sole_use(real))
        _expect_memory(real)
        has_wal = _has_wal(real)
        if has_wal:
            _expect_own_wal(real)
        unless_open = held.enter_context(ExitStack())
        if not any(each.exists() for each in _beside(real)):
            unless_open.callback(_remove_beside, real)
        connection = _connect_checked(real, held)
        # What SQLite may not write it opens all the same, and says so at the first statement that
        # writes: better now than at the first record.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("ROLLBACK")
        lacks_wal = is_marked(connection) and not has_wal
        in_use = _marked(connection, real, held, stays=lacks_wal)
        unless_open.pop_all()
        return Opened(connection, held.pop_all(), in_use, lacks_wal)


def _beside(path: Path) -> list[Path]:
    """What SQLite makes beside a database as it opens it."""
    return [wal_of(path), Path(f"{path}-shm")]


def _remove_beside(path: Path) -> None:
    """Of a database that could not be opened wholly, for want of room; never what holds a state."""
    with suppress(OSError):
        if wal_of(path).stat().st_size == 0:
            for each in _beside(path):
                each.unlink()


def look_into_file(path: Path) -> Opened:
    """A copy of the memory of a pump that does not run, not to be written; errors as above.

    What is on the disk stays as it is.
    """
    with _faults_of(path), ExitStack() as held:
        _expect_file(path)
        folder = Path(held.enter_context(TemporaryDirectory(prefix="mockpump-")))
        real = real_path(path)
        with _sole_use_if_possible(real):
            _expect_memory(real)
            has_wal = _has_wal(real)
            if has_wal:
                _expect_own_wal(real)
            copy = _copied(real, folder)
        connection = _connect_checked(copy, held)
        connection.execute("PRAGMA query_only = ON")
        lacks_wal = is_marked(connection) and not has_wal
        return Opened(connection, held.pop_all(), lacks_wal=lacks_wal)


def _connect(path: Path, held: ExitStack) -> sqlite3.Connection:
    """A connection to a file that exists, which `held` will close."""
    address = f"{real_path(path).as_uri()}?mode=rw"
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


def _marked(
    connection: sqlite3.Connection, path: Path, held: ExitStack, *, stays: bool = False
) -> InUse:
    """The mark that a pump runs, put there, which `held` will take back."""
    in_use = InUse(connection, path, stays=stays)
    held.callback(in_use.take_back)
    in_use.put()
    return in_use


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
def _sole_use_if_possible(path: Path) -> Iterator[None]:
    """The same, except where a pump could not run anyhow, because it may not write there."""
    with ExitStack() as held:
        try:
            held.enter_context(sole_use(path))
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


def real_path(path: Path) -> Path:
    """Where a path leads; not `resolve`, which fails in its own way on links in a circle."""
    return Path(os.path.realpath(path))


def _expect_file(path: Path) -> None:
    if not path.exists():
        raise NotAMemory("there is no such file")
    if not path.is_file():
        raise NotAMemory("it is not a file")


def _expect_memory(path: Path) -> None:
    """Look at how it begins, before SQLite opens it or anybody copies it."""
    with path.open("rb") as file:
        head = file.read(100)
        found = os.fstat(file.fileno())
    application = head[_APPLICATION_AT : _APPLICATION_AT + 4]
    if not head.startswith(MAGIC) or application != APPLICATION_ID.to_bytes(4):
        raise NotAMemory(_NO_MEMORY)
    if found.st_size > _MOST:
        raise NotAMemory(f"it is too long for a memory: more than {_MOST:,} bytes")
    # By each of its names it would have another lock and another WAL.
    if found.st_nlink > 1:
        names = f"it has {found.st_nlink} names (hard links)"
        raise MemoryFailed(f"{names}; a pump's file has one: remove the others")


def _has_wal(path: Path) -> bool:
    """Whether there is one, with anything in it."""
    try:
        found = wal_of(path).stat()
    except FileNotFoundError:
        return False
    if not S_ISREG(found.st_mode) or found.st_size > _MOST:
        raise NotAMemory(f"its -wal is none: more than {_MOST:,} bytes, or no file")
    return found.st_size > 0


def _expect_own_wal(path: Path) -> None:
    """Why there can be another's: above `InUse`.

    On a copy: who opens the file itself has the WAL copied into it at the latest by closing it.
    """
    # What cannot change is read without its WAL.
    address = f"{path.as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as alone:
        (version,) = alone.execute("PRAGMA user_version").fetchone()
        if version < MARKED_FROM or is_marked(alone):
            return
        states = _states(alone)
    with TemporaryDirectory(prefix="mockpump-") as folder, ExitStack() as held:
        if _states(_connect(_copied(path, Path(folder)), held)) != states:
            raise MemoryFailed(
                f"{wal_of(path).name} beside it is left of another file of that name, whose pump"
                " was killed: move it to that file, or remove it"
            )


def _states(connection: sqlite3.Connection) -> list[tuple[bytes]]:
    return connection.execute("SELECT state FROM states").fetchall()


def _copied(path: Path, folder: Path) -> Path:
    """A copy of a database at rest, with what its WAL holds."""
    copy = folder / "memory"
    shutil.copyfile(path, copy)
    if _has_wal(path):
        shutil.copyfile(wal_of(path), wal_of(copy))
    return copy


def _lacks_room(code: int, path: Path) -> bool:
    """Whether an error of SQLite's is one of a full disk; for its index it says that vaguely."""
    if code != sqlite3.SQLITE_IOERR:
        return code == sqlite3.SQLITE_FULL
    try:
        return shutil.disk_usage(path.parent).free < _ROOM
    except OSError:
        return False


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
        why = _FULL if _lacks_room(code, path) else error
        raise kind(f"{path}: {why}") from error
    except UnicodeDecodeError:
        # The damage is in a text that an error of SQLite's quotes.
        raise MemoryFailed(f"{path}: it is damaged") from None
    except FileExistsError:
        raise MemoryFailed(f"{path}: it exists already") from None
    except OSError as error:
        raise MemoryFailed(f"{path}: {(error.strerror or str(error)).lower()}") from error
