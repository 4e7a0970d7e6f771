"""The TCP listener: on loopback, several clients into one pump, and no way to use it up."""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random

import pytest
from outside import PATIENCE

from mockpump.emulator.programmer.errors import ConnectionLost, SessionRefused, SessionTaken
from mockpump.emulator.programmer.handshake import open_session
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.pairing import Pairing, draw_keys, paired_with
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.transports import tcp
from mockpump.emulator.transports.async_programmer import AsyncProgrammer, connect_tcp
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.tcp import (
    NotLoopback,
    TcpBounds,
    TcpLine,
    TcpListener,
    make_room,
)
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.messages.base import Message

BOUNDS = TcpBounds()


async def turns(count: int) -> None:
    """Let the loop go round so often."""
    for _ in range(count):
        await asyncio.sleep(0)


def with_listener(
    test: Callable[[TcpListener], Awaitable[None]],
    host: str = "127.0.0.1",
    bounds: TcpBounds | None = None,
    exposed: bool = False,
) -> None:
    """Run a coroutine with a pump that listens on a free port."""

    async def run() -> None:
        runner = PumpRunner(PumpServer(new_pump(), draw=Random(1).randbytes))
        listener = TcpListener(runner, bounds=bounds)
        await listener.listen(host, 0, exposed=exposed)
        try:
            await asyncio.wait_for(test(listener), PATIENCE)
        finally:
            # Python 3.12 loses the socket of whoever is accepted as the server closes.
            await turns(5)
            listener.close()
            runner.close()
            # Whoever was on their way in comes in and is hung up on.
            await turns(5)

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
        assert len(listener.runner.server.endpoints) == 1
        transport.abort()
        while listener.runner.server.endpoints:
            await asyncio.sleep(0)
        assert lines(listener) == []

    with_listener(test)


def lines(listener: TcpListener) -> list[TcpLine]:
    """All that have a line, those in the lobby last."""
    return [*listener.admission.placed, *listener.admission.waiting]  # type: ignore[list-item]


Streams = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


async def crowd(listener: TcpListener, size: int = BOUNDS.clients) -> Streams:
    """This many clients, none of which says anything yet."""
    had = len(lines(listener))
    streams = [await asyncio.open_connection(*listener.address) for _ in range(size)]
    while len(lines(listener)) < had + size:
        await asyncio.sleep(0)
    return streams


async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Call the pump, and hear it answer."""
    writer.write(encode_frame(Frame(Kind.OPEN, 5, payload=b"\x00\xf0\x08")))
    (answer,) = FrameDecoder().receive_data(await reader.read(100))
    assert isinstance(answer, Frame)
    assert answer.kind is Kind.OPEN_ACK


async def ask_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message:
    """Ask the pump who it is, on a connection that is open."""
    writer.write(encode_frame(Frame(Kind.DATA, 5, payload=m.encode(m.Identify()))))
    (answer,) = FrameDecoder().receive_data(await reader.read(100))
    assert isinstance(answer, Frame)
    return m.decode(answer.payload)


async def hung_up_on(reader: asyncio.StreamReader) -> None:
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)


def test_one_caller_too_many_is_turned_away_and_the_others_stay() -> None:
    async def test(listener: TcpListener) -> None:
        streams = await crowd(listener)
        for each in streams:
            await call(*each)
            await ask_on(*each)
        reader, writer = await asyncio.open_connection(*listener.address)
        await hung_up_on(reader)
        writer.close()
        assert len(listener.admission.placed) == len(lines(listener)) == BOUNDS.clients
        for _, stream in streams:
            stream.transport.abort()

    with_listener(test)


def test_what_is_asked_without_a_place_is_not_done() -> None:
    """The last place went to another while this one was still in the lobby."""

    async def test(listener: TcpListener) -> None:
        late, *streams = await crowd(listener, 3)
        await call(*late)
        for each in streams:
            await call(*each)
            await ask_on(*each)
        late[1].write(encode_frame(Frame(Kind.DATA, 5, payload=m.encode(m.Suspend(1)))))
        await hung_up_on(late[0])
        assert listener.runner.server.pump.mode is m.Mode.RUNNING
        for _, stream in [late, *streams]:
            stream.transport.abort()

    with_listener(test, bounds=BOUNDS._replace(clients=2))


CALL = encode_frame(Frame(Kind.OPEN, 5, payload=b"\x00\xf0\x08"))


class Wire(asyncio.Transport):
    """A line's other end, which takes everything and notes when it is hung up on."""

    aborted = False

    def write(self, data: object) -> None:
        """Nobody reads it."""

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


class Client:
    """A client that says what a test says, in the very chunks."""

    def __init__(self, listener: TcpListener) -> None:
        self.wire = Wire()
        self.line = TcpLine(listener)
        self.line.connection_made(self.wire)

    def say(self, data: bytes) -> None:
        """All of it in one turn of the loop, unless the pump has hung up."""
        if not self.wire.aborted:
            self.line.get_buffer(len(data))[: len(data)] = data
            self.line.buffer_updated(len(data))


def change(transaction: int) -> bytes:
    return encode_frame(Frame(Kind.DATA, 5, payload=m.encode(m.SetClock(transaction, 7))))


def test_what_comes_together_with_the_call_needs_a_place_too() -> None:
    async def test(listener: TcpListener) -> None:
        clients = [Client(listener) for _ in range(6)]
        for transaction, each in enumerate(clients, 1):
            each.say(CALL + change(transaction))
        assert [each.wire.aborted for each in clients] == [False] * 2 + [True] * 4
        assert len(listener.admission.placed) == 2
        assert listener.runner.server.pump.outcomes == 2

    with_listener(test, bounds=BOUNDS._replace(clients=2))


@pytest.mark.parametrize("noise", [b"", b"\x00", b"\x01\x00" * 9, b"\x55" * 30 + b"\x00"])
def test_without_a_place_nothing_is_done_however_it_is_cut(noise: bytes) -> None:
    said = noise + CALL + noise + change(9)

    async def test(listener: TcpListener) -> None:
        late = [Client(listener) for _ in range(len(said) + 1)]
        client = Client(listener)
        client.say(CALL)
        client.say(change(1))
        for cut, each in enumerate(late):
            each.say(said[:cut])
            each.say(said[cut:])
            assert each.wire.aborted
            assert not listener.runner.server.pump.memory.outcome(9)
        assert not client.wire.aborted
        assert listener.runner.server.pump.outcomes == 1

    with_listener(test, bounds=BOUNDS._replace(clients=1))


def test_a_call_alone_takes_no_place_however_it_is_cut() -> None:
    async def test(listener: TcpListener) -> None:
        for cut in range(len(CALL) + 1):
            client = Client(listener)
            client.say(CALL[:cut])
            client.say(CALL[cut:])
            assert client.line._port is not None
            assert client.line._port.connection.is_open
        assert not listener.admission.placed

    with_listener(test)


def test_strangers_keep_nobody_out_and_those_that_leave_take_nothing() -> None:
    async def test(listener: TcpListener) -> None:
        strangers = await crowd(listener, 6)
        for each in strangers[:3]:
            await call(*each)
        newcomer = await asyncio.open_connection(*listener.address)
        await call(*newcomer)
        await hung_up_on(strangers[0][0])
        await ask_on(*newcomer)
        assert len(listener.admission.placed) == 1
        for _, stream in [*strangers, newcomer]:
            stream.transport.abort()
        while lines(listener):
            await asyncio.sleep(0)

    with_listener(test, bounds=BOUNDS._replace(lobby=6, grace=0))


def test_within_the_grace_it_is_the_newcomer_that_is_turned_away() -> None:
    async def test(listener: TcpListener) -> None:
        first, *others = await crowd(listener, 6)
        newcomer = await asyncio.open_connection(*listener.address)
        await hung_up_on(newcomer[0])
        await call(*first)
        await ask_on(*first)
        for _, stream in [first, *others, newcomer]:
            stream.transport.abort()

    with_listener(test, bounds=BOUNDS._replace(lobby=6, grace=10**9))


def test_who_holds_no_key_of_a_paired_pump_stays_in_the_lobby() -> None:
    """They may ask who it is, as often as they like, but they keep nobody out."""

    async def test(listener: TcpListener) -> None:
        listener.runner.server.pump.pairing = Pairing()
        streams = await crowd(listener, 6)
        for each in streams:
            await call(*each)
            await ask_on(*each)
        assert not listener.admission.placed
        newcomer = await asyncio.open_connection(*listener.address)
        await call(*newcomer)
        await hung_up_on(streams[0][0])
        for _, stream in [*streams, newcomer]:
            stream.transport.abort()

    with_listener(test, bounds=BOUNDS._replace(lobby=6, grace=0))


@pytest.mark.parametrize("clients", [1, 2])
def test_a_session_is_taken_over_while_all_places_are_taken(
    monkeypatch: pytest.MonkeyPatch, clients: int
) -> None:
    """And without the wish to, it is the pump that says no."""
    # No time goes by, so the places are not looked at again just because of it.
    monkeypatch.setattr(tcp, "line_now", Clock())
    keys = draw_keys(Random(4).randbytes)
    clinician = keys[m.Access.CLINICIAN]

    async def test(listener: TcpListener) -> None:
        listener.runner.server.pump.pairing = paired_with(keys)
        lines_held = list[asyncio.Transport]()

        async def come(take_over: bool) -> AsyncProgrammer:
            programmer, transport = await connect_tcp(*listener.address)
            lines_held.append(transport)
            opening = open_session(lambda _: clinician, bytes(16), take_over=take_over)
            await programmer.connect(len(lines_held), opening)
            return programmer

        holder = await come(False)
        for _ in range(4):
            with pytest.raises(SessionRefused) as caught:
                await come(False)
            assert caught.value.refused.reason is m.Reason.BUSY
            evicted, holder = holder, await come(True)
            assert isinstance(await holder.run(ask(m.GetStatus())), m.Status)
            # It is told why, by the pump: nobody has hung up on it.
            with pytest.raises(SessionTaken):
                await evicted.run(ask(m.GetStatus()))
        assert len(lines(listener)) == len(lines_held)
        assert len(listener.admission.placed) <= clients
        for each in lines_held:
            each.abort()

    with_listener(test, bounds=BOUNDS._replace(clients=clients))


def test_whoever_is_evicted_while_it_says_much_is_told_all_the_same() -> None:
    keys = draw_keys(Random(4).randbytes)
    clinician = keys[m.Access.CLINICIAN]

    async def test(listener: TcpListener) -> None:
        listener.runner.server.pump.pairing = paired_with(keys)
        (first, first_line), (second, second_line) = [
            await connect_tcp(*listener.address) for _ in "12"
        ]
        await first.connect(1, open_session(lambda _: clinician, bytes(16)))
        first_line.pause_reading()
        await second.connect(2, open_session(lambda _: clinician, bytes(16), take_over=True))
        evicted = lines(listener)[-1]
        for _ in range(BOUNDS.introduction // 100):
            evicted.get_buffer(200)[:200] = b"\x55" * 200
            evicted.buffer_updated(200)
        assert evicted._transport is not None
        assert not evicted._transport.is_closing()
        first_line.resume_reading()
        with pytest.raises(SessionTaken):
            await first.run(ask(m.GetStatus()))
        for each in (first_line, second_line):
            each.abort()

    with_listener(test, bounds=BOUNDS._replace(clients=1))


def test_whose_connection_has_ended_makes_room_for_another() -> None:
    async def test(listener: TcpListener) -> None:
        gone, here = await crowd(listener, 2)
        for each in (gone, here):
            await call(*each)
            await ask_on(*each)
        gone[1].write(encode_frame(Frame(Kind.CLOSE, 5, 1)))
        await gone[0].read(100)
        (newcomer,) = await crowd(listener, 1)
        await call(*newcomer)
        await ask_on(*newcomer)
        assert len(listener.admission.placed) == 2
        assert len(listener.admission.waiting) == 1
        for _, stream in (gone, here, newcomer):
            stream.transport.abort()

    with_listener(test, bounds=BOUNDS._replace(clients=2))


NEWCOMERS = 40
# Strangers who come in one turn of the loop, and how many of them there may be in all.
AT_ONCE, MOST_STRANGERS = 4, 40_000


@pytest.mark.parametrize("stay", [True, False])
def test_a_flood_of_strangers_keeps_no_newcomer_from_a_whole_session(stay: bool) -> None:
    """They call and come again, without end; some hold on to their lines and some let go.

    What counts is how many come during a session, and not how long it takes.
    """
    keys = draw_keys(Random(4).randbytes)
    clinician = keys[m.Access.CLINICIAN]

    async def session(listener: TcpListener, place: int) -> bool:
        transport = None
        try:
            programmer, transport = await connect_tcp(*listener.address)
            await programmer.connect(place, open_session(lambda _: clinician, bytes(16)))
            return isinstance(await programmer.run(ask(m.GetStatus())), m.Status)
        except (PortError, ConnectionLost):
            return False
        finally:
            if transport is not None:
                programmer.close()
                transport.abort()

    async def newcomers(listener: TcpListener) -> int:
        return sum([await session(listener, place) for place in range(NEWCOMERS)])

    async def test(listener: TcpListener) -> None:
        listener.runner.server.pump.pairing = paired_with(keys)
        held = deque[socket.socket]()
        coming = asyncio.create_task(newcomers(listener))
        came = 0
        while not coming.done() and came < MOST_STRANGERS:
            for _ in range(AT_ONCE):
                stranger = socket.create_connection(listener.address)
                stranger.sendall(encode_frame(Frame(Kind.OPEN, 5, payload=b"\x00\xf0\x08")))
                held.append(stranger)
            came += AT_ONCE
            while len(held) > (160 if stay else 0):
                held.popleft().close()
            await asyncio.sleep(0)
        for each in held:
            each.close()
        assert came > NEWCOMERS * AT_ONCE
        assert await coming >= 0.95 * NEWCOMERS

    with_listener(test, bounds=BOUNDS._replace(lobby=128, grace=0))


def test_who_asks_and_does_not_read_makes_room() -> None:
    async def test(listener: TcpListener) -> None:
        deaf, here = await crowd(listener, 2)
        for each in (deaf, here):
            await call(*each)
            await ask_on(*each)
        (first, _) = lines(listener)
        assert first.deserving
        deaf[1].transport.pause_reading()
        # Turn by turn, until the system takes nothing any more: or what waits here would go out
        # while the newcomer connects.
        while first._transport and first._transport.get_write_buffer_size() < BOUNDS.waiting // 2:
            first._write(bytes(1_000))
            await asyncio.sleep(0)
        assert not first.deserving
        assert first._placed
        (newcomer,) = await crowd(listener, 1)
        await call(*newcomer)
        await ask_on(*newcomer)
        assert not first._placed
        for _, stream in (deaf, here, newcomer):
            stream.transport.abort()

    with_listener(test, bounds=BOUNDS._replace(clients=2))


@pytest.fixture
def descriptors(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the system lets this process have open, so far and at the most, as the test says."""
    limits = [256, 4_096]

    def change(_: int, wanted: tuple[int, int]) -> None:
        limits[:] = wanted

    monkeypatch.setattr(tcp.resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(tcp.resource, "setrlimit", change)
    return limits


def test_more_clients_need_more_descriptors(descriptors: list[int]) -> None:
    make_room(16)
    assert descriptors == [728, 4_096]
    make_room(3_800)
    assert descriptors == [4_096, 4_096]
    with pytest.raises(PortError, match=r"too few files .* for 3,900 clients .* at most 3,864"):
        make_room(3_900)
    descriptors[:] = [tcp.resource.RLIM_INFINITY] * 2
    make_room(10_000)
    assert descriptors == [tcp.resource.RLIM_INFINITY] * 2
    descriptors[:] = [256, tcp.resource.RLIM_INFINITY]
    make_room(10_000)
    assert descriptors == [10_712, tcp.resource.RLIM_INFINITY]


@pytest.mark.parametrize(
    ("limit", "lobby"), [(1_024, 512), (600, 384), (240, 32), (tcp.resource.RLIM_INFINITY, 512)]
)
def test_the_lobby_is_no_larger_than_descriptors_allow(
    descriptors: list[int], limit: int, lobby: int
) -> None:
    async def test(listener: TcpListener) -> None:
        assert listener.admission.lobby == lobby

    descriptors[0] = limit
    with_listener(test)


class Clock:
    """A clock that goes when the test says so."""

    now = 0

    def __call__(self) -> int:
        return self.now


def test_whoever_never_calls_is_hung_up_on_and_whoever_calls_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(tcp, "line_now", clock)

    async def test(listener: TcpListener) -> None:
        silent, babbler, peer = [await asyncio.open_connection(*listener.address) for _ in "123"]
        while len(lines(listener)) < 3:
            await asyncio.sleep(0)
        await call(*peer)
        clock.now = BOUNDS.idle - 1
        babbler[1].write(b"\x55" * 100)
        ports = listener.runner.server.endpoints
        while all(port.connection.statistics.bytes_received != 100 for port in ports):
            await asyncio.sleep(0)
        look_at_all(listener)
        assert len(lines(listener)) == 3
        clock.now += 1
        look_at_all(listener)
        for reader, _ in (silent, babbler):
            await hung_up_on(reader)
        await ask_on(*peer)
        assert len(listener.admission.placed) == len(lines(listener)) == 1
        for _, stream in (silent, babbler, peer):
            stream.transport.abort()

    with_listener(test)


def test_after_a_connection_there_is_as_much_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(tcp, "line_now", clock)

    async def test(listener: TcpListener) -> None:
        reader, writer = await asyncio.open_connection(*listener.address)
        await call(reader, writer)
        clock.now = 5 * BOUNDS.idle
        look_at_all(listener)
        writer.write(encode_frame(Frame(Kind.CLOSE, 5)))
        assert await reader.read(100)
        clock.now += BOUNDS.idle - 1
        look_at_all(listener)
        assert len(lines(listener)) == 1
        clock.now += 1
        look_at_all(listener)
        await hung_up_on(reader)
        writer.close()

    with_listener(test)


def look_at_all(listener: TcpListener) -> None:
    """What the timers of the lines would do now."""
    for line in lines(listener):
        line._look()


def test_the_timer_really_hangs_up() -> None:
    """The one test here that lets the real clock go, for a hundredth of a second."""

    async def test(listener: TcpListener) -> None:
        reader, writer = await asyncio.open_connection(*listener.address)
        await hung_up_on(reader)
        writer.close()

    with_listener(test, bounds=BOUNDS._replace(idle=10_000))


def test_a_turn_of_the_loop_takes_no_more_of_a_flood_than_of_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(listener: TcpListener) -> None:
        taken: list[int] = []
        monkeypatch.setattr(
            listener.runner, "data_received", lambda _, data: taken.append(len(data))
        )
        client = socket.create_connection(listener.address)
        client.setblocking(False)
        client.send(b"\x55" * 1_000_000)
        while not taken or lines(listener):
            await asyncio.sleep(0)
        # It says nothing that anybody understands, so it does not say it for long.
        assert max(taken) == BOUNDS.chunk // 10
        assert BOUNDS.introduction - BOUNDS.chunk < sum(taken) <= BOUNDS.introduction
        taken.clear()
        reader, writer = await asyncio.open_connection(*listener.address)
        monkeypatch.undo()
        await call(reader, writer)
        await ask_on(reader, writer)
        monkeypatch.setattr(
            listener.runner, "data_received", lambda _, data: taken.append(len(data))
        )
        writer.write(b"\x55" * 100_000)
        while sum(taken) < 100_000:
            await asyncio.sleep(0)
        assert max(taken) == BOUNDS.chunk
        client.close()
        writer.transport.abort()

    with_listener(test)


def test_what_the_system_keeps_for_a_client_is_bounded_too() -> None:
    async def test(listener: TcpListener) -> None:
        client = socket.create_connection(listener.address)
        while not lines(listener):
            await asyncio.sleep(0)
        (line,) = lines(listener)
        assert line._transport is not None
        end = line._transport.get_extra_info("socket")
        for each in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            # The system counts its own overhead as well.
            assert end.getsockopt(socket.SOL_SOCKET, each) <= 2 * BOUNDS.waiting
        client.close()

    with_listener(test)


def test_a_slow_reader_is_cut_off() -> None:
    async def test(listener: TcpListener) -> None:
        client = socket.create_connection(listener.address)
        while not lines(listener):
            await asyncio.sleep(0)
        (line,) = lines(listener)
        for _ in range(1000):
            line._write(bytes(10_000))
        assert line._transport is not None
        assert line._transport.is_closing()
        assert line._transport.get_write_buffer_size() <= BOUNDS.waiting // 10 + 10_000
        while lines(listener):
            await asyncio.sleep(0)
        client.close()

    with_listener(test)


def test_an_address_in_use_is_one_line() -> None:
    async def test(listener: TcpListener) -> None:
        host, port = listener.address
        with pytest.raises(PortError) as caught:
            await TcpListener(listener.runner).listen(host, port)
        advice = "choose another port, or 0 for any that is free"
        said = f"cannot listen on {host}:{port}: address already in use; {advice}"
        assert str(caught.value) == said

    with_listener(test)


@pytest.mark.parametrize("host", ["203.0.113.1", "x" * 100 + ".invalid"])
def test_a_host_that_cannot_be_had_is_one_line(host: str) -> None:
    with pytest.raises(PortError, match="cannot listen on"):
        with_listener(_nothing, host, exposed=True)


@pytest.mark.parametrize("host", ["", "0.0.0.0"])
def test_an_address_that_others_can_reach_must_be_wanted(host: str) -> None:
    with pytest.raises(NotLoopback, match="can be reached from other machines"):
        with_listener(_nothing, host)

    async def test(listener: TcpListener) -> None:
        assert not listener.on_loopback

    with_listener(test, host, exposed=True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
def test_loopback_needs_no_permission(host: str) -> None:
    async def test(listener: TcpListener) -> None:
        assert listener.on_loopback

    with_listener(test, host)


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
        listener = TcpListener(PumpRunner(PumpServer(new_pump())))
        with pytest.raises(PortError, match="not listening"):
            _ = listener.address
        listener.close()

    asyncio.run(run())


def test_a_line_without_a_client_takes_everything_and_does_nothing() -> None:
    async def run() -> None:
        runner = PumpRunner(PumpServer(new_pump()))
        line = TcpLine(TcpListener(runner))
        line.buffer_updated(5)
        line._write(b"early")
        line.close()
        line.connection_lost(None)
        assert runner.server.endpoints == []

    asyncio.run(run())


async def _nothing(listener: TcpListener) -> None:
    pass
