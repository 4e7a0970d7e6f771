"""What it costs to keep what a pump does: in the memory itself, and for a command over a pty."""

import contextlib
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

from bench.children import child
from bench.pairs import Effort, Work, race
from bench.pty_rows import PUMP
from bench.table import Contest, Finding
from bench.year_rows import whole_pump_in
from mockpump.emulator.memory.interface import Change, Outcome
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol.log import LogEntry


def durable(effort: Effort) -> list[Finding]:
    """Records a second into a file and into RAM; a command to a pump that lives in either."""
    with tempfile.TemporaryDirectory(prefix="mockpump-bench-") as folder:
        return [_in_memory(effort, Path(folder)), _over_a_pty(effort, Path(folder))]


def _in_memory(effort: Effort, folder: Path) -> Finding:
    file = SqliteMemory.create(folder / "records")
    works = {"SQLite": _records(file), "RAM": _records(RamMemory())}
    found = Contest(race(works, effort), "durable records", "SQLite", "/s").beside("RAM")
    file.close()
    return found


def _over_a_pty(effort: Effort, folder: Path) -> Finding:
    memory = SqliteMemory.create(folder / "pump")
    whole_pump_in(memory)
    memory.close()
    with contextlib.ExitStack() as stack:
        works = {
            "SQLite": _commands(stack, "--memory", str(folder / "pump")),
            "RAM": _commands(stack, "--open"),
        }
        timed = race(works, effort._replace(seconds=4 * effort.seconds))
    return Contest(timed, "  a command, by pty", "SQLite", "/s").beside("RAM")


def _commands(stack: contextlib.ExitStack, *options: str) -> Work:
    _, line = stack.enter_context(child(*PUMP, *options))
    programmer = stack.enter_context(SerialProgrammer(json.loads(line)["port"]))
    programmer.connect(1)
    number = itertools.count()

    def work(count: int) -> None:
        for _ in range(count):
            transaction = next(number)
            programmer.run(ask(m.SetClock(transaction, transaction)))

    return work


def _records(memory: Any) -> Work:
    """What a command changes: the pump's state, an outcome, an entry in the log."""
    pump = whole_pump_in(memory)
    state = memory.state()
    assert state is not None
    number = itertools.count()
    entry = LogEntry(1, 1, m.LogKind.SUSPENDED, 0, 0)
    request, reply = m.encode(m.Suspend(1)), m.encode(m.Suspended(pump.elapsed))

    def work(count: int) -> None:
        for _ in range(count):
            outcome = Outcome(next(number), request, reply)
            memory.record(Change(state, outcome, {}, (entry,)))

    return work
