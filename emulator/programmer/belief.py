"""What the programmer believes of the pump: no more than the pump has said, and when it said it.

The pump's truth moves on by itself; a belief only changes when a message arrives.  A demo may show
both side by side, and a test checks that belief is never ahead of an acknowledgement.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Message


class Belief(msgspec.Struct):
    """The programmer's picture of the pump.  None: nothing was heard yet.

    `heard_at` is the line time (microseconds) of the last message that taught anything.
    """

    identity: m.Identity | None = None
    mode: m.Mode | None = None
    elapsed: int | None = None
    clock: int | None = None
    rate: int | None = None
    delivered: int | None = None
    remainder: int | None = None
    reservoir: int | None = None
    program: bytes | None = None
    heard_at: int | None = None

    def learn(self, message: Message, now: int) -> None:
        """Take in a message from the pump."""
        lesson = _LESSONS.get(type(message))
        if lesson is None:
            return
        lesson(self, message)
        self.heard_at = now


def _identity(belief: Belief, message: m.Identity) -> None:
    belief.identity = message


def _report(belief: Belief, message: m.Status | m.Telemetry) -> None:
    belief.mode = message.mode
    belief.elapsed = message.elapsed
    belief.clock = message.clock
    belief.rate = message.rate
    belief.delivered = message.delivered
    belief.remainder = message.remainder
    belief.reservoir = message.reservoir


def _clock(belief: Belief, message: m.Clock) -> None:
    belief.clock = message.clock
    belief.elapsed = message.elapsed


def _clock_set(belief: Belief, message: m.ClockSet) -> None:
    belief.clock = message.clock


def _begun(belief: Belief, message: m.ProgramBegun) -> None:
    belief.program = message.active


def _suspended(belief: Belief, message: m.Suspended) -> None:
    belief.mode = m.Mode.SUSPENDED
    belief.elapsed = message.elapsed


def _resumed(belief: Belief, message: m.Resumed) -> None:
    belief.mode = m.Mode.RUNNING
    belief.elapsed = message.elapsed


def _acknowledged(belief: Belief, message: m.AlarmAcknowledged) -> None:
    belief.mode = message.mode


_LESSONS: dict[type[Message], Callable[[Belief, Any], None]] = {
    m.Identity: _identity,
    m.Status: _report,
    m.Telemetry: _report,
    m.Clock: _clock,
    m.ClockSet: _clock_set,
    m.ProgramBegun: _begun,
    # `ProgramCommitted` teaches nothing: it may be about a program that is to rule later.
    m.Suspended: _suspended,
    m.Resumed: _resumed,
    m.AlarmAcknowledged: _acknowledged,
}
