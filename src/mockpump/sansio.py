"""The layers beneath, for programs that bring their own bytes: no I/O, no clock, no waiting.

    connection = Connection(Role.INITIATOR)
    connection.open(0x1234, now)
    line.write(connection.data_to_send(now))
    connection.receive_data(line.read(), now)
    while (event := connection.next_event()) is not None:
        ...

`Connection` is the whole protocol of one side; `Link` is it without messages and session; `Frame`,
`encode_frame` and `FrameDecoder` are what travels.  Times are microseconds of line time.
"""

from mockpump.protocol.connection import Connection, MessageReceived, MessageRejected
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, RejectedFrame, encode_frame
from mockpump.protocol.link.link import Link
from mockpump.protocol.link.types import (
    FrameDropped,
    LinkClosed,
    LinkOpened,
    LinkSettings,
    PayloadReceived,
    Role,
)

__all__ = [
    "Connection",
    "Frame",
    "FrameDecoder",
    "FrameDropped",
    "Kind",
    "Link",
    "LinkClosed",
    "LinkOpened",
    "LinkSettings",
    "MessageReceived",
    "MessageRejected",
    "PayloadReceived",
    "RejectedFrame",
    "Role",
    "encode_frame",
]
