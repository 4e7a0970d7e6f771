"""Belief is what the pump has said, and when: no message, no change, whatever the pump does."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.programmer.belief import Belief
from mockpump.emulator.pump.factory import new_pump
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import CATALOGUE, Message
from mockpump.protocol.strategies import message

SAID = [entry.message for entry in CATALOGUE.values() if entry.reply is None]
# What a message teaches beside its fields of the same name.
MORE: dict[type[Message], dict[str, Any]] = {
    m.Suspended: {"mode": m.Mode.SUSPENDED},
    m.Resumed: {"mode": m.Mode.RUNNING},
}
RENAMED = {"active": "program"}
# They share a field's name with the belief, but are about something else.
SILENT = {
    # It may be about a program that is to rule later.
    m.ProgramCommitted,
    m.ProgramData,
    m.ProgramWritten,
    m.ProgramAborted,
    m.Subscribed,
    m.Refused,
    m.BolusStarted,
    m.Details,
    m.Limits,
    m.LimitsSet,
    m.PendingDropped,
    m.RampMoved,
    m.TemporaryCancelled,
}


def lesson(said: Message) -> dict[str, Any]:
    if type(said) in SILENT:
        return {}
    if isinstance(said, m.Identity):
        return {"identity": said}
    fields = {RENAMED.get(k, k): v for k, v in msgspec.structs.asdict(said).items()}
    known = {k: v for k, v in fields.items() if k in Belief.__struct_fields__}
    return known | MORE.get(type(said), {})


@given(st.lists(st.sampled_from(SAID).flatmap(message), max_size=10))
def test_it_is_the_last_that_was_heard_of_each_thing(said: list[Message]) -> None:
    belief, naive = Belief(), msgspec.structs.asdict(Belief())
    for now, each in enumerate(said):
        belief.learn(each, now)
        taught = lesson(each)
        naive |= taught
        if taught:
            naive["heard_at"] = now
        assert msgspec.structs.asdict(belief) == naive


def test_at_first_nothing_is_believed() -> None:
    assert set(msgspec.structs.asdict(Belief()).values()) == {None}


@pytest.mark.parametrize("kind", [e.message for e in CATALOGUE.values() if e.reply], ids=str)
def test_a_request_teaches_nothing(kind: type[Message]) -> None:
    belief = Belief()
    if not kind.__struct_fields__:
        belief.learn(kind(), 5)
    belief.learn(m.Suspend(1), 5)
    assert belief == Belief()


def test_it_is_no_view_of_the_pump() -> None:
    pump, belief = new_pump(), Belief()
    belief.learn(pump.report(), 0)
    before = msgspec.structs.asdict(belief)
    pump.advance(10_000)
    assert msgspec.structs.asdict(belief) == before
