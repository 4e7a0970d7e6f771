"""A layout cuts a record into runs of fixed values and the variable parts between them."""

import struct
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_records import CODED, CODED_NAMES, Nothing, Pair

from mockpump.protocol.codec import FixedBlock, Layout, VariableField, range_checks
from mockpump.protocol.fields import (
    Declaration,
    Fixed,
    Integer,
    Integers,
    Octets,
    Record,
    Records,
    Text,
    fields_of,
    fixed,
    i64,
    many,
    octets,
    text,
    u8,
    u16,
)
from mockpump.protocol.messages import Status, WriteProgram

VARIABLE = (Text, Octets, Records)


def test_a_record_of_fixed_values_is_one_run() -> None:
    layout = Layout(Status)
    assert layout.flat
    assert layout.run.code == "BLLLQLLBBLLL"
    assert len(layout.parts) == 1
    assert layout.run.sources[:2] == ["r.mode", "r.elapsed"]
    assert layout.run.checks == ["v0 > 3", "v7 > 200", "v8 > 3"]
    assert layout.names["members_v0"][3].name == "FAULT"
    assert layout.arguments[:2] == ["members_v0[v0]", "v1"]


def test_the_length_of_a_tail_is_the_last_value_of_the_run_before_it() -> None:
    run, tail = Layout(WriteProgram).parts
    assert isinstance(run, FixedBlock)
    assert isinstance(tail, VariableField)
    assert run.code == "HH"
    assert run.targets[-1] == tail.length
    assert run.sources[-1] == f"len({tail.target})"
    assert not Layout(WriteProgram).flat


def test_tails_side_by_side_have_a_run_of_lengths_between_them() -> None:
    class Tails(Record, frozen=True):
        one: Annotated[str, text("", maximum=3)]
        two: Annotated[bytes, octets("", maximum=3)]

    codes = [
        part.code if isinstance(part, FixedBlock) else part.target for part in Layout(Tails).parts
    ]
    assert codes == ["B", "v0", "H", "v1"]


def test_nothing_has_no_part() -> None:
    assert Layout(Nothing).parts == []
    assert not Layout(Nothing).flat


@pytest.mark.parametrize("record", [record for record, _ in CODED], ids=CODED_NAMES)
def test_runs_and_tails_alternate_and_no_place_is_used_twice(record: type[Record]) -> None:
    layout = Layout(record)
    kinds = [type(part) for part in layout.parts]
    assert kinds == [FixedBlock, VariableField] * (len(kinds) // 2) + [FixedBlock] * (
        len(kinds) % 2
    )
    targets = [
        target
        for part in layout.parts
        for target in (part.targets if isinstance(part, FixedBlock) else [part.target])
    ]
    assert len(set(targets)) == len(targets)
    assert len(layout.arguments) == len(fields_of(record))


@pytest.mark.parametrize("record", [record for record, _ in CODED], ids=CODED_NAMES)
def test_the_runs_are_as_large_as_the_fixed_fields_and_the_lengths(record: type[Record]) -> None:
    """Counted another way: field by field."""
    layout = Layout(record)
    runs = [part for part in layout.parts if isinstance(part, FixedBlock)]
    assert sum(struct.calcsize(">" + run.code) for run in runs) == sum(
        _fixed_size(declaration) for _, declaration in fields_of(record)
    )
    for run in runs:
        assert len(run.targets) == len(run.sources)


def _fixed_size(declaration: Declaration) -> int:
    match declaration:
        case Integer() | Fixed():
            return declaration.size
        case Integers():
            return declaration.count * declaration.element.size
        case Octets():
            return 2
        case _:
            return 1


def test_a_value_that_struct_would_bend_is_guarded_on_its_way_out() -> None:
    class Digest(Record, frozen=True):
        digest: Annotated[bytes, fixed("", size=8)]

    run = Layout(Digest).run
    assert run.code == "8s"
    assert run.guards == ["len(v0) != 8"]
    assert run.checks == []


def test_a_tail_that_would_pass_for_another_is_guarded_on_its_way_out() -> None:
    class Tails(Record, frozen=True):
        name: Annotated[str, text("", maximum=3)]
        pairs: Annotated[tuple[Pair, ...], many(Pair, "", maximum=3)]
        data: Annotated[bytes, octets("", maximum=3)]

    layout = Layout(Tails)
    guards = [
        guard for part in layout.parts if isinstance(part, FixedBlock) for guard in part.guards
    ]
    assert guards == ["not r.name.isprintable()", "not isinstance(v1, sequence)"]
    assert layout.names["sequence"] == (tuple, list)


@given(st.integers(-300, 300))
def test_range_checks_are_true_of_what_is_out_of_range(value: int) -> None:
    for declaration in (u8("", "", minimum=2, maximum=9), u8("", ""), i64("", "", minimum=-5)):
        low, high = declaration.widest
        if not low <= value <= high:
            continue  # the bytes themselves cannot hold it
        broken = any(eval(check, {"v": value}) for check in range_checks("v", declaration))
        assert broken == (not declaration.minimum <= value <= declaration.maximum)


def test_a_range_as_wide_as_the_bytes_needs_no_check() -> None:
    assert list(range_checks("v", u16("", ""))) == []
    assert list(range_checks("v", u16("", "", minimum=1))) == ["v < 1"]
    assert list(range_checks("v", u16("", "", maximum=7))) == ["v > 7"]
    assert Layout(Pair).run.checks == ["v0 < 2", "v0 > 9", "v1 < -5", "v1 > 5"]
