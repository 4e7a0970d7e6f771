"""A clinician at the programmer: calls again when the line was lost, asks for nothing twice.

The one idea: a request that changes the pump has one transaction, however often it must be sent.
What happened to it is known in the end, or it is said that it is not.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, TypeVar

from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    NoReply,
    OtherPump,
    OutcomeUnknown,
    PumpUnproven,
    ReadbackDiffers,
    RequestRefused,
    SessionRefused,
    UnexpectedReply,
)
from mockpump.emulator.programmer.handshake import FindKey
from mockpump.emulator.programmer.known_pump import KnownPump
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.programmer.programmer import Connected
from mockpump.emulator.programmer.recovery import Settled, settle
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Message

T = TypeVar("T")
# How often it calls before it gives up.
_CALLS = 6
_LOST = (
    ConnectionLost,
    NoReply,
    SessionRefused,
    PumpUnproven,
    ReadbackDiffers,
    UnexpectedReply,
)


class PumpUnreachable(Exception):
    """The pump could not be reached, however often it was called."""


class Attempt(NamedTuple):
    """What the clinician hears or does on the way to an outcome; `reply` when that is it."""

    text: str
    reply: Message | None = None


class RetryingProgrammer:
    """Somebody with a programmer, in a world.  `find_key` is the keyring; None: no session."""

    def __init__(self, world: World, find_key: FindKey | None) -> None:
        self.world = world
        self.find_key = find_key
        self.pump = KnownPump(count=True)
        # Those of the latest connection.
        self._terms = Connected(0, 0)

    def reach(self) -> None:
        """Have a connection, and a session in it; `PumpUnreachable` when that cannot be had."""
        for _ in range(_CALLS):
            if self.world.programmer.connection.is_open:
                return
            try:
                self._terms = self.world.call(self.find_key, self.pump)
            except OtherPump as other:
                raise PumpUnreachable from other
            except _LOST:
                self.world.hang_up()
                continue
            return
        raise PumpUnreachable

    def read(self, procedure: Callable[[], Procedure[T]]) -> T:
        """What a procedure that changes nothing gives, however often it must be begun."""
        for _ in range(_CALLS):
            self.reach()
            try:
                return self.world.run(procedure())
            except _LOST:
                continue
        raise PumpUnreachable

    def _settle(self, unknown: OutcomeUnknown) -> Procedure[Settled]:
        return settle(unknown, self._terms, same_line=True)

    def change(self, procedure: Callable[[], Procedure[Any]]) -> Iterator[Attempt]:
        """Have something done; the last thing heard has the reply, or there is none to be had."""
        try:
            yield from self._change(procedure)
        except PumpUnreachable:
            yield Attempt("the pump is out of reach; what was asked for may or may not be done")

    def _change(self, procedure: Callable[[], Procedure[Any]]) -> Iterator[Attempt]:
        while True:
            try:
                yield Attempt("", self.read(procedure))
                return
            except RequestRefused as refused:
                yield Attempt("", refused.refused)
                return
            except OutcomeUnknown as unknown:
                yield Attempt(f"no reply: {unknown}")
                self.world.drop_replies = False
                try:
                    reply = self.read(partial(self._settle, unknown)).reply
                except OutcomeUnknown:
                    yield Attempt(
                        "the pump cannot say any more whether it was done; it is not known"
                    )
                    return
            yield Attempt("calls again, and asks what happened to that transaction")
            if reply is not None:
                fate = "refused" if isinstance(reply, m.Refused) else "done"
                text = f"the pump reports it {fate}; not resent"
                yield Attempt(text, reply)
                return
            yield Attempt("the pump never received it; resending")
