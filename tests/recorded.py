"""Runs, recorded and read, for the tests of what shows them."""

from collections import deque
from contextlib import suppress

from mockpump.cli.examples import program_text, scenario_text
from mockpump.cli.scenarios import library
from mockpump.emulator.simulation import campaign
from mockpump.emulator.simulation.bundle import Writer, prepare, read_bundle
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.invariants import checked
from mockpump.emulator.simulation.runner import ScenarioRunner
from mockpump.emulator.trace.format import FORMAT, AnyLine, Ends, Head
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import Recording
from mockpump.emulator.trace.run import Run
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.protocol.link.types import LinkSettings

# Several are in flight, some overtake others, some come twice.
WINDOWS = """
format = "mockpump-scenario/1"
name = "windows"
title = "Several in flight"

[programmer]
window = 6
payload = 80

[pump]
clock = "Mon 08:00"
{steps}
[[step]]
channel.baud = 19200
channel.delay = "40ms"
channel.jitter = "10ms"
channel.loss = "7%"
channel.reorder = "12%"
channel.duplicate = "6%"

[[step]]
show = "log"
"""
_STEPS = "\n[[step]]\nsuspend = true\n\n[[step]]\nresume = true\n"


def bundle_of(text: str, name: str, seed: int) -> str:
    """The bundle of a scenario; what it breaks off with is in it."""
    wanted = prepare(name, text, program_text, seed)
    written: list[str] = []
    writer = Writer(written.append, wanted.head)
    with library(wanted.program) as books, suppress(ScenarioError):
        runner = ScenarioRunner(wanted.scenario, books, seed)
        runner.world.record(TraceWriter(writer.line))
        deque(checked(runner), maxlen=0)
    writer.close()
    return "".join(written)


def example_bundle(name: str, seed: int = 7) -> str:
    """The bundle of an example."""
    return bundle_of(scenario_text(name), f"examples/scenarios/{name}.toml", seed)


def windows_bundle() -> str:
    """The bundle of a run with several frames in flight."""
    return bundle_of(WINDOWS.format(steps=_STEPS * 7), "windows", 10)


def run_of(bundle: str) -> Run:
    """The run in a bundle."""
    return read_run(read_bundle(bundle).recording)


def random_run(seed: int) -> Run:
    """A random day of a pump on a bad line."""
    return run_of(random_bundle(seed))


def random_bundle(seed: int) -> str:
    """The bundle of a random day."""
    return bundle_of(campaign.scenario_text(campaign.random_facts(seed)), "random", seed)


def trace_of(*lines: AnyLine, title: str = "") -> Recording:
    """A trace of these lines."""
    ends = Ends(LinkSettings(), LinkSettings())
    head = Head(format=FORMAT, mockpump="0", protocol=1, time="virtual", ends=ends, title=title)
    return Recording(head, list(lines))
