"""A kind of field says all that there is of it itself: a new one needs no table elsewhere."""

from typing import Annotated, Any

import construct
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_records import CODED

from mockpump.protocol.codec import codec_for
from mockpump.protocol.fields import Declaration, Record, Shape, fields_of, u8
from mockpump.protocol.strategies import records
from mockpump.reference.diagram import diagram, field_rows


class Roman(Declaration, frozen=True):
    """A toy kind: a number from 1 to 3, written as its strokes, in one byte."""

    @property
    def construct(self) -> Any:
        return construct.Int8ub

    @property
    def rule(self) -> str:
        return "I..III"

    @property
    def shape(self) -> Shape:
        return Shape("roman", 0, 1, 1, "1")

    def written(self, value: Any) -> str:
        return "I" * int(value)

    def read(self, text: str) -> int:
        if text not in ("I", "II", "III"):
            raise ValueError(f"{text!r} is not roman; use {self.rule}")
        return len(text)


class Legion(Record, frozen=True):
    """A record with a field of the toy kind."""

    number: Annotated[int, Roman("which one")]
    size: Annotated[int, u8("", "how many")]


def test_documents_and_words_need_nothing_but_the_kind() -> None:
    first, second = field_rows(Legion)
    assert (first.type, first.size, first.range, first.doc) == ("roman", "1", "I..III", "which one")
    assert second.offset == "1"
    assert "number" in diagram(Legion)
    (_, roman), _ = fields_of(Legion)
    assert roman.read("III") == 3
    assert roman.written(3) == "III"
    with pytest.raises(ValueError, match=r"use I\.\.III"):
        roman.read("IV")


@given(st.data(), st.sampled_from(CODED))
def test_every_kind_knows_how_many_bytes_its_values_take(
    data: st.DataObject, coded: tuple[type[Record], int | None]
) -> None:
    record, _ = coded
    value = data.draw(records(record))
    flat = [(name, each) for name, each in fields_of(record) if not hasattr(each, "record")]
    if len(flat) == len(fields_of(record)):
        sizes = [each.size_of(getattr(value, name)) for name, each in flat]
        assert sum(sizes) == len(codec_for(record).encode(value))
        for name, each in flat:
            shape, size = each.shape, each.size_of(getattr(value, name))
            assert shape.prefix + shape.least <= size <= shape.prefix + shape.most


@given(st.data(), st.sampled_from(CODED))
def test_what_is_written_of_a_short_value_can_be_typed(
    data: st.DataObject, coded: tuple[type[Record], int | None]
) -> None:
    record, _ = coded
    value = data.draw(records(record))
    for name, each in fields_of(record):
        found = getattr(value, name)
        if isinstance(found, int):
            assert each.read(each.written(found).split(" ")[0]) == found
        elif isinstance(found, bytes) and 0 < len(found) <= 16:
            assert each.read(each.written(found)) == found
        elif isinstance(found, str):
            assert each.read(each.written(found)[1:-1]) == found
