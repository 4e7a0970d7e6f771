"""What a pump keeps through a power cut, and the one rule for writing it.

The rule: everything that one command or one second changes is one `record`, which happens wholly or
not at all.  So a pump that answers only after `record` has returned never acknowledges what it
could forget, and never wakes up half way.

Who calls `record`: `mockpump.emulator.pump.journal`, for a pump that lives;
`mockpump.emulator.pump.factory`, for one that is made; and `mockpump.cli.memories`, which marks a
copy that lacks its WAL as not shut down.  Nobody else; a test says so.
"""

from typing import Protocol, SupportsBytes

import msgspec

from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.fields import Record
from mockpump.protocol.log import LogEntry

# Two places for programs, so that a new one never overwrites the one that rules.
SLOTS = 2


class MemoryFailed(MockpumpError):
    """The memory could not read or write; it holds what it held before."""


class StateLost(MemoryFailed):
    """The last state of a pump could not be recorded: it wakes up as after a cut of its power."""


class PowerCut(BaseException):
    """The pump's power is gone, before a write.

    Like `KeyboardInterrupt` no `Exception`: nothing in the pump may catch it and go on.  Only
    whoever plays the world does.
    """


class Outcome(Record, frozen=True):
    """What happened to a transaction: the request as it came, and the reply that it got."""

    transaction: int
    request: bytes
    reply: bytes


class Change(msgspec.Struct, frozen=True):
    """All that one write changes.

    `state` is the pump's own account of itself, opaque here: `bytes` of it is what is kept; what
    must outlast the process is made into that at once.  `images` are program images by slot
    (0 or 1); `entries` go to the end of the log.
    """

    state: SupportsBytes
    outcome: Outcome | None = None
    images: dict[int, bytes] = {}
    entries: tuple[LogEntry, ...] = ()


class LogPage(msgspec.Struct, frozen=True):
    """A stretch of the log, from entry number `first` on.

    `before` is the chain before its first entry, `newest` the number of the newest entry there is
    (0: none), `newest_chain` the chain after that one.
    """

    first: int
    newest: int
    before: bytes
    newest_chain: bytes
    entries: tuple[LogEntry, ...]


class Memory(Protocol):
    """The interface that every kind of memory has.

    `durable`: whether it outlasts the process.  `observed`: whether somebody may look at it, or
    stop a write, at any moment; where nobody can, a record that the next one replaces need not be
    made.
    """

    durable: bool

    @property
    def observed(self) -> bool:
        """Whether somebody may look at it now; the answer may change."""

    def state(self) -> bytes | None:
        """The newest state that was recorded; None before the first."""

    def image(self, slot: int) -> bytes:
        """The program image in a slot; empty when there never was one."""

    def outcome(self, transaction: int) -> Outcome | None:
        """What happened to a transaction; None when it was never seen, or too long ago."""

    def outcome_count(self) -> int:
        """How many outcomes were ever recorded, those that are forgotten included."""

    def log(self, first: int, count: int) -> LogPage:
        """At most `count` entries from number `first` on, or from the oldest kept if that is later.

        When `first` is after the newest, a page without entries.
        """

    def record(self, change: Change) -> None:
        """Keep all of a change, or, when it raises, nothing of it.

        `MemoryFailed` when it cannot be written.
        """

    def close(self) -> None:
        """Let go of whatever it is kept in."""
