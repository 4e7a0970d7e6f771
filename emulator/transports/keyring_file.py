"""The file of a keyring: only its owner may read it, and it is replaced whole or not at all.

By whatever name it is called, it is the file that the name leads to which is read, locked and
replaced: a link to it stays a link.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mockpump.emulator.memory.sqlite_lock import locked
from mockpump.emulator.programmer import keyring
from mockpump.emulator.programmer.keyring import BadKeyring, Keyring, KeysTaken
from mockpump.emulator.transports.errors import reason_of
from mockpump.emulator.transports.reading import Missing, Unreadable, read_file_and_mode
from mockpump.protocol.keys import BadKey, PairingKey

# Beyond this it is not a keyring: some thousand pumps.
_MOST = 1_000_000
_OTHERS = 0o077

Change = Callable[[Keyring], object]


def read_keyring(path: Path) -> Keyring:
    """The keyring in a file, an empty one when there is no file.

    `BadKeyring` in one line when others may read it, or when it is none.
    """
    data = _read(path)
    return Keyring() if data is None else _parsed(path, data)


def _read(path: Path) -> bytes | None:
    """What is in the file; None when there is none."""
    try:
        data, mode = read_file_and_mode(path, _MOST)
    except Missing:
        return None
    except Unreadable as error:
        raise BadKeyring(f"cannot read the keyring {path}: {error}") from None
    if mode & _OTHERS:
        raise BadKeyring(f"others may read the keyring {path}: chmod 600 {path}")
    return data


def _parsed(path: Path, data: bytes) -> Keyring:
    try:
        return keyring.loads(data)
    except (BadKeyring, BadKey) as error:
        raise BadKeyring(f"{path}: {error}") from None


@contextmanager
def changed_keyring(path: Path) -> Iterator[Keyring]:
    """The keyring in a file, to be kept as it is in the end; whoever else changes it waits.

    `BadKeyring` as for reading and for writing it.
    """
    with _alone_at(path):
        ring = read_keyring(path)
        with _naming(path):
            yield ring
        write_keyring(path, ring)


class HandedOver:
    """Keys that are in a keyring already, until what depends on them is done, or is not."""

    kept = False

    def keep(self) -> None:
        """It is done: they stay."""
        self.kept = True


@contextmanager
def keyring_with(path: Path, change: Change) -> Iterator[HandedOver]:
    """A keyring changed now; in the end it is again as it was before, unless it is to be kept.

    So keys are handed over before somebody depends on them.  `BadKeyring` as above.
    """
    with _alone_at(path):
        before = _read(path)
        ring = Keyring() if before is None else _parsed(path, before)
        with _naming(path):
            change(ring)
        write_keyring(path, ring)
        handed_over = HandedOver()
        try:
            yield handed_over
        except BaseException as error:
            if not handed_over.kept:
                _put_back(path, before, error)
            raise


def _put_back(path: Path, before: bytes | None, error: BaseException) -> None:
    try:
        if before is None:
            _real(path).unlink(missing_ok=True)
        else:
            _replace(path, before)
    except OSError as failed:
        error.add_note(
            f"the keyring {path} has keys in it that are no pump's, and cannot be written:"
            f" {reason_of(failed)}"
        )


def take_out(path: Path, serial: int, keys: Iterable[PairingKey]) -> None:
    """Take the keys of a pump out of a keyring, if it has those and no others; `BadKeyring`."""
    if _read(path) is None:
        return
    with _alone_at(path):
        ring = read_keyring(path)
        if ring.forget(serial, keys):
            write_keyring(path, ring)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except KeysTaken as error:
        raise KeysTaken(f"{path}: {error}") from None


@contextmanager
def _alone_at(path: Path) -> Iterator[None]:
    """Keep whoever else changes that keyring waiting, by whatever name it is called."""
    real = _real(path)
    with ExitStack() as held:
        try:
            _make_folder(real)
            # A file of its own: the keyring's is replaced.
            held.enter_context(locked(real.with_name(f".{real.name}.lock"), waits=True))
        except OSError as error:
            raise BadKeyring(f"cannot write the keyring {path}: {reason_of(error)}") from None
        yield


def _make_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def _real(path: Path) -> Path:
    """Where a path leads; not `resolve`, which fails in its own way on links in a circle."""
    return Path(os.path.realpath(path))


def write_keyring(path: Path, ring: Keyring) -> None:
    """Keep a keyring, with its folder when that is missing; `BadKeyring` when it cannot."""
    try:
        _replace(path, ring.dumps())
    except OSError as error:
        raise BadKeyring(f"cannot write the keyring {path}: {reason_of(error)}") from None


def _replace(path: Path, data: bytes) -> None:
    real = _real(path)
    _make_folder(real)
    # Made with mode 0600, and nobody ever sees half of it.
    descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    with ExitStack() as unless_kept:
        unless_kept.callback(Path(name).unlink, missing_ok=True)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(real)
        unless_kept.pop_all()
