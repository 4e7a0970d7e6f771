"""A scenario: what is done to a pump, step by step, as a file, and what it is to show in the end.

`mockpump.emulator.simulation.scenario_reading` reads one and finds what cannot be; the actions
themselves are in `mockpump.emulator.simulation.runner`.  All scenarios are fictional.
"""

import re
from typing import Any, Literal

import msgspec

from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.units import WEEKDAYS

FORMAT = "mockpump-scenario/1"
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
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
    """A span such as `90s`, `30m`, `2h` or `1d`, in seconds."""
    match = re.fullmatch(r"(\d{1,7})([smhd])", text, re.ASCII)
    if match is None or not int(match[1]):
        raise ScenarioError(f"{text!r} is not like 90s, 30m, 2h or 1d")
    return int(match[1]) * _UNITS[match[2]]


def moment(text: str) -> int:
    """A time of the week such as `Tue 23:30`, in seconds since Monday at midnight."""
    match = re.fullmatch(r"(\w{3}) ([01]\d|2[0-3]):([0-5]\d)", text, re.ASCII)
    if match is None or match[1] not in WEEKDAYS:
        raise ScenarioError(f"{text!r} is no time of the week such as 'Tue 23:30'")
    return WEEKDAYS.index(match[1]) * 86_400 + int(match[2]) * 3_600 + int(match[3]) * 60
