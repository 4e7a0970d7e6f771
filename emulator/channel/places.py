"""Which transmission a chunk on the line is, in words that mean the same in another run.

The one idea: what is drawn (the id of a connection) or counted over everything (how many chunks
went by) differs as soon as two runs differ at all.  So a connection is called by its ordinal on
this line, a frame by its number within the connection, and a repeated one by how often it has been
sent: one loss more changes only the transmissions that there are because of it.
"""

from functools import lru_cache
from typing import NamedTuple

from mockpump.protocol.framing import Frame, FrameDecoder, Kind

# The kind of what is no frame of TIDE/1, or more than one.
FOREIGN = 0
# Connections older than so many are no longer told apart from those that never were.
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
