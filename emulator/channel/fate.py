"""What happens to a transmission: a pure function of the seed and of which transmission it is.

Why it is a function, and not a stream of draws.  Were chance consumed draw by draw, then one loss
more would give every later chunk another draw: a run with one thing changed would be another run
altogether, and nothing could be said of what the one thing did.  Here

    fate = hash(seed; direction, connection, kind, number, transmission; stage)

and nothing is consumed (`Place` says what those five are).  So in two
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
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

from mockpump.protocol.framing import Frame, FrameDecoder, Kind
from mockpump.protocol.units import WHOLE, Burst

_NUMBER = struct.Struct(">q")
# How many bytes a hash gives.
BLOCK_SIZE = 64

# A fair word is below this.
WORD = 2**64


class Chance:
    """The draws of one name under one seed: 64 bytes for any message.

    BLAKE2b with a key is a pseudorandom function: what it gives for one message says nothing about
    what it gives for another, so the bytes are independent draws for every purpose here.  It gives
    the same bytes on every platform and in every version of Python.
    """

    __slots__ = ("_keyed",)

    def __init__(self, seed: int, name: str) -> None:
        key = blake2b(f"{seed}/{name}".encode(), digest_size=32).digest()
        self._keyed = blake2b(digest_size=BLOCK_SIZE, key=key)

    def block(self, message: bytes) -> bytes:
        """64 bytes that depend on the seed, the name and this message alone."""
        # A copy is quicker than to give the key anew: 0.5 us.
        drawn = self._keyed.copy()
        drawn.update(message)
        return drawn.digest()


class Stream:
    """Draws numbered 0, 1, 2, ...: each depends on the seed, the name and its number alone."""

    __slots__ = ("_chance", "_count")

    def __init__(self, seed: int, name: str) -> None:
        self._chance = Chance(seed, name)
        self._count = 0

    def randbytes(self, size: int) -> bytes:
        """The next draw, of at most 64 bytes."""
        drawn = self._chance.block(_NUMBER.pack(self._count))
        self._count += 1
        return drawn[:size]


# The kind of what is not a frame of TIDE/1, or more than one.
FOREIGN = 0
# Connections older than this many are no longer told apart from those that never were.
_MOST_CONNECTIONS = 16
_NUMBERS = 256
_OPEN, _DATA = int(Kind.OPEN), int(Kind.DATA)


class Place(NamedTuple):
    """A transmission on a line.

    `connection`: 1 for the first that was opened on it, 0 for what belongs to none.  `number`: of a
    DATA frame, its sequence number with its turns counted (the 300th is 299, not 43); 0 of others.
    `transmission`: 1 for the first time that it is sent.  Acknowledgements, resets and foreign
    bytes are all alike: there it is simply their own count.
    """

    from_programmer: bool
    connection: int
    kind: int
    number: int
    transmission: int


# The one idea: what is drawn (the id of a connection) or counted over everything (how many chunks
# went by) differs as soon as two runs differ at all.  So a connection is called by its ordinal on
# this line, a frame by its number within the connection, and a repeated one by how often it has
# been sent: one loss more changes only the transmissions that there are because of it.
class Places:
    """Names what is sent on one line, in the order in which it is sent.  Bounded, however long."""

    def __init__(self) -> None:
        self._strays = _Connection(0)
        self._newest: int | None = None
        self._count = 0
        self._known: dict[int, _Connection] = {}

    def place(self, from_programmer: bool, data: bytes) -> Place:
        """The name of a chunk that is just being sent."""
        frame = only_frame(data)
        if frame is None:
            return self._strays.place(from_programmer, FOREIGN, 0)
        if frame.kind == _OPEN and frame.connection != self._newest:
            self._open(frame.connection)
        connection = self._known.get(frame.connection, self._strays)
        return connection.place(from_programmer, frame.kind, frame.seq)

    def _open(self, identity: int) -> None:
        self._newest = identity
        self._count += 1
        self._known.pop(identity, None)
        self._known[identity] = _Connection(self._count)
        if len(self._known) > _MOST_CONNECTIONS:
            del self._known[next(iter(self._known))]


@lru_cache(maxsize=16)
def only_frame(data: bytes) -> Frame | None:
    """The frame that a chunk is; None when it is anything else.

    Whoever looks at a chunk asks for it, one after the other.
    """
    found = FrameDecoder().receive_data(data)
    if len(found) != 1 or data[-1]:
        return None
    return found[0] if isinstance(found[0], Frame) else None


class _Connection:
    """What has been sent in one connection, either way."""

    def __init__(self, ordinal: int) -> None:
        self._ordinal = ordinal
        self._sent: dict[tuple[bool, int, int], int] = {}
        self._newest = {True: -1, False: -1}

    def place(self, from_programmer: bool, kind: int, seq: int) -> Place:
        number = self._number(from_programmer, seq) if kind == _DATA else 0
        name = from_programmer, kind, number
        self._sent[name] = count = self._sent.get(name, 0) + 1
        return Place(from_programmer, self._ordinal, kind, number, count)

    def _number(self, from_programmer: bool, seq: int) -> int:
        """The number that has this sequence number and is nearest to the newest one.

        A window is far smaller than half of all sequence numbers, so there is no other.
        """
        newest = self._newest[from_programmer]
        number = newest + (seq - newest + _NUMBERS // 2) % _NUMBERS - _NUMBERS // 2
        if number > newest:
            self._newest[from_programmer] = number
            # Nobody sends those again.
            for each in range(max(newest + 1, _NUMBERS), number + 1):
                self._sent.pop((from_programmer, _DATA, each - _NUMBERS), None)
        return number


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
    where the first byte is damaged.
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


# How many steps pass until the next hit, when each is hit by a chance of its own.
#
# The gap is at least j with the chance (1 - p)**j, so it is the most j for which a fair word lies
# below that.  The powers of 1 - p for 1, 2, 4, ... steps, in whole numbers of 2**-64, find it: from
# the largest on, each is taken when the word still lies below the product.  So one word stands for
# any number of steps, and a higher share never gives a longer gap.
class Gaps:
    """Gaps of up to 2**(bits + 1) - 1 steps, which is where longer ones end.

    `none` is the chance that a step is not hit, of 2**64.
    """

    __slots__ = ("_none",)

    def __init__(self, none: int, bits: int) -> None:
        self._none = [none]
        for _ in range(bits):
            self._none.append(self._none[-1] ** 2 // WORD)

    def passes(self, steps: int, word: int) -> bool:
        """Whether it is plain at a glance that this many steps, fewer than 2**bits, are not hit."""
        return word < self._none[steps.bit_length()]

    def gap(self, word: int) -> int:
        """The gap for a fair word of 64 bits."""
        gap, chance = 0, WORD
        for bit in range(len(self._none) - 1, -1, -1):
            smaller = chance * self._none[bit] // WORD
            if word < smaller:
                gap, chance = gap + (1 << bit), smaller
        return gap


_SLOT = struct.Struct(">qq")
_TWO_WORDS = struct.Struct(">QQ")
# Blocks that are kept, since the bytes of a chunk ask for the same few.
_MOST_KEPT = 64

# A slot that decides, and whether the line is bad from it on.
_Decision = tuple[int, bool]


# When a bursty line is bad: a Gilbert-Elliott chain whose state at any slot can be asked for.
#
# A slot is the time of one byte.  Before each the line may change: when good it turns bad with the
# chance `enter`, when bad it turns good with the chance `leave`.  Where it stands at slot n depends
# on all slots before; but chance that can be forked must not depend on who asked before, and a line
# that was idle for a week must not be walked along slot by slot.
#
# Draw one u for each slot, and let it decide for both states: the line is bad next if u < enter
# (when it was good) or if u < 1 - leave (when it was bad).  When enter + leave <= 1, u falls
#
#     below enter            bad next, whatever it was       chance enter
#     from 1 - leave on      good next, whatever it was      chance leave
#     between                it stays as it was              the rest
#
# So slots are of two kinds: those that *decide*, with the chance p = enter + leave, and those that
# change nothing.  The state at n is what the last deciding slot up to n has decided, and nothing
# before it matters.  This is the chain itself and no approximation of it: the stationary share of
# bad slots is enter / p, a bad stretch is 1 / leave slots long in the mean.  When enter + leave >
# 1, the slots between swap the states, those that decide have the chance p = 2 - enter - leave, and
# the state is what was decided, swapped as often as there were slots since.
#
# Which slots decide is drawn for blocks of 2**k slots, the least 2**k >= 1 / p, from each block's
# own bits, gap by gap (`Gaps`).  Gaps have no memory, so blocks drawn apart from each other are one
# sequence.  A block has no deciding slot with the chance (1 - p)**(2**k), which is at most 1 / e:
# the search for the last one looks at about two blocks at the most in the mean, and at over 40 once
# in 10**17 times.  Before slot 0 the line stands as its stationary share says.
class BadStretches:
    """When one direction of a line is bad, by the bits of `chance`.

    `hits` is the threshold for a byte on the bad line: a word below it is a hit.
    """

    def __init__(self, burst: Burst, chance: Chance) -> None:
        self.hits = threshold(burst.hit)
        self._chance = chance
        total = burst.enter + burst.leave
        self._swaps = total > WHOLE
        # Of a billion slots: how many decide, and how many of them say bad.
        self._deciding, self._bad = total, burst.enter
        if self._swaps:
            self._deciding, self._bad = 2 * WHOLE - total, WHOLE - burst.leave
        self._at_first = self._drawn(-1, 0)[1] * total < burst.enter * WORD
        self._bits = (-(-WHOLE // self._deciding) - 1).bit_length() if self._deciding else 0
        self._gaps = Gaps((WHOLE - self._deciding) * WORD // WHOLE, self._bits)
        self._kept: dict[int, list[_Decision]] = {}

    def bad(self, slot: int) -> bool:
        """Whether the line is bad in this slot."""
        at, decided = self._last_decision(slot)
        return decided ^ bool(self._swaps and (slot - at) & 1)

    def _last_decision(self, slot: int) -> _Decision:
        block = slot >> self._bits if self._deciding else -1
        while block >= 0:
            for decision in reversed(self._decisions(block)):
                if decision[0] <= slot:
                    return decision
            block -= 1
        return -1, self._at_first

    def _decisions(self, block: int) -> list[_Decision]:
        """The deciding slots of a block, in order."""
        if block not in self._kept:
            if len(self._kept) == _MOST_KEPT:
                self._kept.clear()
            self._kept[block] = self._decide(block)
        return self._kept[block]

    def _decide(self, block: int) -> list[_Decision]:
        found: list[_Decision] = []
        at, end = block << self._bits, (block + 1) << self._bits
        while True:
            gap, verdict = self._drawn(block, len(found))
            at += self._gaps.gap(gap)
            if at >= end:
                return found
            found.append((at, verdict * self._deciding < self._bad * WORD))
            at += 1

    def _drawn(self, block: int, number: int) -> tuple[int, int]:
        one, other = _TWO_WORDS.unpack_from(self._chance.block(_SLOT.pack(block, number)))
        return one, other


def stretches(bad: list[bool]) -> list[tuple[int, int]]:
    """Where it is bad without a break: from the first to before the last."""
    edges = [at for at, (one, two) in enumerate(pairwise([False, *bad, False])) if one != two]
    return list(zip(edges[::2], edges[1::2], strict=True))
