"""A scenario: what is done to a pump, step by step, as a file, and what it is to show in the end.

This module also reads one, and rejects what cannot be; `mockpump.emulator.simulation.runner`
carries the actions out.  All scenarios are fictional.
"""

import re
from typing import Any, Literal

import msgspec

from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.pump.faults import Fault
from mockpump.emulator.pump.pump import LAST_SECOND
from mockpump.protocol import messages as m
from mockpump.protocol import toml_text
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.fields import Record, fields_of
from mockpump.protocol.link.types import Offer
from mockpump.protocol.messages import Alarm, Reason
from mockpump.protocol.toml_text import BadToml
from mockpump.protocol.units import (
    BadQuantity,
    choice_name,
    did_you_mean,
    read_duration,
    read_week_time,
)

FORMAT = "mockpump-scenario/1"
Curve = Literal["rate", "pumped", "arrived", "dose", "index", "long way"]


class ScenarioError(MockpumpError):
    """A scenario that cannot be told as it is written."""


class ExpectationFailed(ScenarioError):
    """Something that a scenario expects is not so."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of everything in a scenario."""


class LimitsPart(_Part, frozen=True, kw_only=True):
    """Limits; what is left out stays as it is.  nL/h, nL, nL within 24 h, percent."""

    rate: int | None = None
    bolus: int | None = None
    daily: int | None = None
    rise: int | None = None


class PumpPart(_Part, frozen=True, kw_only=True):
    """What the pump is made with.  Volumes in nL, drift in ppm, concentration in du/mL."""

    program: str = "day"
    clock: str = "Mon 00:00"
    reservoir: int = 20_000_000
    concentration: int = 500
    dead: int = 150_000
    drift: int = 0
    limits: LimitsPart = LimitsPart()


class ProgramPart(_Part, frozen=True, kw_only=True):
    """A program by its name among the examples, and from when on it is to rule."""

    name: str
    at: Literal["now", "edge", "midnight"] = "now"


class BolusPart(_Part, frozen=True, kw_only=True):
    """A volume in nL over a time."""

    volume: int
    over: str = "30m"


class TempPart(_Part, frozen=True, kw_only=True):
    """A percentage for a time."""

    percent: int
    span: str


class RefillPart(_Part, frozen=True, kw_only=True):
    """A volume in nL of a concentration in du/mL."""

    volume: int
    concentration: int


class ExpectPart(_Part, frozen=True, kw_only=True):
    """What is to be so; what is left out may be anything.  Volumes in nL, counts since the start.

    `log`: kinds of which there is to be an entry.
    """

    mode: Literal["stopped", "running", "suspended", "fault"] | None = None
    program: str | None = None
    delivered: int | None = None
    boluses: int | None = None
    sessions: int | None = None
    turned_away: int | None = None
    alarms: list[str] | None = None
    log: list[str] | None = None


class Step(_Part, frozen=True, kw_only=True):
    """Words, one action, or both.

    `at`: not before the pump is that old.  `expect`: the reason for which the pump is to refuse it
    (`anything`: whether it does or not), or, as a table, what is to be so after it.  `lose_reply`:
    the pump does it, but the line loses what it says.  `take_over`: a rival ends the session that
    the programmer has.
    """

    say: str = ""
    at: str | None = None
    expect: str | ExpectPart = ""
    lose_reply: bool = False
    take_over: bool = False

    live: str | None = None
    program: ProgramPart | None = None
    bolus: BolusPart | None = None
    cancel_bolus: bool | None = None
    temp: TempPart | None = None
    suspend: bool | None = None
    resume: bool | None = None
    refill: RefillPart | None = None
    clock: str | None = None
    ramp: Literal["hold", "go-on", "step-back"] | None = None
    limits: LimitsPart | None = None
    acknowledge: str | None = None
    fault: str | None = None
    clear: str | None = None
    show: Literal["status", "alarms", "log"] | None = None
    power_cut: ProgramPart | None = None
    reboot: bool | None = None
    channel: dict[str, Any] | None = None
    wait: str | None = None
    rival: str | None = None
    attack: Literal["listen", "replay", "unsealed", "inject", "guess"] | None = None

    @property
    def action(self) -> tuple[str, Any] | None:
        """The name and value of what is done; None for words alone."""
        named = [(name, getattr(self, name)) for name in ACTIONS]
        return next((each for each in named if each[1] is not None), None)


ACTIONS = tuple(
    name
    for name in Step.__struct_fields__
    if name not in ("say", "at", "expect", "lose_reply", "take_over")
)


# The actions that are asked of the pump, which may refuse them.
REFUSABLE = (
    *("program", "bolus", "cancel_bolus", "temp", "suspend", "resume", "refill", "clock"),
    *("ramp", "limits", "acknowledge"),
)


class RoutePart(_Part, frozen=True, kw_only=True):
    """A second way to the same site: an invented share (percent) arrives, spread over a time."""

    share: int
    half_life: str


class PicturePart(_Part, frozen=True, kw_only=True):
    """The curves that end the scenario."""

    title: str
    curves: list[Curve]
    route: RoutePart | None = None


class ProgrammerPart(_Part, frozen=True, kw_only=True):
    """The programmer: which key it holds, and what its link offers."""

    access: Literal["observer", "clinician"] = "clinician"
    window: int = 8
    payload: int = 240


class Scenario(_Part, frozen=True, kw_only=True):
    """A whole scenario.  `sample` is how often the curves take a point.

    `channel` is what is wrong with the line (docs/CHANNEL.md).
    """

    format: Literal["mockpump-scenario/1"]
    name: str
    title: str
    sample: str = "15m"
    speed: int = 3_600
    pump: PumpPart = PumpPart()
    programmer: ProgrammerPart = ProgrammerPart()
    channel: dict[str, Any] = {}
    step: list[Step]
    picture: PicturePart | None = None


def program_names(scenario: Scenario) -> list[str]:
    """The programs that a scenario calls for, each once."""
    named = [part for step in scenario.step for part in (step.program, step.power_cut) if part]
    return sorted({scenario.pump.program, *(each.name for each in named)})


def span(text: str) -> int:
    """A span such as `90s`, `30m`, `2h` or `1h30m`, in seconds."""
    try:
        return read_duration(text)
    except BadQuantity as error:
        raise ScenarioError(str(error)) from None


def moment(text: str) -> int:
    """A time of the week such as `Tue 23:30`, in seconds since Monday at midnight."""
    try:
        return read_week_time(text)
    except BadQuantity as error:
        raise ScenarioError(str(error)) from None


# Bytes of a scenario; the examples have a few thousand.
MAX_TEXT = 262_144

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
    near = did_you_mean(unknown[1], PARTS[unknown[2] or ""].__struct_fields__)
    return f"; did you mean `{near}`?" if near else ""


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
        raise ScenarioError(f"step {number}: an action is done or left out; there is no `false`")


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
        near = did_you_mean(reason, known)
        advice = f"; did you mean {near!r}?" if near else ""
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
