"""What may go wrong, for those who catch it.  All are `MockpumpError`s.

Yours to mend: `LocalProtocolError` (a call or a value that cannot be), `ProgramError`, `BadKey`,
`NotPaired`, `NotLoopback`.  The library's: `InternalError`.  All others are the other side's or the
line's.
"""

from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    LogBroken,
    LogUnsettled,
    NoReply,
    NotPaired,
    OtherPump,
    OutcomeForgotten,
    OutcomeUnknown,
    ProgrammerError,
    PumpUnproven,
    ReadbackDiffers,
    RequestRefused,
    SessionRefused,
    SessionSpent,
    SessionTaken,
    UnexpectedReply,
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
    "LogUnsettled",
    "MockpumpError",
    "NoReply",
    "NotLoopback",
    "NotPaired",
    "OtherPump",
    "OutcomeForgotten",
    "OutcomeUnknown",
    "PortError",
    "ProgramError",
    "ProgrammerError",
    "PumpUnproven",
    "ReadbackDiffers",
    "RequestRefused",
    "SessionRefused",
    "SessionSpent",
    "SessionTaken",
    "UnexpectedReply",
]
