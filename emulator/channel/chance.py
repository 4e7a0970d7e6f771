"""Chance that can be forked: a draw is a hash of the seed, of what it is for and of which it is.

Nothing is consumed.  A draw that is made once more, or not at all, changes no other; two runs that
part somewhere go on to meet the same chance wherever they do the same.
"""

import struct
from hashlib import blake2b

_NUMBER = struct.Struct(">q")
# How many bytes a hash gives.
BLOCK_SIZE = 64


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
