"""What was done to the bytes on a line, one value for each time."""

from enum import Enum

import msgspec


class FaultKind(Enum):
    """What can be done to bytes under way."""

    LOSS = "loss"
    BER = "ber"
    BURST = "burst"
    TRUNCATE = "truncate"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    GARBAGE = "garbage"
    OUTAGE = "outage"
    CUT = "cut"
    OVERFLOW = "overflow"


class Layer(Enum):
    """What caught it: the layer in which it ended, or nothing."""

    FRAME = "frame"
    CRC = "crc"
    LINK = "link"
    SESSION = "session"
    MESSAGE = "message"
    TIMEOUT = "timeout"
    NOTHING = "nothing"


class Fault(msgspec.Struct):
    """One fault.  `at` is the line time in microseconds; `caught` is None while nobody knows."""

    kind: FaultKind
    from_programmer: bool
    at: int
    caught: Layer | None = None
