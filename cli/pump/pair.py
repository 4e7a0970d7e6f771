"""`mockpump pump pair`: new pairing keys for the pump in a file."""

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from mockpump.cli.keys import KeyPlace, handed_over, replace_option
from mockpump.cli.signals import undisturbed
from mockpump.emulator.memory.interface import Memory
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.pairing import draw_keys, keys_of
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.transports import drawing


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--keyring",
    type=click.Path(path_type=Path),
    help="Put the keys into this keyring, in place of showing them.",
)
@replace_option
def pair(file: Path, keyring: Path | None, replace_keys: bool) -> None:
    """Give the pump in FILE new pairing keys.  It must not be running.

    The old ones prove nothing any more, and a lock after too many wrong proofs is lifted.
    """
    from mockpump.cli.memories import opened

    if replace_keys and keyring is None:
        raise click.UsageError("--replace-keys is for --keyring")
    keys = draw_keys(drawing.secret)
    with contextlib.closing(opened(file)) as memory, _awake(memory) as pump:
        place, old = KeyPlace(keyring, replace_keys), keys_of(pump.pairing)
        with handed_over(keys, pump.identity, place, old) as handing, undisturbed():
            pump.change(partial(operations.pair, pump, keys))
            handing.keep()


@contextlib.contextmanager
def _awake(memory: Memory) -> Iterator[Pump]:
    """The pump, put down again in good order whatever comes of it, unless its memory fails."""
    pump = Pump(memory)
    try:
        yield pump
    finally:
        if not pump.journal.error:
            with undisturbed():
                pump.shut_down()
