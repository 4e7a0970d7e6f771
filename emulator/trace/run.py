"""A run as it can be looked at: frames, what happened to them, and why each was sent.

All that shows a run uses these records and works nothing out itself.  They come from a trace and
nothing else (`mockpump.emulator.trace.model.read_run`).  Times are microseconds of line time; a
frame's `number` is its place among the transmissions of the run, both directions, from 1; bytes on
the line count from 1, bits from 7 to 0.
"""

from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import NamedTuple

import msgspec

from mockpump.emulator.trace.format import PROGRAMMER, AnyLine, Head, Log, Sender
from mockpump.emulator.trace.shadow import Hole, LinkState, Verdict
from mockpump.protocol.fields import Record
from mockpump.protocol.framing import Frame
from mockpump.protocol.session import Seal


class Flip(NamedTuple):
    """A damaged byte: its place in the frame as it was sent, from 1, and both values."""

    byte: int
    was: int
    came: int

    @property
    def bits(self) -> tuple[int, ...]:
        """The bits that differ, the highest first; 7 is the highest of a byte."""
        return tuple(bit for bit in reversed(range(8)) if (self.was ^ self.came) >> bit & 1)


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """How a frame came to the other side, once.

    `begins` is when its first byte came, `at` its last; `data` is what came, with `garbage` bytes
    in front that nobody sent.  `order` is its place among the lines of the trace.
    """

    at: int
    begins: int
    order: int
    data: bytes
    faults: tuple[str, ...] = ()
    garbage: int = 0
    flips: tuple[Flip, ...] = ()
    verdict: Verdict

    @property
    def is_good(self) -> bool:
        """Whether a whole frame came of it."""
        return self.verdict.word not in ("rejected", "incomplete")


class Cause(NamedTuple):
    """Why a frame was sent: a word of `CAUSES`, and which frame or doing brought it about."""

    why: str
    frame: int = 0
    doing: int = 0


CAUSES = {
    "asked": "a doing of the programmer's begins",
    "next": "the programmer goes on, after what a frame has brought",
    "answer": "the pump answers a request",
    "report": "the pump reports by itself",
    "room": "an acknowledgement has made room in the window",
    "timer": "the retransmission timer ran out",
    "gap": "what was sent later is there already",
    "repeat": "the same came again, so the same is said again",
    "at once": "an acknowledgement that is owed at once",
    "delayed": "an acknowledgement that has waited for a frame to ride on",
    "keepalive": "nothing was sent for a while",
    "close": "the connection ends",
    "stray": "what came belongs to no connection",
    "attack": "somebody else on the line",
    "rival": "a second programmer, on a line of its own",
    "unknown": "the trace does not tell",
}


class Transmission(msgspec.Struct, kw_only=True):
    """A frame given to a line, once.

    It was given at `at`, and is on the line from `begins` to `ends`.  `first` is the number of the
    transmission in which the same frame went for the first time, `count` which one this is, from 1,
    `counts` how many there are in all; `lost` names the fault that swallowed it.  `message` is what
    it carries, in a word; `content` that message itself.  `handed_up` is when the receiver's device
    got it: later than it arrived when it had to wait for what was before it.  `was_seen_sent`: that
    it was sent is in the trace, else only that it arrived; `is_arrival_known`: it would be in the
    trace if it had arrived.
    """

    number: int
    order: int
    line: int
    sender: Sender
    receiver: Sender
    at: int
    begins: int
    ends: int
    data: bytes
    lost: str = ""
    frame: Frame | None = None
    message: str = ""
    content: Record | None = None
    seal: Seal | None = None
    first: int = 0
    count: int = 1
    counts: int = 1
    arrivals: list[Arrival] = []
    handed_up: int | None = None
    was_seen_sent: bool = False
    is_arrival_known: bool = True
    cause: Cause = Cause("unknown")
    effects: list[int] = []

    @property
    def kind(self) -> str:
        """`DATA`, `ACK` and so on; "?" for bytes that are no frame."""
        return "?" if self.frame is None else self.frame.kind.name

    @property
    def name(self) -> str:
        """What it is called: its message and number, or its kind."""
        if self.frame is None:
            return "no frame"
        if self.kind == "DATA":
            return f"{self.message} {self.frame.seq}"
        return f"ack {self.frame.ack}" if self.kind == "ACK" else self.kind

    @property
    def transaction(self) -> int | None:
        """The transaction that its message names; None when it names none."""
        return getattr(self.content, "transaction", None)

    @property
    def faults(self) -> tuple[str, ...]:
        """The kinds of all faults that it met."""
        came = tuple(kind for arrival in self.arrivals for kind in arrival.faults)
        return (self.lost, *came) if self.lost else came

    @property
    def is_damaged(self) -> bool:
        """Whether it came with bytes that nobody sent."""
        return any(arrival.flips for arrival in self.arrivals)

    @property
    def is_troubled(self) -> bool:
        """Whether something went wrong with it, or it was not of use at once."""
        return bool(
            self.faults
            or self.counts > 1
            or any(each.verdict.word in ("dropped", "kept") for each in self.arrivals)
        )


class Timer(msgspec.Struct, kw_only=True):
    """A retransmission timer, from when it was started.  `how` it ended: expired or stopped."""

    number: int
    side: Sender
    starts: int
    ends: int
    timeout: int
    expiries: int
    how: str


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """A payload in flight: first sent, and not known to have arrived.

    `lane` is the first that is free among those of its side; `how` it ended: acknowledged, given up
    or not at all (open).
    """

    side: Sender
    connection: int
    seq: int
    starts: int
    ends: int
    lane: int
    how: str


class Doing(msgspec.Struct, kw_only=True):
    """An action of a scenario, a call or a procedure; `inside` is the one that it is a part of."""

    number: int
    kind: str
    name: str
    starts: int
    ends: int | None = None
    error: str = ""
    inside: int = 0


class Change(msgspec.Struct, kw_only=True):
    """A change asked of the pump: when it was asked for, done, and known to be done.

    `entry` is the number of its entry in the log; `frames` carried the request, `replies` came
    back; `answer` is the frame that told.
    """

    transaction: int
    name: str
    asked: int
    frames: list[int]
    replies: list[int] = []
    done: int | None = None
    entry: int = 0
    known: int | None = None
    answer: int = 0


class Note(NamedTuple):
    """A line of the trace that is drawn beside the frames, in its place."""

    at: int
    order: int
    line: AnyLine


class Knot(msgspec.Struct, frozen=True, kw_only=True):
    """Frames that belong together because of what went wrong: something to look at.

    `number` counts from 1; `focus` is the frame that shows it best; `weight` how much is in it.
    """

    number: int = 0
    title: str
    text: str
    frames: tuple[int, ...]
    focus: int
    starts: int
    ends: int
    weight: int


class Run(msgspec.Struct, kw_only=True, dict=True):
    """A run, or a part of one: then `before` frames of it come before the first that is here."""

    head: Head
    ends: int
    frames: list[Transmission]
    notes: list[Note]
    states: list[LinkState]
    timers: list[Timer]
    flights: list[Flight]
    doings: list[Doing]
    changes: list[Change]
    holes: list[Hole]
    knots: list[Knot] = []
    before: int = 0

    @property
    def has_log(self) -> bool:
        """Whether what the pump did is in the trace."""
        return any(isinstance(note.line, Log) for note in self.notes)

    @property
    def hears_programmer(self) -> bool:
        """Whether what came to the programmer is in the trace."""
        return self.head.time == "virtual" or any(
            frame.arrivals for frame in self.frames if frame.receiver == PROGRAMMER
        )

    def frame(self, number: int) -> Transmission:
        """The transmission of this number; `KeyError` when there is none."""
        if not self.before < number <= self.last:
            raise KeyError(number)
        return self.frames[number - self.before - 1]

    @property
    def last(self) -> int:
        """The number of the last frame; 0 when there is none."""
        return self.before + len(self.frames)

    def transmissions(self, frame: Transmission) -> list[Transmission]:
        """All transmissions of the same frame, in order."""
        return self._by_first[frame.first]

    @property
    def done_once(self) -> bool:
        """Whether the log proves that each change was done, and none twice.

        Each has an entry of its own then, and there are no other entries of these kinds.
        """
        own = {change.entry for change in self.changes if change.done is not None}
        log = [note.line for note in self.notes if isinstance(note.line, Log)]
        kinds = {entry.kind for entry in log if entry.number in own}
        made = sum(entry.kind in kinds for entry in log)
        return not self.before and 0 < len(self.changes) == len(own) == made

    def sent_between(self, first: int, last: int) -> list[Transmission]:
        """What was sent between two moments, both inside, in order."""
        begin = bisect_left(self._times, first)
        return self.frames[begin : bisect_right(self._times, last)]

    def expiry(self, side: Sender, at: int) -> Timer | None:
        """A side's timer that ran out at a moment; None when the trace does not have it."""
        return self._expiries.get((side, at))

    @cached_property
    def _by_first(self) -> dict[int, list[Transmission]]:
        found: dict[int, list[Transmission]] = {}
        for frame in self.frames:
            found.setdefault(frame.first, []).append(frame)
        return found

    @cached_property
    def _times(self) -> list[int]:
        return [frame.at for frame in self.frames]

    @cached_property
    def _expiries(self) -> dict[tuple[Sender, int], Timer]:
        # The first of several.
        expired = [timer for timer in reversed(self.timers) if timer.how == "expired"]
        return {(timer.side, timer.ends): timer for timer in expired}
