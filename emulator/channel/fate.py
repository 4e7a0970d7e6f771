"""What becomes of a transmission: a pure function of the seed and of which transmission it is.

Why it is a function, and not a stream of draws.  Were chance consumed draw by draw, then one loss
more would give every later chunk another draw: a run with one thing changed would be another run
altogether, and nothing could be said of what the one thing did.  Here

    fate = hash(seed; direction, connection, kind, number, transmission; stage)

and nothing is consumed (`mockpump.emulator.channel.places` says what those five are).  So in two
runs of one seed a transmission that is in both meets the same fate, whatever else differs, and
what was sent before the first difference is the same to the byte.

Every stage (a kind of impairment, or the digits that it needs) has bits of its own: the words of
one hash for what is decided once for a chunk, further hashes for what is decided for its bytes.
An impairment compares its word with a threshold made from its share.  So a changed share changes
nothing for the other impairments, and a higher share hits every chunk that a lower one hits.

Not in here: silence, a cut and the bad stretches of a bursty line are facts about the line and not
about a chunk.  They are functions of line time, and a chunk meets what there is when it is sent.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from mockpump.emulator.channel.chance import Chance
from mockpump.emulator.channel.gaps import WORD
from mockpump.emulator.channel.places import Place
from mockpump.emulator.channel.quantities import WHOLE

_MESSAGE = struct.Struct(">?qBqqBq")
_WORDS = struct.Struct(">8Q")


class Stage(IntEnum):
    """What the bits of a hash decide."""

    CHUNK = 0
    BITS = 1
    BURST = 2
    GARBAGE = 3


# Looked up for every chunk, and a member of an enumeration is slow to look up.
_CHUNK = int(Stage.CHUNK)


class Fate(NamedTuple):
    """What is decided once for a chunk, a word of 64 bits for each stage.

    `length` is how much is left of a truncated chunk, `jitter` how much later it comes, and `bits`
    where the first byte is bent.
    """

    loss: int
    truncate: int
    length: int
    duplicate: int
    reorder: int
    garbage: int
    jitter: int
    bits: int


# The fate of every chunk on a line on which nothing is left to chance.
SPARED = Fate(*[WORD - 1] * 8)


class Fates:
    """The fates of all transmissions under one seed."""

    __slots__ = ("_chance",)

    def __init__(self, seed: int) -> None:
        self._chance = Chance(seed, "fate")

    def fate(self, place: Place) -> Fate:
        """What is decided once for a chunk."""
        return Fate._make(_WORDS.unpack(self._chance.block(_MESSAGE.pack(*place, _CHUNK, 0))))

    def words(self, place: Place, stage: Stage, number: int) -> tuple[int, ...]:
        """The eight words of a stage that have this number."""
        return _WORDS.unpack(self.block(place, stage, number))

    def block(self, place: Place, stage: Stage, number: int) -> bytes:
        """The same as bytes."""
        return self._chance.block(_MESSAGE.pack(*place, stage, number))


def threshold(share: int) -> int:
    """The least word that a share, in parts per billion, does not hit: it hits all below."""
    return -(-share * WORD // WHOLE)


def below(count: int, word: int) -> int:
    """A number from 0 to before `count`, which must be small beside 2**64."""
    return word * count // WORD
