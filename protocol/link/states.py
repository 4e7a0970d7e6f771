"""The link's rules as data: its states, what can happen to it, and what it does then.

A cell holds an action, the next state and, where something is dropped or closed, the reason that is
reported.  `mockpump.protocol.link.link` looks up every call, frame and timer here, the documents
draw their state diagrams from it, and a test walks every cell.

              open()                 OPEN_ACK
    IDLE  ------------>  OPENING  ------------>  OPEN     an initiator
    IDLE  ------------------------------------>  OPEN     an acceptor, when OPEN comes
              close()                CLOSE answers
    OPEN  ------------>  CLOSING  ------------>  IDLE
    any   ------------------------------------>  IDLE     abort(), RESET, tries spent, silence

Three things a table of cells does not show:

* What is not even looked up.  A frame that no state could use is dropped before: one that only this
  side may say (`MISDIRECTED`), an offer that makes no sense (`BAD_OFFER`), a payload where none
  belongs or longer than agreed (`BAD_PAYLOAD`).  So a cell may take its frame for well formed.
* What decides between two inputs.  A frame is `GOT_STRAY` unless its connection id is the present
  one.  An OPEN is `GOT_OPEN_OLD` when its id is among the last few that an acceptor had: the line
  may have kept it back, and accepting it would end a connection that is younger.
* Why it ends.  IDLE is reached from every state by a timer alone: OPENING counts its OPENs, OPEN
  and CLOSING have the idle time, which only frames of the connection put off.  So neither a peer
  that is gone nor strangers on the line keep a link open.

Closing is the one exchange in which both sides may speak at once.  A side that has had everything
acknowledged has had its way, and reports `CLOSED_HERE` whatever ends the connection then; one that
has not reports the reason in the cell, and how many payloads it does not know to be delivered.
"""

from typing import NamedTuple

from mockpump.protocol.link.types import CloseReason, DropReason
from mockpump.protocol.quick_enum import QuickEnum


class State(QuickEnum):
    """Where a link stands."""

    IDLE = "no connection; an acceptor waits for OPEN"
    OPENING = "OPEN is sent, OPEN_ACK is awaited"
    OPEN = "payloads travel"
    CLOSING = "everything sent is to be acknowledged, then CLOSE answered"


# The same, bound once: Python 3.11 searches for a member at each mention of it, and these are asked
# for at every frame.
IDLE, OPENING, OPEN, CLOSING = State


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
    ALL_ACKNOWLEDGED = "everything that was sent before close() is acknowledged"


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
    FINISH = "take no more payloads"
    RECEIVE = "deliver what is in order, keep what is ahead, acknowledge"
    ACKNOWLEDGE = "forget what is acknowledged, resend what is missing"
    SEND_CLOSE = "send CLOSE"
    ANSWER_CLOSE = "send CLOSE, report closed"
    REPORT_CLOSED = (
        "report closed; send CLOSE if it was asked for and has not been sent;"
        " CLOSED_HERE if everything is acknowledged"
    )
    LOSE = "report closed"
    SEND_RESET = "send RESET with the frame's connection id"
    RETRANSMIT = (
        "send OPEN, or the oldest unacknowledged frame, or CLOSE again;"
        " after OPEN or a probe the timeout stays, else it is doubled"
    )
    SEND_ACK = "send ACK"


class Step(NamedTuple):
    """One cell of the table.  `reason`: what is reported with it, where anything is."""

    action: Action
    next: State
    reason: CloseReason | DropReason | None = None


# A cell as it is written below: an action, the state after it if that is another, a reason.
Cell = Action | tuple[Action, State] | tuple[Action, State, CloseReason] | tuple[Action, DropReason]


def _row(state: State, cells: dict[Input, Cell]) -> dict[Input, Step]:
    return {event: _step(state, cell) for event, cell in cells.items()}


def _step(state: State, cell: Cell) -> Step:
    if isinstance(cell, Action):
        return Step(cell, state)
    if isinstance(cell[1], DropReason):
        return Step(cell[0], state, cell[1])
    return Step(*cell)


_NO_TIMER = {
    Input.RETRANSMIT_DUE: Action.NOTHING,
    Input.TRIES_SPENT: Action.NOTHING,
    Input.KEEPALIVE_DUE: Action.NOTHING,
    Input.SILENCE: Action.NOTHING,
}
_UNEXPECTED = (Action.DROP, DropReason.UNEXPECTED)
_STRAY = (Action.DROP, DropReason.STRAY)
_ABANDONED = (Action.ABANDON, State.IDLE, CloseReason.CLOSED_HERE)


def _lost(reason: CloseReason) -> Cell:
    return Action.LOSE, State.IDLE, reason


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
            Input.GOT_RESET: _UNEXPECTED,
            Input.GOT_STRAY: Action.SEND_RESET,
            Input.GOT_STRAY_RESET: _STRAY,
            **_NO_TIMER,
            Input.ALL_ACKNOWLEDGED: Action.NOTHING,
        },
    ),
    State.OPENING: _row(
        State.OPENING,
        {
            Input.CALL_OPEN: Action.REFUSE,
            Input.CALL_SEND: Action.REFUSE,
            Input.CALL_CLOSE: _ABANDONED,
            Input.CALL_ABORT: _ABANDONED,
            Input.GOT_OPEN: _UNEXPECTED,
            Input.GOT_OPEN_AGAIN: _UNEXPECTED,
            Input.GOT_OPEN_OLD: _UNEXPECTED,
            Input.GOT_OPEN_ACK: (Action.ESTABLISH, State.OPEN),
            Input.GOT_DATA: _UNEXPECTED,
            Input.GOT_ACK: _UNEXPECTED,
            Input.GOT_CLOSE: _lost(CloseReason.CLOSED_THERE),
            Input.GOT_RESET: _lost(CloseReason.RESET),
            Input.GOT_STRAY: _STRAY,
            Input.GOT_STRAY_RESET: _STRAY,
            Input.RETRANSMIT_DUE: Action.RETRANSMIT,
            Input.TRIES_SPENT: _lost(CloseReason.NO_ANSWER),
            Input.KEEPALIVE_DUE: Action.NOTHING,
            Input.SILENCE: Action.NOTHING,
            Input.ALL_ACKNOWLEDGED: Action.NOTHING,
        },
    ),
    State.OPEN: _row(
        State.OPEN,
        {
            Input.CALL_OPEN: Action.REFUSE,
            Input.CALL_SEND: Action.QUEUE,
            Input.CALL_CLOSE: (Action.FINISH, State.CLOSING),
            Input.CALL_ABORT: _ABANDONED,
            Input.GOT_OPEN: (Action.SUPERSEDE, State.OPEN, CloseReason.SUPERSEDED),
            Input.GOT_OPEN_AGAIN: Action.REPEAT_OPEN_ACK,
            Input.GOT_OPEN_OLD: Action.SEND_RESET,
            Input.GOT_OPEN_ACK: _UNEXPECTED,
            Input.GOT_DATA: Action.RECEIVE,
            Input.GOT_ACK: Action.ACKNOWLEDGE,
            Input.GOT_CLOSE: (Action.ANSWER_CLOSE, State.IDLE, CloseReason.CLOSED_THERE),
            Input.GOT_RESET: _lost(CloseReason.RESET),
            Input.GOT_STRAY: Action.SEND_RESET,
            Input.GOT_STRAY_RESET: _STRAY,
            Input.RETRANSMIT_DUE: Action.RETRANSMIT,
            Input.TRIES_SPENT: _lost(CloseReason.TRIES_SPENT),
            Input.KEEPALIVE_DUE: Action.SEND_ACK,
            Input.SILENCE: _lost(CloseReason.SILENCE),
            Input.ALL_ACKNOWLEDGED: Action.NOTHING,
        },
    ),
    State.CLOSING: _row(
        State.CLOSING,
        {
            Input.CALL_OPEN: Action.REFUSE,
            Input.CALL_SEND: Action.REFUSE,
            Input.CALL_CLOSE: Action.NOTHING,
            Input.CALL_ABORT: _ABANDONED,
            Input.GOT_OPEN: (Action.SUPERSEDE, State.OPEN, CloseReason.SUPERSEDED),
            Input.GOT_OPEN_AGAIN: Action.REPEAT_OPEN_ACK,
            Input.GOT_OPEN_OLD: Action.SEND_RESET,
            Input.GOT_OPEN_ACK: _UNEXPECTED,
            Input.GOT_DATA: Action.RECEIVE,
            Input.GOT_ACK: Action.ACKNOWLEDGE,
            Input.GOT_CLOSE: (Action.REPORT_CLOSED, State.IDLE, CloseReason.CLOSED_THERE),
            Input.GOT_RESET: (Action.REPORT_CLOSED, State.IDLE, CloseReason.RESET),
            Input.GOT_STRAY: Action.SEND_RESET,
            Input.GOT_STRAY_RESET: _STRAY,
            Input.RETRANSMIT_DUE: Action.RETRANSMIT,
            Input.TRIES_SPENT: _lost(CloseReason.TRIES_SPENT),
            Input.KEEPALIVE_DUE: Action.SEND_ACK,
            Input.SILENCE: _lost(CloseReason.SILENCE),
            Input.ALL_ACKNOWLEDGED: Action.SEND_CLOSE,
        },
    ),
}
