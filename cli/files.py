"""Files that a person names, read and written; whatever goes wrong is one line with the name."""

import errno
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mockpump.cli.examples import example_program, nearest_example, program_names
from mockpump.emulator.transports.reading import Missing, Unreadable, read_file
from mockpump.protocol.program import Program, ProgramError
from mockpump.protocol.program_toml import MAX_TEXT, loads

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Far more than a learner's test file or progress ever has.
_MOST_OF_A_LEARNER = 16 * 1024 * 1024


def read_program_file(path: Path) -> Program:
    """The program in a TOML file, or the example of that name.

    `ProgramError` names the file, the key and the rule.
    """
    name = str(path)
    if name in program_names():
        return example_program(name)
    try:
        data = read_file(path, MAX_TEXT, pipes=True)
    except Unreadable as error:
        examples = nearest_example(path.stem, program_names())
        raise ProgramError(f"{error}; {examples}", file=name) from None
    return loads(data, name)


def read_text(path: Path, most: int) -> str:
    """The text in a file of at most this many bytes, or out of a pipe; `Unreadable`."""
    try:
        return read_file(path, most, pipes=True).decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8 text") from None


def read_learners(path: Path) -> bytes:
    """What a learner has written, or keeps; `OSError`, as what reads exercises expects it."""
    try:
        return read_file(path, _MOST_OF_A_LEARNER)
    except Missing as error:
        raise FileNotFoundError(str(error)) from None
    except Unreadable as error:
        raise OSError(str(error)) from None


def expect_writable(path: Path) -> None:
    """`OSError` when nothing could be written there, as far as one can know; nothing is changed.

    A pipe is not opened: its reader would see the end of it before anything was written.
    """
    mode = _mode(path)
    if mode is None:
        descriptor, name = tempfile.mkstemp(dir=Path(os.path.realpath(path)).parent)
        os.close(descriptor)
        Path(name).unlink()
    elif stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        with path.open("ab"):
            pass


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have errors say which file they are of: not of what is printed meanwhile."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


class NamedWriter(io.BufferedWriter):
    """A file whose errors name it."""

    def __init__(self, raw: io.RawIOBase, path: Path) -> None:
        super().__init__(raw)
        self._path = path

    def write(self, data: "ReadableBuffer", /) -> int:
        with naming(self._path):
            return super().write(data)

    def flush(self) -> None:
        with naming(self._path):
            super().flush()

    def close(self) -> None:
        with naming(self._path):
            super().close()


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there whole in the end, or as it was before; `OSError` when it cannot be.

    What a link leads to is replaced, and not the link; what is not a file, such as a device or a
    pipe, is written as it is.  A file that is read-only stays, though its folder would let it go.
    """
    real = Path(os.path.realpath(path))
    before = _mode(real)
    if before is not None and not (stat.S_ISREG(before) and os.access(real.parent, os.W_OK)):
        with NamedWriter(io.FileIO(path, "wb"), path) as file:
            yield file
        return
    if before is not None and not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    with naming(path):
        descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name[:100]}.")
    with ExitStack() as unless_whole:
        unless_whole.callback(Path(name).unlink, missing_ok=True)
        with NamedWriter(io.FileIO(descriptor, "wb"), path) as file:
            yield file
        Path(name).chmod(_usual_mode() if before is None else stat.S_IMODE(before))
        Path(name).replace(real)
        unless_whole.pop_all()


def write_file(path: Path, data: bytes) -> None:
    """The same, of what is known already."""
    with written(path) as file:
        file.write(data)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _usual_mode() -> int:
    """What a new file may be used for, as this user wants it."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
