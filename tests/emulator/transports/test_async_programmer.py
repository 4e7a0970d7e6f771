"""The programmer in asyncio: the same procedures, awaited, and no wait that outlives its line."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from outside import NEW_PROGRAM, PATIENCE

from mockpump.emulator.programmer.errors import ConnectionLost, OutcomeUnknown, RequestRefused
from mockpump.emulator.programmer.procedures import ask, read_program, set_program
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.emulator.transports.async_programmer import AsyncProgrammer, connect_tcp
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.memory_line import memory_pair
from mockpump.emulator.transports.tcp import TcpListener
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.link.types import LinkSettings

Test = Callable[[AsyncProgrammer, PumpRunner], Awaitable[None]]


def in_memory(test: Test, hear: Callable[[m.Telemetry], None] | None = None) -> None:
    async def run() -> None:
        runner = PumpRunner(PumpServer(new_pump(), TimeScale(3600, now=line_now())))
        ours, theirs = memory_pair()
        port = runner.attach(theirs.write)
        theirs.on_data = lambda data: runner.data_received(port, data)
        programmer = AsyncProgrammer(ours.write, on_telemetry=hear)
        ours.on_data = programmer.data_received
        try:
            await asyncio.wait_for(test(programmer, runner), PATIENCE)
        finally:
            programmer.close()
            runner.close()

    asyncio.run(run())


def over_tcp(test: Test) -> None:
    async def run() -> None:
        runner = PumpRunner(PumpServer(new_pump()))
        listener = TcpListener(runner)
        await listener.listen("127.0.0.1", 0)
        programmer, transport = await connect_tcp(*listener.address)
        try:
            await asyncio.wait_for(test(programmer, runner), PATIENCE)
        finally:
            transport.close()
            listener.close()
            runner.close()
            await asyncio.sleep(0)

    asyncio.run(run())


@pytest.mark.parametrize("over", [in_memory, over_tcp])
def test_a_program_is_set_and_read_back(over: Callable[[Test], None]) -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        terms = await programmer.connect(9)
        before = await programmer.run(read_program())
        await programmer.run(set_program(NEW_PROGRAM, before.digest, 1, terms.max_payload))
        after = await programmer.run(read_program())
        assert after.program == NEW_PROGRAM
        assert after.digest == runner.server.pump.digest

    over(test)


@pytest.mark.parametrize("over", [in_memory, over_tcp])
def test_a_refusal_is_raised(over: Callable[[Test], None]) -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        await programmer.connect(9)
        with pytest.raises(RequestRefused):
            await programmer.run(ask(m.Resume(1)))
        assert await programmer.run(ask(m.GetClock()))

    over(test)


def test_telemetry_is_handed_on_while_nothing_else_is_asked() -> None:
    reports: asyncio.Queue[m.Telemetry] = asyncio.Queue()

    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        await programmer.connect(9)
        await programmer.run(ask(m.Subscribe(36)))
        for _ in range(3):
            assert (await reports.get()).elapsed % 36 == 0

    in_memory(test, reports.put_nowait)


def test_telemetry_that_nobody_wants_disturbs_nothing() -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        await programmer.connect(9)
        await programmer.run(ask(m.Subscribe(1)))
        belief = programmer.programmer.belief
        while belief.delivered is None:
            await programmer.run(ask(m.GetClock()))
        assert runner.server.endpoints[0].connection.is_open

    in_memory(test)


def test_a_connection_ends_in_good_order() -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        await programmer.connect(9)
        programmer.disconnect()
        ends = (programmer.programmer.connection, runner.server.endpoints[0].connection)
        while any(end.is_open for end in ends):
            await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="no pump is connected"):
            await programmer.run(ask(m.Identify()))

    in_memory(test)


def test_nobody_there_is_an_error_after_the_link_has_given_up() -> None:
    async def run() -> None:
        settings = LinkSettings(open_tries=1, initial_timeout=1000, min_timeout=1)
        programmer = AsyncProgrammer(lambda data: None, settings)
        with pytest.raises(ConnectionLost, match="nobody answered"):
            await asyncio.wait_for(programmer.connect(1), PATIENCE)
        programmer.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("request_", "noted"), [(m.Identify(), False), (m.Suspend(7), True)], ids=["asks", "changes"]
)
def test_a_cancelled_run_leaves_nothing_running(request_: m.Message, noted: bool) -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        await programmer.connect(9)
        waiting = asyncio.ensure_future(programmer.run(ask(request_)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await waiting
        notes = getattr(cancelled.value, "__notes__", [])
        assert any("outcome unknown" in note for note in notes) == noted
        assert not programmer.programmer.busy
        await programmer.connect(10)
        assert isinstance(await programmer.run(ask(m.Identify())), m.Identity)

    in_memory(test)


def test_a_cancelled_call_can_be_made_again() -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        calling = asyncio.ensure_future(programmer.connect(9))
        await asyncio.sleep(0)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await programmer.connect(10)
        assert isinstance(await programmer.run(ask(m.Identify())), m.Identity)

    in_memory(test)


def test_a_line_that_goes_while_something_is_read_is_a_port_error() -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        await programmer.connect(9)
        waiting = asyncio.ensure_future(programmer.run(read_program()))
        await asyncio.sleep(0)
        programmer.line_lost("unplugged")
        with pytest.raises(PortError, match="unplugged"):
            await waiting

    in_memory(test)


def test_a_line_that_goes_after_a_command_leaves_the_outcome_unknown() -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        await programmer.connect(9)
        waiting = asyncio.ensure_future(programmer.run(ask(m.Suspend(4711))))
        await asyncio.sleep(0)
        programmer.line_lost("unplugged")
        with pytest.raises(OutcomeUnknown, match="4711") as caught:
            await waiting
        assert caught.value.__notes__ == ["unplugged"]

    in_memory(test)


def test_a_pump_that_hangs_up_ends_what_is_awaited_at_once() -> None:
    async def test(programmer: AsyncProgrammer, runner: PumpRunner) -> None:
        await programmer.connect(9)
        runner.data_received = lambda port, data: None  # type: ignore[method-assign]
        waiting = asyncio.ensure_future(programmer.run(ask(m.Identify())))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(hang_up, runner)
        with pytest.raises(PortError, match="hung up"):
            await waiting

    over_tcp(test)


def hang_up(runner: PumpRunner) -> None:
    """Close the listener's line of every client."""
    for write in list(runner._writers.values()):
        write.__self__.close()  # type: ignore[attr-defined]


def test_a_port_where_nobody_listens_is_one_line() -> None:
    async def run() -> None:
        with pytest.raises(PortError, match=r"cannot connect to 127.0.0.1:1: connection refused"):
            await connect_tcp("127.0.0.1", 1)

    asyncio.run(run())
