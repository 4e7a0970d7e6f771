"""What is read out of a memory's file, held against what a pump writes.

Whoever edits the file by hand may have left something else there.  All of it is looked at when the
memory is opened, so what is wrong with it is said then, in one line, and not one day.
"""

from typing import Any

import msgspec

from mockpump.emulator.memory.interface import MemoryFailed, Outcome
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.log import LogEntry, encode_entry
from mockpump.protocol.messages import CHAIN_SIZE

FIELDS = LogEntry.__struct_fields__
_U32 = 2**32 - 1
# More than any pump comes to.
MOST_OUTCOMES = _U32


def blob(value: object, what: str) -> bytes:
    """Bytes."""
    if not isinstance(value, bytes):
        raise MemoryFailed(f"the memory is damaged: {what} is not made of bytes")
    return value


def number(value: object) -> int:
    """The number of an entry."""
    if not isinstance(value, int) or not 0 <= value <= _U32:
        raise MemoryFailed("the log is damaged: what should be the number of an entry is none")
    return value


def link_of(value: object) -> bytes:
    """The chain after an entry."""
    if len(blob(value, "its log")) != CHAIN_SIZE:
        raise MemoryFailed("the log is damaged: what should be its chain is none")
    return blob(value, "its log")


def entry(row: tuple[Any, ...]) -> LogEntry:
    """An entry of the log."""
    try:
        found = msgspec.convert(dict(zip(FIELDS, row, strict=True)), LogEntry)
        encode_entry(found)
    except (msgspec.ValidationError, LocalProtocolError) as error:
        raise MemoryFailed(f"the log is damaged: {error}") from error
    return found


def outcome_count(value: object) -> int:
    """How many outcomes there were when one was recorded."""
    if not isinstance(value, int) or value <= 0:
        raise MemoryFailed("the memory is damaged: what should count its outcomes is not a number")
    return value


def outcome(place: object, transaction: object, request: object, reply: object) -> Outcome:
    """An outcome, and at which count it was recorded."""
    outcome_count(place)
    if not isinstance(transaction, int) or not 0 <= transaction <= _U32:
        raise MemoryFailed("the memory is damaged: what should be a transaction's number is none")
    what = f"the outcome of transaction {transaction}"
    return Outcome(transaction, blob(request, what), blob(reply, what))
