"""The TCP listener: on loopback, several clients into one pump, and no way to use it up."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from outside import PATIENCE

from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.pump.making import new_pump
from mockpump.emulator.pump.station import Station
from mockpump.emulator.transports import tcp
from mockpump.emulator.transports.async_programmer import connect_tcp
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.runner import PumpRunner
from mockpump.emulator.transports.tcp import MAX_CLIENTS, TcpLine, TcpListener
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame


def with_listener(test: Callable[[TcpListener], Awaitable[None]], host: str = "127.0.0.1") -> None:
    """Run a coroutine with a pump that listens on a free port."""

    async def run() -> None:
        runner = PumpRunner(Station(new_pump()))
        listener = TcpListener(runner)
        await listener.listen(host, 0)
        try:
            await asyncio.wait_for(test(listener), PATIENCE)
        finally:
            listener.close()
            runner.close()
            await asyncio.sleep(0)

    asyncio.run(run())


def test_two_clients_talk_to_the_same_pump() -> None:
    async def test(listener: TcpListener) -> None:
        (one, line_one), (two, line_two) = [await connect_tcp(*listener.address) for _ in "12"]
        await asyncio.gather(one.connect(1), two.connect(2))
        await one.run(ask(m.Suspend(77)))
        status: m.Status = await two.run(ask(m.GetStatus()))
        assert status.mode is m.Mode.SUSPENDED
        for each in (line_one, line_two):
            each.close()

    with_listener(test)


def test_a_client_that_leaves_leaves_nothing() -> None:
    async def test(listener: TcpListener) -> None:
        programmer, transport = await connect_tcp(*listener.address)
        await programmer.connect(1)
        assert len(listener.runner.station.ports) == 1
        transport.abort()
        while listener.runner.station.ports:
            await asyncio.sleep(0)
        assert listener._lines == {}

    with_listener(test)


Streams = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


async def crowd(listener: TcpListener) -> Streams:
    """As many clients as there may be, none of which says anything yet."""
    streams = [await asyncio.open_connection(*listener.address) for _ in range(MAX_CLIENTS)]
    while len(listener._lines) < MAX_CLIENTS:
        await asyncio.sleep(0)
    return streams


async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Call the pump, and hear it answer."""
    writer.write(encode_frame(Frame(Kind.OPEN, 5, payload=b"\x00\xf0\x08")))
    (answer,) = FrameDecoder().receive_data(await reader.read(100))
    assert isinstance(answer, Frame)
    assert answer.kind is Kind.OPEN_ACK


async def hung_up_on(reader: asyncio.StreamReader) -> None:
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)


def test_one_caller_too_many_is_turned_away_and_the_others_stay() -> None:
    async def test(listener: TcpListener) -> None:
        streams = await crowd(listener)
        for each in streams:
            await call(*each)
        reader, writer = await asyncio.open_connection(*listener.address)
        await hung_up_on(reader)
        writer.close()
        assert all(line.calls for line in listener._lines)
        assert len(listener._lines) == MAX_CLIENTS
        for _, stream in streams:
            stream.transport.abort()

    with_listener(test)


def test_clients_that_say_nothing_keep_nobody_out() -> None:
    async def test(listener: TcpListener) -> None:
        streams = await crowd(listener)
        await call(*streams[0])
        newcomer = await asyncio.open_connection(*listener.address)
        await call(*newcomer)
        await hung_up_on(streams[1][0])
        assert len(listener._lines) == MAX_CLIENTS
        assert sum(line.calls for line in listener._lines) == 2
        for _, stream in [*streams, newcomer]:
            stream.transport.abort()

    with_listener(test)


def test_a_slow_reader_is_cut_off() -> None:
    async def test(listener: TcpListener) -> None:
        assert listener._server is not None
        listener._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client = socket.create_connection(listener.address)
        while not listener._lines:
            await asyncio.sleep(0)
        (line,) = listener._lines
        for _ in range(1000):
            line._write(bytes(10_000))
        assert line._transport is not None
        assert line._transport.is_closing()
        assert line._transport.get_write_buffer_size() <= tcp._MAX_WAITING + 10_000
        while listener._lines:
            await asyncio.sleep(0)
        client.close()

    with_listener(test)


def test_an_address_in_use_is_one_line() -> None:
    async def test(listener: TcpListener) -> None:
        host, port = listener.address
        with pytest.raises(PortError) as caught:
            await TcpListener(listener.runner).listen(host, port)
        assert str(caught.value) == f"cannot listen on {host}:{port}: address already in use"

    with_listener(test)


@pytest.mark.parametrize("host", ["203.0.113.1", "x" * 100 + ".invalid"])
def test_a_host_that_cannot_be_had_is_one_line(host: str) -> None:
    with pytest.raises(PortError, match="cannot listen on"):
        with_listener(_nothing, host)


def test_ipv6_works_where_the_machine_has_it() -> None:
    async def test(listener: TcpListener) -> None:
        assert listener.address[0] == "::1"
        programmer, transport = await connect_tcp(*listener.address)
        await programmer.connect(3)
        transport.close()

    if has_ipv6():
        with_listener(test, "::1")
    else:
        with pytest.raises(PortError, match="cannot listen on ::1"):
            with_listener(_nothing, "::1")


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_a_listener_that_does_not_listen_has_no_address() -> None:
    async def run() -> None:
        listener = TcpListener(PumpRunner(Station(new_pump())))
        with pytest.raises(PortError, match="not listening"):
            _ = listener.address
        listener.close()

    asyncio.run(run())


def test_a_line_without_a_client_takes_everything_and_does_nothing() -> None:
    async def run() -> None:
        runner = PumpRunner(Station(new_pump()))
        line = TcpLine(TcpListener(runner))
        line.data_received(b"early")
        line._write(b"early")
        line.close()
        line.connection_lost(None)
        assert runner.station.ports == []

    asyncio.run(run())


async def _nothing(listener: TcpListener) -> None:
    pass
