"""What the page shows, as data: every word of it is made here, and the page only places and draws.

The schema is these structs, which JSON holds as they stand; what there is much of is an array.
Times are microseconds of line time, frames are named by their number, from 1, 0 for none, and bytes
of the line count from 1.  What is said of many things at once is in `texts` and named by its place.
"""

from typing import Literal

import msgspec

from mockpump.display.page.layers import Image
from mockpump.emulator.trace.format import PROGRAMMER, PUMP, RIVAL, SOMEBODY

SIDES = (PROGRAMMER, PUMP, SOMEBODY, RIVAL)
SIDE_NAMES = ["programmer", "pump", "somebody else", "second programmer"]
FORMAT: Literal["mockpump-page/1"] = "mockpump-page/1"


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of what JSON holds as an object."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """The base of what JSON holds as an array."""


class Flip(Row, frozen=True):
    """A damaged byte, by its place on the line; `bits` are those that differ, 7 is the highest."""

    byte: int
    was: int
    came: int
    bits: list[int]


class Arrival(Struct, frozen=True, kw_only=True):
    """A frame at the other end.  `end` is how it is drawn there, `words` what happened to it."""

    at: int
    begins: int
    order: int
    end: Literal["taken", "kept", "dropped", "stopped"]
    words: str
    garbage: str = ""
    flips: list[Flip] = []
    is_late: bool = False


class Frame(Struct, frozen=True, kw_only=True):
    """A frame given to a line, once.

    `by` and `to` are places in `Model.sides`; `trouble` is what happened to it in full and short,
    `is_harmed` says that this was a fault.  `wait` is what ends a long silence before it.
    """

    by: int
    to: int
    shape: Literal["data", "ack", "control"]
    name: str
    label: str = ""
    at: int
    begins: int
    ends: int
    order: int
    size: int
    lost: str = ""
    trouble: tuple[str, str] | None = None
    is_harmed: bool = False
    is_troubled: bool = False
    is_quiet: bool = False
    count: int = 1
    counts: int = 1
    first: int
    arrivals: list[Arrival] = []
    fate: str
    why: list[int]
    cause: int = 0
    effects: list[int] = []
    image: int
    wait: str = ""


class Reason(Row, frozen=True):
    """A link of a chain of causes, and the frame of which it speaks."""

    text: str
    frame: int


class Caption(Struct, frozen=True, kw_only=True):
    """What stands beside the ladder: what is told and done at its left, the pump's log right."""

    at: int
    order: int
    kind: Literal["say", "do", "answer", "event", "failed", "log"]
    text: str
    lead: str = ""


class Knot(Struct, frozen=True, kw_only=True):
    """A numbered note; `focus` is the frame to look at."""

    number: int
    title: str
    text: str
    frames: list[int]
    focus: int
    starts: int
    ends: int
    weight: int


class Timer(Row, frozen=True):
    """A retransmission timer that ran out, from the frame that started it to what it sent."""

    side: int
    starts: int
    ends: int
    first: int
    last: int
    text: str


class Bar(Row, frozen=True):
    """Something in a lane beside a lifeline; `frames` are its sendings."""

    side: int
    lane: int
    starts: int
    ends: int
    frames: list[int]
    kind: Literal["flight", "given up", "kept"]


class State(Row, frozen=True):
    """Where a side's link stands from `at` on; the words by their place in `texts`.

    `timeout` and `round_trip` in microseconds, None while there is none.
    """

    at: int
    side: int
    is_open: bool
    words: list[int]
    timeout: int
    round_trip: int | None


class Facts(Row, frozen=True):
    """What a side is, or believes the other to be, from a line of the trace on; -1: unheard."""

    at: int
    order: int
    words: list[int]


class Change(Struct, frozen=True, kw_only=True):
    """A change that was asked of the pump: when it was asked for, done, and known to be done."""

    name: str
    asked: int
    done: int | None = None
    known: int | None = None
    request: int
    answer: int = 0


class Wait(Row, frozen=True):
    """A command and how long it waited, with the numbers of the notes that say what held it up."""

    text: str
    knots: list[int]


class Day(Struct, frozen=True, kw_only=True):
    """What the pump did over its own time: s, nL/h and nL."""

    elapsed: list[int]
    rate: list[int]
    reservoir: list[int]


class Guest(Struct, frozen=True, kw_only=True):
    """Somebody who is on the line only for a while."""

    side: int
    starts: int
    ends: int


class Model(Struct, frozen=True, kw_only=True):
    """A run.  `link_rows` and `fact_rows` name the words of `State` and `Facts`.

    Of `drifting` rows the two sides differ as time goes by, though nothing is wrong.
    """

    format: Literal["mockpump-page/1"]
    name: str
    title: str
    claim: str
    sums: str
    source: str
    ends: int
    sides: list[str]
    line: list[tuple[int, str]]
    outages: list[tuple[int, int]]
    guests: list[Guest]
    frames: list[Frame]
    images: list[Image]
    reasons: list[Reason]
    captions: list[Caption]
    knots: list[Knot]
    timers: list[Timer]
    bars: list[Bar]
    texts: list[str]
    link_rows: list[str]
    states: list[State]
    fact_rows: list[str]
    drifting: list[str]
    truth: list[Facts]
    belief: list[Facts]
    changes: list[Change]
    waits: list[Wait]
    day: Day | None = None
