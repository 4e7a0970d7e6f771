"""A commit again and again, with the power cut before each of its writes in turn."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from mockpump.emulator.memory.interface import Memory, PowerCut
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.pump import Pump
from mockpump.protocol import program as programs
from mockpump.protocol.log import chain
from mockpump.protocol.program import Program


def sweep_power_cuts(
    cuttable: Callable[[], Memory], config: PumpConfig, wanted: Program
) -> Iterator[tuple[str, str]]:
    """Before which write the power was cut, and what the pump woke up with; "": not cut at all."""
    writes = 0
    while True:
        with closing(cuttable()) as memory:
            cut_before = _cut_commit(memory, config, wanted, writes)
            if not cut_before:
                yield "", f"committed, after {writes} writes"
                return
            yield cut_before, _waking(Pump(memory))
        writes += 1


def _cut_commit(memory: Any, config: PumpConfig, wanted: Program, writes: int) -> str:
    """Cut the power after so many `writes` of a commit: the write cut off, "" if none was."""
    initialize(memory, config)
    pump = Pump(memory)
    image = programs.image(wanted)
    names: list[str] = []

    def cut(name: str) -> None:
        names.append(name)
        if len(names) > writes:
            raise PowerCut

    memory.before_write = cut
    try:
        pump.change(partial(pump.activate, image), None, image)
    except PowerCut:
        memory.before_write = lambda _: None
        return names[-1]
    return ""


def _waking(pump: Pump) -> str:
    kept = "none" if pump.program is None else f'"{pump.program.name}"'
    whole = "the log's chain holds" if _verified(pump) else "THE LOG IS BROKEN"
    return f"wakes up with {kept}; {whole}"


def _verified(pump: Pump) -> bool:
    page = pump.memory.log(1, 1_000)
    return chain(page.before, page.entries) == page.newest_chain
