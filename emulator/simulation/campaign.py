"""A campaign: random scenarios by the thousand, each checked by the invariants.

A run is its seed: `run_seed` is a plain function of a number, so any executor of
`concurrent.futures` can do it in whatever process.  One that fails is cut down to the smallest
scenario that still fails in the same way.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from mockpump.emulator.memory.interface import Memory, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.simulation.checked import InvariantBroken, checked
from mockpump.emulator.simulation.random_scenario import random_facts, scenario_text
from mockpump.emulator.simulation.runner import Library, ScenarioRunner
from mockpump.emulator.simulation.scenario_reading import load_scenario
from mockpump.protocol.program import Program

# How many runs are given to a process at a time.
_BATCH = 20
# How many scenarios are tried at most while one that fails is cut down.
_MOST_TRIES = 200


class Pending(Protocol):
    """A result that will come: a `concurrent.futures.Future`, or one of a cluster."""

    def result(self) -> Any:
        """It, when it has come."""


class Pool(Protocol):
    """Whatever runs functions elsewhere: any `concurrent.futures.Executor` does."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Pending:
        """Have a function called with these arguments, some time and somewhere."""


class Result(msgspec.Struct, frozen=True):
    """What came of some runs: how many, the faults by kind and layer, and the seeds that failed."""

    runs: int
    faults: dict[str, dict[str, int]]
    failed: dict[int, str]


def run_seed(seed: int, program: Callable[[str], Program]) -> tuple[str, dict[str, dict[str, int]]]:
    """Run the scenario of a seed: what was wrong ("": nothing), and the faults of its line."""
    return run_facts(random_facts(seed), seed, program)


def run_facts(
    facts: dict[str, Any], seed: int, program: Callable[[str], Program]
) -> tuple[str, dict[str, dict[str, int]]]:
    """Run a scenario; check the invariants after each of its lines and when the line is healed."""
    scenario = load_scenario(scenario_text(facts), f"campaign {seed}")
    runner = ScenarioRunner(scenario, Library(program, _no_memory), seed)
    wrong = ""
    try:
        for _ in checked(runner):
            pass
    except InvariantBroken as broken:
        wrong = str(broken)
    return wrong, runner.world.attribution.table()


def _no_memory() -> Memory:
    return RamMemory()


def run_seeds(seeds: Sequence[int], program: Callable[[str], Program]) -> Result:
    """Run the scenarios of some seeds, one after the other."""
    counted: dict[str, Counter[str]] = {}
    failed: dict[int, str] = {}
    for seed in seeds:
        try:
            wrong, faults = run_seed(seed, program)
        except (Exception, PowerCut) as error:
            wrong, faults = f"{type(error).__name__}: {error}", {}
        if wrong:
            failed[seed] = wrong
        for kind, layers in faults.items():
            counted.setdefault(kind, Counter()).update(layers)
    return Result(len(seeds), {kind: dict(each) for kind, each in counted.items()}, failed)


def campaign(
    seeds: Sequence[int], pool: Pool, program: Callable[[str], Program]
) -> Iterator[Result]:
    """Run the scenarios of many seeds; the results as they come, in the order of the seeds."""
    batches = [seeds[at : at + _BATCH] for at in range(0, len(seeds), _BATCH)]
    pending = [pool.submit(run_seeds, list(batch), program) for batch in batches]
    for each in pending:
        result: Result = each.result()
        yield result


def total(results: Sequence[Result]) -> Result:
    """Several results as one; the order does not matter."""
    counted: dict[str, Counter[str]] = {}
    for result in results:
        for kind, layers in result.faults.items():
            counted.setdefault(kind, Counter()).update(layers)
    failed = {seed: wrong for each in results for seed, wrong in each.failed.items()}
    return Result(
        sum(each.runs for each in results),
        {kind: dict(counted[kind]) for kind in sorted(counted)},
        dict(sorted(failed.items())),
    )


def cut_down(seed: int, program: Callable[[str], Program]) -> str:
    """The smallest scenario found that fails as the one of this seed does, as a scenario."""
    facts = random_facts(seed)
    kind = _kind(facts, seed, program)
    tries = 0
    while tries < _MOST_TRIES:
        for smaller in _smaller(facts):
            tries += 1
            if _kind(smaller, seed, program) == kind:
                facts = smaller
                break
        else:
            break
    return f"# {kind}, with --seed {seed}; everything in it is invented.\n{scenario_text(facts)}"


def _kind(facts: dict[str, Any], seed: int, program: Callable[[str], Program]) -> str:
    """In which way a scenario fails: the name of the invariant, or of the error."""
    try:
        return run_facts(facts, seed, program)[0].split(":")[0]
    except (Exception, PowerCut) as error:
        return type(error).__name__


def _smaller(facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same scenario with one step less, or with one thing less wrong with its line."""
    steps = facts["step"]
    for at in range(len(steps)):
        yield {**facts, "step": steps[:at] + steps[at + 1 :]}
    for name in facts["channel"]:
        line = {key: value for key, value in facts["channel"].items() if key != name}
        yield {**facts, "channel": line}
