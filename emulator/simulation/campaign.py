"""A campaign: random scenarios by the thousand, each checked by the invariants.

A run is its seed: `run_seed` is a plain function of a number, so any executor of
`concurrent.futures` can do it in whatever process.  One that fails is cut down to the smallest
scenario that still fails in the same way.
"""

import functools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from mockpump.emulator.memory.interface import Memory, PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.simulation.actions.action import Action
from mockpump.emulator.simulation.actions.line import Attack, ChangeLine, Rival
from mockpump.emulator.simulation.actions.mishaps import InjectFault, Reboot
from mockpump.emulator.simulation.actions.passing import Wait
from mockpump.emulator.simulation.actions.programs import SetProgram
from mockpump.emulator.simulation.actions.requests import (
    Bolus,
    CancelBolus,
    Clock,
    Limits,
    Ramp,
    Refill,
    Resume,
    Suspend,
    Temp,
)
from mockpump.emulator.simulation.actions.show import Show
from mockpump.emulator.simulation.invariants import InvariantBroken, checked
from mockpump.emulator.simulation.runner import Library, ScenarioRunner
from mockpump.emulator.simulation.scenario import FORMAT, Scenario, load_scenario
from mockpump.protocol.program import Program

_DAY = 24 * 60
_PROGRAMS = ("day", "week", "ramp")
# Actions that were refused are part of a random life.
_ANYHOW = {"expect": "anything"}


class _Chance:
    """Draws that come out the same everywhere."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"campaign/{seed}")

    def below(self, count: int) -> int:
        return self._random.getrandbits(48) * count >> 48

    def one(self, several: Sequence[Any]) -> Any:
        return several[self.below(len(several))]


def random_scenario(seed: int) -> Scenario:
    """The scenario of a seed."""
    return load_scenario(scenario_text(random_facts(seed)), f"campaign {seed}")


def random_facts(seed: int) -> dict[str, Any]:
    """The same as what TOML has."""
    chance = _Chance(seed)
    minutes = sorted(chance.below(_DAY) for _ in range(3 + chance.below(6)))
    steps = [{"at": f"{minute or 1}m", **_action(chance)} for minute in minutes]
    return {
        "format": FORMAT,
        "name": f"campaign-{seed}",
        "title": f"Campaign run {seed}",
        "sample": "6h",
        "pump": {"program": chance.one(_PROGRAMS), "reservoir": chance.one((900_000, 20_000_000))},
        "programmer": {"window": chance.one((1, 2, 8, 16)), "payload": chance.one((64, 240, 1000))},
        "channel": _line(chance),
        "step": [*steps, {"at": "24h", **_done(Show, "log")}],
    }


def _line(chance: _Chance) -> dict[str, Any]:
    line: dict[str, Any] = {
        "loss": chance.one(("0%", "5%", "15%")),
        "ber": chance.one(("0", "1e-4", "1e-3")),
        "duplicate": chance.one(("0%", "5%")),
        "reorder": chance.one(("0%", "5%")),
        "garbage": chance.one(("0%", "5%")),
        "truncate": chance.one(("0%", "0%", "5%")),
        "delay": chance.one(("0ms", "20ms", "200ms")),
        "jitter": chance.one(("0ms", "30ms")),
    }
    if chance.below(4) == 0:
        line["outage"] = [f"{1 + chance.below(20)}s@{chance.below(60)}s"]
    return line


def _action(chance: _Chance) -> dict[str, Any]:
    made: dict[str, Any] = _MADE[chance.below(len(_MADE))](chance)
    return made


def _done(action: type[Action], value: Any = True) -> dict[str, Any]:
    """A step with an action, written as this value."""
    return {action.key: value, **(_ANYHOW if action.refusable else {})}


def _bolus(chance: _Chance) -> dict[str, Any]:
    part = {"volume": 1_000 + chance.below(400_000), "over": f"{1 + chance.below(180)}m"}
    return {**_done(Bolus, part), "lose_reply": chance.below(3) == 0}


def _temp(chance: _Chance) -> dict[str, Any]:
    return _done(Temp, {"percent": chance.below(251), "span": f"{1 + chance.below(600)}m"})


def _program(chance: _Chance) -> dict[str, Any]:
    at = chance.one(("now", "edge", "midnight"))
    return _done(SetProgram, {"name": chance.one(_PROGRAMS), "at": at})


def _clock(chance: _Chance) -> dict[str, Any]:
    # In the first half of a week: so the nearest one is never before the first week.
    return _done(Clock, f"{chance.one(('Mon', 'Tue', 'Wed'))} {chance.below(24):02}:00")


def _refill(chance: _Chance) -> dict[str, Any]:
    volume = 1 + chance.below(900_000)
    return _done(Refill, {"volume": volume, "concentration": 1 + chance.below(1_000)})


def _limits(chance: _Chance) -> dict[str, Any]:
    return _done(Limits, {"daily": 500_000 + chance.below(2_000_000)})


def _fault(chance: _Chance) -> dict[str, Any]:
    return _done(InjectFault, chance.one(("brown-out", "low-battery", "sensor-stuck", "stall")))


_MADE: tuple[Callable[[_Chance], dict[str, Any]], ...] = (
    _bolus,
    _bolus,
    _program,
    _temp,
    _clock,
    _refill,
    _limits,
    _fault,
    lambda _: _done(Suspend),
    lambda _: _done(Resume),
    lambda _: _done(CancelBolus),
    lambda chance: _done(Ramp, chance.one(("hold", "go-on", "step-back"))),
    lambda _: _done(Reboot),
    lambda chance: _done(Attack, chance.one(("replay", "unsealed", "guess"))),
    lambda _: _done(Rival, "a second programmer"),
    lambda chance: _done(Wait, f"{1 + chance.below(40)}s"),
    lambda chance: _done(ChangeLine, _line(chance)),
)


# -- as text --


def scenario_text(facts: Mapping[str, Any]) -> str:
    """A scenario as TOML: tables for the parts, a table for each step."""
    scalars = {key: value for key, value in facts.items() if not isinstance(value, dict | list)}
    parts = {key: value for key, value in facts.items() if isinstance(value, dict)}
    lines = _pairs(scalars)
    for name, part in parts.items():
        lines += ["", f"[{name}]", *_pairs(part)]
    for step in facts["step"]:
        lines += ["", "[[step]]", *_pairs(step)]
    return "\n".join(lines) + "\n"


def _pairs(facts: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in facts.items()]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_value(each)}' for key, each in value.items())} }}"
    # What JSON writes of texts, numbers, booleans and lists of them is TOML too.
    return json.dumps(value, ensure_ascii=False)


# How many runs are given to a process at a time.
_BATCH = 20
# How many scenarios are tried at most while one that fails is cut down.
_MOST_TRIES = 200


class Pool(Protocol):
    """Whatever runs functions elsewhere: any `concurrent.futures.Executor` does."""

    def map(self, function: Callable[[Any], Any], items: Sequence[Any], /) -> Iterator[Any]:
        """What the function returns for each item, called some time and somewhere, in order."""


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
    yield from pool.map(functools.partial(run_seeds, program=program), batches)


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
