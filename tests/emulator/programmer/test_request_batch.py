"""A round of questions: answers belong to requests in order, and a no ends it when all are in."""

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.programmer.errors import RequestRefused
from mockpump.emulator.programmer.request_batch import MOST_REPEATS, RequestBatch
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import Reason
from mockpump.protocol.messages.base import Message

ANSWERS: dict[type[Message], Message] = {
    m.GetClock: m.Clock(1, 2),
    m.AbortProgram: m.ProgramAborted(),
    m.GetLimits: m.Limits(1, 2, 3, 4),
}
ASKED = st.lists(st.sampled_from([each() for each in ANSWERS]), min_size=1, max_size=8)


def answer(request: Message) -> Message:
    return ANSWERS[type(request)]


def no(request: Message) -> m.Refused:
    return m.Refused(m.entry_of(type(request)).number, Reason.WRONG_MODE, 0, 0, 0)


@given(ASKED)
def test_the_replies_are_given_in_the_order_of_the_requests(asked: Sequence[Message]) -> None:
    it = RequestBatch(asked)
    for request in asked:
        assert not it.over
        assert it.next_unanswered == request
        assert it.take(answer(request))
    assert it.over
    assert it.result == [answer(each) for each in asked]
    assert it.refusal is None


@given(ASKED, st.data())
def test_what_is_no_reply_to_the_open_request_is_not_taken(
    asked: Sequence[Message], data: st.DataObject
) -> None:
    it = RequestBatch(asked)
    for request in asked:
        others = [ANSWERS[kind] for kind in ANSWERS if kind is not type(request)]
        assert not it.take(data.draw(st.sampled_from(others)))
        assert it.take(answer(request))


@given(ASKED, st.data())
def test_the_first_no_is_what_came_of_it_when_all_are_answered(
    asked: Sequence[Message], data: st.DataObject
) -> None:
    refused = data.draw(st.lists(st.booleans(), min_size=len(asked), max_size=len(asked)))
    it = RequestBatch(asked)
    for request, negative in zip(asked, refused, strict=True):
        assert it.take(no(request) if negative else answer(request))
    assert it.over
    if any(refused):
        assert isinstance(it.refusal, RequestRefused)
        assert it.refusal.request == asked[refused.index(True)]
    else:
        assert it.refusal is None


FOREIGN = [Reason.BAD_TAG, Reason.OLD_COUNTER]
REPLACED = [*FOREIGN, Reason.MALFORMED, Reason.NOT_A_REQUEST]


@st.composite
def noes_to_another(draw: st.DrawFn, request: Message) -> m.Refused:
    """What a pump says to a payload that came in place of a request."""
    number = m.entry_of(type(request)).number
    if draw(st.booleans()):
        return m.Refused(number, draw(st.sampled_from(REPLACED)), 0, 0, 0)
    other = draw(st.integers(0, 255).filter(lambda each: each != number))
    return m.Refused(other, draw(st.sampled_from(Reason)), 0, 0, 0)


@given(ASKED, st.data())
def test_a_request_that_was_replaced_goes_again_behind_the_others(
    asked: Sequence[Message], data: st.DataObject
) -> None:
    """Beside a pump that gives one reply to each payload, in order."""
    it, sent = RequestBatch(asked), deque(asked)
    repeats = 0
    while sent:
        request = sent.popleft()
        assert it.next_unanswered == request
        assert not it.over
        if repeats < MOST_REPEATS and data.draw(st.booleans()):
            foreign = data.draw(noes_to_another(request))
            assert it.replaced(foreign)
            again = it.repeat()
            assert again == request
            sent.append(request)
            repeats += 1
        else:
            assert not it.replaced(answer(request))
            assert it.take(answer(request))
    assert it.over
    assert it.result == [answer(each) for each in asked]
    assert it.refusal is None


def test_it_goes_again_so_often_and_no_more() -> None:
    it = RequestBatch([m.GetClock(), m.GetLimits()])
    assert [it.repeat() for _ in range(MOST_REPEATS)] == [
        m.GetClock(),
        m.GetLimits(),
        m.GetClock(),
    ]
    assert it.repeat() is None
    assert it.next_unanswered == m.GetLimits()


@pytest.mark.parametrize("reason", FOREIGN)
def test_that_a_payload_was_foreign_is_no_reply(reason: Reason) -> None:
    it = RequestBatch(m.GetClock())
    assert not it.take(m.Refused(0x03, reason, 0, 0, 0))
    assert not it.over


def test_a_request_that_is_not_known_there_was_not_replaced() -> None:
    it = RequestBatch(m.GetClock())
    for reason in (Reason.UNKNOWN_MESSAGE, Reason.NO_SESSION, Reason.WRONG_MODE):
        assert not it.replaced(m.Refused(0x03, reason, 0, 0, 0))


@pytest.mark.parametrize("reason", [Reason.NOT_A_REQUEST, Reason.UNKNOWN_MESSAGE])
def test_whether_or_not_a_pump_knows_of_events_one_is_no_request(reason: Reason) -> None:
    """Telemetry in place of a request: what a small pump says of it means the same."""
    it = RequestBatch(m.GetClock())
    telemetry = m.entry_of(m.Telemetry).number
    assert it.replaced(m.Refused(telemetry, reason, 0, 0, 0))
    assert it.repeat() == m.GetClock()


def test_one_request_gets_its_one_reply() -> None:
    it = RequestBatch(m.GetClock())
    assert it.take(m.Clock(1, 2))
    assert it.result == m.Clock(1, 2)


@pytest.mark.parametrize("asked", [[], [m.Suspend(1), m.GetClock()], [m.GetClock(), m.Suspend(1)]])
def test_what_may_not_be_asked_at_once(asked: list[Message]) -> None:
    with pytest.raises(LocalProtocolError):
        RequestBatch(asked)
