"""The program value: its image is one to one, and every rule has a program that breaks it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.errors import DecodeError
from mockpump.protocol.messages import DIGEST_SIZE, MAX_IMAGE, MAX_NAME
from mockpump.protocol.program import (
    DAY_MINUTES,
    FORMAT,
    MAX_PATTERN_NAME,
    MAX_PATTERNS,
    MAX_RAMP,
    MAX_RATE,
    MAX_SEGMENTS,
    DayPattern,
    Program,
    ProgramError,
    RampStep,
    Segment,
    check,
    daily_volume,
    digest,
    from_image,
    image,
    scaled,
)
from mockpump.protocol.strategies import programs

TWO_DAYS = Program(
    FORMAT,
    "two",
    (0, 0, 0, 0, 0, 1, 1),
    (
        DayPattern("work", (Segment(0, 10), Segment(480, 20), Segment(720, 30))),
        DayPattern("rest", (Segment(0, MAX_RATE),)),
    ),
    (RampStep(0, 50), RampStep(7, 100)),
)


@given(programs())
def test_an_image_holds_the_whole_program(program: Program) -> None:
    assert from_image(image(program)) == program


@given(programs(), st.data())
def test_a_damaged_image_is_refused_or_is_another_program(program: Program, data: Any) -> None:
    good = image(program)
    bad = bytearray(good)
    bad[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = from_image(bytes(bad))
    except (DecodeError, ProgramError):
        return
    assert other != program
    assert image(other) == bytes(bad)


@given(st.binary(max_size=200))
def test_no_bytes_make_from_image_raise_anything_else(data: bytes) -> None:
    with pytest.raises((DecodeError, ProgramError)):
        # A zero can begin no image, because the first byte is the format.
        from_image(b"\0" + data)
    with suppress(DecodeError, ProgramError):
        assert image(from_image(b"\x01" + data)) == b"\x01" + data


def test_the_largest_image_fits_into_a_transfer() -> None:
    """The number below is what the protocol document states."""
    segments = tuple(Segment(30 * at, MAX_RATE // 2) for at in range(MAX_SEGMENTS))
    names = [character * MAX_PATTERN_NAME for character in "abcd"]
    patterns = tuple(DayPattern(name, segments) for name in names[:MAX_PATTERNS])
    ramp = tuple(RampStep(day, 200) for day in range(MAX_RAMP))
    largest = Program(FORMAT, "n" * MAX_NAME, (3,) * 7, patterns, ramp)
    assert len(image(largest)) == 1363 <= MAX_IMAGE


FEW = programs(max_patterns=2, max_segments=2, max_steps=1)


@given(FEW, FEW)
def test_different_programs_have_different_digests(one: Program, other: Program) -> None:
    assert (digest(image(one)) == digest(image(other))) == (one == other)


def test_the_digest_is_the_beginning_of_sha_256() -> None:
    assert digest(b"") == bytes.fromhex("e3b0c44298fc1c14")
    assert len(digest(b"")) == DIGEST_SIZE


@given(programs(), st.integers(0, 6), st.integers(0, 100))
def test_daily_volume_is_the_sum_of_its_minutes(program: Program, day: int, percent: int) -> None:
    total = rate = 0
    starts = {each.start: each.rate for each in program.patterns[program.week[day]].segments}
    for minute in range(DAY_MINUTES):
        rate = starts.get(minute, rate)
        total += 60 * (rate * percent // 100)
    assert daily_volume(program, day, percent) == total


def test_a_flat_program_gives_its_rate_all_day() -> None:
    assert daily_volume(Program.flat("even", 1_000), 3) == 24 * 1_000 * 3_600


def test_scaling_floors_to_whole_nanolitres_an_hour() -> None:
    assert [scaled(199, percent) for percent in (0, 50, 100, 101, 200)] == [0, 99, 199, 200, 398]


# -- broken programs -----------------------------------------------------------------------------


@dataclass
class Broken:
    """A change to `TWO_DAYS`, and what must be said of it."""

    key: str
    rule: str
    changes: dict[str, Any]


def _work(*segments: Any) -> dict[str, Any]:
    return {"patterns": (DayPattern("work", segments), TWO_DAYS.patterns[1])}


def _named(*names: Any) -> dict[str, Any]:
    return {"patterns": tuple(DayPattern(name, (Segment(0, 0),)) for name in names)}


MIDNIGHT = Segment(0, 0)
BROKEN = [
    Broken("pattern[0].name", "not be empty", _named("", "b")),
    Broken("pattern[1].name", 'named "a" too', _named("a", "a")),
    Broken("pattern[0].name", "at most 16 bytes", _named("a" * 17, "b")),
    Broken("pattern[0].name", "printable", _named("a\x1b[2J", "b")),
    Broken("pattern[0].name", "printable", _named("\ud800", "b")),
    Broken("pattern[0].name", "printable", _named(None, "b")),
    Broken("pattern[0].segments", "at least 1", _work()),
    Broken("pattern[0].segments[0].start", "at 00:00, not 00:01", _work(Segment(1, 0))),
    Broken("pattern[0].segments[1].start", "overlapping", _work(MIDNIGHT, MIDNIGHT)),
    Broken(
        "pattern[0].segments[2].start",
        "unsorted: 07:59 stands after 08:00",
        _work(MIDNIGHT, Segment(480, 0), Segment(479, 0)),
    ),
    Broken("pattern[0].segments[1].start", "0..1439 min", _work(MIDNIGHT, Segment(1440, 0))),
    Broken("pattern[0].segments[0].rate", "0..1000000 nL/h", _work(Segment(0, MAX_RATE + 1))),
    Broken("pattern[0].segments[0].rate", "-1 is not in", _work(Segment(0, -1))),
    Broken("pattern[0].segments[0].rate", "so large", _work(Segment(0, 10**5000))),
    Broken("pattern[0].segments[0].rate", "not bool", _work(Segment(0, True))),
    Broken("pattern[0].segments[0].rate", "not float", _work(Segment(0, 1.0))),  # type: ignore[arg-type]
    Broken("pattern[0].segments[1]", "no Segment", _work(MIDNIGHT, RampStep(1, 1))),
    Broken("pattern[0].segments[48]", "at most 48, not 49", _work(*[MIDNIGHT] * 49)),
    Broken("pattern[4]", "at most 4, not 5", _named(*"abcde")),
    Broken("pattern", "at least 1", {"patterns": ()}),
    Broken("pattern", "1..4 of DayPattern", {"patterns": [*TWO_DAYS.patterns]}),
    Broken("week.sunday", "no pattern[2], only 2", {"week": (0, 0, 0, 0, 0, 1, 2)}),
    Broken("week.tuesday", "4 is not in 0..3", {"week": (0, 4, 0, 0, 0, 1, 1)}),
    Broken("week", "7 times", {"week": (0, 1)}),
    Broken("ramp[1].after_days", "5 after 5", {"ramp": (RampStep(5, 1), RampStep(5, 2))}),
    Broken("ramp[1].after_days", "4 after 5", {"ramp": (RampStep(5, 1), RampStep(4, 2))}),
    Broken("ramp[0].percent", "101 % of 1000000", {"ramp": (RampStep(5, 101),)}),
    Broken("ramp[0].percent", "0..200 %", {"ramp": (RampStep(5, 201),)}),
    Broken("ramp[32]", "at most 32", {"ramp": tuple(RampStep(d, 1) for d in range(33))}),
    Broken("format", "2 is not in 1..1", {"format": 2}),
    Broken("name", "at most 32 bytes", {"name": "é" * 17}),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: f"{each.key}: {each.rule}")
def test_a_broken_rule_is_named_with_its_place(broken: Broken) -> None:
    program = msgspec.structs.replace(TWO_DAYS, **broken.changes)
    with pytest.raises(ProgramError) as caught:
        image(program)
    assert caught.value.key == broken.key
    assert broken.rule in caught.value.rule
    assert str(caught.value) == f"{broken.key}: {caught.value.rule}"


def test_the_program_that_the_broken_ones_are_made_from_is_whole() -> None:
    check(TWO_DAYS)


def test_what_is_no_program_is_no_program() -> None:
    with pytest.raises(ProgramError, match="is no Program"):
        check("program")  # type: ignore[arg-type]


def test_an_image_whose_bytes_are_in_range_must_keep_the_other_rules() -> None:
    good = image(TWO_DAYS)
    first_start = good.index(b"work") + len("work") + 1
    with pytest.raises(ProgramError, match="must start at 00:00"):
        from_image(good[:first_start] + b"\0\1" + good[first_start + 2 :])


@given(st.text(), st.text(), st.none() | st.text())
def test_an_error_is_one_printable_line(rule: str, key: str, file: str | None) -> None:
    message = str(ProgramError(rule, key=key, file=file))
    assert message.isprintable()
    assert len(message) < 3_600


def test_a_long_error_keeps_both_its_ends() -> None:
    message = str(ProgramError("begin " + "x" * 10_000 + " (at line 7)", key="k" * 10_000))
    assert "begin " in message
    assert message.endswith("(at line 7)")
    assert len(message) < 300


@pytest.mark.parametrize(("length", "whole"), [(199, True), (200, True), (201, False)])
def test_a_rule_as_long_as_may_be_is_told_whole_and_a_longer_one_by_its_ends(
    length: int, whole: bool
) -> None:
    rule = "a" + "b" * (length - 2) + "c"
    told = ProgramError(rule).rule
    assert (told == rule) is whole
    assert (told[0], told[-1]) == ("a", "c")
    assert len(told) <= 200
