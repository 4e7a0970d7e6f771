"""A clean line in virtual time: bytes arrive, all of them, as late as baud rate and latency say."""

from mockpump.protocol.fields import Record

_BITS_A_BYTE = 10  # one start bit, eight data bits, one stop bit


class CleanLine(Record, frozen=True):
    """One direction of a line.  `latency` in microseconds; `baud` 0 means infinitely fast."""

    latency: int = 1_000
    baud: int = 0

    def duration(self, size: int) -> int:
        """How long so many bytes occupy the line, in microseconds, rounded up."""
        return -(-size * _BITS_A_BYTE * 1_000_000 // self.baud) if self.baud else 0
