"""`mockpump programmer pair`: a key that a person types, proved to its pump, then kept."""

import sys

import click

from mockpump.cli.keys import advising_to_replace, replace_option
from mockpump.cli.programmer.session import Options, called, proving, say
from mockpump.emulator.transports.keyring_file import changed_keyring
from mockpump.protocol.errors import InternalError
from mockpump.protocol.keys import BadKey, PairingKey, parse_key

# More than any key has; what else comes on standard input is not read.
_LONGEST = 200


@click.command()
@replace_option
@click.pass_obj
def pair(options: Options, replace_keys: bool) -> None:
    """Take a pairing key, prove it to the pump, and keep it in the keyring.

    The key is what `mockpump pump new` has printed.  It is asked for, without an echo, or read from
    standard input: so it is in no list of processes and in no shell's history.
    """
    key = _asked()
    with called(options, proving(options, lambda _: key)) as session:
        identity = session.terms.identity
    if identity is None:
        raise InternalError("a session without a pump")
    with advising_to_replace(), changed_keyring(options.keyring) as ring:
        keep = ring.learn_anew if replace_keys else ring.learn
        keep(identity.serial, identity.name, key)
    facts = {"access": key.access, "name": identity.name, "serial": identity.serial}
    granted = key.access.name.lower()
    say(options, facts, f'paired as {granted} with "{identity.name}", number {identity.serial}')


def _asked() -> PairingKey:
    if sys.stdin.isatty():
        text: str = click.prompt("pairing key", hide_input=True, err=True)
    else:
        text = _typed()
    try:
        return parse_key(text)
    except BadKey as error:
        raise click.UsageError(str(error)) from None


def _typed() -> str:
    try:
        return sys.stdin.readline(_LONGEST)
    except UnicodeDecodeError:
        return ""  # no key is made of such


COMMANDS = (pair,)
