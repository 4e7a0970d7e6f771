"""What a person waits for and what a machine gives: start-up time, and memory.

Start-up is a whole process, from its start to its end.  Memory is measured twice: what Python
allocates for one pump with its open connection (`tracemalloc`, over many of them), and what the
system has in RAM for a running `mockpump pump run` that has answered requests.
"""

import contextlib
import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from bench.children import ROOT, child
from bench.pairs import Effort, Work, race
from bench.pty_rows import FRESH_PUMP
from bench.simulation_rows import day_program
from bench.table import Contest, Finding
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.programmer.programmer import Programmer
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol.program import (
    FORMAT,
    MAX_PATTERNS,
    MAX_RAMP,
    MAX_SEGMENTS,
    DayPattern,
    Program,
    RampStep,
    Segment,
)

_KIB = 1024
_MIB = 1024 * 1024
_PUMPS = 100
_FACTOR, _ALLOWANCE = 1.5, 0.050


def start_up(effort: Effort) -> list[Finding]:
    """`mockpump --help`, against importing click and nothing else."""
    script = Path(sys.executable).with_name("mockpump")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "mockpump"]
    works = {
        "ours": _process([*command, "--help"]),
        "import click": _process([sys.executable, "-c", "import click"]),
    }
    timed = race(works, effort)
    finding = Contest(timed, "mockpump --help", "ours").at_most("import click", _FACTOR)
    met = timed.excess("ours", "import click", _FACTOR) <= _ALLOWANCE
    return [finding._replace(target=f"<={_FACTOR:g}*", met=met)]


def _process(command: list[str]) -> Work:
    def work(count: int) -> None:
        for _ in range(count):
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)

    return work


def memory(effort: Effort) -> list[Finding]:
    """A pump as it comes, one that holds all it can, and a process that runs one."""
    return [
        _memory("a pump, connected", _size_of(_plain_pump), 64 * _KIB),
        _memory("  as full as can be", _size_of(_fullest_pump), 64 * _KIB),
        _memory("pump run, resident", _resident(), 40 * _MIB),
    ]


def _memory(case: str, size: int, limit: int) -> Finding:
    text = f"<{limit // _MIB} MiB" if limit >= _MIB else f"<{limit // _KIB} KiB"
    return Finding(case, "", "B", size, target=text, met=size < limit)


def _size_of(make: Callable[[], object]) -> int:
    """What one of many takes; the first pays for what all share."""
    kept = [make()]
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept += [make() for _ in range(_PUMPS)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) // _PUMPS


def _plain_pump() -> Endpoint:
    """A day's program, connected, one request answered."""
    return _asked(new_pump(program=day_program(17)), [m.GetStatus()])


def _fullest_pump() -> Endpoint:
    """The longest program and ramp, as many outcomes as it keeps, the longest image staged."""
    segments = tuple(Segment(30 * k, 1_000_000 - k) for k in range(MAX_SEGMENTS))
    patterns = tuple(DayPattern(f"a long name {k:04}", segments) for k in range(MAX_PATTERNS))
    ramp = tuple(RampStep(7 * k, 100 - k) for k in range(MAX_RAMP))
    pump = new_pump(program=Program(FORMAT, "n" * 32, (0, 1, 2, 3, 0, 1, 2), patterns, ramp))
    image = os.urandom(m.MAX_IMAGE)
    digest = bytes(m.DIGEST_SIZE)
    pieces = [image[at : at + 200] for at in range(0, len(image), 200)]
    port = _asked(
        pump,
        [
            *(m.SetClock(number, 86_400) for number in range(80)),
            m.BeginProgram(len(image), digest, pump.digest),
            *(m.WriteProgram(200 * k, piece) for k, piece in enumerate(pieces)),
        ],
    )
    # The longest beginning of a frame that never ends.
    port.receive_data(b"\x01" * 1000, 0)
    return port


def _asked(pump: Pump, requests: list[m.Message]) -> Endpoint:
    """The pump's end of a connection on which these were asked; the programmer is let go."""
    port, programmer = Endpoint(pump), Programmer()
    programmer.connect(1, 0)

    def exchange() -> None:
        while data := programmer.data_to_send(0):
            port.receive_data(data, 0)
            programmer.receive_data(port.data_to_send(0), 0)

    exchange()
    for request in requests:
        programmer.start(ask(request), 0)
        exchange()
    assert not programmer.busy
    return port


def _resident() -> int:
    with contextlib.ExitStack() as stack:
        process, line = stack.enter_context(child(*FRESH_PUMP))
        programmer = stack.enter_context(SerialProgrammer(json.loads(line)["port"]))
        programmer.connect(1)
        for _ in range(1_000):
            programmer.run(ask(m.GetStatus()))
        return _resident_size(process)


def _resident_size(process: int) -> int:
    command = ["ps", "-o", "rss=", "-p", str(process)]
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return int(subprocess.run(command, check=True, capture_output=True).stdout) * _KIB
    line = next(each for each in status.read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) * _KIB
