"""How many steps pass until the next hit, when each is hit by a chance of its own.

The gap is at least j with the chance (1 - p)**j, so it is the most j for which a fair word lies
below that.  The powers of 1 - p for 1, 2, 4, ... steps, in whole numbers of 2**-64, find it: from
the largest on, each is taken when the word still lies below the product.  So one word stands for
any number of steps, and a higher share never gives a longer gap.
"""

WORD = 2**64


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
        """Whether it is plain at a glance that so many steps, fewer than 2**bits, are not hit."""
        return word < self._none[steps.bit_length()]

    def gap(self, word: int) -> int:
        """The gap for a fair word of 64 bits."""
        gap, chance = 0, WORD
        for bit in range(len(self._none) - 1, -1, -1):
            smaller = chance * self._none[bit] // WORD
            if word < smaller:
                gap, chance = gap + (1 << bit), smaller
        return gap
