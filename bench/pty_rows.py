"""Request and reply over a pty between two processes: two connections, our pump, their peers.

Every contestant has its own server process at the master end of its own pty; the client is this
process.  All stay open during the race, and sleep while it is not their turn.
"""

import asyncio
import contextlib
import json
import logging
import os
import select
import tty
from collections.abc import Callable
from typing import Any

from bench.children import ChildError, child
from bench.connection_child import End
from bench.pairs import Effort, Work, race
from bench.table import Contest, Finding, absent
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.transports.serial_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol.link_events import Role

PUMP = ("-m", "mockpump", "pump", "run", "--stage", "--json")
# One that is made for the row, and asks for no session: the row is about the line.
FRESH_PUMP = (*PUMP, "--open")
_ECHOED = bytes(range(64))
_CASE = "the same over a pty"
_WHOLE = "  by the whole pump"


def over_pty(effort: Effort) -> list[Finding]:
    """A status asked for over a real pseudo-serial line; 64 bytes echoed; 20 registers read."""
    # A turn over a pty is long: to be steady, a slice must be longer too.
    effort = effort._replace(seconds=4 * effort.seconds)
    with contextlib.ExitStack() as stack:
        works = {
            "connections": _two_connections(stack),
            "whole pump": _whole_pump(stack),
            "raw echo": _echo(stack),
            "asyncio echo": _echo_with_timers(stack),
        }
        peers, missing = {"pymodbus": _modbus_sync, "pymodbus async": _modbus_async}, {}
        for peer, make in peers.items():
            try:
                works[peer] = make(stack)
            except ImportError:
                missing[peer] = "not installed"
            except ChildError as error:
                missing[peer] = f"absent: {error}"
        timed = race(works, effort)
    contest = Contest(timed, _CASE, "connections", "/s")
    whole = Contest(timed, _WHOLE, "whole pump", "/s")
    return [
        contest.at_least("raw echo", 0.5),
        whole.beside("raw echo"),
        whole.beside("asyncio echo"),
        *(
            absent(_WHOLE, peer, missing[peer]) if peer in missing else whole.at_least(peer, limit)
            for peer, limit in (("pymodbus", 8), ("pymodbus async", 1.5))
        ),
    ]


def _two_connections(stack: contextlib.ExitStack) -> Work:
    """The row in memory, with its two connections in two processes."""
    end = End(_opened(stack, "bench.connection_child"), Role.INITIATOR)
    end.open(1)

    def turn() -> None:
        end.send(m.GetStatus())
        assert isinstance(end.next_message(), m.Status)

    return _repeated(turn)


def _whole_pump(stack: contextlib.ExitStack) -> Work:
    """Both devices as they run, with all that they believe, keep and look after."""
    _, line = stack.enter_context(child(*FRESH_PUMP))
    programmer = stack.enter_context(SerialProgrammer(json.loads(line)["port"]))
    programmer.connect(1)
    return _repeated(lambda: programmer.run(ask(m.GetStatus())))


def _echo(stack: contextlib.ExitStack) -> Work:
    descriptor = _opened(stack, "bench.echo_child")

    def turn() -> None:
        os.write(descriptor, _ECHOED)
        missing = len(_ECHOED)
        while missing:
            missing -= len(os.read(descriptor, missing))

    return _repeated(turn)


def _echo_with_timers(stack: contextlib.ExitStack) -> Work:
    """The same bytes, waited for as whoever has timers must wait: asyncio there, select here."""
    descriptor = _opened(stack, "bench.echo_child", "asyncio")

    def turn() -> None:
        os.write(descriptor, _ECHOED)
        missing = len(_ECHOED)
        while missing:
            select.select((descriptor,), (), (), 1.0)
            missing -= len(os.read(descriptor, missing))

    return _repeated(turn)


def _opened(stack: contextlib.ExitStack, *module: str) -> int:
    _, path = stack.enter_context(child("-m", *module))
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    stack.callback(os.close, descriptor)
    tty.setraw(descriptor)
    return descriptor


def _modbus_sync(stack: contextlib.ExitStack) -> Work:
    from pymodbus.client import ModbusSerialClient

    from bench.modbus_child import BAUDRATE, REGISTERS

    _, path = stack.enter_context(_modbus_server())
    client = ModbusSerialClient(path, baudrate=BAUDRATE)
    client.connect()
    stack.callback(client.close)
    return _repeated(lambda: _registers(client.read_holding_registers(0, count=REGISTERS)))


def _modbus_async(stack: contextlib.ExitStack) -> Work:
    from pymodbus.client import AsyncModbusSerialClient

    from bench.modbus_child import BAUDRATE, REGISTERS

    _, path = stack.enter_context(_modbus_server())
    runner = stack.enter_context(asyncio.Runner())

    async def connected() -> AsyncModbusSerialClient:
        client = AsyncModbusSerialClient(path, baudrate=BAUDRATE)
        await client.connect()
        return client

    async def turns(count: int) -> None:
        for _ in range(count):
            _registers(await client.read_holding_registers(0, count=REGISTERS))

    async def close() -> None:
        client.close()

    client = runner.run(connected())
    stack.callback(lambda: runner.run(close()))
    return lambda count: runner.run(turns(count))


def _modbus_server() -> contextlib.AbstractContextManager[tuple[int, str]]:
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    return child("-m", "bench.modbus_child")


def _registers(answer: Any) -> None:
    assert not answer.isError(), answer


def _repeated(turn: Callable[[], object]) -> Work:
    def work(count: int) -> None:
        for _ in range(count):
            turn()

    return work
