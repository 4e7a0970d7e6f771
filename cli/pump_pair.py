"""`mockpump pump pair`: new pairing keys for the pump in a file."""

import contextlib
import secrets
from functools import partial
from pathlib import Path

import click

from mockpump.cli.keys import keep, show_keys
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.pairing import draw_keys


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--keyring",
    type=click.Path(path_type=Path),
    help="Put the keys into this keyring, in place of showing them.",
)
def pair(file: Path, keyring: Path | None) -> None:
    """Give the pump in FILE new pairing keys.  It must not be running.

    The old ones prove nothing any more, and a lock after too many wrong proofs is lifted.
    """
    from mockpump.emulator.memory.sqlite import SqliteMemory

    keys = draw_keys(secrets.token_bytes)
    with contextlib.closing(SqliteMemory.open(file)) as memory:
        pump = Pump(memory)
        pump.change(partial(operations.pair, pump, keys))
        pump.put_down()
    if keyring is not None:
        keep(keys, pump.identity.serial, pump.identity.name, keyring)
    show_keys(keys, keyring, err=False)
