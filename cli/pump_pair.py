"""`mockpump pump pair`: new pairing keys for the pump in a file."""

import contextlib
import secrets
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from mockpump.cli.keys import kept, show_keys
from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.pairing import Keys, draw_keys
from mockpump.emulator.pump.pump_state import PumpIdentity


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
        with _handed_over(keys, pump.identity, keyring):
            pump.change(partial(operations.pair, pump, keys))
            pump.put_down()


@contextlib.contextmanager
def _handed_over(keys: Keys, identity: PumpIdentity, keyring: Path | None) -> Iterator[None]:
    """Have somebody hold the new keys before the old ones prove nothing any more."""
    if keyring is None:
        show_keys(keys, None, err=False)
        sys.stdout.flush()
        try:
            yield
        except MemoryFailed as error:
            error.add_note("the keys shown are not its keys")
            raise
    else:
        with kept(keys, identity, keyring):
            yield
        show_keys(keys, keyring, err=False)
