"""A clinician at the programmer: calls again when the line was lost, asks for nothing twice.

The one idea: a request that changes the pump has one transaction, however often it must be sent.
What became of it is known in the end, or it is said that it is not.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, TypeVar

from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    NoReply,
    OutcomeUnknown,
    PumpUnproven,
    ReadbackDiffers,
    RequestRefused,
    SessionRefused,
    UnexpectedReply,
)
from mockpump.emulator.programmer.opening import FindKey
from mockpump.emulator.programmer.procedures import Procedure, learn_outcome
from mockpump.emulator.world.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.catalogue import Message
from mockpump.protocol.messages import Fate, Reason

T = TypeVar("T")
# What the pump says to a message that was not this one any more when it came: the checksum of a
# frame lets one in 65,536 bent ones through, and the session does not.
_UNHEARD = (Reason.BAD_TAG, Reason.OLD_COUNTER, Reason.NO_SESSION)
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


class OutOfReach(Exception):
    """The pump could not be reached, however often it was called."""


class Heard(NamedTuple):
    """What the clinician hears or does on the way to an outcome; `reply` when that is it."""

    text: str
    reply: Message | None = None


class Clinician:
    """Somebody with a programmer, in a world.  `find_key` is the keyring; None: no session."""

    def __init__(self, world: World, find_key: FindKey | None) -> None:
        self.world = world
        self.find_key = find_key

    def reach(self) -> None:
        """Have a connection, and a session in it; `OutOfReach` when that cannot be had."""
        for _ in range(_CALLS):
            if self.world.programmer.connection.is_open:
                return
            try:
                self.world.connect(self.find_key)
            except _LOST:
                self.world.hang_up()
                continue
            return
        raise OutOfReach

    def read(self, procedure: Callable[[], Procedure[T]]) -> T:
        """What a procedure that changes nothing gives, however often it must be begun."""
        for _ in range(_CALLS):
            self.reach()
            try:
                return self.world.run(procedure())
            except _LOST:
                continue
            except RequestRefused as refused:
                if refused.refused.reason not in _UNHEARD:
                    raise
                self.world.hang_up()
        raise OutOfReach

    def change(self, procedure: Callable[[], Procedure[Any]]) -> Iterator[Heard]:
        """Have something done; the last thing heard has the reply, or there is none to be had."""
        try:
            yield from self._change(procedure)
        except OutOfReach:
            yield Heard("the pump is out of reach; what was asked for may or may not be done")

    def _change(self, procedure: Callable[[], Procedure[Any]]) -> Iterator[Heard]:
        while True:
            try:
                yield Heard("", self.read(procedure))
                return
            except RequestRefused as refused:
                yield Heard("", refused.refused)
                return
            except OutcomeUnknown as unknown:
                yield Heard(f"nothing is heard: {unknown}")
                self.world.deaf = False
                known = self.read(partial(learn_outcome, unknown.transaction))
            yield Heard("calls again, and asks what became of that transaction")
            if known.fate is not Fate.NEVER_SEEN:
                fate = known.fate.name.lower()
                yield Heard(
                    f"it is known to be {fate}: the request is not sent a second time",
                    m.decode(known.reply),
                )
                return
            yield Heard("it has never come: the request is sent again")
