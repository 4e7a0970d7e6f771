"""Payloads between two links arrive once and in order, whatever the line does.

The properties come first.  The line of `pairs.Pair` loses, repeats, delays and bends frames by a
drawn plan and is good again when the plan is used up.
"""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pairs import GOOD, LOST, MILLISECOND, SECOND, Pair, plans, windows

from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.framing import Frame, Kind
from mockpump.protocol.link.link import OFFER, Link
from mockpump.protocol.link.states import State
from mockpump.protocol.link.types import (
    CloseReason,
    DropReason,
    FrameDropped,
    LinkClosed,
    LinkSettings,
    PayloadReceived,
    Role,
)

WINDOWS = st.integers(1, 16)
LONG = 120 * SECOND
OFFERED = OFFER.encode(LinkSettings().offer())


# -- properties ----------------------------------------------------------------------------------


# When (ms after the one before) and from which side a payload is sent.
TRAFFIC = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 1)), max_size=40)


def send_all(pair, traffic):
    sent = ([], [])
    for number, (after, side) in enumerate(traffic):
        pair.run(after * MILLISECOND)
        if pair.links[side].room:
            payload = b"%d" % number
            pair.links[side].send(payload, pair.now)
            sent[side].append(payload)
    return sent


@given(WINDOWS, plans(8), TRAFFIC)
def test_a_few_faults_cost_nothing_but_time(window, plan, traffic):
    """Fewer faults than tries: everything arrives exactly once and in order, whatever they hit."""
    patient = msgspec.structs.replace(LinkSettings(window=window), idle_timeout=LONG)
    pair = Pair(plan, settings=patient).open()
    sent = send_all(pair, traffic)
    pair.run_until(lambda: pair.still, LONG)
    assert (pair.payloads(1), pair.payloads(0)) == sent
    assert pair.still
    assert pair.states == [State.OPEN, State.OPEN]
    assert not pair.of(0, LinkClosed)
    assert not pair.of(1, LinkClosed)


@given(WINDOWS, WINDOWS, plans(), TRAFFIC)
def test_any_faults_end_in_delivery_or_a_report(left, right, plan, traffic):
    pair = Pair(plan, settings=windows(left, right))
    pair.links[0].open(7, 0)
    sent = send_all(pair, traffic)
    pair.heal()
    pair.run(LONG)
    for side in (0, 1):
        got = pair.payloads(1 - side)
        assert got == sent[side][: len(got)]
        losses = pair.of(side, LinkClosed)
        if not losses and pair.links[side].state is State.OPEN:
            assert got == sent[side]
        for loss in losses:
            assert len(sent[side]) - len(got) <= loss.unacknowledged
    assert pair.states in ([State.OPEN, State.OPEN], [State.IDLE, State.IDLE])
    assert pair.states[0] is State.OPEN or pair.closed(0)


@given(WINDOWS, plans(), st.lists(st.tuples(st.integers(0, 1), st.integers(0, 500)), min_size=1))
def test_closing_ends_both_sides_whatever_the_line_does(window, plan, closes):
    """In either order, at once or one after the other, with payloads under way both ways."""
    pair = Pair(settings=windows(window)).open()
    for n in range(20):
        for link in pair.links:
            link.send(b"%d" % n, pair.now)
    pair.spoil(plan)
    for side, after in closes:
        pair.links[side].close(pair.now)
        pair.run(after * MILLISECOND)
    pair.heal()
    pair.run(LONG)
    assert pair.states == [State.IDLE, State.IDLE]
    for side in (0, 1):
        (event,) = pair.of(side, LinkClosed)
        got = pair.payloads(1 - side)
        assert got == [b"%d" % n for n in range(len(got))]
        assert 20 - len(got) <= event.unacknowledged
        if event.reason is CloseReason.CLOSED_HERE:
            assert event.unacknowledged == 0


@settings(max_examples=max(settings.default.max_examples // 3, 10))  # each goes a long way
@given(WINDOWS, plans(60))
def test_many_payloads_go_round_the_numbers(window, plan):
    pair = Pair(plan, settings=windows(window)).open()
    wanted = [b"%d" % n for n in range(600)]
    left = list(wanted)

    def feed():
        while left and pair.links[0].room:
            pair.links[0].send(left.pop(0), pair.now)
        return not left and pair.still

    pair.run_until(feed, LONG)
    got = pair.payloads(1)
    assert got == wanted[: len(got)]
    assert got == wanted or pair.closed(0)


SETTINGS = st.builds(
    LinkSettings,
    window=WINDOWS,
    backlog=st.integers(1, 5),
    initial_timeout=st.integers(1, 100_000),
    min_timeout=st.integers(1, 100_000),
    max_timeout=st.integers(1, 100_000),
    tries=st.integers(1, 9),
    ack_delay=st.integers(0, 100_000),
    open_tries=st.integers(1, 9),
    keepalive=st.integers(1, 100_000),
    idle_timeout=st.integers(1, 100_000),
)


@given(SETTINGS, SETTINGS, plans(), st.integers(1, 60))
def test_deadlines_are_honest_under_any_settings(left, right, plan, latency):
    """`Pair` asserts it at every one; here the timers are out of all proportion."""
    pair = Pair(plan, settings=(left, right), latency=latency)
    for connection in range(4):
        if pair.links[0].state is State.IDLE:
            pair.links[0].open(connection, pair.now)
        for link in pair.links:
            for _ in range(min(link.room, 3)):
                link.send(b"x", pair.now)
        pair.step(40)
        pair.links[connection % 2].close(pair.now)
        pair.step(20)


@given(st.integers(1, 9))
def test_a_call_is_tried_as_often_as_it_is_set_to_be(tries):
    pair = Pair([LOST] * 99, settings=LinkSettings(open_tries=tries))
    pair.links[0].open(7, 0)
    pair.run(LONG)
    assert pair.kinds(0) == [Kind.OPEN] * tries
    assert pair.events[0] == [LinkClosed(CloseReason.NO_ANSWER, 0)]


@given(WINDOWS, plans(), TRAFFIC)
def test_a_timer_that_is_not_due_does_nothing(window, plan, traffic):
    pair = Pair(plan, settings=windows(window))
    prod = [0]

    def poke(side, event):
        link = pair.links[side]
        before = link.next_deadline()
        if before is not None and before <= pair.now:
            return
        link.handle_timer(pair.now)
        assert link.frames_to_send(pair.now) == []
        assert link.next_deadline() == before
        prod[0] += 1

    pair.watch = poke
    pair.links[0].open(7, 0)
    send_all(pair, traffic)
    pair.run(LONG)
    assert prod[0]


@given(WINDOWS, plans(20), st.lists(st.sampled_from(["open", "abort", "reboot0", "reboot1"])))
def test_opening_again_always_works_in_the_end(window, plan, acts):
    """Whatever either side was up to before: half open, superseded, rebooted, unheard."""
    pair = Pair(plan, settings=windows(window))
    for connection, act in enumerate(acts):
        link = pair.links[0]
        if act == "open" and link.state is State.IDLE:
            link.open(connection, pair.now)
        elif act == "abort":
            link.abort(pair.now)
        elif act != "open":
            pair.reboot(int(act[-1]))
        pair.run(3 * MILLISECOND)
    pair.heal()
    pair.links[0].abort(pair.now)
    pair.run(SECOND)
    before = len(pair.payloads(1))
    pair.links[0].open(1000, pair.now)
    pair.run(SECOND)
    pair.links[0].send(b"hello", pair.now)
    pair.run(SECOND)
    assert pair.states == [State.OPEN, State.OPEN]
    assert pair.payloads(1)[before:] == [b"hello"]


FRAMES = st.builds(
    Frame,
    st.sampled_from(Kind),
    st.sampled_from([7, 8, 9]) | st.integers(0, 0xFFFF),
    st.integers(0, 4) | st.integers(0, 255),
    st.integers(0, 4) | st.integers(0, 255),
    st.just(0) | st.integers(0, 0xFFFF),
    st.sampled_from([b"", OFFERED]) | st.binary(max_size=300),
)


@given(st.sampled_from(Role), st.lists(FRAMES | st.sampled_from(["open", "send", "close", "time"])))
def test_no_frame_ever_raises_nor_fills_the_memory(role, acts):
    link = Link(role)
    for now, act in enumerate(acts):
        if isinstance(act, Frame):
            link.receive_frame(act, now)
        elif act == "open" and role is Role.INITIATOR and link.state is State.IDLE:
            link.open(7, now)
        elif act == "send" and link.room:
            link.send(b"payload", now)
        elif act == "close":
            link.close(now)
        elif act == "time" and link.next_deadline() is not None:
            link.handle_timer(link.next_deadline())
        assert link.unacknowledged <= link.settings.backlog + link.settings.window
        assert len(link._control) <= 8 + len(acts) * (role is Role.INITIATOR)
        while link.next_event() is not None:
            pass


@given(st.sampled_from(State), st.sampled_from(Role), FRAMES)
def test_a_flood_gets_a_handful_of_answers(state, role, frame):
    link = Link(role)
    for now in range(200):
        link.receive_frame(frame, now)
    assert len(link.frames_to_send(200)) <= 9
    assert link.frames_to_send(200) == []


@given(st.lists(FRAMES.filter(lambda frame: frame.connection != 0xABCD), max_size=30))
def test_a_call_is_answered_whatever_came_just_before_it(before):
    link = Link(Role.ACCEPTOR)
    for frame in before:
        link.receive_frame(frame, 0)
    link.receive_frame(Frame(Kind.OPEN, 0xABCD, payload=OFFERED), 0)
    assert [(each.kind, each.connection) for each in link.frames_to_send(0)] == [
        (Kind.OPEN_ACK, 0xABCD)
    ]


# -- payloads ------------------------------------------------------------------------------------


def test_a_request_and_its_reply_cost_one_frame_each():
    pair = Pair().open()
    pair.watch = lambda side, event: (
        pair.links[1].send(b"reply", pair.now)
        if side == 1 and isinstance(event, PayloadReceived)
        else None
    )
    for n in range(50):
        pair.links[0].send(b"request", pair.now)
        pair.run_until(lambda n=n: len(pair.payloads(0)) == n + 1, SECOND)
    assert pair.kinds(0) == [Kind.OPEN] + [Kind.DATA] * 50
    assert pair.kinds(1) == [Kind.OPEN_ACK] + [Kind.DATA] * 50
    pair.run(SECOND)
    assert pair.kinds(0)[51:] == [Kind.ACK]


def test_limits_of_sending():
    pair = Pair(settings=LinkSettings(backlog=3, max_payload=64)).open()
    link = pair.links[0]
    link.send(b"x" * 64, 0)
    with pytest.raises(LocalProtocolError, match="65 bytes; at most 64"):
        link.send(b"x" * 65, 0)
    assert link.room == 2
    link.send(b"", 0)
    link.send(b"", 0)
    assert link.room == 0
    with pytest.raises(LocalProtocolError, match="3 payloads are queued"):
        link.send(b"", 0)
    pair.run(SECOND)
    assert link.room == 3
    assert len(pair.payloads(1)) == 3
    link.abort(pair.now)
    assert link.room == 0
    with pytest.raises(LocalProtocolError, match="IDLE"):
        link.send(b"", 0)


def test_both_windows_full_at_once_is_no_deadlock():
    for window in (1, 2, 16):
        pair = Pair([LOST] * (2 * window), settings=windows(window)).open()
        for link in pair.links:
            for n in range(60):
                link.send(b"%d" % n, pair.now)
        pair.run(60 * SECOND)
        assert pair.payloads(0) == pair.payloads(1) == [b"%d" % n for n in range(60)]
        assert pair.still


def test_stop_and_wait_does_not_wait_for_delayed_acknowledgements():
    pair = Pair(settings=windows(1)).open()
    for n in range(20):
        pair.links[0].send(b"%d" % n, pair.now)
    began = pair.now
    pair.run_until(lambda: len(pair.payloads(1)) == 20, SECOND)
    assert pair.now - began == 19 * 10 * MILLISECOND + 5 * MILLISECOND


def test_one_lost_frame_of_many_goes_again_without_a_timeout():
    pair = Pair([GOOD, LOST]).open()
    for n in range(8):
        pair.links[0].send(b"%d" % n, pair.now)
    pair.run(SECOND)
    assert len(pair.payloads(1)) == 8
    statistics = pair.links[0].statistics
    assert (statistics.retransmissions, statistics.timeouts) == (1, 0)


def test_duplicates_late_frames_and_nonsense_are_dropped_with_a_reason():
    pair = Pair().open()
    pair.links[0].send(b"a", pair.now)
    pair.run(SECOND)
    link = pair.links[1]
    for frame in (
        Frame(Kind.DATA, 7, 0, payload=b"a"),
        Frame(Kind.DATA, 7, 100, payload=b"?"),
        Frame(Kind.DATA, 7, 1, payload=b"x" * 241),
        Frame(Kind.ACK, 7, payload=b"x"),
        Frame(Kind.ACK, 7, ack=99),
        Frame(Kind.ACK, 7, ack=255),
        Frame(Kind.OPEN, 9, payload=b"x"),
        Frame(Kind.OPEN, 9, payload=b"\x00\xf0\x00"),
    ):
        link.receive_frame(frame, pair.now)
    pair.flush()
    assert [event.reason for event in pair.of(1, FrameDropped)] == [
        DropReason.DUPLICATE,
        DropReason.OUTSIDE,
        DropReason.BAD_PAYLOAD,
        DropReason.BAD_PAYLOAD,
        DropReason.BAD_ACK,
        DropReason.BAD_OFFER,
        DropReason.BAD_OFFER,
    ]
    assert link.statistics.frames_dropped == 7
    assert link.state is State.OPEN


def test_karn_on_the_line():
    """A repeated frame leaves timeout and round trip as they were; the next fresh one mends it."""
    pair = Pair().open()
    before = pair.links[0].statistics.round_trip
    pair.spoil([LOST])
    pair.links[0].send(b"a", pair.now)
    pair.run(SECOND)
    link = pair.links[0]
    assert (link.statistics.retransmissions, link.statistics.round_trip) == (1, before)
    assert link._timer.timeout == 2 * link.settings.min_timeout
    link.send(b"b", pair.now)
    pair.run(SECOND)
    assert link._timer.timeout == link.settings.min_timeout


# -- what can be seen of it ----------------------------------------------------------------------


def test_it_is_ready_while_it_is_open_and_a_payload_would_go_out_at_once():
    settings = LinkSettings(window=2)
    link = Link(Role.ACCEPTOR, settings)
    assert not link.ready
    link.receive_frame(Frame(Kind.OPEN, 7, payload=OFFER.encode(settings.offer())), 0)
    assert link.ready
    for payload in (b"one", b"two"):
        assert link.ready
        link.send(payload, 0)
        link.frames_to_send(0)
    assert not link.ready
    link.receive_frame(Frame(Kind.ACK, 7, 0, 1), 10)
    assert link.ready
    link.close(10)
    assert link.state is State.CLOSING
    assert not link.ready


@pytest.mark.parametrize("kind", [Kind.DATA, Kind.ACK])
def test_whatever_comes_of_the_connection_begins_its_silence_anew(kind):
    settings = LinkSettings(keepalive=2**31, idle_timeout=10 * SECOND)
    link = Link(Role.ACCEPTOR, settings)
    link.receive_frame(Frame(Kind.OPEN, 7, payload=OFFER.encode(settings.offer())), 0)
    link.frames_to_send(0)
    link.receive_frame(Frame(kind, 7), 9 * SECOND)
    link.handle_timer(10 * SECOND)
    link.frames_to_send(10 * SECOND)
    assert link.next_deadline() == 19 * SECOND
    link.handle_timer(19 * SECOND - 1)
    assert link.state is State.OPEN
    # What is of another connection is not a sign of life.
    link.receive_frame(Frame(kind, 8), 19 * SECOND - 1)
    link.handle_timer(19 * SECOND)
    assert link.state is State.IDLE
