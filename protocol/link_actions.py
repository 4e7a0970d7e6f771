"""What a link does: the actions that the table of `mockpump.protocol.link_table` names.

`LinkActions` holds one side's state and carries actions out; it does not ask what may happen when.
That is for `mockpump.protocol.link`, which classifies what happens, looks it up and calls these.
"""

from collections import deque
from collections.abc import Callable

from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.framing import OVERHEAD, Frame, Kind
from mockpump.protocol.link_events import (
    CloseReason,
    DropReason,
    FrameDropped,
    LinkClosed,
    LinkEvent,
    LinkOpened,
    LinkStatistics,
    PayloadReceived,
    Role,
)
from mockpump.protocol.link_settings import LinkSettings, Offer
from mockpump.protocol.link_table import Action, Input, State
from mockpump.protocol.retransmission import RetransmissionTimer
from mockpump.protocol.transfer import Arq
from mockpump.protocol.window import Arrival

# An OPEN whose id is among so many of the latest is an old one that the line kept back.
REMEMBERED_CONNECTIONS = 8
# Answers to stray frames that may wait to be sent; a flood gets no more than these.
_MAX_CONTROL = 8
OFFER = codec_for(Offer)
_SETTINGS = codec_for(LinkSettings)

_DROP_REASON = {Input.GOT_STRAY: DropReason.STRAY, Input.GOT_STRAY_RESET: DropReason.STRAY}
_DROP_ARRIVAL = {Arrival.DUPLICATE: DropReason.DUPLICATE, Arrival.OUTSIDE: DropReason.OUTSIDE}
_CLOSE_REASON = {
    Input.GOT_CLOSE: CloseReason.CLOSED_THERE,
    Input.GOT_RESET: CloseReason.RESET,
    Input.TRIES_SPENT: CloseReason.TRIES_SPENT,
    Input.SILENCE: CloseReason.SILENCE,
}


class LinkActions:
    """The state of one side of a link, and what can be done to it.

    `events` is what happened, oldest first; whoever owns the link takes it out.  `ended` is why the
    last connection has ended, None before any has; `endings` is how many have.
    """

    __slots__ = (
        "_arq",
        "_control",
        "_earlier",
        "_heard_at",
        "_repeated",
        "_sent_at",
        "_timer",
        "connection",
        "ended",
        "endings",
        "events",
        "max_payload",
        "role",
        "settings",
        "state",
        "statistics",
    )

    def __init__(self, role: Role, settings: LinkSettings | None = None) -> None:
        self.role = role
        self.settings = settings or LinkSettings()
        _SETTINGS.encode(self.settings)  # raises where one is out of its range
        self.state = State.IDLE
        self.statistics = LinkStatistics()
        self.events: deque[LinkEvent] = deque()
        self.endings = 0
        self.ended: CloseReason | None = None
        self._earlier: deque[int] = deque(maxlen=REMEMBERED_CONNECTIONS)
        self._begin(0, 0, self.settings.offer())

    def _begin(self, connection: int, now: int, offer: Offer) -> None:
        """Forget the last connection, with what it left unsaid, and start one under these terms."""
        self._control: list[Frame] = []
        self.connection = connection
        self.max_payload = min(offer.max_payload, self.settings.max_payload)
        window = min(offer.window, self.settings.window)
        self._timer = RetransmissionTimer(self.settings)
        self._arq = Arq(connection, window, self.settings, self._timer, self.statistics)
        self._repeated: Frame | None = None
        self._heard_at = self._sent_at = now

    def _repeat(self, frame: Frame, now: int) -> None:
        """Send a frame that goes out again until it is answered: OPEN or CLOSE."""
        self._repeated = frame
        self._control.append(frame)
        self._timer.start(now, OVERHEAD + len(frame.payload))

    def _nothing(self, event: Input, now: int, frame: Frame) -> None:
        pass

    def _refuse(self, event: Input, now: int, frame: Frame) -> None:
        raise LocalProtocolError(f"{event.value}, but the link is {self.state.name}")

    def drop(self, reason: DropReason, frame: Frame) -> None:
        self.statistics.frames_dropped += 1
        self.events.append(FrameDropped(reason, frame))

    def _drop_frame(self, event: Input, now: int, frame: Frame) -> None:
        self.drop(_DROP_REASON.get(event, DropReason.UNEXPECTED), frame)

    def _send_open(self, event: Input, now: int, frame: Frame) -> None:
        self._begin(frame.connection, now, self.settings.offer())
        self._repeat(frame, now)

    def _accept(self, event: Input, now: int, frame: Frame) -> None:
        self._earlier.append(frame.connection)
        self._begin(frame.connection, now, OFFER.decode(frame.payload))
        self._repeat_open_ack(event, now, frame)
        self._report_opened(frame)

    def _supersede(self, event: Input, now: int, frame: Frame) -> None:
        self._close(CloseReason.SUPERSEDED)
        self._accept(event, now, frame)

    def _repeat_open_ack(self, event: Input, now: int, frame: Frame) -> None:
        offer = OFFER.encode(self.settings.offer())
        self._answer(Frame(Kind.OPEN_ACK, frame.connection, payload=offer))

    def _establish(self, event: Input, now: int, frame: Frame) -> None:
        sent_once, round_trip = self._timer.expiries == 0, now - self._sent_at
        self._begin(self.connection, now, OFFER.decode(frame.payload))
        if sent_once:
            # OPEN and OPEN_ACK are of one length.
            size = OVERHEAD + len(frame.payload)
            self._timer.measure(round_trip, size, size)
            self.statistics.round_trip = round_trip
        self._report_opened(frame)

    def _report_opened(self, frame: Frame) -> None:
        window = min(OFFER.decode(frame.payload).window, self.settings.window)
        self.events.append(LinkOpened(self.max_payload, window))

    def _abandon(self, event: Input, now: int, frame: Frame) -> None:
        self._answer(Frame(Kind.RESET, self.connection))
        self._close(CloseReason.CLOSED_HERE)

    def _queue(self, event: Input, now: int, frame: Frame) -> None:
        waiting = self._arq.waiting
        if len(waiting) >= self.settings.backlog:
            raise LocalProtocolError(f"{self.settings.backlog} payloads are queued already")
        waiting.append(frame.payload)

    def _receive(self, event: Input, now: int, frame: Frame) -> None:
        self._arq.acknowledge(frame, now)
        arrival, delivered = self._arq.receive(frame, now)
        for payload in delivered:
            self.events.append(PayloadReceived(payload))
        if not delivered and arrival is not Arrival.AHEAD:
            self.drop(_DROP_ARRIVAL[arrival], frame)

    def _acknowledge(self, event: Input, now: int, frame: Frame) -> None:
        if not self._arq.acknowledge(frame, now):
            self.drop(DropReason.BAD_ACK, frame)

    def _answer_close(self, event: Input, now: int, frame: Frame) -> None:
        self._arq.acknowledge(frame, now)
        self._answer(self._arq.control_frame(Kind.CLOSE))
        self._close(CloseReason.CLOSED_THERE)

    def _report_closed(self, event: Input, now: int, frame: Frame) -> None:
        if event is Input.GOT_CLOSE:
            self._arq.acknowledge(frame, now)
            if not self._repeated:
                self._answer(self._arq.control_frame(Kind.CLOSE))
        # Both sides may close at once, but only one that has nothing left to send has had its way.
        whole = not self._arq.outstanding
        self._close(CloseReason.CLOSED_HERE if whole else _CLOSE_REASON[event])

    def _lose(self, event: Input, now: int, frame: Frame) -> None:
        unanswered = self.state is State.OPENING and frame is NO_FRAME
        self._close(CloseReason.NO_ANSWER if unanswered else _CLOSE_REASON[event])

    def _close(self, reason: CloseReason) -> None:
        self.ended = reason
        self.endings += 1
        self.events.append(LinkClosed(reason, self._arq.outstanding))

    def _send_reset(self, event: Input, now: int, frame: Frame) -> None:
        self._answer(Frame(Kind.RESET, frame.connection))
        self.drop(DropReason.STRAY, frame)

    def _answer(self, frame: Frame) -> None:
        if len(self._control) < _MAX_CONTROL:
            self._control.append(frame)

    def _retransmit(self, event: Input, now: int, frame: Frame) -> None:
        # One OPEN at a time adds nothing to a crowd, and whoever waits for it wants to know soon.
        ack_unambiguous = self._timer.expire(now, backoff=self.state is not State.OPENING)
        self.statistics.timeouts += 1
        if not self._arq.resend_oldest(ack_unambiguous) and self._repeated:
            self.statistics.retransmissions += 1
            self._control.append(self._repeated)

    def _send_ack(self, event: Input, now: int, frame: Frame) -> None:
        self._arq.acknowledge_soon()


NO_FRAME = Frame(Kind.RESET, 0)

ACTIONS: dict[Action, Callable[[LinkActions, Input, int, Frame], None]] = {
    Action.NOTHING: LinkActions._nothing,
    Action.REFUSE: LinkActions._refuse,
    Action.DROP: LinkActions._drop_frame,
    Action.SEND_OPEN: LinkActions._send_open,
    Action.ACCEPT: LinkActions._accept,
    Action.SUPERSEDE: LinkActions._supersede,
    Action.REPEAT_OPEN_ACK: LinkActions._repeat_open_ack,
    Action.ESTABLISH: LinkActions._establish,
    Action.ABANDON: LinkActions._abandon,
    Action.QUEUE: LinkActions._queue,
    Action.FINISH: LinkActions._nothing,
    Action.RECEIVE: LinkActions._receive,
    Action.ACKNOWLEDGE: LinkActions._acknowledge,
    Action.ANSWER_CLOSE: LinkActions._answer_close,
    Action.REPORT_CLOSED: LinkActions._report_closed,
    Action.LOSE: LinkActions._lose,
    Action.SEND_RESET: LinkActions._send_reset,
    Action.RETRANSMIT: LinkActions._retransmit,
    Action.SEND_ACK: LinkActions._send_ack,
}
