"""Exercise 1 as one would write it without properties: right, and caught nothing."""

import pytest

from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.messages import (
    BolusKind,
    ClockSet,
    Identify,
    SetClock,
    StartBolus,
    WriteProgram,
    decode,
    encode,
)
from mockpump.protocol.messages.base import Message


@pytest.mark.parametrize(
    "sent",
    [
        Identify(),
        SetClock(1, 3_600),
        ClockSet(3_600, 7_200),
        WriteProgram(0, b"abc"),
        StartBolus(7, BolusKind.BOLUS, 50_000, 3_600),
    ],
)
def test_it_comes_back(sent: Message) -> None:
    assert decode(encode(sent)) == sent


def test_the_bytes_of_a_bolus() -> None:
    bolus = StartBolus(7, BolusKind.BOLUS, 50_000, 3_600)
    assert encode(bolus).hex() == "2200000007000000c35000000e10"


@pytest.mark.parametrize("payload", [b"", b"\xff", encode(SetClock(1, 3_600))[:-1]])
def test_no_message(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(payload)


def test_out_of_range() -> None:
    with pytest.raises(LocalProtocolError):
        encode(SetClock(1, 2**31))
