"""What every `mockpump programmer` command needs that changes the pump: that its outcome is known.

When the reply to a change is lost, the pump is called again and asked what happened to it; and of
whatever else goes wrong it is said that nothing was changed.
"""

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mockpump.cli.keys import DEFAULT_KEYRING
from mockpump.cli.programmer.session import Options, connected
from mockpump.cli.signals import STOPPED, telling
from mockpump.cli.terminal import complain
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
    SessionTaken,
    UnexpectedReply,
)
from mockpump.emulator.programmer.procedures import Procedure, ask
from mockpump.emulator.programmer.recovery import Settled, settle
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol import messages as m
from mockpump.protocol.errors import InternalError, MockpumpError
from mockpump.protocol.messages.base import Message

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
# How often the programmer calls again to learn what happened to a request whose reply was lost, and
# how many seconds it waits between two calls: a pump that starts again needs a moment.
_CALLS = 3
_PAUSE = 1.0
# How often beside that it calls a pump that still has the session of before: that gives it up when
# it has heard nothing of it for 16 s.
_BUSY_CALLS = 20
_REPEATED = "the request had not reached the pump; it was sent once more, as the same transaction"
_WAITING = (
    "the pump is busy with a session, perhaps the lost one; asking until it ends, 20 s at most"
)


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


def change_pump(options: Options, asked: Message | Procedure[Any]) -> Any:
    """Connect, have one thing changed, and hang up; the reply.

    A procedure may read beforehand what it takes, from the same pump.  When the reply is lost, the
    pump is called again and asked what happened to it.
    """
    with recovering(options) as recovery, changing(), connected(options) as session:
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
    options.pump.count = True
    try:
        yield recovery
    except OutcomeUnknown as unknown:
        recovery.reply = _learn(options, unknown)
    except STOPPED as stopped:
        if isinstance(stopped.__cause__, OutcomeUnknown):
            stopped.add_note(f"ask again with: {how_to_ask(options, stopped.__cause__)}")
        raise


def _learn(options: Options, unknown: OutcomeUnknown) -> Message:
    complain("the reply was lost; asking the pump what happened to it")
    try:
        with telling(lambda: f"{unknown}; ask again with: {how_to_ask(options, unknown)}"):
            settled = _call_until_settled(options, unknown)
    except OutcomeForgotten as forgotten:
        forgotten.add_note(f"its event log may tell: {_command(options, forgotten, 'log')}")
        raise
    except OutcomeUnknown as still:
        still.add_note(f"ask again with: {how_to_ask(options, still)}")
        raise
    if settled.repeated:
        complain(_REPEATED)
    reply = settled.reply
    if reply is None:
        raise _without_effect(unknown, "the request never reached the pump")
    if settled.repeated and _lacks_staged(reply):
        raise _without_effect(unknown, "the staged program was lost with its connection")
    if isinstance(reply, m.Refused):
        raise RequestRefused(unknown.request, reply)
    return reply


def _without_effect(unknown: OutcomeUnknown, why: str) -> ConnectionLost:
    lost = ConnectionLost(unknown.reason)
    lost.add_note(f"{why}; nothing was changed")
    return lost


def _lacks_staged(reply: Message) -> bool:
    return isinstance(reply, m.Refused) and reply.reason is m.Reason.NOTHING_STAGED


def how_to_ask(options: Options, unknown: OutcomeUnknown) -> str:
    """The command that asks this pump, with the same key, what happened to it."""
    asking = ["outcome", str(unknown.transaction)]
    if unknown.before is not None and unknown.before.outcomes is not None:
        asking += ["--since", str(unknown.before.outcomes)]
    return _command(options, unknown, *asking)


def _command(options: Options, unknown: OutcomeUnknown, *asking: str) -> str:
    words = ["mockpump", "programmer", "--port", str(options.port)]
    if options.is_open:
        words.append("--open")
    elif options.keyring != DEFAULT_KEYRING:
        words += ["--keyring", str(options.keyring)]
    if options.access is not None:
        words += ["--as", options.access.name.lower()]
    if unknown.before is not None:
        words += ["--serial", str(unknown.before.identity.serial)]
    return shlex.join([*words, *asking])


def _call_until_settled(options: Options, unknown: OutcomeUnknown) -> Settled:
    """Call again and again, a bounded number of times; `unknown` when that settles nothing."""
    # These calls are a way of waiting themselves.
    options = options._replace(wait=0)
    busy, calls, most_busy = 0, 1, _BUSY_CALLS
    taken: object = unknown.__cause__
    while True:
        if isinstance(taken, SessionTaken):
            # Whoever took the session over is not thrown out by a question, nor waited for.
            options, most_busy = options._replace(take_over=False), 0
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
            unknown, taken = again, again.__cause__
            calls += 1
        except MockpumpError as error:
            # Whatever it is, what happened to the transaction is not known by it.
            taken = error
            if _is_busy(error) and busy < most_busy:
                busy += 1
                if busy == 1:
                    complain(_WAITING)
            else:
                calls += 1
        if calls > _CALLS:
            raise unknown
        time.sleep(_PAUSE)


def _is_busy(error: MockpumpError) -> bool:
    return isinstance(error, SessionRefused) and error.refused.reason is m.Reason.BUSY
