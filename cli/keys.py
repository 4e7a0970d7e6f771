"""Pairing keys on the command line: where the keyring is, and the one time a key is printed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from mockpump.cli.terminal import echo
from mockpump.emulator.pump.pairing import Keys
from mockpump.emulator.pump.pump_state import PumpIdentity
from mockpump.emulator.transports.keyring_file import changed_keyring
from mockpump.protocol.messages import Access

# Beside its other settings, wherever this system keeps those.
DEFAULT_KEYRING = Path(click.get_app_dir("mockpump")) / "keyring.json"
# The environment variable that takes sessions out of everything, for a class on the lower layers.
OPEN_VARIABLE = "MOCKPUMP_OPEN"
_WIDTH = max(len(access.name) for access in Access)


def open_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option that does without a session; `text` is its help."""
    return click.option("--open/--paired", "is_open", envvar=OPEN_VARIABLE, help=text)


@contextmanager
def kept(keys: Keys, identity: PumpIdentity, keyring: Path) -> Iterator[None]:
    """Put a pump's new keys into a keyring, which is looked at now and written in the end."""
    with changed_keyring(keyring) as ring:
        for key in keys.values():
            ring.add(identity.serial, identity.name, key)
        yield


def show_keys(keys: Keys, keyring: Path | None, *, err: bool) -> None:
    """Say where a pump's new keys are, or show them, this once."""
    if keyring is not None:
        echo(f"its pairing keys are in {keyring}", err=err)
        return
    echo("its pairing keys, shown this once (`mockpump programmer pair` takes one):", err=err)
    for access, key in keys.items():
        echo(f"  {access.name.lower():{_WIDTH}}  {key.text}", err=err)
