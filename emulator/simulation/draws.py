"""What is drawn in a world: ids, nonces, transactions and keys; the one place where they are.

Each kind of thing of each side has a stream of its own under the world's seed, and each draw is a
function of the seed, the stream and its number.  So a call more by one side, or a guess more by an
attacker, gives nobody else another number.
"""

from mockpump.emulator.channel.chance import Stream
from mockpump.emulator.pump.pairing import Draw
from mockpump.protocol import messages as m

PROGRAMMER = "programmer"
RIVAL = "rival"
ATTACKER = "attacker"
PUMP = "pump"


class Draws:
    """Everything that is drawn under one seed.  `who` is one of the sides above."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, Stream] = {}

    def connection(self, who: str) -> int:
        """The id of a side's next connection."""
        return int.from_bytes(self._next(who, "connection", 2))

    def transaction(self, who: str) -> int:
        """The number of a side's next change."""
        return int.from_bytes(self._next(who, "transaction", 4))

    def nonce(self, who: str) -> bytes:
        """A side's next nonce."""
        return self._next(who, "nonce", m.NONCE_SIZE)

    def source(self, who: str, what: str) -> Draw:
        """Where a side has anything else from: called with a size, it gives so many bytes."""
        return lambda size: self._next(who, what, size)

    def _next(self, who: str, what: str, size: int) -> bytes:
        name = f"{who}/{what}"
        if name not in self._streams:
            self._streams[name] = Stream(self._seed, name)
        return self._streams[name].randbytes(size)
