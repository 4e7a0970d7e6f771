"""What a pump keeps through a power cut, and the one rule for writing it.

The rule: everything that one command changes is one `record`, which happens wholly or not at all.
So a pump that answers only after `record` has returned never acknowledges what it could forget.
"""

from typing import Protocol

from mockpump.protocol.fields import Record

# How many outcomes a pump remembers; an older transaction counts as never seen.
OUTCOMES = 64


class Outcome(Record, frozen=True):
    """What became of a transaction: the request as it came, and the reply that it got."""

    transaction: int
    request: bytes
    reply: bytes


class Memory(Protocol):
    """The interface that every kind of memory has."""

    def program(self) -> bytes | None:
        """The image of the active program; None before the first."""

    def outcome(self, transaction: int) -> Outcome | None:
        """What became of a transaction; None when it was never seen, or too long ago."""

    def record(self, outcome: Outcome, program: bytes | None = None) -> None:
        """Keep an outcome and, with it, a new active program: both or neither."""
