"""What every `mockpump programmer` command needs: options, a connection, a way to say things."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from mockpump.cli.recording import all_of
from mockpump.cli.render import as_json
from mockpump.cli.tables import show_facts
from mockpump.cli.terminal import echo
from mockpump.cli.waiting import tell_waiting
from mockpump.emulator.programmer.errors import (
    NotPaired,
    RequestRefused,
    SessionRefused,
)
from mockpump.emulator.programmer.handshake import FindKey, meet_pump, open_session
from mockpump.emulator.programmer.known_pump import KnownPump
from mockpump.emulator.programmer.procedures import Procedure, ask
from mockpump.emulator.programmer.programmer import Connected, Opening
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer, Tap
from mockpump.emulator.transports.keyring_file import read_keyring
from mockpump.emulator.transports.recording import ProgrammerTap
from mockpump.emulator.transports.waiting import opened
from mockpump.protocol import messages as m
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.messages.base import Message

_ADVICE: dict[type[Exception], dict[m.Reason, str]] = {
    SessionRefused: {
        m.Reason.WRONG_PROOF: "the key in the keyring is not this pump's, or no longer; pair again",
        m.Reason.NOT_PAIRED: "it has no keys: if it is open, so can the programmer be (--open)",
        m.Reason.BUSY: "another programmer has a session with it; a clinician may end that one"
        " with --take-over",
    },
    RequestRefused: {
        m.Reason.NO_SESSION: "it takes one: leave out --open, and unset MOCKPUMP_OPEN",
        m.Reason.BUSY: "`mockpump programmer bolus --cancel` ends it",
        m.Reason.FORBIDDEN: "that takes the clinician's key",
    },
}


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
    take_over: bool = False
    # What sees the bytes of every connection that the command makes.
    taps: tuple[Tap, ...] = ()
    # How long a port that is not there yet is waited for, in microseconds.
    wait: int = 0


class Session(NamedTuple):
    """A programmer that is connected."""

    device: SerialProgrammer
    terms: Connected


# Draws what must be fresh for each call, and begins the connection with it.
Beginning = Callable[[], Opening]


@contextmanager
def called(options: Options, begin: Beginning, tap: Tap | None = None) -> Iterator[Session]:
    """Open the port, call the pump, begin the connection; hang up in the end."""
    if options.port is None:
        # Not before: `programmer status --help` needs no port.
        raise click.UsageError("name the pump's port with --port or MOCKPUMP_PORT")
    with ExitStack() as stack:
        taps = options.taps if tap is None else (*options.taps, tap)
        device = _device(options, options.port, all_of(*taps))
        for each in taps:
            if isinstance(each, ProgrammerTap):
                each.programmer = device.programmer
        stack.callback(_hang_up, device)
        yield Session(device, device.call(begin))


def _device(options: Options, port: str, tap: Tap | None) -> SerialProgrammer:
    return opened(
        lambda: SerialProgrammer(port, options.settings, tap),
        options.wait,
        partial(tell_waiting, options.wait),
    )


def _hang_up(device: SerialProgrammer) -> None:
    """An interrupt only cuts the goodbye short: what was asked has its answer already."""
    with suppress(KeyboardInterrupt):
        device.close()


def meeting(options: Options) -> Beginning:
    """Begin without a session."""
    return lambda: meet_pump(options.pump)


def proving(options: Options, finding: Callable[[], FindKey]) -> Beginning:
    """Begin with a session; `finding` gives what finds the key, when the port is open."""
    return lambda: open_session(
        finding(), drawing.nonce(), options.pump, take_over=options.take_over
    )


@contextmanager
def connected(options: Options, tap: Tap | None = None) -> Iterator[Session]:
    """Call the pump, and open a session with the key from the keyring, or none with --open.

    Only the first connection of a command may be to any pump: the others must meet the same one.
    """
    begin = meeting(options) if options.is_open else proving(options, _finding(options))
    with _advising(options), called(options, begin, tap) as it:
        yield it


def _finding(options: Options) -> Callable[[], FindKey]:
    def finding() -> FindKey:
        # Not before the port is open: a pump that is only just starting puts its keys there first.
        ring = read_keyring(options.keyring)
        return lambda identity: ring.find(identity.serial, options.access)

    return finding


@contextmanager
def _advising(options: Options) -> Iterator[None]:
    """Say what to do about a session that does not begin."""
    try:
        yield
    except NotPaired as error:
        missing = "" if options.keyring.exists() else f"there is no file {options.keyring}; "
        pairing = f"`mockpump programmer pair` puts one into {options.keyring}"
        error.add_note(f"{missing}{pairing}; an open pump takes --open")
        raise
    except (RequestRefused, SessionRefused) as error:
        advice = _ADVICE[type(error)].get(error.refused.reason)
        if advice is not None:
            error.add_note(advice)
        raise


def ask_pump(options: Options, request: Message) -> Any:
    """Connect, ask one question, and hang up; the reply."""
    with connected(options) as session:
        return session.device.run(ask(request))


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
