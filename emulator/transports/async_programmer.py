"""The programmer in asyncio: the same procedures, awaited, over any line that takes callbacks."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, cast

from mockpump.emulator.programmer.errors import OutcomeUnknown
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.programmer.programmer import (
    Connected,
    Opening,
    Programmer,
    ProgrammerEvent,
    TelemetryReceived,
    result_of,
)
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortError, reason_of
from mockpump.emulator.transports.loss import fail_pending
from mockpump.protocol import messages as m
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.link.types import LinkSettings

T = TypeVar("T")


class AsyncProgrammer:
    """A programmer inside the running asyncio loop.

    Give it `write` for what goes out, call `data_received` with what comes in.  `on_telemetry` is
    called with every report.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        settings: LinkSettings | None = None,
        on_telemetry: Callable[[m.Telemetry], None] | None = None,
    ) -> None:
        self.programmer = Programmer(settings)
        self._write = write
        self._on_telemetry = on_telemetry
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._awaited: asyncio.Future[Any] | None = None

    async def connect(self, connection: int, opening: Opening | None = None) -> Connected:
        """Call the pump under a fresh connection id, and run `opening` first if it is given.

        `ConnectionLost` when nobody answers; whatever `opening` fails with.  Cancelled, it gives up
        the call.
        """
        self.programmer.connect(connection, line_now(), opening)
        return cast(Connected, await self._until_end())

    async def run(self, procedure: Procedure[T]) -> T:
        """Run a procedure to its end and return its result; raises what it fails with.

        Cancelled, it ends the connection at once: whatever came later could be taken for the answer
        to another question.  An outcome that nobody knows is noted on the cancellation.
        """
        self.programmer.start(procedure, line_now())
        return cast(T, await self._until_end())

    async def _until_end(self) -> Any:
        self._awaited = self._loop.create_future()
        self._work()
        try:
            return await self._awaited
        except asyncio.CancelledError as cancelled:
            error = fail_pending(self.programmer, "cancelled", line_now())
            if isinstance(error, OutcomeUnknown):
                cancelled.add_note(str(error))
            self._work()
            raise

    def disconnect(self) -> None:
        """End the connection in good order."""
        self.programmer.disconnect(line_now())
        self._work()

    def data_received(self, data: bytes) -> None:
        """Bytes have come in."""
        self.programmer.receive_data(data, line_now())
        self._work()

    def line_lost(self, why: str) -> None:
        """The line itself is gone: what is awaited raises `PortError` or `OutcomeUnknown`."""
        self.close()
        error = fail_pending(self.programmer, why, line_now())
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(error)

    def close(self) -> None:
        """Stop the timer; the line is its owner's to close."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _work(self) -> None:
        while (event := self.programmer.next_event()) is not None:
            self._take(event)
        now = line_now()
        data = self.programmer.data_to_send(now)
        if data:
            self._write(data)
        self._set_timer(now)

    def _set_timer(self, now: int) -> None:
        """Be there at the next deadline; a timer that comes before it finds nothing due."""
        deadline = self.programmer.next_deadline()
        if deadline is not None and self._timer is not None and self._timer_at <= deadline:
            return
        self.close()
        if deadline is not None:
            self._timer_at = deadline
            self._timer = self._loop.call_later(max(deadline - now, 0) / 1e6, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.programmer.handle_timer(line_now())
        self._work()

    def _take(self, event: ProgrammerEvent) -> None:
        if isinstance(event, TelemetryReceived):
            if self._on_telemetry is not None:
                self._on_telemetry(event.telemetry)
        elif self._awaited is not None and not self._awaited.done():
            try:
                self._awaited.set_result(result_of(event))
            except MockpumpError as error:
                self._awaited.set_exception(error)


class _ClientProtocol(asyncio.Protocol):
    """The client end of a TCP line."""

    def __init__(self) -> None:
        self.programmer: AsyncProgrammer | None = None

    def data_received(self, data: bytes) -> None:
        """Bytes have come from the pump."""
        if self.programmer is not None:
            self.programmer.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The pump has hung up."""
        if self.programmer is not None:
            self.programmer.line_lost("the pump has hung up")


async def connect_tcp(
    host: str, port: int, settings: LinkSettings | None = None
) -> tuple[AsyncProgrammer, asyncio.Transport]:
    """A programmer over TCP; `PortError` when nobody listens there."""
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.create_connection(_ClientProtocol, host, port)
    except (OSError, ValueError) as error:
        raise PortError(f"cannot connect to {host}:{port}: {reason_of(error)}") from None
    protocol.programmer = AsyncProgrammer(transport.write, settings)
    return protocol.programmer, transport
