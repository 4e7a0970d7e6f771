"""Pairing keys on the command line: where the keyring is, and the one time a key is printed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from mockpump.cli.terminal import echo, warn
from mockpump.emulator.programmer.keyring import BadKeyring, Keyring, KeysTaken
from mockpump.emulator.pump.pairing import Keys
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.keyring_file import (
    HandedOver,
    changed_keyring,
    keyring_with,
    read_keyring,
    take_out,
)
from mockpump.protocol.messages import Access

# Beside its other settings, wherever this system keeps those.
DEFAULT_KEYRING = Path(click.get_app_dir("mockpump")) / "keyring.json"
# The environment variable that takes sessions out of everything, for a class on the lower layers.
OPEN_VARIABLE = "MOCKPUMP_OPEN"
LAST_SERIAL = 2**32 - 1
_WIDTH = max(len(access.name) for access in Access)


def open_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option that does without a session; `text` is its help."""
    return click.option("--open/--paired", "is_open", envvar=OPEN_VARIABLE, help=text)


def replace_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that throws away what a keyring has under the same number."""
    text = "If the keyring has other keys under that number, put the new ones in their place."
    return click.option("--replace-keys", is_flag=True, help=text)(command)


class KeyPlace(NamedTuple):
    """Where keys go: into a keyring, in place of others if it `replaces`; else they are shown."""

    keyring: Path | None
    replaces: bool = False

    def change(
        self, keys: Keys, identity: PumpIdentity, old: Keys | None = None
    ) -> Callable[[Keyring], None]:
        """What puts the keys of a pump into the keyring; `old` are those that it had until now.

        `KeysTaken` when there are others under its number, unless they are to be replaced.
        """

        def give(ring: Keyring) -> None:
            if self.replaces:
                ring.replace(identity.serial, identity.name, keys.values())
            else:
                ring.give(identity.serial, identity.name, keys.values(), old=(old or {}).values())

        return give


def draw_serial(keyring: Path | None) -> int:
    """A number for a new pump, that no other one in the keyring has."""
    known = Keyring() if keyring is None else read_keyring(keyring)
    while (serial := drawing.serial()) in known:
        pass
    return serial


@contextmanager
def handed_over(
    keys: Keys, identity: PumpIdentity, place: KeyPlace, old: Keys | None = None
) -> Iterator[HandedOver]:
    """Have somebody hold a pump's new keys before they are the pump's.

    Unless they are to be kept in the end, a keyring is as it was before, and whoever has seen them
    is told.
    """
    if place.keyring is not None:
        with (
            advising_to_replace(),
            keyring_with(place.keyring, place.change(keys, identity, old)) as waiting,
        ):
            yield waiting
        echo(f"its pairing keys are in {place.keyring}")
        return
    show_keys(keys, identity)
    sys.stdout.flush()
    shown = HandedOver()
    try:
        yield shown
    except BaseException as error:
        if not shown.kept:
            error.add_note("the keys shown are no pump's")
        raise


@contextmanager
def lent(keys: Keys, identity: PumpIdentity, place: KeyPlace) -> Iterator[None]:
    """Keep the keys of a pump in a keyring for as long as there is the pump."""
    if place.keyring is None:
        yield
        return
    with advising_to_replace(), changed_keyring(place.keyring) as ring:
        place.change(keys, identity)(ring)
    try:
        yield
    finally:
        try:
            take_out(place.keyring, identity.serial, keys.values())
        except BadKeyring as error:
            warn(f"the keys of a pump that has ended are still in it: {error}")


@contextmanager
def _advising(advice: str) -> Iterator[None]:
    try:
        yield
    except KeysTaken as error:
        error.add_note(advice)
        raise


def advising_to_replace() -> AbstractContextManager[None]:
    """Say which option throws away the keys that a keyring has under a number."""
    return _advising("--replace-keys puts the new ones in their place")


def advising_on_serial() -> AbstractContextManager[None]:
    """Say what else can be done about a number that is taken."""
    return _advising("another --serial leaves them there")


def show_keys(keys: Keys, identity: PumpIdentity, *, err: bool = False) -> None:
    """Show a pump's new keys, this once."""
    whose = f"pairing keys of number {identity.serial}"
    echo(f"{whose}, shown this once (`mockpump programmer pair` takes one):", err=err)
    for access, key in keys.items():
        echo(f"  {access.name.lower():{_WIDTH}}  {key.text}", err=err)
