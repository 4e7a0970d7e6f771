"""The two shapes of a no: a decision inside the pump, `Refused` on the wire."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from paired import paired_pump

from mockpump.emulator.memory.interface import Outcome
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.limits import Excess
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.requests.decision import Decision, refuse, refuse_excess
from mockpump.emulator.pump.requests.dispatch import COMMANDS
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Message, entry_of
from mockpump.protocol.strategies import requests

PUMP = paired_pump()
FIGURES = st.integers(0, 2**63) | st.integers(2**63, 2**80)


@given(requests())
def test_a_handler_decides_and_with_a_no_nothing_else_is_to_happen(request: Message) -> None:
    decision = COMMANDS[type(request)].handler(PUMP, request, Peer(draw=bytes))
    reply = decision.reply
    if isinstance(reply, m.Refused):
        assert decision == Decision(reply)
        assert reply.request == entry_of(type(request)).number
    else:
        assert type(reply) is entry_of(type(request)).reply


@given(
    requests(),
    st.builds(Excess, st.sampled_from(m.Reason), FIGURES, st.integers(0, 2**32)),
    st.integers(0, 255),
)
def test_a_no_keeps_its_figures_as_far_as_they_fit(
    request: Message, excess: Excess, field: int
) -> None:
    said = m.decode(m.encode(refuse_excess(request, excess, field).reply))
    reason, figure, limit = excess
    number = entry_of(type(request)).number
    assert said == m.Refused(number, reason, field, min(figure, 2**63 - 1), limit)
    assert refuse(request, *(reason, field, figure, limit)).reply == said


def test_a_change_that_would_break_a_limit_says_which_and_changes_nothing() -> None:
    pump = paired_pump()
    before = pump.delivery.rate
    set_limits = partial(operations.set_limits, pump, m.Limits(1, 0, 2**32 - 1, 65_535))
    outcome = Outcome(1, b"", b"")
    assert pump.change(set_limits, outcome) == Excess(m.Reason.LIMIT_RATE, before, 1)
    assert pump.delivery.limits.rate > 1
    assert pump.memory.outcome(1) is None
    assert (pump.delivery.rate, pump.mode) == (before, m.Mode.RUNNING)
    # Nobody asked: it is done, and the pump stops at the limit.
    assert pump.change(set_limits) is None
    assert pump.mode is m.Mode.FAULT
