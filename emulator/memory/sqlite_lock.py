"""The lock of a memory, and whether its files are still those that were opened.

Names in a folder are nobody's: whoever may write there can remove a running pump's files, and make
others of the same names.  So before anything is done by name, what has the name is held against
what was opened.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mockpump.emulator.memory.interface import MemoryFailed

# A process number in digits.
_LONGEST_HOLDER = 20


class LockHeld(Exception):
    """Another process holds that lock; says which, if that is known."""


class MemoryBusy(MemoryFailed):
    """Another pump, or another program, uses that memory."""


@contextmanager
def sole_use(path: Path) -> Iterator[None]:
    """Hold the lock of a memory.  `MemoryBusy` when another does.

    The kernel lets go of it when the process ends, however that ends, so none is ever stale; a file
    that is left of it is nobody's lock.  It is a file of its own because closing any descriptor of
    the database would drop the locks that SQLite has on it, and because on some systems a `flock`
    on the database would lock SQLite out.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(Path(f"{path}-lock"), waits=False))
        except LockHeld as other:
            raise MemoryBusy(
                f"it is in use{other}: a pump runs on it, or a command uses it"
            ) from None
        yield


@contextmanager
def locked(lock: Path, *, waits: bool) -> Iterator[None]:
    """Hold the lock of a file that is there for nothing else, and remove it in the end.

    Unless it `waits`, `LockHeld` when another process does.
    """
    with ExitStack() as held:
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            file = held.enter_context(os.fdopen(os.open(lock, flags, 0o600), "rb+"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
            except BlockingIOError:
                raise LockHeld(_holder(file.fileno())) from None
            # Whoever had it before may have removed the file since we opened it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                    break
        held.callback(_unlink_if_same, lock, file.fileno())
        _name_holder(file.fileno())
        yield


def _name_holder(descriptor: int) -> None:
    """Write down which process this is; not into a file that may be something else as well."""
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_size <= _LONGEST_HOLDER:
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _holder(descriptor: int) -> str:
    """Which process holds the lock, if it has said so by now."""
    said = os.pread(descriptor, _LONGEST_HOLDER, 0)
    return f" by process {int(said)}" if said.isdigit() else ""


def _unlink_if_same(lock: Path, descriptor: int) -> None:
    """Remove the lock's file, unless another has its place, or the folder lets nobody write."""
    with suppress(OSError):
        if os.path.samestat(os.fstat(descriptor), lock.stat()):
            lock.unlink()


class SameFiles:
    """The files of an open database, as they were when it was opened."""

    def __init__(self, *paths: Path) -> None:
        self._known = {path: identity(path) for path in paths}

    def check(self) -> None:
        """`MemoryFailed` when one is gone, or another has its name: nothing would last in it."""
        for path, known in self._known.items():
            if identity(path) != known:
                raise MemoryFailed(f"{path} is not the file any more that was opened")


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from all others, whatever its name; None where there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
