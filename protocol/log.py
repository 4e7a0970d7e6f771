"""The pump's event log: what an entry is, and the chain that shows whether one was changed.

The one idea: the chain after an entry is a digest of the chain before it and of the entry, so
whoever knows the newest value can tell whether any entry on the way to it was altered, left out or
put in.  Entries all have one size and are numbered from 1 without a gap, so an entry need not say
its own number.

A digest of `CHAIN_SIZE` bytes is enough for a toy and for an accident; it would not be for an
attacker with time.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated

from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Record, choice, u32
from mockpump.protocol.messages import CHAIN_SIZE, LogKind

# How many entries a pump keeps; of older ones only the chain is left.
LOG_ENTRIES = 1_000
# The chain before the first entry.
GENESIS = bytes(CHAIN_SIZE)


class LogEntry(Record, frozen=True):
    """One thing that has happened.  What the two figures are depends on the kind."""

    elapsed: Annotated[int, u32("s", "pump time of it")]
    clock: Annotated[int, u32("s", "what the pump's clock said")]
    kind: Annotated[LogKind, choice(LogKind, "what has happened")]
    first: Annotated[int, u32("", "first figure; 0 where none applies")]
    second: Annotated[int, u32("", "second figure; 0 where none applies")]


# What the two figures of each kind are.
FIGURES: dict[LogKind, tuple[str, str]] = {
    LogKind.MADE: ("serial number", ""),
    LogKind.RESTARTED: ("least that may be unaccounted for, nL", "most, nL"),
    LogKind.PROGRAM: ("first 4 bytes of the digest", ""),
    LogKind.PENDING: ("`When`", "first 4 bytes of the digest"),
    LogKind.SUSPENDED: ("", ""),
    LogKind.RESUMED: ("", ""),
    LogKind.CLOCK_SET: ("clock before, s", "clock after, s"),
    LogKind.BOLUS_STARTED: ("volume, nL", "duration, s"),
    LogKind.BOLUS_ENDED: ("volume, nL, when it ended early", "what was left of it, nL"),
    LogKind.TEMPORARY_STARTED: ("percent", "elapsed second at which it ends"),
    LogKind.TEMPORARY_ENDED: ("", ""),
    LogKind.REFILLED: ("volume, nL", "concentration, du/mL"),
    LogKind.RAMP_MOVED: ("`RampMove`", "percent afterwards"),
    LogKind.LIMITS_SET: ("highest rate, nL/h", "most within 24 h, nL"),
    LogKind.ALARM_RAISED: ("`Alarm`", "how often, of `PAIRING_LOCKED`"),
    LogKind.ALARM_CLEARED: ("`Alarm`", "how often, of `PAIRING_LOCKED`"),
    LogKind.ALARM_ACKNOWLEDGED: ("`Alarm`", ""),
    LogKind.PENDING_DROPPED: ("", ""),
    LogKind.PAIRED: ("", ""),
    LogKind.SESSION_STARTED: ("`Access`", "protocol version"),
    LogKind.PROOF_FAILED: ("`Access` that the last one claimed", "how many"),
    LogKind.TURNED_AWAY: ("`Reason` of the last one", "how many"),
    LogKind.TAKEN_OVER: ("`Access` of the session that ends", ""),
}

_CODEC = codec_for(LogEntry)
ENTRY_SIZE = len(_CODEC.encode(LogEntry(0, 0, LogKind.MADE, 0, 0)))


def encode_entry(entry: LogEntry) -> bytes:
    """An entry as it is sent and chained.  `LocalProtocolError` for a value out of its range."""
    return _CODEC.encode(entry)


def entries_of(data: bytes) -> list[LogEntry]:
    """The entries of a `LogPiece`.  `DecodeError` unless it is a whole number of them."""
    if len(data) % ENTRY_SIZE:
        raise DecodeError(f"{len(data)} bytes are no whole entries of {ENTRY_SIZE}")
    return [_CODEC.decode(data[at : at + ENTRY_SIZE]) for at in range(0, len(data), ENTRY_SIZE)]


def chain(before: bytes, entries: Iterable[LogEntry]) -> bytes:
    """The chain after some entries, given the one before them."""
    for entry in entries:
        before = link(before, encode_entry(entry))
    return before


def link(before: bytes, entry: bytes) -> bytes:
    """The chain after one entry, as it is sent, given the chain before it."""
    return hashlib.sha256(before + entry).digest()[:CHAIN_SIZE]
