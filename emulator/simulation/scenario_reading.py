"""A scenario is read strictly: what is wrong with it is found before anything of it is told.

A key that nobody knows, a value of another type or out of its range, a step without or with more
than one action: each is a `ScenarioError` that says where, and what would have been right.
"""

import re
from difflib import get_close_matches
from typing import Any

import msgspec

from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.channel.quantities import BadQuantity
from mockpump.emulator.pump.faults import Fault
from mockpump.emulator.pump.pump import LAST_SECOND
from mockpump.emulator.simulation.scenario import (
    ACTIONS,
    REFUSABLE,
    BolusPart,
    ExpectPart,
    LimitsPart,
    PicturePart,
    ProgrammerPart,
    ProgramPart,
    PumpPart,
    RefillPart,
    RoutePart,
    Scenario,
    ScenarioError,
    Step,
    TempPart,
    moment,
    span,
)
from mockpump.protocol import messages as m
from mockpump.protocol import toml_text
from mockpump.protocol.fields import Record, fields_of
from mockpump.protocol.link.types import Offer
from mockpump.protocol.messages import Alarm, Reason
from mockpump.protocol.toml_text import BadToml
from mockpump.protocol.units import choice_name

# Bytes of a scenario; the examples have a few thousand.
MAX_TEXT = 262_144

# What is under which key.
# Each table of a scenario by its key; the scenario itself has none.
PARTS: dict[str, type[msgspec.Struct]] = {
    "": Scenario,
    "pump": PumpPart,
    "limits": LimitsPart,
    "programmer": ProgrammerPart,
    "step": Step,
    "expect": ExpectPart,
    "program": ProgramPart,
    "power_cut": ProgramPart,
    "bolus": BolusPart,
    "temp": TempPart,
    "refill": RefillPart,
    "picture": PicturePart,
    "route": RoutePart,
}
# The part of a scenario, and the record that carries what is under those keys; the names may
# differ.
_CARRIERS: dict[str, tuple[type[Record], dict[str, str]]] = {
    "bolus": (m.StartBolus, {"volume": "volume", "over": "duration"}),
    "temp": (m.SetTemporary, {"percent": "percent", "span": "duration"}),
    "refill": (m.Refill, {"volume": "volume", "concentration": "concentration"}),
    "limits": (m.SetLimits, {name: name for name in ("rate", "bolus", "daily", "rise")}),
    "programmer": (Offer, {"window": "window", "payload": "max_payload"}),
}


def load_scenario(text: str, name: str) -> Scenario:
    """The scenario in a TOML text; `ScenarioError` names the file and the place."""
    try:
        scenario = msgspec.convert(toml_text.parse(text, MAX_TEXT), Scenario)
        for number, step in enumerate(scenario.step, start=1):
            _check_step(number, step)
        _check_amounts("programmer", scenario.programmer)
        _check_words(scenario)
        _check_life(scenario)
        read_impairments(scenario.channel)
        span(scenario.sample)
        moment(scenario.pump.clock)
    except (BadToml, msgspec.ValidationError, ScenarioError, BadQuantity) as error:
        raise ScenarioError(f"{name}: {error}{_nearest(str(error))}") from None
    except RecursionError:
        raise ScenarioError(f"{name}: it is nested too deeply") from None
    return scenario


def _nearest(error: str) -> str:
    """The right key that is nearest to an unknown one in an error of msgspec's."""
    unknown = re.search(r"unknown field `(.*?)`(?: - at `\$.*?(\w*)(?:\[\d+\])?`)?$", error)
    if unknown is None:
        return ""
    near = get_close_matches(unknown[1], PARTS[unknown[2] or ""].__struct_fields__, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _check_words(scenario: Scenario) -> None:
    """What a terminal should not get is no word."""
    said = [scenario.name, scenario.title, *(step.say for step in scenario.step)]
    odd = {each for text in said for each in text if not (each.isprintable() or each in "\n\t")}
    if odd:
        raise ScenarioError(f"there is a character in it that cannot be printed: {min(odd)!a}")


def _check_life(scenario: Scenario) -> None:
    """A pump that has come to the end of its life never gets any older."""
    ages = [span(step.at) for step in scenario.step if step.at is not None]
    lived = sum(span(step.live) for step in scenario.step if step.live is not None)
    if max([lived, *ages]) > LAST_SECOND:
        raise ScenarioError(f"no pump comes to live longer than {LAST_SECOND:,} s")


def _check_step(number: int, step: Step) -> None:
    _check_values(number, step)
    actions = [name for name in ACTIONS if getattr(step, name) is not None]
    if len(actions) > 1:
        raise ScenarioError(f"step {number} does {' and '.join(actions)}: one action a step")
    if not (actions or step.say or step.at or isinstance(step.expect, ExpectPart)):
        raise ScenarioError(f"step {number} neither says nor does anything")
    refusable = bool(actions) and actions[0] in REFUSABLE
    if isinstance(step.expect, str) and step.expect and not refusable:
        raise ScenarioError(f"step {number}: nobody is asked, so nobody can refuse it")
    if any(getattr(step, name) is False for name in ACTIONS):
        raise ScenarioError(f"step {number}: a action is done or left out; there is no `false`")


def _check_values(number: int, step: Step) -> None:
    """What can be wrong with the texts of a step, found before the scenario begins."""
    try:
        for text in (step.at, step.live, step.wait):
            if text is not None:
                span(text)
        if step.clock is not None:
            moment(step.clock)
        if step.channel is not None:
            read_impairments(step.channel)
        for name in ACTIONS:
            _check_amounts(name, getattr(step, name))
        _check_names(step)
    except (ScenarioError, BadQuantity) as error:
        raise ScenarioError(f"step {number}: {error}") from None


def _check_names(step: Step) -> None:
    if isinstance(step.expect, str):
        _check_reason(step.expect)
    for known, name in ((Fault, step.fault), (Fault, step.clear), (Alarm, step.acknowledge)):
        if name is not None and name.upper().replace("-", "_") not in known.__members__:
            names = ", ".join(choice_name(each) for each in known)
            raise ScenarioError(f"there is no {known.__name__.lower()} {name!r}; there are {names}")


def _check_reason(reason: str) -> None:
    known = ["anything", *(each.name.lower() for each in Reason)]
    if reason and reason not in known:
        near = get_close_matches(reason, known, n=1)
        advice = f"; did you mean {near[0]!r}?" if near else ""
        raise ScenarioError(f"the pump gives no reason {reason!r}{advice}")


def _check_amounts(name: str, part: Any) -> None:
    """An amount must be one that its message can carry."""
    record, names = _CARRIERS.get(name, (None, {}))
    if record is None or part is None:
        return
    declared: dict[str, Any] = dict(fields_of(record))
    for key, field in names.items():
        written, bounds = getattr(part, key), declared[field]
        value = span(written) if isinstance(written, str) else written
        if value is not None and not bounds.minimum <= value <= bounds.maximum:
            unit = f" {bounds.unit}" if bounds.unit else ""
            raise ScenarioError(f"{name}.{key} is {written}, and not within {bounds.rule}{unit}")
