"""The link's rules as data: its states, what can happen to it, and what it does then.

There is one table.  `mockpump.protocol.link` looks up every call, frame and timer in it, the
documents draw their state diagrams from it, and a test walks every cell.  A cell holds an action
and the next state; the actions are methods of the link.
"""

from typing import NamedTuple

from mockpump.protocol.quick_enum import QuickEnum


class State(QuickEnum):
    """Where a link stands."""

    IDLE = "no connection; an acceptor waits for OPEN"
    OPENING = "OPEN is sent, OPEN_ACK is awaited"
    OPEN = "payloads travel"
    CLOSING = "everything sent is to be acknowledged, then CLOSE answered"


class Input(QuickEnum):
    """What can happen to a link."""

    CALL_OPEN = "the user calls open()"
    CALL_SEND = "the user calls send()"
    CALL_CLOSE = "the user calls close()"
    CALL_ABORT = "the user calls abort()"
    GOT_OPEN = "OPEN with a connection id not seen lately (acceptor only, as the next two)"
    GOT_OPEN_AGAIN = "OPEN with the present connection's id"
    GOT_OPEN_OLD = "OPEN with an id that an earlier connection had"
    GOT_OPEN_ACK = "OPEN_ACK of the present connection (initiator only)"
    GOT_DATA = "DATA of the present connection"
    GOT_ACK = "ACK of the present connection"
    GOT_CLOSE = "CLOSE of the present connection"
    GOT_RESET = "RESET of the present connection"
    GOT_STRAY = "any other frame but RESET of no or another connection"
    GOT_STRAY_RESET = "RESET of no or another connection"
    RETRANSMIT_DUE = "the retransmission timer runs out"
    TRIES_SPENT = "it runs out once more than is allowed without progress"
    KEEPALIVE_DUE = "nothing was sent for the keep-alive time"
    SILENCE = "nothing was heard for the idle time"


class Action(QuickEnum):
    """What a link does about it."""

    NOTHING = "nothing"
    REFUSE = "raise LocalProtocolError"
    DROP = "drop the frame, with an event"
    SEND_OPEN = "choose the connection, send OPEN"
    ACCEPT = "agree on payload and window, send OPEN_ACK"
    SUPERSEDE = "report the old connection closed, then accept the new one"
    REPEAT_OPEN_ACK = "send OPEN_ACK again"
    ESTABLISH = "agree on payload and window"
    ABANDON = "send RESET, report closed"
    QUEUE = "queue the payload"
    FINISH = "send CLOSE once everything is acknowledged"
    RECEIVE = "deliver what is in order, keep what is ahead, acknowledge"
    ACKNOWLEDGE = "forget what is acknowledged, resend what is missing"
    ANSWER_CLOSE = "send CLOSE, report closed"
    REPORT_CLOSED = "report closed; send CLOSE if that has not been done"
    LOSE = "report closed, with the reason"
    SEND_RESET = "send RESET with the frame's connection id"
    RETRANSMIT = (
        "send OPEN, or the oldest unacknowledged frame, or CLOSE again;"
        " after OPEN or a probe the timeout stays, else it is doubled"
    )
    SEND_ACK = "send ACK"


class Step(NamedTuple):
    """One cell of the table."""

    action: Action
    next: State


def _row(state: State, steps: dict[Input, Action | tuple[Action, State]]) -> dict[Input, Step]:
    return {
        event: Step(*step) if isinstance(step, tuple) else Step(step, state)
        for event, step in steps.items()
    }


_NO_TIMER = {
    Input.RETRANSMIT_DUE: Action.NOTHING,
    Input.TRIES_SPENT: Action.NOTHING,
    Input.KEEPALIVE_DUE: Action.NOTHING,
    Input.SILENCE: Action.NOTHING,
}
_LOST = (Action.LOSE, State.IDLE)

TRANSITIONS: dict[State, dict[Input, Step]] = {
    State.IDLE: _row(
        State.IDLE,
        {
            Input.CALL_OPEN: (Action.SEND_OPEN, State.OPENING),
            Input.CALL_SEND: Action.REFUSE,
            Input.CALL_CLOSE: Action.NOTHING,
            Input.CALL_ABORT: Action.NOTHING,
            Input.GOT_OPEN: (Action.ACCEPT, State.OPEN),
            Input.GOT_OPEN_AGAIN: Action.SEND_RESET,
            Input.GOT_OPEN_OLD: Action.SEND_RESET,
            Input.GOT_OPEN_ACK: Action.SEND_RESET,
            Input.GOT_DATA: Action.SEND_RESET,
            Input.GOT_ACK: Action.SEND_RESET,
            Input.GOT_CLOSE: Action.SEND_RESET,
            Input.GOT_RESET: Action.DROP,
            Input.GOT_STRAY: Action.SEND_RESET,
            Input.GOT_STRAY_RESET: Action.DROP,
            **_NO_TIMER,
        },
    ),
    State.OPENING: _row(
        State.OPENING,
        {
            Input.CALL_OPEN: Action.REFUSE,
            Input.CALL_SEND: Action.REFUSE,
            Input.CALL_CLOSE: (Action.ABANDON, State.IDLE),
            Input.CALL_ABORT: (Action.ABANDON, State.IDLE),
            Input.GOT_OPEN: Action.DROP,
            Input.GOT_OPEN_AGAIN: Action.DROP,
            Input.GOT_OPEN_OLD: Action.DROP,
            Input.GOT_OPEN_ACK: (Action.ESTABLISH, State.OPEN),
            Input.GOT_DATA: Action.DROP,
            Input.GOT_ACK: Action.DROP,
            Input.GOT_CLOSE: _LOST,
            Input.GOT_RESET: _LOST,
            Input.GOT_STRAY: Action.DROP,
            Input.GOT_STRAY_RESET: Action.DROP,
            Input.RETRANSMIT_DUE: Action.RETRANSMIT,
            Input.TRIES_SPENT: _LOST,
            Input.KEEPALIVE_DUE: Action.NOTHING,
            Input.SILENCE: Action.NOTHING,
        },
    ),
    State.OPEN: _row(
        State.OPEN,
        {
            Input.CALL_OPEN: Action.REFUSE,
            Input.CALL_SEND: Action.QUEUE,
            Input.CALL_CLOSE: (Action.FINISH, State.CLOSING),
            Input.CALL_ABORT: (Action.ABANDON, State.IDLE),
            Input.GOT_OPEN: Action.SUPERSEDE,
            Input.GOT_OPEN_AGAIN: Action.REPEAT_OPEN_ACK,
            Input.GOT_OPEN_OLD: Action.SEND_RESET,
            Input.GOT_OPEN_ACK: Action.DROP,
            Input.GOT_DATA: Action.RECEIVE,
            Input.GOT_ACK: Action.ACKNOWLEDGE,
            Input.GOT_CLOSE: (Action.ANSWER_CLOSE, State.IDLE),
            Input.GOT_RESET: _LOST,
            Input.GOT_STRAY: Action.SEND_RESET,
            Input.GOT_STRAY_RESET: Action.DROP,
            Input.RETRANSMIT_DUE: Action.RETRANSMIT,
            Input.TRIES_SPENT: _LOST,
            Input.KEEPALIVE_DUE: Action.SEND_ACK,
            Input.SILENCE: _LOST,
        },
    ),
    State.CLOSING: _row(
        State.CLOSING,
        {
            Input.CALL_OPEN: Action.REFUSE,
            Input.CALL_SEND: Action.REFUSE,
            Input.CALL_CLOSE: Action.NOTHING,
            Input.CALL_ABORT: (Action.ABANDON, State.IDLE),
            Input.GOT_OPEN: (Action.SUPERSEDE, State.OPEN),
            Input.GOT_OPEN_AGAIN: Action.REPEAT_OPEN_ACK,
            Input.GOT_OPEN_OLD: Action.SEND_RESET,
            Input.GOT_OPEN_ACK: Action.DROP,
            Input.GOT_DATA: Action.RECEIVE,
            Input.GOT_ACK: Action.ACKNOWLEDGE,
            Input.GOT_CLOSE: (Action.REPORT_CLOSED, State.IDLE),
            Input.GOT_RESET: (Action.REPORT_CLOSED, State.IDLE),
            Input.GOT_STRAY: Action.SEND_RESET,
            Input.GOT_STRAY_RESET: Action.DROP,
            Input.RETRANSMIT_DUE: Action.RETRANSMIT,
            Input.TRIES_SPENT: _LOST,
            Input.KEEPALIVE_DUE: Action.SEND_ACK,
            Input.SILENCE: _LOST,
        },
    ),
}
