"""A program as people write it: TOML text in, a `Program` out, and back.

The one idea: the shape of the file is a tree of small readers, each of which takes a value and the
key it stands under; what the readers find odd, and what `program.check` then finds wrong, comes out
as one line with the file, the key and the rule.

>>> print(dumps(loads(text, "day.toml")))  # doctest: +SKIP
format = "mockpump-program/1"
name = "day"
...
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mockpump.protocol import toml_text
from mockpump.protocol.program import (
    FORMAT,
    MAX_PATTERNS,
    MAX_RAMP,
    MAX_SEGMENTS,
    WEEKDAYS,
    DayPattern,
    Program,
    ProgramError,
    RampStep,
    Segment,
    check,
    clock_text,
    count_faults,
)
from mockpump.protocol.toml_text import BadToml
from mockpump.protocol.units import did_you_mean

FORMAT_TEXT = f"mockpump-program/{FORMAT}"
MAX_TEXT = 65_536

Reader = Callable[[Any, str], Any]


def loads(text: bytes | str, file: str) -> Program:
    """The program that a file's content describes; `file` is what errors call it.

    `ProgramError`, and nothing else, when it describes none.
    """
    try:
        document = _parse(text)
        _expect_format(document)
        program: Program = _program(document, "")
        check(program)
    except ProgramError as error:
        raise error.within(file) from None
    return program


def dumps(program: Program) -> str:
    """The program as a file, canonically laid out: `loads` gives the same program back.

    `ProgramError` when a rule is broken.
    """
    check(program)
    return "\n".join(_lines(program)) + "\n"


def _parse(text: bytes | str) -> dict[str, Any]:
    try:
        return toml_text.parse(text, MAX_TEXT)
    except BadToml as error:
        raise ProgramError(error.rule, key=error.key) from None


def _expect_format(document: dict[str, Any]) -> None:
    """Before anything else: a file of another kind should hear that, not of a key it lacks."""
    found = document.get("format")
    if found is None:
        raise ProgramError(
            f'missing; the first line should be format = "{FORMAT_TEXT}"', key="format"
        )
    if str(found).startswith("mockpump-scenario/"):
        raise ProgramError("it is a scenario, not a program: `mockpump run` takes it")
    if found != FORMAT_TEXT:
        raise ProgramError(f'must be "{FORMAT_TEXT}"', key="format")


# -- readers: a value and its key in, a checked value out ----------------------------------------

_KINDS: dict[type, str] = {
    dict: "a table",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
}
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def _of(kind: type) -> Reader:
    def read(value: Any, key: str) -> Any:
        if type(value) is not kind:
            found = _KINDS.get(type(value), "a date or time")
            raise ProgramError(f"must be {_KINDS[kind]}, not {found}", key=key)
        return value

    return read


_integer, _text = _of(int), _of(str)


def _start(value: Any, key: str) -> int:
    match = _CLOCK.fullmatch(_text(value, key))
    if match is None:
        raise ProgramError(f'"{value}" is not in 00:00..23:59, written "HH:MM"', key=key)
    return 60 * int(match[1]) + int(match[2])


def _array(item: Reader, minimum: int, maximum: int) -> Reader:
    def read(value: Any, key: str) -> tuple[Any, ...]:
        if isinstance(value, dict):
            raise ProgramError(f"must be an array of tables: write [[{key}]]", key=key)
        items = _of(list)(value, key)
        for fault in count_faults(len(items), key, minimum, maximum):
            raise ProgramError(fault.rule, key=fault.key)
        return tuple(item(each, f"{key}[{place}]") for place, each in enumerate(items))

    return read


def _table(shape: Mapping[str, Reader], make: Callable[..., Any], *, optional: Any = ()) -> Reader:
    """Reads a table of exactly the keys in `shape`; `make` gets their values by name."""

    def read(value: Any, key: str) -> Any:
        table, prefix = _of(dict)(value, key), f"{key}." if key else ""
        for name in (each for each in table if each not in shape):
            rule = f"unknown key{_nearest(name, shape)}; known are {', '.join(shape)}"
            raise ProgramError(rule, key=prefix + name)
        for name in shape:
            if name not in table and name not in optional:
                raise ProgramError("missing", key=prefix + name)
        return make(**{n: item(table[n], prefix + n) for n, item in shape.items() if n in table})

    return read


def _nearest(word: str, known: Iterable[str]) -> str:
    near = did_you_mean(word, known)
    return f', did you mean "{near}"?' if near else ""


def _assemble(
    format: str,
    name: str,
    week: dict[str, str],
    pattern: tuple[DayPattern, ...],
    ramp: tuple[RampStep, ...] = (),
) -> Program:
    places = _places(week, [each.name for each in pattern])
    for day in WEEKDAYS:
        if day not in places and "every" not in places:
            raise ProgramError("no pattern for this day, nor for every day", key=f"week.{day}")
    days = tuple(places[day if day in places else "every"] for day in WEEKDAYS)
    return Program(FORMAT, name, days, pattern, ramp)


def _places(week: dict[str, str], names: list[str]) -> dict[str, int]:
    for key, name in week.items():
        if name not in names:
            rule = f'there is no pattern "{name}"{_nearest(name, names)}'
            raise ProgramError(rule, key=f"week.{key}")
    return {key: names.index(name) for key, name in week.items()}


def _ramp_step(after_days: int, percent: int) -> RampStep:
    return RampStep(after_days, percent)


# The shape of a program file.
_segment = _table({"start": _start, "rate": _integer}, Segment)
_pattern = _table({"name": _text, "segments": _array(_segment, 1, MAX_SEGMENTS)}, DayPattern)
_step = _table({"after_days": _integer, "percent": _integer}, _ramp_step)
_week_keys = ("every", *WEEKDAYS)
_program = _table(
    {
        "format": _text,
        "name": _text,
        "week": _table(dict.fromkeys(_week_keys, _text), dict, optional=_week_keys),
        "pattern": _array(_pattern, 1, MAX_PATTERNS),
        "ramp": _array(_step, 0, MAX_RAMP),
    },
    _assemble,
    optional=("ramp",),
)


# -- writing -------------------------------------------------------------------------------------


def _lines(program: Program) -> Iterator[str]:
    yield "# A program for a mock pump; every name and number in it is invented."
    yield f'format = "{FORMAT_TEXT}"'
    yield f"name = {_quoted(program.name)}"
    yield from (
        "",
        "# Which pattern rules the day; a day by its name goes before `every`.",
        "[week]",
    )
    yield from _week_lines(program)
    for pattern in program.patterns:
        yield from ("", "[[pattern]]", f"name = {_quoted(pattern.name)}")
        yield "# From each start until the next, or midnight; start in HH:MM, rate in nL/h."
        yield "segments = ["
        for segment in pattern.segments:
            yield f'  {{ start = "{clock_text(segment.start)}", rate = {segment.rate:_} }},'
        yield "]"
    for step in program.ramp:
        yield from ("", "# From this many days after the program began: percent of every rate.")
        yield from ("[[ramp]]", f"after_days = {step.after}", f"percent = {step.percent}")


def _week_lines(program: Program) -> Iterator[str]:
    ((every, _),) = Counter(program.week).most_common(1)
    yield f"every = {_quoted(program.patterns[every].name)}"
    for day, pattern in zip(WEEKDAYS, program.week, strict=True):
        if pattern != every:
            yield f"{day} = {_quoted(program.patterns[pattern].name)}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
