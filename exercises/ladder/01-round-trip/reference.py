"""A solution of exercise 1: there and back, the document, and what is no message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.messages import (
    BolusKind,
    ClockSet,
    Identity,
    StartBolus,
    WriteProgram,
    decode,
    encode,
)
from mockpump.protocol.messages.base import Message
from mockpump.protocol.strategies import messages

DOCUMENT = [
    (ClockSet(before=3_600, clock=0), "8400000e1000000000"),
    (WriteProgram(offset=48, data=b"\x00\x01\xff"), "11003000030001ff"),
    (
        StartBolus(transaction=7, kind=BolusKind.BOLUS, volume=50_000, duration=3_600),
        "2200000007000000c35000000e10",
    ),
]


@given(messages())
def test_there_and_back(sent: Message) -> None:
    assert decode(encode(sent)) == sent


@given(st.integers(0, 960).map(bytes))
def test_pieces_of_any_length_come_back(data: bytes) -> None:
    """A list that Hypothesis draws is seldom long: here the length itself is drawn."""
    piece = WriteProgram(0, data)
    assert decode(encode(piece)) == piece


@given(st.sampled_from(DOCUMENT))
def test_the_bytes_are_those_of_the_document(line: tuple[Message, str]) -> None:
    meant, payload = line
    assert encode(meant).hex() == payload


@given(messages(), st.binary(min_size=1, max_size=3))
def test_what_stands_behind_a_message_is_turned_down(sent: Message, more: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(encode(sent) + more)


@given(st.integers(0, 3), st.integers(0, 3))
def test_a_bolus_gives_something(volume: int, duration: int) -> None:
    bolus = StartBolus(1, BolusKind.BOLUS, volume, duration)
    if volume and duration:
        assert decode(encode(bolus)) == bolus
    else:
        with pytest.raises(LocalProtocolError):
            encode(bolus)


@given(st.binary(max_size=32))
def test_back_and_there(name: bytes) -> None:
    """Whatever is accepted must be what its message is encoded as."""
    payload = encode(Identity(1, 2, 3, 4, ""))[:-1] + bytes([len(name)]) + name
    try:
        found = decode(payload)
    except DecodeError:
        return
    assert encode(found) == payload
