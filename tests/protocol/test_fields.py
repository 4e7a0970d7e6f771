"""A declaration says what a field is: its bytes, its range, its rule; and says it only once."""

from enum import IntEnum
from typing import Annotated, Any

import construct
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_records import BAD, CODED, CODED_NAMES, Colour, Everything, Nothing, bad_values

from mockpump.protocol.fields import (
    Declaration,
    Integer,
    Record,
    Records,
    choice,
    construct_of,
    exactly,
    fields_of,
    fixed,
    i64,
    many,
    octets,
    text,
    u8,
    u16,
    u32,
    u64,
)
from mockpump.protocol.strategies import records

# By its name: how to declare one, how many bytes it has, whether it has a sign.
INTEGERS = {
    "u8": (u8, 1, False),
    "u16": (u16, 2, False),
    "u32": (u32, 4, False),
    "u64": (u64, 8, False),
    "i64": (i64, 8, True),
}


@pytest.mark.parametrize(("declare", "size", "signed"), INTEGERS.values(), ids=INTEGERS)
@given(data=st.data())
def test_an_integer_is_big_endian(declare: Any, size: int, signed: bool, data: Any) -> None:
    declaration = declare("nL", "how much")
    low, high = declaration.widest
    value = data.draw(st.integers(low, high) | st.sampled_from((low, high)))
    assert declaration.construct.build(value) == value.to_bytes(size, "big", signed=signed)
    assert declaration.construct.parse(value.to_bytes(size, "big", signed=signed)) == value


@pytest.mark.parametrize(("declare", "size", "signed"), INTEGERS.values(), ids=INTEGERS)
def test_an_integer_is_as_wide_as_its_bytes(declare: Any, size: int, signed: bool) -> None:
    declaration = declare("nL", "how much")
    low = -(2 ** (8 * size - 1)) if signed else 0
    high = 2 ** (8 * size - signed) - 1
    assert (declaration.minimum, declaration.maximum) == declaration.widest == (low, high)
    assert declaration.size == size
    assert (declaration.unit, declaration.doc) == ("nL", "how much")
    assert declaration.rule == f"{low}..{high}"
    assert f"{size} bytes, {low}..{high}" in declare.__doc__


@pytest.mark.parametrize(("declare", "size", "signed"), INTEGERS.values(), ids=INTEGERS)
@pytest.mark.parametrize("wrong", ["minimum", "maximum", "both"])
def test_a_range_must_fit_into_the_bytes(declare: Any, size: int, signed: bool, wrong: str) -> None:
    low, high = declare("", "").widest
    limits = {
        "minimum": {"minimum": low - 1},
        "maximum": {"maximum": high + 1},
        "both": {"minimum": 6, "maximum": 5},
    }
    with pytest.raises(ValueError, match="does not fit"):
        declare("", "", **limits[wrong])


def test_a_narrowed_integer_allows_both_ends_and_nothing_beyond() -> None:
    declaration = u16("nL", "how much", minimum=10, maximum=1000)
    assert declaration.rule == "10..1000"
    assert declaration.widest == (0, 65_535)
    assert [declaration.construct.build(value) for value in (10, 1000)] == [b"\0\x0a", b"\x03\xe8"]
    for raw in (b"\0\x09", b"\x03\xe9", b"\xff\xff"):
        with pytest.raises(construct.ConstructError):
            declaration.construct.parse(raw)


def test_a_choice_is_one_byte_and_gives_its_member() -> None:
    declaration = choice(Colour, "one of three")
    assert declaration.rule == "3 red, 4 green, 5 blue"
    assert declaration.values == (Colour.RED, Colour.GREEN, Colour.BLUE)
    assert declaration.construct.build(Colour.BLUE) == b"\x05"
    assert declaration.construct.parse(b"\x05") is Colour.BLUE
    for number in {*range(256)} - {3, 4, 5}:
        with pytest.raises(construct.ConstructError):
            declaration.construct.parse(bytes([number]))


@pytest.mark.parametrize("numbers", [[0, 2], [1, 2, 4], [255, 256], [-1, 0]])
def test_a_choice_with_a_gap_or_beyond_a_byte_cannot_be_declared(numbers: list[int]) -> None:
    members = IntEnum("Odd", {f"M{place}": number for place, number in enumerate(numbers)})
    with pytest.raises(ValueError, match="has a gap or does not fit"):
        choice(members, "odd")


@pytest.mark.parametrize(
    ("declaration", "value", "raw", "rule"),
    [
        (text("t", maximum=4), "né", b"\x03n\xc3\xa9", "printable UTF-8, at most 4 bytes"),
        (octets("o", maximum=3), b"\0\1\2", b"\0\3\0\1\2", "at most 3 bytes"),
        (fixed("f", size=2), b"\0\xff", b"\0\xff", "exactly 2 bytes"),
        (exactly(2, u16("", "i", maximum=9)), (1, 9), b"\0\1\0\x09", "2 times 0..9"),
        (many(Nothing, "m", minimum=1, maximum=2), (Nothing(),), b"\1", "1..2 of Nothing"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Declaration) else None,
)
def test_how_the_other_kinds_lie_on_the_wire(
    declaration: Declaration, value: Any, raw: bytes, rule: str
) -> None:
    assert declaration.construct.build(value) == raw
    assert declaration.construct.parse(raw) == value
    assert declaration.rule == rule


@pytest.mark.parametrize("characters", ["\x1b", "\n", "\x9b", "\u200e", "\ue000", "\u2028"])
def test_a_text_that_could_move_a_cursor_is_refused_both_ways(characters: str) -> None:
    declaration = text("on somebody's terminal", maximum=8)
    raw = characters.encode()
    with pytest.raises(construct.ConstructError):
        declaration.construct.parse(bytes([len(raw)]) + raw)
    with pytest.raises(construct.ConstructError):
        declaration.construct.build(characters)


def test_lists_come_out_as_tuples() -> None:
    for declaration, raw in [(many(Nothing, "m"), b"\2"), (exactly(2, u8("", "")), b"\0\0")]:
        assert type(declaration.construct.parse(raw)) is tuple


def test_every_kind_of_declaration_is_in_the_sample() -> None:
    """So that what the codec tests run over leaves none out."""
    # Those of the project: another test may have declared one of its own.
    home = Declaration.__module__
    kinds = {each for each in Declaration.__subclasses__() if each.__module__ == home}
    assert {type(each) for _, each in fields_of(Everything)} == kinds
    assert set(BAD) == kinds


@pytest.mark.parametrize(("name", "declaration"), fields_of(Everything))
def test_the_construct_of_each_kind_builds_no_bad_value(
    name: str, declaration: Declaration
) -> None:
    """It may say so by an error of Python's own; no bytes may come out."""
    for value in bad_values(declaration):
        with pytest.raises((construct.ConstructError, TypeError, ValueError, AttributeError)):
            declaration.construct.build(value)


@pytest.mark.parametrize("record", [record for record, _ in CODED], ids=CODED_NAMES)
def test_the_fields_are_those_of_the_class_in_their_order(record: type[Record]) -> None:
    assert tuple(name for name, _ in fields_of(record)) == record.__struct_fields__


@pytest.mark.parametrize("record", [record for record, _ in CODED], ids=CODED_NAMES)
def test_every_field_has_its_line_of_doc(record: type[Record]) -> None:
    for name, declaration in fields_of(record):
        assert declaration.doc.strip(), f"{record.__name__}.{name}"
        assert "\n" not in declaration.doc
        if isinstance(declaration, Records):
            test_every_field_has_its_line_of_doc(declaration.record)


def test_a_field_without_a_declaration_is_named() -> None:
    class Forgetful(Record, frozen=True):
        good: Annotated[int, u8("", "fine")]
        bare: int

    with pytest.raises(TypeError, match=r"Forgetful\.bare has no wire declaration"):
        fields_of(Forgetful)


def test_an_annotation_without_a_declaration_is_none() -> None:
    class Chatty(Record, frozen=True):
        noted: Annotated[int, "just a note"]

    with pytest.raises(TypeError, match=r"Chatty\.noted has no wire declaration"):
        fields_of(Chatty)


def test_a_declaration_is_found_among_other_annotations() -> None:
    declaration = u8("", "fine")

    class Noted(Record, frozen=True):
        noted: Annotated[int, "just a note", declaration]

    assert fields_of(Noted)[0].declaration is declaration
    assert isinstance(declaration, Integer)


@given(records(Everything))
def test_a_construct_gives_the_record_back_and_no_container(value: Everything) -> None:
    whole = construct_of(Everything)
    again = whole.parse(whole.build(value))
    assert again == value
    assert repr(again) == repr(value)


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Nothing().anything = 1  # type: ignore[attr-defined]
    value = construct_of(Nothing).parse(b"")
    assert value == Nothing()
    assert hash(value) == hash(Nothing())
