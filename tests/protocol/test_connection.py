"""Two connections joined byte by byte: frames, link and messages together.

A state machine does at random what two users and a bad line can do, and keeps account: within one
connection each side hears a beginning of what the other has said, in order, and all of it once the
line has been good for a while, unless the connection was reported closed.
"""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pairs import LOST, MILLISECOND, SECOND, Pair, chunkings, fates, plans, windows

from mockpump.protocol.connection import (
    Connection,
    ConnectionStatistics,
    MessageReceived,
    MessageRejected,
    WrongDirection,
)
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.framing import Frame, Kind, RejectedFrame, RejectReason, encode_frame
from mockpump.protocol.link.states import State
from mockpump.protocol.link.types import (
    CloseReason,
    DropReason,
    FrameDropped,
    LinkClosed,
    LinkOpened,
    LinkSettings,
    Role,
)
from mockpump.protocol.messages import GetStatus, Identify, encode
from mockpump.protocol.messages.base import CATALOGUE, Direction
from mockpump.protocol.strategies import frames, line_bytes, messages, requests

LONG = 120 * SECOND
WINDOWS = st.integers(1, 16)
ANSWERS = messages(Direction.REPLY) | messages(Direction.EVENT)


def joined(plan=(), **options):
    return Pair(plan, make=Connection, **options)


def said(pair, side):
    return [event.message for event in pair.of(side, MessageReceived)]


def heard_by_pump(payload):
    """What an acceptor makes of a payload that has arrived in order."""
    pair = joined().open()
    pair.links[0].send(payload, pair.now)
    pair.run(SECOND)
    return pair.events[1][1:]


# -- properties ----------------------------------------------------------------------------------


@given(WINDOWS, chunkings(), st.lists(requests(), max_size=8), st.lists(ANSWERS, max_size=8))
def test_messages_arrive_as_they_were_sent_however_they_are_chunked(window, sizes, asks, tells):
    pair = joined(chunking=sizes, settings=LinkSettings(window=window, max_payload=1000)).open()
    for side, spoken in enumerate((asks, tells)):
        for message in spoken:
            pair.ends[side].send(message, pair.now)
    pair.run(SECOND)
    assert said(pair, 1) == asks
    assert said(pair, 0) == tells
    assert pair.still
    assert len(pair.events[0]) == 1 + len(tells)


@given(WINDOWS, chunkings(), plans(7), st.lists(st.integers(0, 1), max_size=30))
def test_a_few_faults_cost_nothing_but_time(window, sizes, plan, sides):
    patient = LinkSettings(window=window, idle_timeout=LONG)
    pair = joined(plan, chunking=sizes, settings=patient).open()
    for number, side in enumerate(sides):
        pair.links[side].send(b"%d" % number, pair.now)
    pair.run_until(lambda: pair.still, LONG)
    for side in (0, 1):
        heard = [e.number for e in pair.of(1 - side, MessageRejected)]
        assert heard == [(b"%d" % n)[0] for n, by in enumerate(sides) if by == side]
        assert not pair.of(side, LinkClosed)
    assert all(e.reason is RejectReason.BAD_CRC for s in (0, 1) for e in pair.of(s, RejectedFrame))


OWN_FRAMES = st.builds(
    Frame,
    st.sampled_from([Kind.OPEN_ACK, Kind.DATA, Kind.ACK, Kind.CLOSE, Kind.RESET]),
    st.just(7),
    st.integers(0, 10),
    st.integers(0, 10),
    st.integers(0, 0xFFFF),
    st.just(b"") | messages().map(encode) | st.just(bytes.fromhex("00f008")),
)
LINE = line_bytes() | (OWN_FRAMES | frames()).map(encode_frame) | st.binary(max_size=40)


@given(st.sampled_from(Role), st.sampled_from(State), st.lists(LINE, max_size=20), chunkings())
def test_receive_data_never_raises(role, state, pieces, sizes):
    """Whatever comes, in whatever state; and what it leaves behind is bounded."""
    pair = joined()
    if state is State.OPENING:
        pair.ends[0].open(7, 0)
    elif state is not State.IDLE:
        pair.open()
    it = pair.ends[role is Role.ACCEPTOR]
    if it.is_open:
        it.send(Identify(), pair.now)
    if state is State.CLOSING:
        it.close(pair.now)
    data, place, now = b"".join(pieces), 0, pair.now
    for size in sizes or [len(data)]:
        it.receive_data(data[place : place + size], now)
        place += size
    it.receive_data(data[place:], now)
    while it.next_event() is not None:
        pass
    assert len(it.data_to_send(now)) < 60 * 20
    assert it.data_to_send(now) == b""
    deadline = it.next_deadline()
    if deadline is not None:
        it.handle_timer(deadline)
        it.data_to_send(deadline)
        assert it.next_deadline() is None or it.next_deadline() > deadline


@given(st.lists(LINE, max_size=10), WINDOWS)
def test_a_connection_works_after_any_garbage(pieces, window):
    pair = joined(settings=windows(window))
    for piece in pieces:
        for end in pair.ends:
            end.receive_data(piece, 0)
    pair.run(20 * SECOND)  # whatever the garbage has opened falls silent
    pair.open(4711)
    if not pair.ends[0].is_open:  # garbage may have used up the id, or left half a frame
        pair.run(20 * SECOND)
        pair.open(4712)
    pair.ends[0].send(GetStatus(), pair.now)
    pair.run(SECOND)
    assert said(pair, 1)[-1:] == [GetStatus()]


class Talk(RuleBasedStateMachine):
    """Two users, two reboots and a bad line."""

    def __init__(self):
        super().__init__()
        self.pair = joined(settings=LinkSettings(idle_timeout=8 * SECOND, keepalive=2 * SECOND))
        self.pair.watch = self.hear
        self.connection = 0
        self.sent = defaultdict(list)
        self.heard = defaultdict(list)
        self.life = [0, 0]

    def hear(self, side, event):
        if isinstance(event, MessageRejected):
            # No message begins with a zero: the number is all that is left of the payload.
            tag = (self.pair.links[side].connection, 1 - side, self.life[side])
            self.heard[tag].append(event.number)

    @rule()
    def open(self):
        if self.pair.links[0].state is State.IDLE:
            self.connection += 1
            self.pair.ends[0].open(self.connection, self.pair.now)

    @rule(side=st.integers(0, 1), count=st.integers(1, 20))
    def send(self, side, count):
        end = self.pair.ends[side]
        for _ in range(min(count, end.room)):
            tag = (end.link.connection, side)
            number = 200 + len(self.sent[tag]) % 50
            end.link.send(bytes([number]), self.pair.now)
            self.sent[tag].append(number)

    @rule(side=st.integers(0, 1))
    def close(self, side):
        self.pair.ends[side].close(self.pair.now)

    @rule(side=st.integers(0, 1))
    def abort(self, side):
        self.pair.ends[side].abort(self.pair.now)

    @rule(side=st.integers(0, 1))
    def reboot(self, side):
        self.pair.reboot(side)
        self.life[side] += 1

    @rule(drawn=st.lists(fates(), min_size=1, max_size=12))
    def spoil(self, drawn):
        self.pair.spoil(drawn)

    @rule(span=st.integers(1, 10 * SECOND) | st.integers(1, 50 * MILLISECOND))
    def wait(self, span):
        self.pair.run(span)

    @precondition(lambda self: self.pair.states == [State.OPEN, State.OPEN])
    @rule()
    def good_line(self):
        """A minute without faults: all has been said, or the end of it was reported."""
        self.pair.heal()
        self.pair.run(60 * SECOND)
        self.agree()
        for side in (0, 1):
            link = self.pair.links[side]
            if link.state is State.OPEN:
                tag = (link.connection, side)
                assert self.heard[(*tag, self.life[1 - side])] == self.sent[tag]
                assert link.unacknowledged == 0

    @invariant()
    def what_is_heard_is_a_beginning_of_what_was_said(self):
        for (connection, side, _), heard in self.heard.items():
            assert heard == self.sent[connection, side][: len(heard)]

    @invariant()
    def nothing_piles_up(self):
        for link in self.pair.links:
            assert len(link._control) <= 10
            assert link._arq._receive.holding < 16
            assert link.unacknowledged <= link.settings.backlog + 16

    def agree(self):
        left, right = self.pair.links
        assert (left.state is State.OPEN) == (right.state is State.OPEN)
        assert left.state in {State.OPEN, State.IDLE}
        assert left.state is State.IDLE or left.connection == right.connection

    def teardown(self):
        self.pair.heal()
        self.pair.run(LONG)
        self.agree()


TestTalk = Talk.TestCase


# -- messages ------------------------------------------------------------------------------------


@given(requests())
def test_a_request_is_received_by_the_pump(message):
    assert heard_by_pump(encode(message)[:240]) == [MessageReceived(message)] or (
        len(encode(message)) > 240
    )


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\xff\x01", encode(Identify()) + b"?"])
def test_a_payload_that_is_no_message_is_rejected_and_the_link_goes_on(payload):
    (event,) = heard_by_pump(payload)
    assert isinstance(event, MessageRejected)
    assert event.number == (payload[0] if payload else 0)
    assert str(event.error)


@given(ANSWERS, requests())
def test_only_one_side_may_say_it(answer, ask):
    pair = joined(settings=LinkSettings(max_payload=1000)).open()
    pair.ends[0].send(answer, pair.now)
    pair.ends[1].send(ask, pair.now)
    pair.run(SECOND)
    for side, message in ((1, answer), (0, ask)):
        (event,) = pair.of(side, MessageRejected)
        assert isinstance(event.error, WrongDirection)
        assert event.error.message == type(message).__name__
        assert event.number == encode(message)[0]


def test_every_message_goes_one_way_only():
    for entry in CATALOGUE.values():
        assert (entry.direction is Direction.REQUEST) == (entry.reply is not None)


def test_what_send_refuses():
    pair = joined(settings=LinkSettings(backlog=2)).open()
    end = pair.ends[0]
    assert end.is_open
    assert end.room == 2
    end.send(Identify(), pair.now)
    end.send(Identify(), pair.now)
    assert end.room == 0
    with pytest.raises(LocalProtocolError, match="2 payloads are queued"):
        end.send(Identify(), pair.now)
    pair.run(SECOND)
    assert end.room == 2
    entry = next(e for e in CATALOGUE.values() if "interval" in e.message.__struct_fields__)
    with pytest.raises(LocalProtocolError, match="interval"):
        end.send(entry.message(interval=86_401), pair.now)
    pair.ends[0].close(pair.now)
    assert not end.is_open
    assert end.room == 0
    with pytest.raises(LocalProtocolError, match="CLOSING"):
        end.send(Identify(), pair.now)


# -- events and figures --------------------------------------------------------------------------


def test_events_come_in_the_order_in_which_things_happened():
    pair = joined().open()
    end = pair.ends[0]
    end.abort(pair.now)
    end.receive_data(b"\x01\x02\x00", pair.now)
    first, second = end.next_event(), end.next_event()
    assert first == LinkClosed(CloseReason.CLOSED_HERE, 0)
    assert isinstance(second, RejectedFrame)
    assert end.next_event() is None


def test_giving_up_is_reported_without_anything_else_happening():
    end = Connection(Role.INITIATOR)
    end.open(7, 0)
    end.close(0)
    assert end.next_event() == LinkClosed(CloseReason.CLOSED_HERE, 0)


def test_a_timer_reports_too():
    pair = joined([LOST] * 9)
    pair.ends[0].open(7, 0)
    pair.run(6 * SECOND)
    assert pair.events[0] == [LinkClosed(CloseReason.NO_ANSWER, 0)]


def test_statistics():
    pair = joined().open()
    pair.ends[0].send(Identify(), pair.now)
    pair.run(SECOND)
    pair.ends[1].receive_data(b"\x01\x02\x03\x00", pair.now)
    pair.ends[1].receive_data(encode_frame(Frame(Kind.ACK, 9)), pair.now)
    pair.flush()
    left, right = (end.statistics for end in pair.ends)
    assert isinstance(left, ConnectionStatistics)
    sent = sum(len(encode_frame(frame)) for _, frame in pair.frames[0])
    assert left.bytes_sent == sent
    assert right.bytes_received == sent + 4 + len(encode_frame(Frame(Kind.ACK, 9)))
    assert (right.frames_rejected, right.bytes_discarded) == (1, 3)
    assert (left.link.frames_sent, right.link.frames_received) == (2, 3)
    assert right.link.frames_dropped == 1
    assert pair.of(1, FrameDropped)[0].reason is DropReason.STRAY
    assert left.link.round_trip is not None


def test_documented_loop():
    """The one of the module's docstring, by hand and without a pair."""
    pump, programmer = Connection(Role.ACCEPTOR), Connection(Role.INITIATOR)
    programmer.open(0x1234, 0)
    pump.receive_data(programmer.data_to_send(0), 0)
    programmer.receive_data(pump.data_to_send(0), 0)
    assert programmer.next_event() == pump.next_event() == LinkOpened(240, 8)
    programmer.send(GetStatus(), 0)
    pump.receive_data(programmer.data_to_send(0), 0)
    assert pump.next_event() == MessageReceived(GetStatus())
    assert pump.next_event() is None
    pump.handle_timer(pump.next_deadline())
    assert pump.data_to_send(20_000) != b""
