"""Request and reply over a pty between two processes: two connections, our pump, their peers.

Every contestant has its own server process at the master end of its own pty; the client is this
process.  All stay open during the race, and sleep while it is not their turn.

Where the two sides run decides more than what they do: a wake-up on the same core, on another, or
on one that sleeps deeply differ several-fold.  So both sides are bound to named cores, and there
are two races: both on one core, and each on its own.  What the two sides spend on a request, in CPU
time together, is counted beside the time that it takes.  The targets are held on one core, where
the time of a request is work and not waiting for another core to wake up.
"""

import asyncio
import contextlib
import json
import logging
import os
import select
import time
import tty
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.children import ChildError, child
from bench.connection_child import End
from bench.pairs import Effort, Work, race
from bench.table import Contest, Finding, absent
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol.link.types import Role

PUMP = ("-m", "mockpump", "pump", "run", "--stage", "--json")
# One that is made for the row, and asks for no session: the row is about the line.
FRESH_PUMP = (*PUMP, "--open")
_ECHOED = bytes(range(64))
# What a contestant does, and in which process its server is.
Served = tuple[Work, int]
# The cores of the servers and of the client; None: wherever the system puts them.
Cores = tuple[int, int] | None
_PEERS: dict[str, float] = {"pymodbus": 12, "pymodbus async": 1.9}


def over_pty(effort: Effort) -> list[Finding]:
    """A status asked for over a real pseudo-serial line; 64 bytes echoed; 20 registers read."""
    # A turn over a pty is long: to be steady, a slice must be longer too.
    effort = effort._replace(seconds=4 * effort.seconds)
    return [each for case, cores in _places() for each in _race_on(case, cores, effort)]


def _places() -> list[tuple[str, Cores]]:
    if not hasattr(os, "sched_getaffinity"):
        return [("over a pty", None)]
    first, *others = sorted(os.sched_getaffinity(0))
    one: tuple[str, Cores] = (f"pty, both on core {first}", (first, first))
    return [one, *((f"pty, cores {first} and {core}", (first, core)) for core in others[:1])]


def _race_on(case: str, cores: Cores, effort: Effort) -> list[Finding]:
    with contextlib.ExitStack() as stack:
        _bind(stack, cores, 0)
        works = {
            "connections": _two_connections(stack),
            "whole pump": _whole_pump(stack),
            "raw echo": _echo(stack),
            "asyncio echo": _echo_with_timers(stack),
        }
        makers, missing = {"pymodbus": _modbus_sync, "pymodbus async": _modbus_async}, {}
        for peer, make in makers.items():
            try:
                works[peer] = make(stack)
            except ImportError:
                missing[peer] = "not installed"
            except ChildError as error:
                missing[peer] = f"absent: {error}"
        _bind(stack, cores, 1)
        costs = {name: _Cost(work) for name, (work, _) in works.items()}
        for name, (_, server) in works.items():
            costs[name].server = server
        timed = race(costs, effort)
    whole = Contest(timed, case, "whole pump", "/s")
    held = cores is None or cores[0] == cores[1]
    return [
        *(
            absent(case, peer, missing[peer]) if peer in missing else _against(whole, peer, held)
            for peer in _PEERS
        ),
        whole.beside("asyncio echo"),
        whole.beside("raw echo"),
        Contest(timed, "  two connections", "connections", "/s").beside("raw echo"),
        *_spent(costs),
    ]


def _against(whole: Contest, peer: str, held: bool) -> Finding:
    return whole.at_least(peer, _PEERS[peer]) if held else whole.beside(peer)


def _spent(costs: dict[str, "_Cost"]) -> list[Finding]:
    """CPU time a request, both sides together, where the system tells it."""
    ours = costs["whole pump"].a_turn()
    if ours is None:
        return [absent("  CPU time", "", "not told by this system")]
    peers = {name: costs[name].a_turn() for name in (*_PEERS, "raw echo") if name in costs}
    return [
        Finding("  CPU time", name, "s", ours, spent, spent / ours)
        for name, spent in peers.items()
        if spent
    ]


def _bind(stack: contextlib.ExitStack, cores: Cores, side: int) -> None:
    """From now on this process, and what it starts, is on the core of that side."""
    if cores is not None:
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[side]})


class _Cost:
    """A work that counts what it costs, here and in the process of its server."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.server = 0
        self._turns = 0
        self._spent = 0.0

    def __call__(self, count: int) -> None:
        before = time.process_time() + (cpu_seconds(self.server) or 0)
        self._work(count)
        self._spent += time.process_time() + (cpu_seconds(self.server) or 0) - before
        self._turns += count

    def a_turn(self) -> float | None:
        """Seconds of CPU time that a turn has cost; None where only ours is known."""
        return None if cpu_seconds(os.getpid()) is None else self._spent / self._turns


def cpu_seconds(process: int) -> float | None:
    """CPU time that a process has spent; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _two_connections(stack: contextlib.ExitStack) -> Served:
    """The row in memory, with its two connections in two processes."""
    descriptor, server = _opened(stack, "bench.connection_child")
    end = End(descriptor, Role.INITIATOR)
    end.open(1)

    def turn() -> None:
        end.send(m.GetStatus())
        assert isinstance(end.next_message(), m.Status)

    return _repeated(turn), server


def _whole_pump(stack: contextlib.ExitStack) -> Served:
    """Both devices as they run, with all that they believe, keep and look after."""
    server, line = stack.enter_context(child(*FRESH_PUMP))
    programmer = stack.enter_context(SerialProgrammer(json.loads(line)["port"]))
    programmer.connect(1)
    return _repeated(lambda: programmer.run(ask(m.GetStatus()))), server


def _echo(stack: contextlib.ExitStack) -> Served:
    descriptor, server = _opened(stack, "bench.echo_child")

    def turn() -> None:
        os.write(descriptor, _ECHOED)
        missing = len(_ECHOED)
        while missing:
            missing -= len(os.read(descriptor, missing))

    return _repeated(turn), server


def _echo_with_timers(stack: contextlib.ExitStack) -> Served:
    """The same bytes, waited for as whoever has timers must wait: asyncio there, select here."""
    descriptor, server = _opened(stack, "bench.echo_child", "asyncio")

    def turn() -> None:
        os.write(descriptor, _ECHOED)
        missing = len(_ECHOED)
        while missing:
            select.select((descriptor,), (), (), 1.0)
            missing -= len(os.read(descriptor, missing))

    return _repeated(turn), server


def _opened(stack: contextlib.ExitStack, *module: str) -> tuple[int, int]:
    server, path = stack.enter_context(child("-m", *module))
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    stack.callback(os.close, descriptor)
    tty.setraw(descriptor)
    return descriptor, server


def _modbus_sync(stack: contextlib.ExitStack) -> Served:
    from pymodbus.client import ModbusSerialClient

    from bench.modbus_child import BAUDRATE, REGISTERS

    server, path = stack.enter_context(_modbus_server())
    client = ModbusSerialClient(path, baudrate=BAUDRATE)
    client.connect()
    stack.callback(client.close)
    turn = partial(client.read_holding_registers, 0, count=REGISTERS)
    return _repeated(lambda: _registers(turn())), server


def _modbus_async(stack: contextlib.ExitStack) -> Served:
    from pymodbus.client import AsyncModbusSerialClient

    from bench.modbus_child import BAUDRATE, REGISTERS

    server, path = stack.enter_context(_modbus_server())
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
    return (lambda count: runner.run(turns(count))), server


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
