"""What people without a key cause in the event log: counted and joined, so that it stays theirs.

A log keeps this many entries, and whoever has no key may try as often as the line carries.  So
their entries must not be paid for by those of what was done, at any speed and for any length of
time.  The rule, which is the whole defence:

    the first try of a kind since anything was done is an entry at once; every further one of
    that kind only counts; what was counted is written, one entry a kind, just before the next
    entry of what was done.

Between two entries of what was done there are then at most two of each kind, `MOST_BETWEEN` in all:
the first is there at most once, because only an entry of what was done makes the next try a first
one again; the joined one at most once, because only an entry of what was done writes it, and it
leaves nothing counted behind.  Nothing else writes either, neither time nor speed nor a restart:
what is counted is part of the pump's account of itself, and wakes up with it.  So of any
1 + `MOST_BETWEEN` entries in a row at least one says what was done, and nothing that was done is
pushed out before (entries kept) / (1 + `MOST_BETWEEN`) other things were done after it.

No try is lost on the way: the counts in the log and what still waits come to as many as there were.
Only a power cut forgets what was counted after the last record; to record each would let a stranger
keep the memory busy.
"""

import msgspec
from msgspec.structs import replace

from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import Alarm, LogKind

# The kinds of entries that somebody without a key can cause; the lock's alarm is one of theirs too.
_TRIES = (LogKind.PROOF_FAILED, LogKind.TURNED_AWAY)
_ALARMS = (LogKind.ALARM_RAISED, LogKind.ALARM_CLEARED)
KINDS = (*_TRIES, *_ALARMS)
# How many entries of theirs there can be between two of what was done: a first one and a joined one
# of each kind.
MOST_BETWEEN = 2 * len(KINDS)
_MOST = 2**32 - 1


def is_strangers(kind: LogKind, first: int) -> bool:
    """Whether an entry of that kind, with that first figure, may be a stranger's doing."""
    return kind in _TRIES or (kind in _ALARMS and first == Alarm.PAIRING_LOCKED)


class Strangers(msgspec.Struct, frozen=True):
    """What strangers have done since the last entry of what was done.

    `noted`: the kinds of which there is an entry already; `waiting`: what was only counted since,
    an entry a kind, as it would be written now.  The second figure of each is how many.
    """

    noted: tuple[LogKind, ...] = ()
    waiting: tuple[LogEntry, ...] = ()

    def is_sound(self) -> bool:
        """Whether a pump can have written this."""
        kinds = [each.kind for each in self.waiting]
        figures = (figure for each in self.waiting for figure in (each.first, each.second))
        return (
            len(kinds) == len(set(kinds))
            and set(kinds) <= set(self.noted) <= set(KINDS)
            and all(0 <= figure <= _MOST for figure in figures)
        )

    def is_first(self, kind: LogKind) -> bool:
        """Whether the next of that kind is written at once."""
        return kind not in self.noted

    def written(self, kind: LogKind) -> "Strangers":
        """The same once the first of a kind is written."""
        return replace(self, noted=(*self.noted, kind))

    def counted(self, entry: LogEntry) -> "Strangers":
        """The same with one more, which is not written."""
        others = tuple(each for each in self.waiting if each.kind is not entry.kind)
        before = sum(each.second for each in self.waiting if each.kind is entry.kind)
        joined = replace(entry, second=min(before + entry.second, _MOST))
        return replace(self, waiting=(*others, joined))

    def joined(self, elapsed: int, clock: int) -> tuple[LogEntry, ...]:
        """The entries of what waits, written at that moment."""
        return tuple(replace(each, elapsed=elapsed, clock=clock) for each in self.waiting)

    def count(self, kind: LogKind) -> int:
        """How many of a kind wait to be written."""
        return sum(each.second for each in self.waiting if each.kind is kind)


NOBODY = Strangers()
