"""The fast codec does in one go what construct does field by field, with the same verdict.

Construct, through `reference`, is the oracle for every value and for any bytes at all.
"""

from collections.abc import Callable
from struct import error as struct_error
from typing import Annotated, Any

import msgspec
import pytest
from effort import few
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from sample_records import (
    CODED,
    CODED_FIELD_NAMES,
    CODED_FIELDS,
    CODED_INTEGERS,
    CODED_NAMES,
    Everything,
    Named,
    Nothing,
    Pair,
    bad_values,
    declaration_of,
    ends_of_fields,
    least,
)

from mockpump.protocol import construct_codec as reference
from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError, InternalError, LocalProtocolError
from mockpump.protocol.fields import (
    Integers,
    Record,
    Records,
    fields_of,
    fixed,
    many,
    text,
    u8,
)
from mockpump.protocol.messages import Identity, WriteProgram
from mockpump.protocol.program import DayPattern, Program
from mockpump.protocol.strategies import records

each_record = pytest.mark.parametrize(("record", "number"), CODED, ids=CODED_NAMES)


class Listed(Record, frozen=True):
    """Ends in a list of plain integers."""

    pairs: Annotated[tuple[Pair, ...], many(Pair, "at the end")]


each_field = pytest.mark.parametrize(
    ("record", "number", "name"), CODED_FIELDS, ids=CODED_FIELD_NAMES
)


def lead(number: int | None) -> bytes:
    return b"" if number is None else bytes([number])


def verdict(decode: Callable[[bytes], Record], data: bytes) -> tuple[Any, ...]:
    """The value, down to the types in it, or the error; anything else fails the test."""
    try:
        value = decode(data)
    except DecodeError as error:
        return (error.message, error.field, error.name, error.rule)
    return (value, repr(value))


def assert_same_verdict(record: type[Record], number: int | None, data: bytes) -> bool:
    """Whether the bytes are a record, on which both codecs must agree."""
    fast = verdict(codec_for(record, number).decode, lead(number) + data)
    assert fast == verdict(lambda raw: reference.decode(record, raw), data)
    return isinstance(fast[0], Record)


@each_record
@few
@given(data=st.data())
def test_what_is_encoded_is_what_construct_builds_and_is_decoded_again(
    record: type[Record], number: int | None, data: DataObject
) -> None:
    value = data.draw(records(record))
    codec = codec_for(record, number)
    encoded = codec.encode(value)
    assert encoded == lead(number) + reference.encode(record, value)
    again = codec.decode(encoded)
    assert again == value
    assert repr(again) == repr(value)


@each_record
@few
@given(data=st.data())
def test_both_codecs_judge_any_bytes_alike(
    record: type[Record], number: int | None, data: DataObject
) -> None:
    assert_same_verdict(record, number, data.draw(st.binary(max_size=80)))


@each_record
@few
@given(data=st.data())
def test_both_codecs_judge_damaged_bytes_alike(
    record: type[Record], number: int | None, data: DataObject
) -> None:
    """One byte changed, added or taken out: the length of a list or a text among them."""
    good = reference.encode(record, data.draw(records(record)))
    at = data.draw(st.integers(0, len(good)))
    damaged = good[:at] + data.draw(st.binary(max_size=1)) + good[at + data.draw(_ZERO_OR_ONE) :]
    if assert_same_verdict(record, number, damaged):
        # There is one encoding of a value: two values are equal exactly when their bytes are.
        assert reference.encode(record, reference.decode(record, damaged)) == damaged


_ZERO_OR_ONE = st.integers(0, 1)


@each_record
@few
@given(data=st.data())
def test_what_is_cut_or_too_long_is_refused_with_the_field_at_fault(
    record: type[Record], number: int | None, data: DataObject
) -> None:
    value = data.draw(records(record))
    codec, first = codec_for(record, number), len(lead(number))
    whole, ends = codec.encode(value), [first + end for end in ends_of_fields(record, value)]
    assert len(whole) == (ends[-1] if ends else first)
    cuts = st.lists(st.integers(first, len(whole) - 1), max_size=5) if ends else st.just([])
    for cut in data.draw(cuts):
        with pytest.raises(DecodeError) as caught:
            codec.decode(whole[:cut])
        place = next(at for at, end in enumerate(ends, 1) if end > cut)
        assert (caught.value.field, caught.value.name) == (place, fields_of(record)[place - 1].name)
        assert caught.value.message == record.__name__
    with pytest.raises(DecodeError, match="1 bytes too many") as caught:
        codec.decode(whole + data.draw(st.binary(min_size=1, max_size=1)))
    assert (caught.value.message, caught.value.field) == (record.__name__, 0)


@each_record
def test_every_message_and_record_is_refused_at_every_cut(
    record: type[Record], number: int | None
) -> None:
    codec = codec_for(record, number)
    whole = codec.encode(least(record))
    for cut in range(len(lead(number)), len(whole)):
        with pytest.raises(DecodeError, match="cut short"):
            codec.decode(whole[:cut])
    assert codec.decode(whole) == least(record)


@pytest.mark.parametrize(
    ("record", "number", "name"),
    CODED_INTEGERS,
    ids=[f"{r.__name__}.{n}" for r, _, n in CODED_INTEGERS],
)
def test_an_integer_out_of_range_on_the_wire_is_named(
    record: type[Record], number: int | None, name: str
) -> None:
    """Both ends of the range, one beyond, and both ends of what the bytes could hold."""
    declaration, codec = declaration_of(record, name), codec_for(record, number)
    place, good = record.__struct_fields__.index(name), least(record)
    element = getattr(declaration, "element", declaration)
    end = ends_of_fields(record, good)[place] + len(lead(number))
    low, high = element.widest
    inside = {element.minimum, element.maximum}
    tried = inside | {element.minimum - 1, element.maximum + 1, low, high}
    for each in (value for value in tried if low <= value <= high):
        raw = bytearray(codec.encode(good))
        raw[end - element.size : end] = each.to_bytes(element.size, "big", signed=low < 0)
        if each in inside:
            again = getattr(codec.decode(bytes(raw)), name)
            assert each == (again[-1] if isinstance(declaration, Integers) else again)
            continue
        with pytest.raises(DecodeError) as caught:
            codec.decode(bytes(raw))
        assert (caught.value.field, caught.value.name) == (place + 1, name)
        assert declaration.rule in caught.value.rule


@each_field
def test_a_value_that_is_not_allowed_is_named_and_not_encoded(
    record: type[Record], number: int | None, name: str
) -> None:
    declaration, codec = declaration_of(record, name), codec_for(record, number)
    deep = isinstance(declaration, Records) and declaration.record in {Named, DayPattern}
    for bad in bad_values(declaration):
        with pytest.raises(LocalProtocolError) as caught:
            codec.encode(msgspec.structs.replace(least(record), **{name: bad}))
        if not deep:
            assert str(caught.value).startswith(f"{record.__name__}.{name}: ")
            assert str(caught.value).endswith(declaration.rule)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=9),
    st.binary(max_size=12),
    st.tuples(),
    st.lists(st.integers(0, 9), max_size=7).map(tuple),
    st.dictionaries(st.integers(0, 3), st.integers(0, 3), max_size=3),
    st.sets(st.integers()),
)


@each_record
@few
@given(data=st.data())
def test_any_value_is_encoded_truly_or_refused(
    record: type[Record], number: int | None, data: DataObject
) -> None:
    """Whatever a field holds, what comes out means the same, or nothing comes out."""
    codec, value = codec_for(record, number), least(record)
    for name in record.__struct_fields__:
        odd = msgspec.structs.replace(value, **{name: data.draw(ANYTHING)})
        try:
            encoded = codec.encode(odd)
        except LocalProtocolError:
            encoded, odd = codec.encode(value), value
        assert codec.decode(encoded) == odd


@each_record
@pytest.mark.parametrize("other", [None, 5, b"", object()], ids=lambda other: type(other).__name__)
def test_what_is_no_such_record_is_not_encoded(
    record: type[Record], number: int | None, other: Any
) -> None:
    if not fields_of(record):
        assert codec_for(record, number).encode(other) == lead(number)
        return
    with pytest.raises(LocalProtocolError, match=record.__name__):
        codec_for(record, number).encode(other)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (Named("123456", (), 3), r"^Named\.name: '123456' is not printable UTF-8, at most 5 bytes"),
        (Named("a", (Pair(1, 0),), 3), r"^Named\.pairs: .* is not 0\.\.3 of Pair"),
        (Named("a", (Pair(2, 6),), 3), r"^Named\.pairs: "),
        (Named("a", (), 6), r"^Named\.colour: 6 is not 3 red, 4 green, 5 blue"),
        (5, r"5 is no Named"),
    ],
)
def test_a_fault_inside_another_record_is_named_where_it_is(inner: Any, expected: str) -> None:
    outer = msgspec.structs.replace(least(Everything), named=(inner,))
    with pytest.raises(LocalProtocolError, match=expected):
        codec_for(Everything).encode(outer)


def test_a_fault_inside_another_record_on_the_wire_is_that_of_the_outer_field() -> None:
    raw = bytearray(codec_for(Program).encode(Program.flat("x", 5)))
    raw[-1] = 0xFF
    with pytest.raises(DecodeError) as caught:
        codec_for(Program).decode(bytes(raw))
    assert (caught.value.field, caught.value.name) == (5, "ramp")
    raw[11] = 0xFF
    with pytest.raises(DecodeError) as caught:
        codec_for(Program).decode(bytes(raw))
    assert (caught.value.field, caught.value.name) == (4, "patterns")


def test_a_list_cut_between_two_of_its_rows_is_refused() -> None:
    """The rows that are there are whole ones, only too few."""
    raw = codec_for(Named).encode(Named("", (Pair(2, 0),) * 3, 3))
    with pytest.raises(DecodeError) as caught:
        codec_for(Named).decode(raw[: 2 + 9 * 2])
    assert caught.value.name == "pairs"


def test_read_tells_where_the_record_ended() -> None:
    codec, value = codec_for(Named), Named("ab", (Pair(2, -5),), 4)
    raw = codec.encode(value)
    assert codec.read(b"??" + raw + b"!", 2) == (value, 2 + len(raw))


@pytest.mark.parametrize(
    "value",
    [
        Named("ab", (Pair(2, -5),), 4),  # ends in a fixed value
        WriteProgram(1, b"abc"),  # in octets
        Identity(1, 2, 3, 4, "abc"),  # in text
        Listed((Pair(2, 0), Pair(9, 5))),  # in a list
    ],
    ids=lambda value: type(value).__name__,
)
def test_read_refuses_what_is_cut(value: Record) -> None:
    raw = reference.encode(type(value), value)
    read = codec_for(type(value)).read
    assert read(raw, 0)[1] == len(raw)
    for cut in range(len(raw)):
        with pytest.raises((ValueError, struct_error)):
            read(raw[:cut], 0)


@pytest.mark.parametrize(
    "word", [b"\x1b[m", b"a\nb", b"\x7f", b"\xc2\x9b", b"\xe2\x80\xae", b"\xff"]
)
def test_a_text_that_is_not_printable_is_refused_on_the_wire(word: bytes) -> None:
    raw = codec_for(Named).encode(Named("", (), 3))
    assert codec_for(Named).decode(raw) == Named("", (), 3)
    with pytest.raises(DecodeError) as caught:
        codec_for(Named).decode(bytes([len(word)]) + word + raw[1:])
    assert (caught.value.field, caught.value.name) == (1, "name")


def test_the_bytes_of_a_record_written_out() -> None:
    value = Everything(
        1, 2, -1, 5, "né", b"\0\xff", b"abcd", (1, 2, 500), (Pair(9, -5),), (), (), 1000
    )
    expected = (
        "01 0000000000000002 ffffffffffffffff 05 03 6ec3a9 0002 00ff 61626364 000100020 1f4"
        "01 09fffffffffffffffb 00 00 03e8"
    )
    assert codec_for(Everything).encode(value) == bytes.fromhex(expected.replace(" ", ""))


def test_a_codec_is_made_once() -> None:
    assert codec_for(Pair) is codec_for(Pair)
    assert codec_for(Pair, 7) is not codec_for(Pair)
    assert codec_for(Pair, 7).encode(Pair(2, 0)) == b"\7" + codec_for(Pair).encode(Pair(2, 0))


def test_the_source_is_there_to_be_read() -> None:
    """It is what runs: compiled again, it decodes."""
    assert "def encode(r):" in codec_for(Nothing).source
    namespace: dict[str, Any] = {"cls": Nothing, "blame": None, "error": ValueError}
    exec(codec_for(Nothing).source, namespace)
    assert namespace["decode"](b"") == Nothing()


def test_names_of_fields_and_of_locals_do_not_mix() -> None:
    """Fields named like what the generated functions use for themselves."""

    class Tricky(Record, frozen=True):
        data: Annotated[int, u8("", "like the argument")]
        at: Annotated[str, text("like the place", maximum=3)]
        v0: Annotated[int, u8("", "like the first local")]
        cls: Annotated[bytes, fixed("like the class", size=2)]
        e: Annotated[tuple[Pair, ...], many(Pair, "like the item")]
        r: Annotated[int, u8("", "like the record")]

    value = Tricky(1, "ab", 2, b"xy", (Pair(3, 4),), 5)
    assert codec_for(Tricky).decode(codec_for(Tricky).encode(value)) == value


def test_a_codec_at_odds_with_construct_is_a_bug_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Had construct taken what the fast codec turned down, neither side would be to blame."""
    monkeypatch.setattr(reference, "encode", lambda record, value: b"")
    monkeypatch.setattr(reference, "decode", lambda record, data: Pair(2, 0))
    with pytest.raises(InternalError, match=r"the fast codec refused a good Pair\(left=1, right=0"):
        codec_for(Pair).encode(Pair(1, 0))
    with pytest.raises(InternalError, match="the fast codec refused a good Pair: 01"):
        codec_for(Pair).decode(b"\1")
