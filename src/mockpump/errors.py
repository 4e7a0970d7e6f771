"""What may go wrong, for those who catch it.  All are `MockpumpError`s.

You misused the library: `LocalProtocolError`.  The other side or the line is at fault:
`DecodeError` and all the others.  The library has a bug: `InternalError`.
"""

from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    LogBroken,
    NoReply,
    NotPaired,
    OtherPump,
    OutcomeUnknown,
    ProgrammerError,
    PumpUnproven,
    ReadbackDiffers,
    RequestRefused,
    SessionRefused,
    SessionTaken,
)
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.tcp import NotLoopback
from mockpump.protocol.errors import (
    DecodeError,
    InternalError,
    LocalProtocolError,
    MockpumpError,
)
from mockpump.protocol.keys import BadKey
from mockpump.protocol.program import ProgramError

__all__ = [
    "BadKey",
    "ConnectionLost",
    "DecodeError",
    "InternalError",
    "LocalProtocolError",
    "LogBroken",
    "MockpumpError",
    "NoReply",
    "NotLoopback",
    "NotPaired",
    "OtherPump",
    "OutcomeUnknown",
    "PortError",
    "ProgramError",
    "ProgrammerError",
    "PumpUnproven",
    "ReadbackDiffers",
    "RequestRefused",
    "SessionRefused",
    "SessionTaken",
]
