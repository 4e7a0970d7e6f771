"""The program: how much to deliver at each time of day, as a value that two sides can compare.

The one idea: a program is a wire record like any message, so its canonical image is its encoding,
and two programs are equal exactly when their images are.  What a range can say stands in the
declarations, the rest in functions, and `RULES` lists both.  A fault is named by the key of its
place in a program file (`pattern[0].segments[3].start`), whoever finds it.  All is invented.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

from mockpump.protocol.codec import Codec, codec_for
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.fields import (
    Declaration,
    Integer,
    Integers,
    Record,
    Records,
    Text,
    exactly,
    fields_of,
    many,
    text,
    u8,
    u16,
    u32,
)
from mockpump.protocol.messages import DIGEST_SIZE, MAX_NAME

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Fault(NamedTuple):
    """Where a rule is broken, by the key that a program file gives the place, and which rule."""

    key: str
    rule: str


# Where a program file calls a field by another name than the record does.
_SPELLING = {"patterns": "pattern", "after": "after_days"}


def record_faults(record: type[Record], value: Any, key: str = "") -> Iterator[Fault]:
    """Every field of a record that is outside its declaration, by the key of its place."""
    if not isinstance(value, record):
        yield Fault(key, f"is no {record.__name__}")
    else:
        before = f"{key}." if key else ""
        for name, declaration in fields_of(record):
            inner = before + _SPELLING.get(name, name)
            yield from _FAULTS[type(declaration)](declaration, getattr(value, name), inner)


def _integer_faults(declaration: Integer, value: Any, key: str) -> Iterator[Fault]:
    # A bool would pass for an integer, and an integer of thousands of digits cannot be printed.
    if type(value) is not int:
        yield Fault(key, f"must be an integer, not {type(value).__name__}")
    elif not declaration.minimum <= value <= declaration.maximum:
        shown = str(value) if abs(value) < 10**20 else "so large a number"
        yield Fault(key, f"{shown} is not in {declaration.rule} {declaration.unit}".rstrip())


def _week_faults(declaration: Integers, value: Any, key: str) -> Iterator[Fault]:
    if not isinstance(value, tuple) or len(value) != declaration.count:
        yield Fault(key, f"must be {declaration.rule}")
    else:
        for day, each in zip(WEEKDAYS, value, strict=True):
            yield from _integer_faults(declaration.element, each, f"{key}.{day}")


def _text_faults(declaration: Text, value: Any, key: str) -> Iterator[Fault]:
    good = isinstance(value, str) and value.isprintable()
    if not good or len(value.encode()) > declaration.maximum:
        yield Fault(key, f"must be {declaration.rule}")


def _list_faults(declaration: Records, value: Any, key: str) -> Iterator[Fault]:
    if not isinstance(value, tuple):
        yield Fault(key, f"must be {declaration.rule}")
    else:
        yield from count_faults(len(value), key, declaration.minimum, declaration.maximum)
        for place, each in enumerate(value):
            yield from record_faults(declaration.record, each, f"{key}[{place}]")


def count_faults(count: int, key: str, minimum: int, maximum: int) -> Iterator[Fault]:
    """The first item too many, by its own key, or a list that is too short."""
    if count < minimum:
        yield Fault(key, f"must have at least {minimum}")
    if count > maximum:
        yield Fault(f"{key}[{maximum}]", f"one too many: at most {maximum}, not {count}")


_FAULTS: dict[type[Declaration], Callable[..., Iterator[Fault]]] = {
    Integer: _integer_faults,
    Integers: _week_faults,
    Text: _text_faults,
    Records: _list_faults,
}


FORMAT = 1
MAX_RATE = 1_000_000
MAX_PERCENT = 200
MAX_SEGMENTS = 48
MAX_PATTERNS = 4
MAX_RAMP = 32
MAX_PATTERN_NAME = 16
DAY_MINUTES = 1_440
# One nL/h for one second moves 1/3600 nL: in this unit every sum is a whole number.
UNITS_PER_NL = 3_600


class ProgramError(MockpumpError):
    """No such program can be: `key` is where, `rule` what was broken, `file` whose file it is in.

    The message is one printable line, whatever the file held.
    """

    def __init__(self, rule: str, *, key: str = "", file: str | None = None) -> None:
        rule, key = _one_line(rule, 200), _one_line(key, 100)
        super().__init__(": ".join(p for p in (_one_line(file or "", 300), key, rule) if p))
        self.rule = rule
        self.key = key
        self.file = file

    def within(self, file: str) -> "ProgramError":
        """The same fault, with the name of the file it was found in."""
        return ProgramError(self.rule, key=self.key, file=file)


class Segment(Record, frozen=True):
    """From `start` until the next segment, or midnight, the rate is `rate`."""

    start: Annotated[int, u16("min", "minute of the day", maximum=DAY_MINUTES - 1)]
    rate: Annotated[int, u32("nL/h", "before the ramp scales it", maximum=MAX_RATE)]


class DayPattern(Record, frozen=True):
    """A whole day from midnight to midnight."""

    name: Annotated[str, text("what people call it", maximum=MAX_PATTERN_NAME)]
    segments: Annotated[
        tuple[Segment, ...],
        many(Segment, "in order of time, the first at 0", minimum=1, maximum=MAX_SEGMENTS),
    ]


class RampStep(Record, frozen=True):
    """From `after` whole days on, every rate is scaled to `percent`, until the next step."""

    after: Annotated[int, u16("d", "clock days since the program began")]
    percent: Annotated[int, u8("%", "of the rates in the patterns", maximum=MAX_PERCENT)]


class Program(Record, frozen=True):
    """What the pump is to do: patterns, a week that picks one a day, a ramp that scales them."""

    format: Annotated[int, u8("", "version of this layout", minimum=FORMAT, maximum=FORMAT)]
    name: Annotated[str, text("what people call it", maximum=MAX_NAME)]
    week: Annotated[
        tuple[int, ...],
        exactly(7, u8("", "which pattern rules each day, Monday first", maximum=MAX_PATTERNS - 1)),
    ]
    patterns: Annotated[
        tuple[DayPattern, ...],
        many(DayPattern, "the week's choice", minimum=1, maximum=MAX_PATTERNS),
    ]
    ramp: Annotated[
        tuple[RampStep, ...], many(RampStep, "in order of days; before it 100 %", maximum=MAX_RAMP)
    ]

    @classmethod
    def flat(cls, name: str, rate: int) -> "Program":
        """The program that gives `rate` nL/h at every hour of every day."""
        return cls(FORMAT, name, (0,) * 7, (DayPattern("always", (Segment(0, rate),)),), ())


def image(program: Program) -> bytes:
    """The canonical image, never longer than `MAX_IMAGE`.  `ProgramError` for a broken rule."""
    check(program)
    return _CODEC.encode(program)


@lru_cache(maxsize=16)
def from_image(data: bytes) -> Program:
    """The program whose image `data` is; the latest are remembered.

    `DecodeError` when it is the image of nothing, `ProgramError` when a rule is broken.
    """
    program = _CODEC.decode(data)
    check(program)
    return program


def digest(image: bytes) -> bytes:
    """The first `DIGEST_SIZE` bytes of the image's SHA-256."""
    return hashlib.sha256(image).digest()[:DIGEST_SIZE]


def scaled(rate: int, percent: int) -> int:
    """A rate in nL/h as a ramp step scales it: floored to a whole nL/h, by definition."""
    return rate * percent // 100


def percents(program: Program) -> list[int]:
    """The percentages of the ramp in order; the first is that with which the program begins."""
    steps = [step.percent for step in program.ramp]
    return steps if program.ramp and program.ramp[0].after == 0 else [100, *steps]


def daily_volume(program: Program, weekday: int, percent: int = 100) -> int:
    """What a whole day delivers, in units of 1/3600 nL (`UNITS_PER_NL`); Monday is weekday 0."""
    segments = program.patterns[program.week[weekday]].segments
    ends = (*(segment.start for segment in segments[1:]), DAY_MINUTES)
    return sum(
        scaled(segment.rate, percent) * (end - segment.start) * 60
        for segment, end in zip(segments, ends, strict=True)
    )


# -- rules ---------------------------------------------------------------------------------------


def check(program: Program) -> None:
    """`ProgramError` naming the first fault; silent when the program breaks no rule."""
    for faults in RULES:
        for fault in faults(program):
            raise ProgramError(fault.rule, key=fault.key)


def clock_text(minute: int) -> str:
    """A minute of the day as people write it: `HH:MM`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _unnamed_patterns(program: Program) -> Iterator[Fault]:
    names = [pattern.name for pattern in program.patterns]
    for place, name in enumerate(names):
        if not name:
            yield Fault(f"pattern[{place}].name", "must not be empty")
        if names.index(name) != place:
            yield Fault(f"pattern[{place}].name", f'another pattern is named "{name}" too')


def _late_mornings(program: Program) -> Iterator[Fault]:
    for place, pattern in enumerate(program.patterns):
        if first := pattern.segments[0].start:
            rule = f"the first segment must start at 00:00, not {clock_text(first)}"
            yield Fault(f"pattern[{place}].segments[0].start", rule)


def _disorderly_starts(program: Program) -> Iterator[Fault]:
    for place, pattern in enumerate(program.patterns):
        for at, (before, segment) in enumerate(pairwise(pattern.segments), start=1):
            if segment.start > before.start:
                continue
            last, this = clock_text(before.start), clock_text(segment.start)
            if segment.start == before.start:
                rule = f"overlapping: the segment before it starts at {this} too"
            else:
                rule = f"unsorted: {this} stands after {last}"
            yield Fault(f"pattern[{place}].segments[{at}].start", rule)


def _missing_patterns(program: Program) -> Iterator[Fault]:
    count = len(program.patterns)
    for day, pattern in zip(WEEKDAYS, program.week, strict=True):
        if pattern >= count:
            yield Fault(f"week.{day}", f"there is no pattern[{pattern}], only {count} of them")


def _disorderly_ramp(program: Program) -> Iterator[Fault]:
    for at, (before, step) in enumerate(pairwise(program.ramp), start=1):
        if step.after <= before.after:
            rule = f"must be later than the step before: {step.after} after {before.after}"
            yield Fault(f"ramp[{at}].after_days", rule)


def _excessive_ramp(program: Program) -> Iterator[Fault]:
    highest = max(segment.rate for pattern in program.patterns for segment in pattern.segments)
    for at, step in enumerate(program.ramp):
        if scaled(highest, step.percent) > MAX_RATE:
            rule = f"{step.percent} % of {highest} nL/h is above {MAX_RATE} nL/h"
            yield Fault(f"ramp[{at}].percent", rule)


# In the order in which they are checked: the ranges first, because the others rely on them.
RULES: tuple[Callable[[Program], Iterator[Fault]], ...] = (
    partial(record_faults, Program),
    _unnamed_patterns,
    _late_mornings,
    _disorderly_starts,
    _missing_patterns,
    _disorderly_ramp,
    _excessive_ramp,
)

_CODEC: Codec[Program] = codec_for(Program)


def _one_line(text: str, limit: int) -> str:
    if len(text) > limit:
        # Both ends matter: what it is stands in front, where it is (line, column) at the end.
        text = f"{text[: limit // 2]}...{text[-limit // 3 :]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
