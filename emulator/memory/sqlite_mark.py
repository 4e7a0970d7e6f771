"""The mark in a pump's file that says that the pump runs.

What a running pump records is in the WAL beside its file, and in the file itself only later.  So a
file with that mark and without a WAL is an old copy: what was acknowledged after it may be missing.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.emulator.memory.sqlite_lock import MemoryBusy, SameFiles

# The first version of a memory that has it.
MARKED_FROM = 2
_MARK = "INSERT OR REPLACE INTO marks VALUES (0, ?)"


def wal_of(path: Path) -> Path:
    """Where the WAL of a database is."""
    return Path(f"{path}-wal")


def is_marked(connection: sqlite3.Connection) -> bool:
    """Whether the mark is in the file, or in its WAL."""
    return bool(connection.execute("SELECT in_use FROM marks").fetchone() != (0,))


# Without the mark a copy of the file alone, taken while its pump runs, would pass for a whole pump
# that was put down in good order, and what was acknowledged would be missing without a word.
#
#        the file itself    the WAL beside it      a copy of the file alone
#     1  not in use         nothing                is the whole pump
#     2  not in use         "in use"               is the whole pump: nothing is recorded yet
#     3  in use             all that is newer      says that it lacks its WAL
#     4  in use             "not in use"           says so too, and lacks nothing
#     5  not in use         nothing                is the whole pump
#
# From 1 to 3 it comes at once when a memory is opened, before that can record anything: so nothing
# that is ever acknowledged comes before the mark.  Another program that reads the file holds the
# copying up; who does so for longer than the connection's patience is one that uses the file, and
# the memory is not opened.  (Once the mark is in the file, readers are welcome.)  From 3 to 4 all
# that is newer is copied first and the mark taken back after it, so the page with the mark is the
# only one that the last copying, from 4 to 5, still writes.  If a reader holds up the first of
# those two, the mark stays: the file then says that something may be missing, which is no harm.  A
# cut of the power anywhere in between leaves the WAL beside the file, and the WAL has everything.
#
# In 2 and 4 the WAL holds no state but the file's.  So where a file is not in use and the WAL
# beside it brings another state, that is left of another file of the same name, whose pump was
# killed; a backup that was put back finds it so.  SQLite would take it for this file's without a
# word.
#
# A copy that lacks its WAL has the mark in it already.  It keeps that until something is recorded,
# so that it says what it lacks each time it is opened and closed, or killed, before that.
class InUse:
    """The mark, from `put` to `take_back`; and whether the files that have it are still there.

    `stays`: whether it is to be left in the file.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, *, stays: bool) -> None:
        self.stays = stays
        self._connection = connection
        self._paths = (path, wal_of(path))
        self._files = SameFiles()

    def put(self) -> None:
        """Have it in the file itself; `MemoryBusy` when another program reads that."""
        if not self.stays:
            before = is_marked(self._connection)
            self._connection.execute(_MARK, (1,))
            if not self._copied():
                self._connection.execute(_MARK, (before,))
                raise MemoryBusy("it is in use by another program, which reads it: end that first")
        self._files = SameFiles(*self._paths)

    def check_files(self) -> None:
        """`MemoryFailed` when one is gone, or another has its name: nothing would last in it."""
        self._files.check()

    def take_back(self) -> None:
        """Have it in the file no longer, if all else is there."""
        if not self.stays:
            with suppress(sqlite3.Error, MemoryFailed):
                self.check_files()
                if self._copied():
                    self._connection.execute(_MARK, (0,))

    def _copied(self) -> bool:
        """Copy what the WAL holds into the file, with patience; whether all of it is there."""
        busy, pages, copied = self._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        return not busy and pages == copied
