"""Errors: whatever is raised in a worker process reaches who started it, with all that it says."""

import pickle

import pytest

from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    NotPaired,
    OutcomeUnknown,
    RequestRefused,
    SessionRefused,
)
from mockpump.protocol import messages as m
from mockpump.protocol.errors import DecodeError, LocalProtocolError, MockpumpError
from mockpump.protocol.link.types import CloseReason
from mockpump.protocol.program import ProgramError

REFUSED = m.Refused(0x20, m.Reason.LIMIT_RATE, 2, 50_000, 40_000)
ERRORS: list[MockpumpError] = [
    LocalProtocolError("no such thing"),
    DecodeError("too short", message="Status", field=3, name="rate"),
    ProgramError("overlaps", file="day.toml", key="pattern[0]"),
    RequestRefused(m.Suspend(7), REFUSED),
    ConnectionLost(CloseReason.SILENCE),
    OutcomeUnknown(m.Suspend(7), 7, CloseReason.SILENCE),
    NotPaired(m.Identity(1, 1001, 20_000_000, 10, "toy")),
    SessionRefused(REFUSED),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_itself_again_in_another_process(error: MockpumpError) -> None:
    error.add_note("and this beside it")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__
