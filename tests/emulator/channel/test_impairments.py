"""What can be wrong with a line, as a file has it: strict, and written as it is read."""

import pytest
from hypothesis import given
from test_channel import impairments

from mockpump.emulator.channel.impairments import FIELDS, Impairments, read_impairments, written
from mockpump.protocol.units import BadQuantity


@given(impairments())
def test_what_is_written_is_read_back(line: Impairments) -> None:
    assert read_impairments(written(line)) == line


@pytest.mark.parametrize("name", FIELDS)
def test_every_example_is_one(name: str) -> None:
    field = FIELDS[name]
    line = read_impairments({name: field.example})
    assert line != Impairments()
    assert read_impairments(written(line)) == line
    assert field.doc


def test_numbers_are_taken_as_their_text() -> None:
    assert read_impairments({"baud": 9600, "loss": 0.05}) == read_impairments(
        {"baud": "9600", "loss": "5%"}
    )


def test_outages_may_be_several() -> None:
    line = read_impairments({"outage": ["1s@2s", "3s@9s"]})
    assert len(line.outage) == 2


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(BadQuantity, match="'los'; did you mean 'loss'"):
        read_impairments({"los": "5%"})
    with pytest.raises(BadQuantity, match="known are baud"):
        read_impairments({"xyzzy": "5%"})


@pytest.mark.parametrize("value", [True, None, [], ["5%"], {}, "x", "5 %%"])
def test_a_wrong_value_names_its_key(value: object) -> None:
    with pytest.raises(BadQuantity, match=r"^loss: "):
        read_impairments({"loss": value})


def test_a_line_of_which_nothing_is_said_is_harmless() -> None:
    assert Impairments().is_clean
    assert not read_impairments({"duplicate": "1%"}).is_clean
    assert not read_impairments({"outage": "1s@1s"}).is_clean
