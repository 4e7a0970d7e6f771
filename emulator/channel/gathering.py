"""Bytes as they are read, gathered to chunks: one for each frame, however the reads fall.

The fate of a frame depends on which frame it is, so a live line must know a whole one before it can
say what happens to it; a reader may have it in any number of pieces.
"""

import re

from mockpump.protocol.framing import MAX_ENCODED

# How long the beginning of what may be a frame waits for more of it, in microseconds: a byte at 300
# baud takes 33,000, and what a USB adapter holds back comes after 16,000.
PATIENCE = 50_000
# A delimiter, and as much as there can be in a frame.
_LONGEST = 1 + MAX_ENCODED
# From one delimiter to the next is a frame, or may be; what comes before the first of them is not.
# The last alternative, outside the group, is the beginning of what has not come to its end.
_CHUNK = re.compile(rb"([^\0]+|\0+[^\0]+\0)|\0+[^\0]*\Z")


class Gatherer:
    """Gathers what one end of a live line reads.  When `waiting` for `PATIENCE`, `flush` it.

    Only what comes behind a delimiter waits: text that is not a frame goes through as it was read.
    """

    def __init__(self) -> None:
        self._begun = b""

    @property
    def waiting(self) -> bool:
        """Whether it has the beginning of what may be a frame."""
        return bool(self._begun)

    def receive_data(self, data: bytes) -> list[bytes]:
        """Take what was read; the chunks that are complete with it."""
        begun = self._begun + data
        chunks = [chunk for chunk in _CHUNK.findall(begun) if chunk]
        self._begun = begun[sum(map(len, chunks)) :]
        return chunks + (self.flush() if len(self._begun) > _LONGEST else [])

    def flush(self) -> list[bytes]:
        """What waits, as the chunk that it is."""
        chunks = [self._begun] if self._begun else []
        self._begun = b""
        return chunks
