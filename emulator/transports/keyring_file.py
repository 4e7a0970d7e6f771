"""The file of a keyring: only its owner may read it, and it is replaced whole or not at all."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mockpump.emulator.programmer import keyring
from mockpump.emulator.programmer.keyring import BadKeyring, Keyring
from mockpump.emulator.transports.errors import reason_of
from mockpump.protocol.pairing import BadKey

# Beyond this it is no keyring: some thousand pumps.
_MOST = 1_000_000
_OTHERS = 0o077


def read_keyring(path: Path) -> Keyring:
    """The keyring in a file, an empty one when there is no file.

    `BadKeyring` in one line when others may read it, or when it is none.
    """
    try:
        # What never ends is not waited for: a pipe that nobody writes to.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MOST + 1) if stat.S_ISREG(mode) else b""
    except FileNotFoundError:
        return Keyring()
    except OSError as error:
        raise BadKeyring(f"cannot read the keyring {path}: {reason_of(error)}") from None
    if not stat.S_ISREG(mode):
        raise BadKeyring(f"{path} is no file that a keyring could be in")
    if mode & _OTHERS:
        raise BadKeyring(f"others may read the keyring {path}: chmod 600 {path}")
    try:
        return keyring.loads(data)
    except (BadKeyring, BadKey) as error:
        raise BadKeyring(f"{path}: {error}") from None


@contextmanager
def changed_keyring(path: Path) -> Iterator[Keyring]:
    """The keyring in a file, to be kept as it is in the end; whoever else changes it waits.

    `BadKeyring` as for reading and for writing it.
    """
    try:
        _make_folder(path)
        # A file of its own: the keyring's is replaced.  It stays, since others may wait at it.
        lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BadKeyring(f"cannot write the keyring {path}: {reason_of(error)}") from None
    with os.fdopen(lock):
        fcntl.flock(lock, fcntl.LOCK_EX)
        ring = read_keyring(path)
        yield ring
        write_keyring(path, ring)


def _make_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_keyring(path: Path, ring: Keyring) -> None:
    """Keep a keyring, with its folder when that is missing; `BadKeyring` when it cannot."""
    try:
        _make_folder(path)
        # Made with mode 0600, and nobody ever sees half of it.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with ExitStack() as unless_kept:
            unless_kept.callback(Path(name).unlink, missing_ok=True)
            with os.fdopen(descriptor, "wb") as file:
                file.write(ring.dumps())
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
            unless_kept.pop_all()
    except OSError as error:
        raise BadKeyring(f"cannot write the keyring {path}: {reason_of(error)}") from None
