"""Runs that were written down, and read again."""

from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple

from mockpump.cli.examples import example_program, scenario_text
from mockpump.cli.scenarios import library
from mockpump.emulator.simulation.runner import ScenarioRunner
from mockpump.emulator.simulation.scenario import Scenario, ScenarioError, load_scenario
from mockpump.emulator.simulation.world import World
from mockpump.emulator.trace.format import SIDES, Ends, Head
from mockpump.emulator.trace.reading import Recording, decoded
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.protocol.link.types import LinkSettings, LinkSnapshot

# Where both links stood at the end of a turn: the line time, and each side's snapshot.
Stand = tuple[int, dict[str, LinkSnapshot]]


class Traced(NamedTuple):
    """A run, its trace, and where its links really stood."""

    runner: ScenarioRunner
    recording: Recording
    stands: list[Stand]


def traced(scenario: Scenario, seed: int = 7) -> Traced:
    """Run a scenario to its end, or to where it breaks off."""
    lines, stands = list[str](), list[Stand]()
    with library(example_program) as books:
        runner = ScenarioRunner(scenario, books, seed)
        _watch(runner.world, stands)
        runner.world.record(TraceWriter(lines.append))
        with suppress(ScenarioError):
            deque(runner.tell(), maxlen=0)
    part = scenario.programmer
    settings = LinkSettings(max_payload=part.payload, window=part.window)
    head = Head(mockpump="0", protocol=1, time="virtual", ends=Ends(settings, settings))
    return Traced(runner, Recording(head, list(decoded(lines))), stands)


def _watch(world: World, stands: list[Stand]) -> None:
    """Take down where the links stand after whatever touches them."""

    def watched(name: str) -> None:
        step = getattr(world, name)

        def taken_down(*args: Any) -> Any:
            result = step(*args)
            links = (world.programmer.connection.link, world.port.connection.link)
            both = {side: link.snapshot() for side, link in zip(SIDES, links, strict=True)}
            stands.append((world.now, both))
            return result

        setattr(world, name, taken_down)

    for name in ("_turn", "_ship", "_arrive", "_turned", "inject"):
        watched(name)


def traced_example(name: str, seed: int = 7) -> Traced:
    """An example, run."""
    return traced(load_scenario(scenario_text(name), name), seed)


def traced_steps(*steps: dict[str, Any], **tables: Any) -> Traced:
    """A scenario of these steps, run; `tables` are the others of its file."""
    from mockpump.emulator.simulation.campaign import scenario_text as written

    facts = {"format": "mockpump-scenario/1", "name": "x", "title": "x", "step": list(steps)}
    return traced(load_scenario(written({**facts, **tables}), "x"))
