"""The file of a keyring: only its owner may read it, and it is replaced whole or not at all."""

import os
import tempfile
from contextlib import ExitStack
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
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MOST + 1)
    except FileNotFoundError:
        return Keyring()
    except OSError as error:
        raise BadKeyring(f"cannot read the keyring {path}: {reason_of(error)}") from None
    if mode & _OTHERS:
        raise BadKeyring(f"others may read the keyring {path}: chmod 600 {path}")
    try:
        return keyring.loads(data)
    except (BadKeyring, BadKey) as error:
        raise BadKeyring(f"{path}: {error}") from None


def write_keyring(path: Path, ring: Keyring) -> None:
    """Keep a keyring, with its folder when that is missing; `BadKeyring` when it cannot."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
