"""One of two connections over a pty, and nothing else: no device, no loop, no belief.

As a process of its own it is the pump's end, which answers every request with the same status.
"""

import math
import os
import select

from bench.children import ChildError, announce, raw_pty
from bench.codec_rows import STATUS
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol.connection import Connection, ConnectionEvent, MessageReceived
from mockpump.protocol.link.types import LinkClosed, LinkOpened, Role
from mockpump.protocol.messages.base import Message

_CHUNK = 4096


class End:
    """A connection and the descriptor that it speaks through, with its timers kept."""

    def __init__(self, descriptor: int, role: Role) -> None:
        self.connection = Connection(role)
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def send(self, message: Message) -> None:
        """Have it sent at the next wait."""
        self.connection.send(message, line_now())

    def open(self, connection: int) -> None:
        """Call the other end, and wait until it answers."""
        self.connection.open(connection, line_now())
        while not isinstance(self._next_event(), LinkOpened):
            pass

    def next_message(self) -> Message:
        """Send what is due and wait for a message; `ChildError` when the link ends first."""
        while True:
            event = self._next_event()
            if isinstance(event, MessageReceived):
                return event.message

    def _next_event(self) -> ConnectionEvent:
        while (event := self.connection.next_event()) is None:
            self._work()
        if isinstance(event, LinkClosed):
            raise ChildError(f"the link has ended: {event.reason.value}")
        return event

    def _work(self) -> None:
        """Send what is due, wait for bytes or the next deadline, take what came."""
        connection, now = self.connection, line_now()
        if data := connection.data_to_send(now):
            os.write(self._descriptor, data)
        deadline = connection.next_deadline()
        wait = None if deadline is None else math.ceil(max(deadline - now, 0) / 1000)
        came = self._poll.poll(wait)
        now = line_now()
        if came:
            connection.receive_data(os.read(self._descriptor, _CHUNK), now)
        if deadline is not None and now >= deadline:
            connection.handle_timer(now)


def main() -> None:
    """Answer until the parent has gone."""
    master, path = raw_pty()
    end = End(master, Role.ACCEPTOR)
    announce(path)
    while True:
        end.next_message()
        end.send(STATUS)


if __name__ == "__main__":
    main()
