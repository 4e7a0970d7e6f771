"""The lines of a trace: one declaration for writing, reading and the JSON Schema.

A trace is JSON, an object a line, in the order in which things happened: first a `Head`, then any
of the kinds below.  `t` is line time in microseconds.  Only what cannot be worked out is a line:
bytes given to a line and bytes that arrived, what a side was asked to do, what the pump recorded,
what it is and what the programmer believes.  Windows, timers, verdicts and causes follow from these
and are not written down (`mockpump.emulator.trace.shadow`).
"""

from typing import Any, Final, Literal

import msgspec

from mockpump import __version__
from mockpump.protocol.framing import VERSION
from mockpump.protocol.link.types import LinkSettings

FORMAT: Literal["mockpump-trace/1"] = "mockpump-trace/1"
PROGRAMMER: Final = "programmer"
PUMP: Final = "pump"
RIVAL: Final = "rival"
SOMEBODY: Final = "somebody"
Sender = Literal["programmer", "pump", "rival", "somebody"]
# The line between the two; each one that somebody else has into the same pump has the next number.
MAIN_LINE = 0
SIDES: tuple[Sender, Sender] = (PROGRAMMER, PUMP)


class Ends(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the link of each side was set to; None for a side that was not recorded."""

    programmer: LinkSettings | None = None
    pump: LinkSettings | None = None


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first line of a trace.  `time` tells whether a clock or a simulation gave the times."""

    format: Literal["mockpump-trace/1"] = FORMAT
    mockpump: str
    protocol: int
    time: Literal["virtual", "real"]
    ends: Ends
    title: str = ""


def head_of(time: Literal["virtual", "real"], ends: Ends, title: str = "") -> Head:
    """The head of a trace that this version writes."""
    return Head(mockpump=__version__, protocol=VERSION, time=time, ends=ends, title=title)


class Line(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="what",
    tag=str.lower,
    omit_defaults=True,
):
    """The base of all other lines."""

    t: int


class Sent(Line, frozen=True, kw_only=True):
    """A chunk was given to a line.  `id` counts chunks from 1; `lost`: the fault that ate it."""

    id: int
    by: Sender
    bytes: str
    line: int = MAIN_LINE
    lost: str = ""


class Arrived(Line, frozen=True, kw_only=True):
    """A chunk has come through, at its last byte.

    `id` is that of the chunk; where nobody recorded that it was sent it counts as one.  `faults`
    are the faults in these bytes, each with its first byte and the one behind its last, counted
    from 0.
    """

    id: int
    to: Sender
    bytes: str
    line: int = MAIN_LINE
    faults: list[tuple[str, int, int]] = []


class Waiting(Line, frozen=True, kw_only=True):
    """This many payloads now wait behind the window of a side's link on the main line."""

    by: Sender
    payloads: int


class Channel(Line, frozen=True, kw_only=True):
    """From now on this is wrong with a line: the keys of docs/CHANNEL.md."""

    impairments: dict[str, Any]
    line: int = MAIN_LINE


class Began(Line, frozen=True, kw_only=True):
    """An action of a scenario, a call or a procedure has begun.  `id` counts all of them."""

    id: int
    kind: Literal["action", "call", "procedure"]
    name: str


class Ended(Line, frozen=True, kw_only=True):
    """It has ended; `error` when it has failed."""

    id: int
    error: str = ""


class Log(Line, frozen=True, kw_only=True):
    """The pump has made an entry in its log, at this moment.  Figures as in docs/PROTOCOL.md."""

    number: int
    elapsed: int
    clock: int
    kind: str
    first: int
    second: int


class Pump(Line, frozen=True, kw_only=True):
    """What the pump is: s, nL/h and nL; `program` is a digest.  Written when it has changed."""

    mode: str
    elapsed: int
    clock: int
    program: str
    rate: int
    delivered: int
    bolus_left: int
    reservoir: int
    sealed: bool = False


class Belief(Line, frozen=True, kw_only=True):
    """What the programmer believes the pump to be; what it never heard is left out."""

    mode: str | None = None
    elapsed: int | None = None
    clock: int | None = None
    program: str | None = None
    rate: int | None = None
    delivered: int | None = None
    reservoir: int | None = None
    heard_at: int | None = None
    sealed: bool = False


class Power(Line, frozen=True, kw_only=True):
    """The pump lost its power and started again."""

    mode: str


class Alarm(Line, frozen=True, kw_only=True):
    """An alarm changed on the pump's panel."""

    alarm: str
    state: Literal["present", "acknowledged", "past", "gone"]


class Programmer(Line, frozen=True, kw_only=True):
    """Something happened to the programmer; `facts` depend on the event."""

    event: str
    facts: dict[str, Any] = {}


class Told(Line, frozen=True, kw_only=True):
    """A line of narration: the narrator's (`say`), an action (`do`) or the pump's side (`pump`)."""

    kind: Literal["say", "do", "pump", "failed"]
    text: str


AnyLine = (
    Sent
    | Arrived
    | Waiting
    | Channel
    | Began
    | Ended
    | Log
    | Pump
    | Belief
    | Power
    | Alarm
    | Programmer
    | Told
)


def schema() -> dict[str, Any]:
    """The JSON Schema of a trace's lines: its head, or any other."""
    (head, line), components = msgspec.json.schema_components(
        (Head, AnyLine), ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a mockpump trace",
        "anyOf": [head, line],
        "$defs": components,
    }
