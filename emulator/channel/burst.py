"""When a bursty line is bad: a Gilbert-Elliott chain whose state at any slot can be asked for.

A slot is the time of one byte.  Before each the line may change: when good it turns bad with the
chance `enter`, when bad it turns good with the chance `leave`.  Where it stands at slot n depends
on all slots before; but chance that can be forked must not depend on who asked before, and a line
that was idle for a week must not be walked along slot by slot.

Draw one u for each slot, and let it decide for both states: the line is bad next if u < enter (when
it was good) or if u < 1 - leave (when it was bad).  When enter + leave <= 1, u falls

    below enter            bad next, whatever it was       chance enter
    from 1 - leave on      good next, whatever it was      chance leave
    between                it stays as it was              the rest

So slots are of two kinds: those that *decide*, with the chance p = enter + leave, and those that
change nothing.  The state at n is what the last deciding slot up to n has decided, and nothing
before it matters.  This is the chain itself and no approximation of it: the stationary share of bad
slots is enter / p, a bad stretch is 1 / leave slots long in the mean.  When enter + leave > 1, the
slots between swap the states, those that decide have the chance p = 2 - enter - leave, and the
state is what was decided, swapped as often as there were slots since.

Which slots decide is drawn for blocks of 2**k slots, the least 2**k >= 1 / p, from each block's own
bits, gap by gap (`mockpump.emulator.channel.gaps`).  Gaps have no memory, so blocks drawn apart
from each other are one sequence.  A block has no deciding slot with the chance (1 - p)**(2**k),
which is at most 1 / e: the search for the last one looks at about two blocks at the most in the
mean, and at over 40 once in 10**17 times.  Before slot 0 the line stands as its stationary share
says.
"""

import struct
from itertools import pairwise

from mockpump.emulator.channel.chance import Chance
from mockpump.emulator.channel.fate import threshold
from mockpump.emulator.channel.gaps import WORD, Gaps
from mockpump.emulator.channel.quantities import WHOLE, Burst

_MESSAGE = struct.Struct(">qq")
_WORDS = struct.Struct(">QQ")
# Blocks that are kept, since the bytes of a chunk ask for the same few.
_MOST_KEPT = 64

# A slot that decides, and whether the line is bad from it on.
_Decision = tuple[int, bool]


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
        one, other = _WORDS.unpack_from(self._chance.block(_MESSAGE.pack(block, number)))
        return one, other


def stretches(bad: list[bool]) -> list[tuple[int, int]]:
    """Where it is bad without a break: from the first to before the last."""
    edges = [at for at, (one, two) in enumerate(pairwise([False, *bad, False])) if one != two]
    return list(zip(edges[::2], edges[1::2], strict=True))
