"""A sans-IO machine driven by the callbacks of asyncio, where nobody waits for its line.

The same rule as a `turn` of `mockpump.emulator.drive`, cut in two where that waits: the loop calls
when bytes have come or the deadline has.  Either way all events are handed on, then what is to be
sent is sent and the timer set anew.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from mockpump.emulator.drive import Driven
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.loop_timer import LoopTimer

E = TypeVar("E")


class AsyncDrive(Generic[E]):
    """A machine inside the running loop: `write` takes what goes out, `take` each event.

    Call `work` whenever something was asked of the machine itself.
    """

    def __init__(
        self, machine: Driven[E], write: Callable[[bytes], None], take: Callable[[E], None]
    ) -> None:
        self._machine = machine
        self._write = write
        self._take = take
        self._timer = LoopTimer(self._on_timer)

    def data_received(self, data: bytes) -> None:
        """Bytes have come in."""
        self._machine.receive_data(data, line_now())
        self.work()

    def _on_timer(self) -> None:
        self._machine.handle_timer(line_now())
        self.work()

    def work(self) -> None:
        """Hand on what has happened, send what is to be sent, be there at the next deadline."""
        machine = self._machine
        while (event := machine.next_event()) is not None:
            self._take(event)
        now = line_now()
        if data := machine.data_to_send(now):
            self._write(data)
        self._timer.set(machine.next_deadline(), now)

    def close(self) -> None:
        """Stop the timer; the line is its owner's to close."""
        self._timer.stop()
