"""`mockpump programmer pair`: a key that a person types, proved to its pump, then kept."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from itertools import chain

import click

from mockpump.cli.keys import advising_to_replace, replace_option
from mockpump.cli.programmer.session import Options, called, proving, say
from mockpump.emulator.transports.keyring_file import changed_keyring
from mockpump.protocol.errors import InternalError
from mockpump.protocol.keys import BadKey, PairingKey, parse_key
from mockpump.protocol.messages.base import Access

# More than any key has; what else comes on standard input is not read.
_LONGEST = 200
_MOST_LINES = 50


@click.command()
@replace_option
@click.pass_obj
def pair(options: Options, replace_keys: bool) -> None:
    """Take a pairing key, prove it to the pump, and keep it in the keyring.

    The key is what `mockpump pump new` has printed.  It is asked for, without an echo, or read from
    standard input: so it is in no list of processes and in no shell's history.  All that was
    printed will do; of its keys, the one that grants most is taken, or the one to be taken --as.

    \b
    mockpump pump new demo.pump > keys.txt
    mockpump pump run --memory demo.pump --pty ./pump &
    mockpump programmer --port ./pump pair < keys.txt
    """
    key = _asked(options.access)
    with called(options, proving(options, lambda: lambda _: key)) as session:
        identity = session.terms.identity
    if identity is None:
        raise InternalError("a session without a pump")
    with advising_to_replace(), changed_keyring(options.keyring) as ring:
        keep = ring.learn_anew if replace_keys else ring.learn
        keep(identity.serial, identity.name, key)
    facts = {"access": key.access, "name": identity.name, "serial": identity.serial}
    granted = key.access.name.lower()
    say(options, facts, f'paired as {granted} with "{identity.name}", number {identity.serial}')


def _asked(wanted: Access | None) -> PairingKey:
    if sys.stdin.isatty():
        lines: Iterable[str] = [click.prompt("pairing key", hide_input=True, err=True)]
    else:
        lines = _typed()
    try:
        return _key_in(lines, wanted)
    except BadKey as error:
        raise click.UsageError(str(error)) from None


def _key_in(lines: Iterable[str], wanted: Access | None) -> PairingKey:
    """The first line, if that is a key; else, of the keys at the ends of lines, the one wanted.

    So both a key alone and all that `pump new` has printed will do.
    """
    rest = iter(lines)
    first = next(rest, "")
    try:
        return parse_key(first)
    except BadKey as error:
        found = {key.access: key for key in _keys_at_ends(chain([first], rest))}
        if not found:
            raise error from None
    if wanted is not None and wanted not in found:
        raise BadKey(f"no key of the {wanted.name.lower()} is in it")
    return found[max(found) if wanted is None else wanted]


def _keys_at_ends(lines: Iterable[str]) -> Iterator[PairingKey]:
    for line in lines:
        with contextlib.suppress(BadKey):
            yield parse_key("".join(line.split()[-1:]))


def _typed() -> Iterator[str]:
    for _ in range(_MOST_LINES):
        try:
            line = sys.stdin.readline(_LONGEST)
        except UnicodeDecodeError:
            return  # no key is made of such
        if not line:
            return
        yield line


COMMANDS = (pair,)
