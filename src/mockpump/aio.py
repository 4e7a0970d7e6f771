"""Pumps and programmers in asyncio, in real time.

import asyncio
from mockpump import Pump
from mockpump.aio import connect, serve_pump

async def main() -> None:
    async with serve_pump(Pump.new()) as served:
        async with await connect(served.host, served.port) as programmer:
            print(await programmer.status())

asyncio.run(main())
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from mockpump.emulator.programmer.client import AsyncPumpClient
from mockpump.emulator.programmer.handshake import open_session
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.async_programmer import connect_tcp
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.tcp import TcpListener
from mockpump.protocol.keys import PairingKey, parse_key
from mockpump.protocol.link.types import LinkSettings

__all__ = ["ServedPump", "connect", "serve_pump"]


class ServedPump(NamedTuple):
    """A pump that is being served: where, and the pump itself."""

    host: str
    port: int
    pump: Pump


@asynccontextmanager
async def serve_pump(
    pump: Pump, host: str = "127.0.0.1", port: int = 0, *, speed: int | None = 1
) -> AsyncIterator[ServedPump]:
    """Let a pump live and be called over TCP, as long as an `async with` lasts.

    `port` 0 takes a free one; `speed` is how many seconds of pump time pass in a second (0: it
    stands still; None: as fast as its telemetry is carried away).  `PortError` when the address
    cannot be had; `NotLoopback` for one that other machines can reach.
    """
    time_scale = TimeScale(speed, now=line_now(), elapsed=pump.elapsed)
    runner = PumpRunner(PumpServer(pump, time_scale, drawing.secret))
    try:
        listener = TcpListener(runner)
        await listener.listen(host, port)
        try:
            yield ServedPump(*listener.address, pump)
        finally:
            listener.close()
    finally:
        runner.close()


async def connect(
    host: str,
    port: int,
    key: str | PairingKey | None = None,
    *,
    settings: LinkSettings | None = None,
) -> AsyncPumpClient:
    """Call the pump at a TCP address, in a session with a pairing key if one is given.

    The errors are those of `mockpump.serial.connect`.
    """
    pairing_key = parse_key(key) if isinstance(key, str) else key
    programmer, transport = await connect_tcp(host, port, settings)

    async def close() -> None:
        if programmer.programmer.connection.is_open:
            programmer.disconnect()
        programmer.line_lost("closed here")
        transport.close()

    try:
        opening = None
        if pairing_key is not None:
            opening = open_session(lambda _: pairing_key, drawing.nonce())
        terms = await programmer.connect(drawing.connection_id(), opening)
    except BaseException:
        await close()
        raise
    return AsyncPumpClient(programmer.run, drawing.transaction, close, terms)
