"""How a connection begins and ends: on a good line, a bad one and none."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pairs import GOOD, LOST, MILLISECOND, SECOND, Fate, Pair, windows

from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.framing import Frame, Kind
from mockpump.protocol.link.link import OFFER, Link
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

WINDOWS = st.integers(1, 16)
LONG = 120 * SECOND
OFFERED = OFFER.encode(LinkSettings().offer())
BOTH = pytest.mark.parametrize("side", [0, 1], ids=["initiator", "acceptor"])


# -- opening -------------------------------------------------------------------------------------


@given(WINDOWS, WINDOWS, st.integers(64, 1000), st.integers(64, 1000))
def test_the_smaller_offer_holds_on_both_sides(left, right, longest_left, longest_right):
    pair = Pair(
        settings=(
            LinkSettings(window=left, max_payload=longest_left),
            LinkSettings(window=right, max_payload=longest_right),
        )
    ).open()
    agreed = LinkOpened(min(longest_left, longest_right), min(left, right))
    assert pair.events == ([agreed], [agreed])
    assert [link.max_payload for link in pair.links] == [agreed.max_payload] * 2


def test_window_is_honoured_on_the_line():
    for window in range(1, 17):
        pair = Pair(settings=windows(window)).open()
        for n in range(40):
            pair.links[0].send(b"%d" % n, pair.now)
        pair.flush()
        data = [frame.seq for _, frame in pair.frames[0] if frame.kind is Kind.DATA]
        assert data == list(range(window))
        assert not pair.links[0].ready
        pair.run(SECOND)
        assert pair.payloads(1) == [b"%d" % n for n in range(40)]
        assert pair.links[0].statistics.retransmissions == 0


def test_lost_open_is_repeated_at_the_initial_timeout_and_the_connection_begins_with_it():
    pair = Pair([LOST, LOST])
    pair.links[0].open(7, 0)
    pair.run(3 * SECOND)
    assert [at for at, frame in pair.frames[0]] == [0, SECOND, 2 * SECOND]
    assert pair.states == [State.OPEN, State.OPEN]
    assert pair.links[0].statistics.round_trip is None  # Karn
    assert pair.links[0]._timer.timeout == SECOND


def test_lost_open_ack_is_repeated_and_opens_once():
    pair = Pair([GOOD, LOST])
    pair.links[0].open(7, 0)
    pair.run(2 * SECOND)
    assert pair.kinds(1) == [Kind.OPEN_ACK, Kind.OPEN_ACK]
    assert pair.events == ([LinkOpened(240, 8)], [LinkOpened(240, 8)])


def test_round_trip_of_opening_is_measured():
    pair = Pair().open()
    assert pair.links[0].statistics.round_trip == 10 * MILLISECOND


@pytest.mark.parametrize(
    ("settings", "ends_at"),
    [
        (LinkSettings(), 6 * SECOND),
        (LinkSettings(tries=1, idle_timeout=SECOND, keepalive=SECOND), 6 * SECOND),
        (LinkSettings(open_tries=1), SECOND),
        (LinkSettings(open_tries=3, initial_timeout=2 * SECOND), 6 * SECOND),
    ],
    ids=["six times", "what else is set", "once", "less often"],
)
def test_nobody_answers(settings, ends_at):
    pair = Pair([LOST] * 99, settings=settings)
    pair.links[0].open(7, 0)
    pair.run(ends_at - 1)
    assert not pair.events[0]
    assert pair.kinds(0) == [Kind.OPEN] * settings.open_tries
    pair.run(1)
    assert pair.events[0] == [LinkClosed(CloseReason.NO_ANSWER, 0)]
    assert pair.links[0].next_deadline() is None


@pytest.mark.parametrize("lost", [*product(["OPEN", "OPEN_ACK"], repeat=5)], ids="-".join)
def test_the_sixth_exchange_is_enough_to_open(lost):
    """So at 20 % loss each way a call fails with 0.36 ** 6: one in 450."""
    pair = Pair(fate for each in lost for fate in ([LOST] if each == "OPEN" else [GOOD, LOST]))
    pair.links[0].open(7, 0)
    pair.run(6 * SECOND)
    assert pair.links[0].state is State.OPEN
    assert (1 - 0.8 * 0.8) ** LinkSettings().open_tries < 0.005


def test_nothing_is_kept_alive_while_opening():
    """A keep-alive time shorter than the first timeout used to be due for ever."""
    pair = Pair([LOST] * 99, settings=LinkSettings(keepalive=1000))
    pair.links[0].open(7, 0)
    pair.run(6 * SECOND)
    assert set(pair.kinds(0)) == {Kind.OPEN}


def test_acceptor_does_not_open_and_ids_have_limits():
    acceptor, initiator = Link(Role.ACCEPTOR), Link(Role.INITIATOR)
    with pytest.raises(LocalProtocolError, match="waits to be called"):
        acceptor.open(7, 0)
    for bad in (-1, 65536):
        with pytest.raises(LocalProtocolError, match="connection id"):
            initiator.open(bad, 0)
    assert initiator.state is State.IDLE
    initiator.open(65535, 0)
    with pytest.raises(LocalProtocolError, match="OPENING"):
        initiator.open(1, 0)


def test_a_new_connection_supersedes_the_old_one():
    pair = Pair().open(7)
    pair.links[1].send(b"never acknowledged", pair.now)
    pair.reboot(0)
    pair.open(8)
    pair.run(SECOND)
    assert pair.of(1, LinkClosed) == [LinkClosed(CloseReason.SUPERSEDED, 1)]
    assert pair.states == [State.OPEN, State.OPEN]
    assert [link.connection for link in pair.links] == [8, 8]


def test_a_new_connection_supersedes_one_that_is_closing():
    pair = Pair().open(7)
    pair.links[1].close(pair.now)
    pair.reboot(0)
    pair.open(8)
    assert pair.closed(1) == [CloseReason.SUPERSEDED]
    assert pair.states == [State.OPEN, State.OPEN]


def test_an_open_that_the_line_kept_back_is_turned_down():
    pair = Pair().open(7)
    pair.links[0].close(pair.now)
    pair.run(SECOND)
    pair.open(8)
    for _ in range(2):
        pair.links[1].receive_frame(Frame(Kind.OPEN, 7, payload=OFFERED), pair.now)
        pair.run(SECOND)
    assert pair.frames[1][-1][1] == Frame(Kind.RESET, 7)
    assert pair.states == [State.OPEN, State.OPEN]
    assert [link.connection for link in pair.links] == [8, 8]


def test_an_id_used_lately_is_turned_down_when_idle():
    pair = Pair().open(7)
    pair.links[0].close(pair.now)
    pair.run(SECOND)
    pair.open(7)
    assert pair.closed(0) == [CloseReason.CLOSED_HERE, CloseReason.RESET]


def test_an_open_from_before_a_reboot_does_not_cut_the_line_for_long():
    """The acceptor takes it for a new connection; the living one learns of it by RESET."""
    pair = Pair().open(8)
    pair.links[1].receive_frame(Frame(Kind.OPEN, 7, payload=OFFERED), pair.now)
    assert pair.closed(1) == []
    pair.run(100 * MILLISECOND)
    pair.links[0].send(b"hello?", pair.now)
    pair.run(100 * MILLISECOND)
    assert pair.closed(0) == [CloseReason.RESET]
    pair.run(6 * SECOND)  # at its next keep-alive the other one learns it too
    assert pair.closed(1) == [CloseReason.SUPERSEDED, CloseReason.RESET]
    assert pair.states == [State.IDLE, State.IDLE]


def test_the_other_sides_frames_heard_here_are_dropped():
    """A line that echoes, or two programmers on one line, resets nobody."""
    pair = Pair()
    pair.links[0].open(7, 0)
    pair.links[0].receive_frame(Frame(Kind.OPEN, 7, payload=OFFERED), 0)
    pair.run(SECOND)
    pair.links[0].receive_frame(Frame(Kind.OPEN, 7, payload=OFFERED), pair.now)
    pair.links[1].receive_frame(Frame(Kind.OPEN_ACK, 9, payload=OFFERED), pair.now)
    pair.run(SECOND)
    assert pair.states == [State.OPEN, State.OPEN]
    dropped = [event.reason for side in (0, 1) for event in pair.of(side, FrameDropped)]
    assert dropped == [DropReason.MISDIRECTED] * 3


# -- closing -------------------------------------------------------------------------------------


@BOTH
def test_close_waits_for_everything_and_both_learn_of_it(side):
    pair = Pair(settings=windows(2)).open()
    for n in range(10):
        pair.links[side].send(b"%d" % n, pair.now)
    pair.links[side].close(pair.now)
    with pytest.raises(LocalProtocolError, match="CLOSING"):
        pair.links[side].send(b"", pair.now)
    pair.run(SECOND)
    assert pair.payloads(1 - side) == [b"%d" % n for n in range(10)]
    assert pair.of(side, LinkClosed) == [LinkClosed(CloseReason.CLOSED_HERE, 0)]
    assert pair.of(1 - side, LinkClosed) == [LinkClosed(CloseReason.CLOSED_THERE, 0)]
    assert pair.kinds(side).count(Kind.CLOSE) == pair.kinds(1 - side).count(Kind.CLOSE) == 1
    assert Kind.RESET not in pair.kinds(0) + pair.kinds(1)


@BOTH
def test_close_says_what_has_arrived(side):
    """Its acknowledgement counts, and no ACK trails behind it into a link that is closed."""
    pair = Pair().open()
    pair.links[1 - side].send(b"last words", pair.now)
    pair.run(5 * MILLISECOND)
    pair.links[side].close(pair.now)
    pair.run(SECOND)
    assert pair.payloads(side) == [b"last words"]
    assert pair.of(1 - side, LinkClosed) == [LinkClosed(CloseReason.CLOSED_THERE, 0)]
    assert pair.kinds(side)[1:] == [Kind.CLOSE]
    assert pair.kinds(1 - side)[1:] == [Kind.DATA, Kind.CLOSE]


@BOTH
def test_lost_close_is_repeated(side):
    pair = Pair([LOST]).open()
    pair.links[side].close(pair.now)
    pair.run(3 * SECOND)
    assert pair.closed(side) == [CloseReason.CLOSED_HERE]
    assert pair.closed(1 - side) == [CloseReason.CLOSED_THERE]


@BOTH
def test_lost_answer_to_close_is_made_up_for_by_reset(side):
    pair = Pair([GOOD, LOST]).open()
    pair.links[side].close(pair.now)
    pair.run(3 * SECOND)
    assert pair.closed(side) == [CloseReason.CLOSED_HERE]
    assert pair.kinds(1 - side)[-1] is Kind.RESET
    assert pair.closed(1 - side) == [CloseReason.CLOSED_THERE]


def test_both_close_at_once():
    pair = Pair().open()
    for link in pair.links:
        link.close(pair.now)
    pair.run(3 * SECOND)
    assert pair.closed(0) == pair.closed(1) == [CloseReason.CLOSED_HERE]
    assert pair.kinds(0)[1:] == pair.kinds(1)[1:] == [Kind.CLOSE]


@pytest.mark.parametrize("plan", [[LOST], [GOOD, LOST], [LOST, LOST]])
def test_both_close_at_once_and_it_is_lost(plan):
    pair = Pair(plan).open()
    for link in pair.links:
        link.close(pair.now)
    pair.run(3 * SECOND)
    assert pair.closed(0) == pair.closed(1) == [CloseReason.CLOSED_HERE]


def test_a_side_that_is_not_done_answers_close_at_once():
    """It has its own close() pending; what it could not deliver it reports."""
    pair = Pair(settings=windows(1)).open()
    for _ in range(5):
        pair.links[0].send(b"x", pair.now)
    for link in pair.links:
        link.close(pair.now)
    began = pair.now
    pair.run(SECOND)
    assert pair.closed(1) == [CloseReason.CLOSED_HERE]
    (event,) = pair.of(0, LinkClosed)
    assert event.reason is CloseReason.CLOSED_THERE
    assert event.unacknowledged >= 5 - len(pair.payloads(1)) > 0
    assert pair.kinds(0)[1:3] == [Kind.DATA, Kind.CLOSE]
    assert max(at for side in (0, 1) for at, _ in pair.frames[side]) - began < 50 * MILLISECOND


def test_reset_while_closing_is_no_success_when_payloads_are_missing():
    pair = Pair().open()
    pair.links[0].send(b"x", pair.now)
    pair.links[0].close(pair.now)
    pair.reboot(1)
    pair.run(SECOND)
    assert pair.of(0, LinkClosed) == [LinkClosed(CloseReason.RESET, 1)]


@BOTH
def test_abort_ends_both_sides(side):
    pair = Pair().open()
    pair.links[side].send(b"lost", pair.now)
    pair.links[side].abort(pair.now)
    pair.run(SECOND)
    assert pair.of(side, LinkClosed) == [LinkClosed(CloseReason.CLOSED_HERE, 1)]
    assert pair.closed(1 - side) == [CloseReason.RESET]
    assert pair.payloads(1 - side) == []


def test_calls_on_a_link_that_is_closed_do_nothing():
    link = Link(Role.INITIATOR)
    link.close(0)
    link.abort(0)
    link.handle_timer(10**9)
    assert (link.next_event(), link.frames_to_send(0), link.next_deadline()) == (None, [], None)


def test_giving_up_while_opening():
    for give_up in (Link.close, Link.abort):
        pair = Pair()
        pair.links[0].open(7, 0)
        pair.run(6 * MILLISECOND)
        give_up(pair.links[0], pair.now)
        pair.run(SECOND)
        assert pair.closed(0) == [CloseReason.CLOSED_HERE]
        assert pair.closed(1) == [CloseReason.RESET]


def test_what_an_earlier_attempt_left_unsaid_is_not_said():
    link = Link(Role.INITIATOR)
    for connection in range(100):
        link.open(connection, 0)
        link.abort(0)
    link.open(100, 0)
    assert link.frames_to_send(0) == [Frame(Kind.OPEN, 100, payload=OFFERED)]


def test_open_ack_and_close_in_the_wrong_order():
    """The acceptor opens and closes at once, and its OPEN_ACK is overtaken by its CLOSE."""
    pair = Pair([GOOD, Fate((50 * MILLISECOND,))])
    pair.links[0].open(7, 0)
    pair.run_until(lambda: pair.links[1].state is State.OPEN, SECOND)
    pair.links[1].close(pair.now)
    pair.run(3 * SECOND)
    assert pair.closed(0) == [CloseReason.CLOSED_THERE]
    assert pair.closed(1) == [CloseReason.CLOSED_HERE]


# -- silence -------------------------------------------------------------------------------------


def test_a_quiet_connection_is_kept_alive_at_little_cost():
    pair = Pair().open()
    pair.run(3600 * SECOND)
    assert pair.states == [State.OPEN, State.OPEN]
    for side in (0, 1):
        assert set(pair.kinds(side)[1:]) == {Kind.ACK}
        assert len(pair.frames[side]) <= 1 + 3600 // 5


@BOTH
def test_silence_is_noticed(side):
    pair = Pair([LOST] * 99).open()
    heard = pair.links[side]._heard_at
    pair.run_until(lambda: bool(pair.closed(side)), LONG)
    assert pair.closed(side) == [CloseReason.SILENCE]
    assert pair.now == heard + LinkSettings().idle_timeout


def test_tries_are_spent():
    settings = LinkSettings(tries=3, max_timeout=400 * MILLISECOND)
    pair = Pair([LOST] * 99, settings=settings).open()
    pair.links[0].send(b"x", pair.now)
    pair.run(5 * SECOND)
    assert pair.of(0, LinkClosed) == [LinkClosed(CloseReason.TRIES_SPENT, 1)]
    assert pair.kinds(0)[1:] == [Kind.DATA] * 4


def test_a_rebooted_acceptor_is_noticed_at_once():
    pair = Pair().open()
    pair.reboot(1)
    pair.links[0].send(b"x" * 200, pair.now)
    pair.run(10 * MILLISECOND)
    assert pair.of(0, LinkClosed) == [LinkClosed(CloseReason.RESET, 1)]


def test_a_rebooted_acceptor_that_takes_less_is_noticed_at_once():
    """What is too long for it is of an unknown connection first of all."""
    pair = Pair().open()
    pair._settings = windows(8, 8)[0], LinkSettings(max_payload=64)
    pair.reboot(1)
    pair.links[0].send(b"x" * 200, pair.now)
    pair.run(10 * MILLISECOND)
    assert pair.closed(0) == [CloseReason.RESET]


def test_a_rebooted_initiator_is_noticed_at_the_next_keep_alive():
    pair = Pair().open()
    pair.reboot(0)
    pair.run(6 * SECOND)
    assert pair.closed(1) == [CloseReason.RESET]


# -- what a frame has no use for -------------------------------------------------------------------

# The header fields that each kind has no use for, by the table of kinds.
UNUSED = {
    Kind.OPEN: ("seq", "ack", "sack"),
    Kind.OPEN_ACK: ("seq", "ack", "sack"),
    Kind.DATA: (),
    Kind.ACK: ("seq",),
    Kind.CLOSE: ("seq",),
    Kind.RESET: ("seq", "ack", "sack"),
}


class Careless(Link):
    """A link whose frames are good but for what nobody is to look at."""

    def frames_to_send(self, now):
        noise = {"seq": 201, "ack": 77, "sack": 0xBEEF}
        return [
            replace(frame, **{name: noise[name] for name in UNUSED[frame.kind]})
            for frame in super().frames_to_send(now)
        ]


@pytest.mark.parametrize("how", ["close", "abort"])
@given(st.lists(st.booleans(), max_size=20))
def test_nobody_looks_at_a_field_that_a_kind_has_no_use_for(how, said):
    pairs = [Pair(), Pair(make=Careless)]
    for pair in pairs:
        pair.open()
        for by_acceptor in said:
            pair.links[by_acceptor].send(b"hello", pair.now)
            pair.run(30 * MILLISECOND)
        getattr(pair.links[0], how)(pair.now)
        pair.run(SECOND)
    neat, careless = pairs
    assert careless.events == neat.events
    assert careless.closed(1)
