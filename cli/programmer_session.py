"""What every `mockpump programmer` command needs: options, a connection, a way to say things."""

import secrets
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from mockpump.cli.keys import DEFAULT_KEYRING
from mockpump.cli.render import as_json, show_facts
from mockpump.cli.terminal import complain, echo
from mockpump.emulator.programmer.client import Connected
from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    NoReply,
    NotPaired,
    OutcomeUnknown,
    PumpUnproven,
    ReadbackDiffers,
    RequestRefused,
    SessionRefused,
)
from mockpump.emulator.programmer.opening import FindKey, open_session
from mockpump.emulator.programmer.procedures import Procedure, ask, learn_outcome
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.keyring_file import read_keyring
from mockpump.emulator.transports.serial_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol.catalogue import Message
from mockpump.protocol.errors import DecodeError, InternalError, MockpumpError
from mockpump.protocol.link_events import CloseReason
from mockpump.protocol.link_settings import LinkSettings

# What ends a call before anything was asked of the pump.
_NOTHING_ASKED = (NotPaired, PumpUnproven, SessionRefused)
_ADVICE: dict[type[Exception], dict[m.Reason, str]] = {
    SessionRefused: {
        m.Reason.WRONG_PROOF: "the key in the keyring is not this pump's, or no longer; pair again",
        m.Reason.NOT_PAIRED: "it has no keys: if it is open, so can the programmer be (--open)",
        m.Reason.BUSY: "another programmer has a session with it",
    },
    RequestRefused: {
        m.Reason.NO_SESSION: "it takes one: leave out --open, and unset MOCKPUMP_OPEN",
        m.Reason.FORBIDDEN: "that takes the clinician's key",
    },
}
# How often the programmer calls again to learn what became of a request whose reply was lost, and
# how many seconds it waits between two calls: a pump that starts again needs a moment.
_CALLS = 3
_PAUSE = 1.0


class Options(NamedTuple):
    """What every command of the group needs."""

    port: str | None
    settings: LinkSettings
    json: bool
    keyring: Path
    access: m.Access | None
    is_open: bool


class Session(NamedTuple):
    """A programmer that is connected."""

    device: SerialProgrammer
    terms: Connected


@contextmanager
def changing() -> Iterator[None]:
    """Around what changes the pump: say of every failure that nothing was changed, if that is so.

    An unknown outcome is another error, and says for itself what is not known.
    """
    try:
        yield
    except (*_NOTHING_ASKED, ConnectionLost, NoReply, ReadbackDiffers, PortError) as error:
        error.add_note("nothing was changed")
        raise


@contextmanager
def called(options: Options, find_key: FindKey | None = None) -> Iterator[Session]:
    """Open the port, call the pump, open a session if `find_key` is given; hang up in the end."""
    if options.port is None:
        # Not before: `programmer status --help` needs no port.
        raise click.UsageError("name the pump's port with --port or MOCKPUMP_PORT")
    with SerialProgrammer(options.port, options.settings) as device:
        yield Session(device, _call(device, find_key))


def _call(device: SerialProgrammer, find_key: FindKey | None) -> Connected:
    """Call under a drawn id; under another one if the pump has had that lately, and will not."""
    try:
        return _call_once(device, find_key)
    except ConnectionLost as lost:
        if lost.reason is not CloseReason.RESET:
            raise
    return _call_once(device, find_key)


def _call_once(device: SerialProgrammer, find_key: FindKey | None) -> Connected:
    opening = open_session(find_key, secrets.token_bytes(m.NONCE_SIZE)) if find_key else None
    return device.connect(secrets.randbelow(2**16), opening)


@contextmanager
def connected(options: Options) -> Iterator[Session]:
    """Call the pump, and open a session with the key from the keyring, or none with --open."""
    with _advising(options), called(options, None if options.is_open else _finder(options)) as it:
        yield it


def _finder(options: Options) -> FindKey:
    ring = read_keyring(options.keyring)
    return lambda identity: ring.find(identity.serial, options.access)


@contextmanager
def _advising(options: Options) -> Iterator[None]:
    """Say what to do about a session that does not begin."""
    try:
        yield
    except NotPaired as error:
        error.add_note(
            f"`mockpump programmer pair` puts one into {options.keyring}; an open pump takes --open"
        )
        raise
    except (RequestRefused, SessionRefused) as error:
        advice = _ADVICE[type(error)].get(error.refused.reason)
        if advice is not None:
            error.add_note(advice)
        raise


def transaction() -> int:
    """A fresh one."""
    return secrets.randbelow(2**32)


def ask_pump(options: Options, request: Message) -> Any:
    """Connect, ask one question, and hang up; the reply."""
    with connected(options) as session:
        return session.device.run(ask(request))


def change_pump(options: Options, request: Message) -> Any:
    """Connect, have one thing changed, and hang up; the reply.

    When the reply is lost, the pump is called again and asked what became of it.
    """
    with recovering(options) as recovery, changing(), connected(options) as session:
        recovery.reply = session.device.run(ask(request))
    return recovery.reply


class Recovery:
    """The reply to a change, whichever way it came."""

    reply: Any = None


@contextmanager
def recovering(options: Options) -> Iterator[Recovery]:
    """Around a change: if its outcome is unknown, call the pump again and ask.

    `RequestRefused` when the pump had said no; `ConnectionLost` when the request never arrived;
    the first `OutcomeUnknown` again, with how to ask later, when nobody answers.
    """
    recovery = Recovery()
    try:
        yield recovery
    except OutcomeUnknown as unknown:
        recovery.reply = _learn(options, unknown)


def _learn(options: Options, unknown: OutcomeUnknown) -> Message:
    complain("the reply was lost; asking the pump what became of it")
    unknown.add_note(f"ask again with: {how_to_ask(options, unknown.transaction)}")
    try:
        known = _ask_again(options, unknown)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note("; ".join([str(unknown), *unknown.__notes__]))
        raise
    if known.fate is m.Fate.NEVER_SEEN:
        never = ConnectionLost(unknown.reason)
        never.add_note("the request never reached the pump; nothing was changed")
        raise never
    return _reply_in(known, unknown)


def how_to_ask(options: Options, transaction: int) -> str:
    """The command that asks this pump, with the same key, what became of it."""
    words = ["mockpump", "programmer", "--port", str(options.port)]
    if options.is_open:
        words.append("--open")
    elif options.keyring != DEFAULT_KEYRING:
        words += ["--keyring", str(options.keyring)]
    if options.access is not None:
        words += ["--as", options.access.name.lower()]
    return shlex.join([*words, "outcome", str(transaction)])


def _ask_again(options: Options, unknown: OutcomeUnknown) -> m.OutcomeKnown:
    for call in range(_CALLS):
        if call:
            time.sleep(_PAUSE)
        try:
            with connected(options) as session:
                return session.device.run(learn_outcome(unknown.transaction))
        except InternalError:
            raise
        except MockpumpError:
            # Whatever it is, what became of the transaction is not known by it.
            continue
    raise unknown


def _reply_in(known: m.OutcomeKnown, unknown: OutcomeUnknown) -> Message:
    """The recorded reply; what is none to that request leaves the outcome unknown."""
    try:
        reply = m.decode(known.reply)
    except DecodeError:
        raise unknown from None
    if isinstance(reply, m.Refused):
        raise RequestRefused(unknown.request, reply)
    if not isinstance(reply, m.entry_of(type(unknown.request)).reply or ()):
        raise unknown
    return reply


def run_pump(options: Options, procedure: Procedure[Any]) -> Any:
    """Connect, run a procedure that only reads, and hang up; its result."""
    with connected(options) as session:
        return session.device.run(procedure)


def say(options: Options, result: object, text: str) -> None:
    """A result as JSON, or what it means in words."""
    echo(as_json(result) if options.json else text)


def show(options: Options, result: object, facts: Mapping[str, object]) -> None:
    """A result as JSON, or as names and values."""
    if options.json:
        echo(as_json(result))
    else:
        show_facts(facts)
