"""A random scenario by its seed: a day of a pump on a bad line, with everything that may happen to
it.

The same seed gives the same scenario on every machine: only `getrandbits` and integers are used.
As text it is an ordinary scenario, so that what a campaign finds can be run, read and cut by hand.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockpump.emulator.simulation.scenario import FORMAT, Scenario
from mockpump.emulator.simulation.scenario_reading import load_scenario

_DAY = 24 * 60
_PROGRAMS = ("day", "week", "ramp")
# Deeds that were refused are part of a random life.
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
    steps = [{"at": f"{minute or 1}m", **_deed(chance)} for minute in minutes]
    return {
        "format": FORMAT,
        "name": f"campaign-{seed}",
        "title": f"Campaign run {seed}",
        "sample": "6h",
        "pump": {"program": chance.one(_PROGRAMS), "reservoir": chance.one((900_000, 20_000_000))},
        "programmer": {"window": chance.one((1, 2, 8, 16)), "payload": chance.one((64, 240, 1000))},
        "channel": _line(chance),
        "step": [*steps, {"at": "24h", "show": "log"}],
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


def _deed(chance: _Chance) -> dict[str, Any]:
    made: dict[str, Any] = _DEEDS[chance.below(len(_DEEDS))](chance)
    return made


def _asked(**action: Any) -> dict[str, Any]:
    return {**action, **_ANYHOW}


def _bolus(chance: _Chance) -> dict[str, Any]:
    part = {"volume": 1_000 + chance.below(400_000), "over": f"{1 + chance.below(180)}m"}
    return {**_asked(bolus=part), "lose_reply": chance.below(3) == 0}


def _temp(chance: _Chance) -> dict[str, Any]:
    return _asked(temp={"percent": chance.below(251), "span": f"{1 + chance.below(600)}m"})


def _program(chance: _Chance) -> dict[str, Any]:
    at = chance.one(("now", "edge", "midnight"))
    return _asked(program={"name": chance.one(_PROGRAMS), "at": at})


def _clock(chance: _Chance) -> dict[str, Any]:
    # In the first half of a week: so the nearest one is never before the first week.
    return _asked(clock=f"{chance.one(('Mon', 'Tue', 'Wed'))} {chance.below(24):02}:00")


def _refill(chance: _Chance) -> dict[str, Any]:
    volume = 1 + chance.below(900_000)
    return _asked(refill={"volume": volume, "concentration": 1 + chance.below(1_000)})


def _limits(chance: _Chance) -> dict[str, Any]:
    return _asked(limits={"daily": 500_000 + chance.below(2_000_000)})


def _fault(chance: _Chance) -> dict[str, Any]:
    return {"fault": chance.one(("brown-out", "low-battery", "sensor-stuck", "stall"))}


_DEEDS: tuple[Callable[[_Chance], dict[str, Any]], ...] = (
    _bolus,
    _bolus,
    _program,
    _temp,
    _clock,
    _refill,
    _limits,
    _fault,
    lambda _: _asked(suspend=True),
    lambda _: _asked(resume=True),
    lambda _: _asked(cancel_bolus=True),
    lambda chance: _asked(ramp=chance.one(("hold", "go-on", "step-back"))),
    lambda _: {"reboot": True},
    lambda chance: {"attack": chance.one(("replay", "unsealed", "guess"))},
    lambda _: {"rival": "a second programmer"},
    lambda chance: {"wait": f"{1 + chance.below(40)}s"},
    lambda chance: {"channel": _line(chance)},
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
