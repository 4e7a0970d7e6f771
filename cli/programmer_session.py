"""What every `mockpump programmer` command needs: options, a connection, a way to say things."""

import secrets
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from mockpump.cli.keys import DEFAULT_KEYRING
from mockpump.cli.render import as_json, show_facts
from mockpump.emulator.programmer.client import Connected, Opening
from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    NoReply,
    NotPaired,
    OtherPump,
    OutcomeForgotten,
    OutcomeUnknown,
    PumpUnproven,
    ReadbackDiffers,
    RequestRefused,
    SessionRefused,
    UnexpectedReply,
)
from mockpump.emulator.programmer.known_pump import KnownPump
from mockpump.emulator.programmer.opening import FindKey, meet_pump, open_session
from mockpump.emulator.programmer.procedures import Procedure, ask
from mockpump.emulator.programmer.recovery import Settled, settle
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.keyring_file import read_keyring
from mockpump.emulator.transports.serial_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol.catalogue import Message
from mockpump.protocol.errors import InternalError, MockpumpError
from mockpump.protocol.link_events import CloseReason
from mockpump.protocol.link_settings import LinkSettings

# What ends a command before anything was asked that changes the pump.
_NOTHING_CHANGED = (
    NotPaired,
    PumpUnproven,
    SessionRefused,
    OtherPump,
    ConnectionLost,
    NoReply,
    UnexpectedReply,
    ReadbackDiffers,
    PortError,
)
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
# How often a connection id is drawn: a pump that remembers one answers it with RESET.
_DRAWS = 4
# How often the programmer calls again to learn what became of a request whose reply was lost, and
# how many seconds it waits between two calls: a pump that starts again needs a moment.
_CALLS = 3
_PAUSE = 1.0
# How often beside that it calls a pump that still has the session of before: that gives it up when
# it has heard nothing of it for 16 s.
_BUSY_CALLS = 20
_REPEATED = "the request had not reached the pump; it was sent once more, as the same transaction"
_WAITING = "the pump still has the lost session, and is asked until that has ended; at most 20 s"


class Options(NamedTuple):
    """What every command of the group needs."""

    port: str | None
    settings: LinkSettings
    json: bool
    keyring: Path
    access: m.Access | None
    is_open: bool
    # The one pump that the command talks to, in however many connections.
    pump: KnownPump


class Session(NamedTuple):
    """A programmer that is connected."""

    device: SerialProgrammer
    terms: Connected


@contextmanager
def changing() -> Iterator[None]:
    """Around what changes the pump: say of every failure that nothing was changed, if that is so.

    It is so because nothing was sent that changes a pump, to whichever pump: when such a request is
    lost the error is `OutcomeUnknown`, which says for itself what is not known.
    """
    try:
        yield
    except _NOTHING_CHANGED as error:
        error.add_note("nothing was changed")
        raise


# Draws what must be fresh for each call, and begins the connection with it.
Beginning = Callable[[], Opening]


@contextmanager
def called(options: Options, begin: Beginning) -> Iterator[Session]:
    """Open the port, call the pump, begin the connection; hang up in the end."""
    if options.port is None:
        # Not before: `programmer status --help` needs no port.
        raise click.UsageError("name the pump's port with --port or MOCKPUMP_PORT")
    with SerialProgrammer(options.port, options.settings) as device:
        yield Session(device, _call(device, begin))


def _call(device: SerialProgrammer, begin: Beginning) -> Connected:
    """Call under a drawn id; under another one if the pump has had that lately, and will not."""
    for _ in range(_DRAWS - 1):
        try:
            return device.connect(secrets.randbelow(2**16), begin())
        except ConnectionLost as lost:
            if lost.reason is not CloseReason.RESET:
                raise
    return device.connect(secrets.randbelow(2**16), begin())


def meeting(options: Options, *, count: bool = False) -> Beginning:
    """Begin without a session."""
    return lambda: meet_pump(options.pump, count=count)


def proving(options: Options, find_key: FindKey) -> Beginning:
    """Begin with a session."""
    return lambda: open_session(find_key, secrets.token_bytes(m.NONCE_SIZE), options.pump)


@contextmanager
def connected(options: Options, *, count: bool = False) -> Iterator[Session]:
    """Call the pump, and open a session with the key from the keyring, or none with --open.

    Whoever will change the pump has it say its `count` of outcomes first; in a session it does.
    Only the first connection of a command may be to any pump: the others must meet the same one.
    """
    clear = options.is_open
    begin = meeting(options, count=count) if clear else proving(options, _finder(options))
    with _advising(options), called(options, begin) as it:
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


def change_pump(options: Options, asked: Message | Procedure[Any]) -> Any:
    """Connect, have one thing changed, and hang up; the reply.

    A procedure may read beforehand what it takes, from the same pump.  When the reply is lost, the
    pump is called again and asked what became of it.
    """
    with recovering(options) as recovery, changing(), connected(options, count=True) as session:
        procedure = ask(asked) if isinstance(asked, Message) else asked
        recovery.reply = session.device.run(procedure)
    return recovery.reply


class Recovery:
    """The reply to a change, whichever way it came."""

    reply: Any = None


@contextmanager
def recovering(options: Options) -> Iterator[Recovery]:
    """Around a change: if its outcome is unknown, call the pump again and ask.

    `RequestRefused` when the pump had said no; `ConnectionLost` when it is certain that the request
    never arrives; `OutcomeUnknown`, with how to ask later, when nothing is.
    """
    recovery = Recovery()
    try:
        yield recovery
    except OutcomeUnknown as unknown:
        recovery.reply = _learn(options, unknown)


def _learn(options: Options, unknown: OutcomeUnknown) -> Message:
    _tell("the reply was lost; asking the pump what became of it")
    try:
        settled = _call_until_settled(options, unknown)
    except OutcomeUnknown as still:
        still.add_note(f"ask again with: {how_to_ask(options, still)}")
        raise
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"{unknown}; ask again with: {how_to_ask(options, unknown)}")
        raise
    if settled.repeated:
        _tell(_REPEATED)
    reply = settled.reply
    if reply is None or (settled.repeated and _lost_what_was_staged(reply)):
        never = ConnectionLost(unknown.reason)
        never.add_note("the request never reached the pump; nothing was changed")
        raise never
    if isinstance(reply, m.Refused):
        raise RequestRefused(unknown.request, reply)
    return reply


def _lost_what_was_staged(reply: Message) -> bool:
    """What was to be committed was gone with its connection, and the pump has recorded that."""
    return isinstance(reply, m.Refused) and reply.reason is m.Reason.NOTHING_STAGED


def _tell(text: str) -> None:
    click.echo(f"mockpump: {text}", err=True)


def how_to_ask(options: Options, unknown: OutcomeUnknown) -> str:
    """The command that asks this pump, with the same key, what became of it."""
    words = ["mockpump", "programmer", "--port", str(options.port)]
    if options.is_open:
        words.append("--open")
    elif options.keyring != DEFAULT_KEYRING:
        words += ["--keyring", str(options.keyring)]
    if options.access is not None:
        words += ["--as", options.access.name.lower()]
    asking = ["outcome", str(unknown.transaction)]
    if unknown.before is not None:
        words += ["--serial", str(unknown.before.identity.serial)]
        if unknown.before.outcomes is not None:
            asking += ["--since", str(unknown.before.outcomes)]
    return shlex.join([*words, *asking])


def _call_until_settled(options: Options, unknown: OutcomeUnknown) -> Settled:
    """Call again and again, a bounded number of times; `unknown` when that settles nothing."""
    busy, calls = 0, 1
    while True:
        try:
            with connected(options) as session:
                return session.device.run(settle(unknown, session.terms))
        except (InternalError, OutcomeForgotten):
            raise
        except OtherPump as other:
            unknown.add_note(str(other))
            raise unknown from None
        except OutcomeUnknown as again:
            # Sent once more, and that reply was lost too.
            unknown = again
            calls += 1
        except MockpumpError as error:
            # Whatever it is, what became of the transaction is not known by it.
            if _is_busy(error) and busy < _BUSY_CALLS:
                busy += 1
                if busy == 1:
                    _tell(_WAITING)
            else:
                calls += 1
        if calls > _CALLS:
            raise unknown
        time.sleep(_PAUSE)


def _is_busy(error: MockpumpError) -> bool:
    return isinstance(error, SessionRefused) and error.refused.reason is m.Reason.BUSY


def run_pump(options: Options, procedure: Procedure[Any]) -> Any:
    """Connect, run a procedure that only reads, and hang up; its result."""
    with connected(options) as session:
        return session.device.run(procedure)


def say(options: Options, result: object, text: str) -> None:
    """A result as JSON, or what it means in words."""
    click.echo(as_json(result) if options.json else text)


def show(options: Options, result: object, facts: Mapping[str, object]) -> None:
    """A result as JSON, or as names and values."""
    if options.json:
        click.echo(as_json(result))
    else:
        show_facts(facts)
