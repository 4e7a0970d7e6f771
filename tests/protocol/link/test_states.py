"""Every state x every input is legal or a named error, on paper and in a real link."""

from collections import deque

import pytest

from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.framing import Frame, Kind
from mockpump.protocol.link.link import ACTIONS, OFFER, Link
from mockpump.protocol.link.states import TRANSITIONS, Action, Input, State, Step
from mockpump.protocol.link.types import CloseReason, DropReason, LinkSettings, Role

CELLS = [(state, event) for state in State for event in Input]
CALLS = {Input.CALL_OPEN, Input.CALL_SEND, Input.CALL_CLOSE, Input.CALL_ABORT}
PRESENT, ANOTHER, EARLIER = 7, 9, 5
OFFERED = OFFER.encode(LinkSettings().offer())
SECOND = 1_000_000


class Watched(Link):
    """A link that notes which cells of the table it goes through."""

    def __init__(self, role):
        super().__init__(role)
        self.cells = []

    def _step(self, event, now, frame):
        self.cells.append((self.state, event))
        super()._step(event, now, frame)


def named(cell):
    return cell.name if isinstance(cell, State | Input) else None


# -- on paper ------------------------------------------------------------------------------------


def test_every_state_and_input_has_a_cell():
    assert set(TRANSITIONS) == set(State)
    for row in TRANSITIONS.values():
        assert set(row) == set(Input)
        assert all(isinstance(step, Step) and step.next in State for step in row.values())


def test_only_calls_are_refused_and_a_refusal_changes_nothing():
    for state, event in CELLS:
        step = TRANSITIONS[state][event]
        if step.action is Action.REFUSE:
            assert event in CALLS
            assert step.next is state


def test_every_action_is_implemented_and_used():
    assert set(ACTIONS) == set(Action)
    assert {TRANSITIONS[state][event].action for state, event in CELLS} == set(Action)


def reachable(start):
    seen, todo = {start}, deque([start])
    while todo:
        for step in TRANSITIONS[todo.popleft()].values():
            if step.next not in seen:
                seen.add(step.next)
                todo.append(step.next)
    return seen


@pytest.mark.parametrize("state", State, ids=named)
def test_every_state_is_reached_and_left(state):
    assert state in reachable(State.IDLE)
    assert State.IDLE in reachable(state)


@pytest.mark.parametrize("state", [s for s in State if s is not State.IDLE], ids=named)
def test_one_call_and_the_silence_of_the_other_side_end_any_connection(state):
    # Who has not been answered yet does not miss anything; the OPENs are counted.
    silence = set() if state is State.OPENING else {Input.SILENCE}
    for event in silence | {Input.CALL_ABORT, Input.TRIES_SPENT, Input.GOT_RESET}:
        assert TRANSITIONS[state][event].next is State.IDLE


# -- in a real link ------------------------------------------------------------------------------


def idle(role):
    """With a connection behind it, so that there is an earlier id."""
    link = Watched(role)
    if role is Role.ACCEPTOR:
        link.receive_frame(Frame(Kind.OPEN, EARLIER, payload=OFFERED), 0)
    else:
        link.open(EARLIER, 0)
    link.abort(0)
    link.frames_to_send(0)
    return link


def opening(role):
    link = idle(role)
    link.open(PRESENT, 0)
    link.frames_to_send(0)
    return link


def opened(role):
    if role is Role.ACCEPTOR:
        link = idle(role)
        link.receive_frame(Frame(Kind.OPEN, PRESENT, payload=OFFERED), 0)
    else:
        link = opening(role)
        link.receive_frame(Frame(Kind.OPEN_ACK, PRESENT, payload=OFFERED), 0)
    link.send(b"first", 0)
    link.frames_to_send(0)
    return link


def closing(role):
    link = opened(role)
    link.close(0)
    link.frames_to_send(0)
    return link


MAKE = {
    State.IDLE: idle,
    State.OPENING: opening,
    State.OPEN: opened,
    State.CLOSING: closing,
}


def _frame(kind, connection, payload=b""):
    return lambda link: link.receive_frame(Frame(kind, connection, payload=payload), 1)


def _when(due):
    """Let the clock jump to one timer while the others are far away."""

    def stimulus(link):
        now = due(link)
        link._heard_at = now
        link.handle_timer(now)

    return stimulus


def _silence(link):
    link._timer.due_at = None
    link._sent_at = 100 * SECOND
    link.handle_timer(100 * SECOND)


def _tries_spent(link):
    link._timer.expiries = link.settings.tries
    _when(lambda link: link._timer.due_at)(link)


def _keepalive(link):
    link._timer.due_at = None
    _when(lambda link: link._sent_at + link.settings.keepalive)(link)


def _all_acknowledged(link):
    link.receive_frame(Frame(Kind.ACK, PRESENT, ack=1), 1)
    link.frames_to_send(1)


STIMULI = {
    Input.CALL_OPEN: lambda link: link.open(PRESENT, 1),
    Input.CALL_SEND: lambda link: link.send(b"payload", 1),
    Input.CALL_CLOSE: lambda link: link.close(1),
    Input.CALL_ABORT: lambda link: link.abort(1),
    Input.GOT_OPEN: _frame(Kind.OPEN, ANOTHER, OFFERED),
    Input.GOT_OPEN_AGAIN: _frame(Kind.OPEN, PRESENT, OFFERED),
    Input.GOT_OPEN_OLD: _frame(Kind.OPEN, EARLIER, OFFERED),
    Input.GOT_OPEN_ACK: _frame(Kind.OPEN_ACK, PRESENT, OFFERED),
    Input.GOT_DATA: _frame(Kind.DATA, PRESENT, b"payload"),
    Input.GOT_ACK: _frame(Kind.ACK, PRESENT),
    Input.GOT_CLOSE: _frame(Kind.CLOSE, PRESENT),
    Input.GOT_RESET: _frame(Kind.RESET, PRESENT),
    Input.GOT_STRAY: _frame(Kind.DATA, ANOTHER, b"payload"),
    Input.GOT_STRAY_RESET: _frame(Kind.RESET, ANOTHER),
    Input.RETRANSMIT_DUE: _when(lambda link: link._timer.due_at),
    Input.TRIES_SPENT: _tries_spent,
    Input.KEEPALIVE_DUE: _keepalive,
    Input.SILENCE: _silence,
    Input.ALL_ACKNOWLEDGED: _all_acknowledged,
}

_ONLY_INITIATOR = {Input.CALL_OPEN, Input.GOT_OPEN_ACK}
_ONLY_ACCEPTOR = {Input.GOT_OPEN, Input.GOT_OPEN_AGAIN, Input.GOT_OPEN_OLD}
# What an idle link cannot meet, since no connection is present and no timer runs.
_NEVER_WHEN_IDLE = {
    Input.GOT_OPEN_AGAIN,
    Input.GOT_OPEN_ACK,
    Input.GOT_DATA,
    Input.GOT_ACK,
    Input.GOT_CLOSE,
    Input.GOT_RESET,
    Input.RETRANSMIT_DUE,
    Input.TRIES_SPENT,
    Input.KEEPALIVE_DUE,
    Input.SILENCE,
}


# Nor does one that is opening, where OPEN itself is repeated.
_NEVER_WHEN_OPENING = {Input.KEEPALIVE_DUE, Input.SILENCE}
# Only a link that is closing waits for that.
_ONLY_CLOSING = {Input.ALL_ACKNOWLEDGED}


def happens(role, state, event):
    if state is State.IDLE and event in _NEVER_WHEN_IDLE:
        return False
    if state is State.OPENING and event in _NEVER_WHEN_OPENING:
        return False
    if state is not State.CLOSING and event in _ONLY_CLOSING:
        return False
    if role is Role.ACCEPTOR:
        return state is not State.OPENING and event not in _ONLY_INITIATOR
    return event not in _ONLY_ACCEPTOR


HAPPENING = [
    (role, state, event) for role in Role for state, event in CELLS if happens(role, state, event)
]


@pytest.mark.parametrize(("role", "state", "event"), HAPPENING, ids=named)
def test_a_link_does_what_the_cell_says(role, state, event):
    link = MAKE[state](role)
    assert link.state is state
    link.cells.clear()
    step = TRANSITIONS[state][event]
    if step.action is Action.REFUSE:
        with pytest.raises(LocalProtocolError, match=state.name):
            STIMULI[event](link)
    else:
        STIMULI[event](link)
    assert (state, event) in link.cells
    assert link.state is step.next


@pytest.mark.parametrize(("state", "event"), CELLS, ids=named)
def test_every_cell_can_be_carried_out(state, event):
    """Those too that no caller and no peer can bring about."""
    link = MAKE[state](Role.ACCEPTOR if state is not State.OPENING else Role.INITIATOR)
    step = TRANSITIONS[state][event]
    frame = Frame(Kind.OPEN, ANOTHER, payload=OFFERED)
    if step.action is Action.REFUSE:
        with pytest.raises(LocalProtocolError):
            link._step(event, 1, frame)
    else:
        link._step(event, 1, frame)
    assert link.state is step.next
    link.frames_to_send(1)


def test_nearly_every_cell_happens():
    """What is left over is an idle link's, or belongs to a role that is never in that state."""
    left = set(CELLS) - {(state, event) for _, state, event in HAPPENING}
    idle = {(State.IDLE, event) for event in _NEVER_WHEN_IDLE | _ONLY_CLOSING}
    never = _ONLY_ACCEPTOR | _NEVER_WHEN_OPENING | _ONLY_CLOSING
    assert left == idle | {(State.OPENING, event) for event in never} | {
        (State.OPEN, event) for event in _ONLY_CLOSING
    }


def test_what_ends_or_is_dropped_has_its_reason_in_the_cell():
    for state, event in CELLS:
        step = TRANSITIONS[state][event]
        ends = step.next is State.IDLE and state is not State.IDLE
        if ends or step.action is Action.SUPERSEDE:
            assert isinstance(step.reason, CloseReason)
        elif step.action is Action.DROP:
            assert isinstance(step.reason, DropReason)
        else:
            assert step.reason is None
