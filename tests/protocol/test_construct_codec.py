"""The reference is construct, and nothing of construct gets out of it."""

from typing import Any

import construct
import pytest
from effort import few
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from sample_records import CODED, CODED_NAMES, Colour, Everything, Nothing, Pair, bad_values

from mockpump.protocol import construct_codec as reference
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.fields import Record, construct_of, fields_of
from mockpump.protocol.messages import Identity
from mockpump.protocol.strategies import records

RECORDS = [record for record, _ in CODED]
each_record = pytest.mark.parametrize("record", RECORDS, ids=CODED_NAMES)


@each_record
@few
@given(data=st.data())
def test_what_is_encoded_is_decoded_again(record: type[Record], data: DataObject) -> None:
    value = data.draw(records(record))
    again = reference.decode(record, reference.encode(record, value))
    assert repr(again) == repr(value)


@each_record
@few
@given(data=st.data())
def test_field_by_field_makes_the_bytes_of_the_whole(
    record: type[Record], data: DataObject
) -> None:
    value = data.draw(records(record))
    assert reference.encode(record, value) == construct_of(record).build(value)


@each_record
@few
@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_record_or_a_decode_error(record: type[Record], data: bytes) -> None:
    fault = None
    try:
        value = reference.decode(record, data)
    except DecodeError as error:
        fault = error
    if fault is None:
        assert reference.encode(record, value) == data
    else:
        assert fault.message == record.__name__
        assert fault.name == ["", *record.__struct_fields__][fault.field]


def test_what_comes_out_is_of_the_declared_types() -> None:
    """No Container, no ListContainer, no EnumIntegerString."""
    raw = (
        "01 0000000000000000 0000000000000000 04 0161 000162 63636363 000100020003"
        "01 020000000000000000 01 00000007 01 00 01 020000000000000000 05 0000"
    )
    value = reference.decode(Everything, bytes.fromhex(raw))
    kinds = [type(getattr(value, name)) for name in Everything.__struct_fields__]
    assert kinds == [int, int, int, Colour, str, bytes, bytes, *[tuple] * 4, int]
    assert type(value.pairs[0]) is Pair
    assert type(value.named[0].pairs[0]) is Pair
    assert type(value.named[0].pairs) is tuple


def test_trailing_bytes_are_counted() -> None:
    with pytest.raises(DecodeError, match=r"^Nothing: 3 bytes too many$") as caught:
        reference.decode(Nothing, b"abc")
    assert (caught.value.field, caught.value.name) == (0, "")


@pytest.mark.parametrize(
    ("raw", "place", "name", "rule"),
    [
        ("", 1, "version", "1..255"),
        ("00", 1, "version", "1..255"),
        ("01 000000", 2, "serial", "0..4294967295"),
        ("01 00000000 00000000 0000", 4, "step", "1..65535"),
        ("01 00000000 00000000 0001 02 61", 5, "name", "printable UTF-8, at most 32 bytes"),
        ("01 00000000 00000000 0001 01 1b", 5, "name", "printable UTF-8, at most 32 bytes"),
        ("01 00000000 00000000 0001 01 ff", 5, "name", "printable UTF-8, at most 32 bytes"),
        ("01 00000000 00000000 0001 21" + 33 * "61", 5, "name", "at most 32 bytes"),
    ],
)
def test_the_first_field_at_fault_is_named(raw: str, place: int, name: str, rule: str) -> None:
    with pytest.raises(DecodeError) as caught:
        reference.decode(Identity, bytes.fromhex(raw))
    assert (caught.value.message, caught.value.field) == ("Identity", place)
    assert caught.value.name == name
    assert caught.value.rule.startswith("cut short or not ")
    assert caught.value.rule.endswith(rule)
    assert caught.value.__suppress_context__
    assert not isinstance(caught.value, construct.ConstructError)


@pytest.mark.parametrize(("name", "declaration"), fields_of(Everything))
def test_a_bad_value_is_named_with_the_rule_it_breaks(name: str, declaration: Any) -> None:
    good = {each: getattr(SAMPLE, each) for each in Everything.__struct_fields__}
    for bad in bad_values(declaration):
        with pytest.raises(LocalProtocolError) as caught:
            reference.encode(Everything, Everything(**{**good, name: bad}))
        assert str(caught.value).startswith(f"Everything.{name}: ")
        assert str(caught.value).endswith(f" is not {declaration.rule}")
        assert caught.value.__suppress_context__


def test_the_first_of_several_bad_values_is_named() -> None:
    with pytest.raises(LocalProtocolError, match=r"^Identity\.serial: -1 is not 0\.\."):
        reference.encode(Identity, Identity(1, -1, -1, 0, "\n"))


def test_a_number_too_long_to_print_is_refused_all_the_same() -> None:
    with pytest.raises(LocalProtocolError, match=r"^Pair\.left: so large a number is not 2\.\.9$"):
        reference.encode(Pair, Pair(10**5000, 0))


def test_another_record_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match=r"^Nothing\(\) is no Pair$"):
        reference.encode(Pair, Nothing())


SAMPLE = Everything(
    1, 2, -1, Colour.BLUE, "né", b"\0\xff", b"abcd", (1, 2, 500), (Pair(9, -5),), (), (), 1000
)
