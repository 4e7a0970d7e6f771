"""One of two connections over a pty, and nothing else: no device, no loop, no belief.

As a process of its own it is the pump's end, which answers every request with the same status.
"""

import math
import os
import select

from bench.children import announce, raw_pty
from bench.codec_rows import STATUS
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol.catalogue import Message
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.link_events import Role

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

    def next_message(self) -> Message:
        """Send what is due and wait, for as long as it takes."""
        while True:
            while (event := self.connection.next_event()) is not None:
                if isinstance(event, MessageReceived):
                    return event.message
            self.work()

    def work(self) -> None:
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
