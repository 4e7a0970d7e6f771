"""A scenario: what is done to a pump, step by step, as a file, and what it is to show in the end.

This module also reads one, and rejects what cannot be; `mockpump.emulator.simulation.runner` runs
it.  All scenarios are fictional.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.pump.pump import LAST_SECOND
from mockpump.emulator.simulation.actions import ACTIONS
from mockpump.emulator.simulation.actions.action import Action, check_amounts
from mockpump.emulator.simulation.actions.requests import Limits
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.expectations import ExpectPart, check_reason
from mockpump.protocol import toml_text
from mockpump.protocol.link.types import Offer
from mockpump.protocol.program_toml import FORMAT_TEXT
from mockpump.protocol.toml_text import BadToml
from mockpump.protocol.units import BadQuantity, did_you_mean, read_duration, read_week_time

FORMAT = "mockpump-scenario/1"
Curve = Literal["rate", "pumped", "arrived", "dose", "index", "long way"]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of everything in a scenario."""


class PumpPart(_Part, frozen=True, kw_only=True):
    """What the pump is made with.  Volumes in nL, drift in ppm, concentration in du/mL.

    `limits`: as the action of that name has them.
    """

    program: str = "day"
    clock: str = "Mon 00:00"
    reservoir: int = 20_000_000
    concentration: int = 500
    dead: int = 150_000
    drift: int = 0
    limits: Limits = Limits()


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
    action: Action | None = None

    @property
    def refusal(self) -> str:
        """The reason for which the pump is to refuse the action; "": it is to do it."""
        return self.expect if isinstance(self.expect, str) else ""


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

    `channel` is what is wrong with the line (docs/CHANNEL.md).  `ladder` is how much of the
    ladder ends the demo: `whole`, or what is around the `worst` moment.  `beside` is the name of an
    example that the demo shows beside this one.
    """

    format: Literal["mockpump-scenario/1"]
    name: str
    title: str
    ladder: Literal["whole", "worst"] | None = None
    beside: str = ""
    sample: str = "15m"
    speed: int = 3_600
    pump: PumpPart = PumpPart()
    programmer: ProgrammerPart = ProgrammerPart()
    channel: dict[str, Any] = {}
    step: list[Step]
    picture: PicturePart | None = None


def program_names(scenario: Scenario) -> list[str]:
    """The programs that a scenario calls for, each once."""
    named = (name for action in _actions(scenario) for name in action.programs)
    return sorted({scenario.pump.program, *named})


def _actions(scenario: Scenario) -> Iterator[Action]:
    return (step.action for step in scenario.step if step.action is not None)


# -- as a file has it ------------------------------------------------------------------------------


def _as_written(
    struct: type[msgspec.Struct], replaced: str, fields: Iterable[tuple[str, Any, Any]]
) -> type[msgspec.Struct]:
    """A struct as a file has it: with these fields (name, type, default) in place of one."""
    made: list[tuple[str, Any, Any]] = []
    for each in msgspec.structs.fields(struct):
        default = msgspec.field(  # type: ignore[call-overload]
            default=each.default, default_factory=each.default_factory
        )
        made += fields if each.name == replaced else [(each.name, each.type, default)]
    namespace = {"__doc__": struct.__doc__}
    return msgspec.defstruct(
        struct.__name__, made, bases=(_Part,), namespace=namespace, frozen=True, kw_only=True
    )


WRITTEN_STEP = _as_written(
    Step, "action", [(each.key, each.written_as() | None, None) for each in ACTIONS]
)
WRITTEN_SCENARIO = _as_written(
    Scenario,
    "step",
    [("step", list[WRITTEN_STEP], msgspec.field())],  # type: ignore[valid-type]
)

# Each table of a scenario by its key; the scenario itself has none.
PARTS: dict[str, type[msgspec.Struct]] = {
    "": WRITTEN_SCENARIO,
    "pump": PumpPart,
    "programmer": ProgrammerPart,
    "step": WRITTEN_STEP,
    "expect": ExpectPart,
    "picture": PicturePart,
    "route": RoutePart,
    **{each.key: each for each in ACTIONS if each.written_as() is each},
}

# Bytes of a scenario; the examples have a few thousand.
MAX_TEXT = 262_144


def load_scenario(text: str, name: str) -> Scenario:
    """The scenario in a TOML text; `ScenarioError` names the file and the place."""
    try:
        document = toml_text.parse(text, MAX_TEXT)
        _expect_no_program(document, name)
        written = msgspec.convert(document, WRITTEN_SCENARIO)
        scenario = _scenario(written)
        _check(scenario)
    except (BadToml, msgspec.ValidationError, ScenarioError, BadQuantity) as error:
        raise ScenarioError(f"{name}: {error}{_nearest(str(error))}") from None
    except RecursionError:
        raise ScenarioError(f"{name}: it is nested too deeply") from None
    return scenario


def _expect_no_program(document: dict[str, Any], name: str) -> None:
    if document.get("format") == FORMAT_TEXT:
        use = f"give it to a pump with `mockpump programmer program set {name}`"
        raise ScenarioError(f"it is a program, not a scenario: {use}")


def _nearest(error: str) -> str:
    """The right key that is nearest to an unknown one in an error of msgspec's."""
    unknown = re.search(r"unknown field `(.*?)`(?: - at `\$.*?(\w*)(?:\[\d+\])?`)?$", error)
    if unknown is None:
        return ""
    near = did_you_mean(unknown[1], PARTS[unknown[2] or ""].__struct_fields__)
    return f"; did you mean `{near}`?" if near else ""


def _scenario(written: Any) -> Scenario:
    steps = [_step(number, step) for number, step in enumerate(written.step, start=1)]
    return Scenario(**{**msgspec.structs.asdict(written), "step": steps})


def _step(number: int, written: Any) -> Step:
    values = msgspec.structs.asdict(written)
    given = [(each, value) for each in ACTIONS if (value := values.pop(each.key)) is not None]
    if len(given) > 1:
        keys = " and ".join(each.key for each, _ in given)
        raise ScenarioError(f"step {number} does {keys}: one action a step")
    if not given and not written.say and written.at is None and isinstance(written.expect, str):
        raise ScenarioError(f"step {number} neither says nor does anything")
    try:
        action = next((each.read(value) for each, value in given), None)
        step = Step(**values, action=action)
        _check_step(step)
    except (ScenarioError, BadQuantity) as error:
        raise ScenarioError(f"step {number}: {error}") from None
    return step


def _check_step(step: Step) -> None:
    """What can be wrong with a step, found before the scenario begins."""
    if step.at is not None:
        read_duration(step.at)
    if step.action is not None:
        step.action.check()
    check_reason(step.refusal)
    if step.refusal and not (step.action and step.action.refusable):
        raise ScenarioError("nobody is asked, so nobody can refuse it")


def _check(scenario: Scenario) -> None:
    renamed = {"payload": "max_payload"}
    check_amounts("programmer", scenario.programmer, Offer, renamed)
    _check_words(scenario)
    _check_life(scenario)
    read_impairments(scenario.channel)
    read_duration(scenario.sample)
    read_week_time(scenario.pump.clock)
    if scenario.picture is not None and scenario.picture.route is not None:
        read_duration(scenario.picture.route.half_life)


def _check_words(scenario: Scenario) -> None:
    """What a terminal should not get is not a word."""
    said = [scenario.name, scenario.title, *(step.say for step in scenario.step)]
    odd = {each for text in said for each in text if not (each.isprintable() or each in "\n\t")}
    if odd:
        raise ScenarioError(f"there is a character in it that cannot be printed: {min(odd)!a}")


def _check_life(scenario: Scenario) -> None:
    """A pump that has come to the end of its life never gets any older."""
    ages = [read_duration(step.at) for step in scenario.step if step.at is not None]
    lived = sum(action.pump_time for action in _actions(scenario))
    if max([lived, *ages]) > LAST_SECOND:
        raise ScenarioError(f"no pump comes to live longer than {LAST_SECOND:,} s")
