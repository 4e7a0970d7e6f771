"""When a transfer acknowledges, what it times, and how much it lets out at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.framing import OVERHEAD, Frame, Kind
from mockpump.protocol.link.arq import Arq, Arrival
from mockpump.protocol.link.timer import RetransmissionTimer
from mockpump.protocol.link.types import LinkSettings, LinkStatistics

DELAY = LinkSettings().ack_delay
FROM_4 = st.integers(4, 16)
BELOW_4 = st.integers(1, 3)


class Subject:
    """A transfer with its timer and statistics at hand."""

    def __init__(self, window=8):
        settings = LinkSettings(window=window)
        self.statistics = LinkStatistics()
        self.timer = RetransmissionTimer(settings)
        self.it = Arq(7, window, settings, self.timer, self.statistics)

    def send(self, now, *payloads):
        for payload in payloads:
            self.it.waiting.append(payload)
        return self.it.frames_to_send(now)

    def gets(self, now, *seqs):
        for seq in seqs:
            self.it.receive(Frame(Kind.DATA, 7, seq, payload=b"%d" % seq), now)
        return self.it.frames_to_send(now)

    def acked(self, now, ack, sack=0):
        return self.it.acknowledge(Frame(Kind.ACK, 7, 0, ack, sack), now)


def ack(number, sack=0):
    return [Frame(Kind.ACK, 7, 0, number, sack)]


# -- when to acknowledge -------------------------------------------------------------------------


@given(FROM_4)
def test_one_frame_in_order_waits_for_something_to_ride_on(window):
    subject = Subject(window)
    assert subject.gets(100, 0) == []
    assert subject.it.ack_at == 100 + DELAY
    assert subject.send(200, b"reply") == [Frame(Kind.DATA, 7, 0, 1, 0, b"reply")]
    assert subject.it.ack_at is None
    assert subject.it.frames_to_send(300) == []


@given(FROM_4)
def test_every_second_frame_is_acknowledged_at_once(window):
    subject = Subject(window)
    answers = [subject.gets(now, now) for now in range(6)]
    assert answers == [[], ack(2), [], ack(4), [], ack(6)]


@given(BELOW_4)
def test_a_small_window_waits_for_no_second_frame(window):
    subject = Subject(window)
    assert [subject.gets(now, now) for now in range(3)] == [ack(1), ack(2), ack(3)]


def test_the_first_of_two_sets_the_time():
    subject = Subject()
    subject.gets(100, 0)
    subject.it.acknowledge_soon()
    assert subject.it.frames_to_send(DELAY) == ack(1)
    assert subject.it.ack_at is None
    subject.gets(50_000, 1)
    assert subject.it.ack_at == 50_000 + DELAY


def test_a_gap_and_what_fills_it_are_acknowledged_at_once():
    subject = Subject()
    assert subject.gets(1, 1) == ack(0, 0b1)
    assert subject.gets(2, 3) == ack(0, 0b101)
    assert subject.gets(3, 0) == ack(2, 0b1)
    assert subject.gets(4, 2) == ack(4)
    assert subject.gets(5, 4) == []


@pytest.mark.parametrize("seq", [0, 255, 248, 100], ids=["last", "older", "oldest", "outside"])
def test_what_is_not_in_order_is_acknowledged_at_once(seq):
    subject = Subject()
    subject.gets(0, 0)
    subject.send(0, b"carries the acknowledgement")
    assert subject.gets(1, seq) == ack(1)


def test_any_frame_pays_what_is_owed():
    subject = Subject()
    subject.gets(0, 0)
    assert subject.it.control_frame(Kind.CLOSE) == Frame(Kind.CLOSE, 7, 0, 1)
    assert subject.it.ack_at is None
    assert subject.it.frames_to_send(1) == []


def test_arrivals_are_reported():
    subject = Subject()
    assert subject.it.receive(Frame(Kind.DATA, 7, 1, payload=b"b"), 0) == (Arrival.AHEAD, [])
    frame = Frame(Kind.DATA, 7, 0, payload=b"a")
    assert subject.it.receive(frame, 0) == (Arrival.IN_ORDER, [b"a", b"b"])
    assert subject.it.receive(frame, 0) == (Arrival.DUPLICATE, [])


# -- how much goes out ---------------------------------------------------------------------------


@given(st.integers(1, 16), st.lists(st.integers(1, 8), max_size=30))
def test_never_more_than_a_window_unacknowledged(window, bursts):
    subject, sent, acked = Subject(window), 0, 0
    for now, burst in enumerate(bursts):
        out = subject.send(now, *[b""] * burst)
        sent += len(out)
        assert [frame.seq for frame in out] == [n & 0xFF for n in range(sent - len(out), sent)]
        assert sent - acked <= window
        assert len(subject.it.waiting) == 0 or sent - acked == window
        assert subject.it.outstanding == sent - acked + len(subject.it.waiting)
        assert subject.it.ready == (sent - acked < window)
        if sent > acked:
            acked += 1
            assert subject.acked(now, acked & 0xFF)


def test_acknowledging_what_was_never_sent_is_reported_and_changes_nothing():
    subject = Subject()
    subject.send(0, b"a")
    assert not subject.acked(1, 2)
    assert subject.it.outstanding == 1
    assert subject.acked(1, 1)
    assert subject.acked(2, 0)  # overtaken on its way
    assert subject.it.outstanding == 0


# -- what is timed -------------------------------------------------------------------------------


def test_a_frame_sent_once_is_timed():
    subject = Subject()
    subject.send(1_000, b"a")
    assert subject.timer.due_at == 1_001_000
    subject.acked(41_000, 1)
    assert subject.statistics.round_trip == 40_000
    assert subject.timer.timeout == LinkSettings().min_timeout
    assert subject.timer.due_at is None


def test_what_is_sent_later_does_not_put_off_the_timer():
    """5.1: sending starts the timer only when it does not run."""
    subject = Subject()
    subject.send(0, b"a")
    subject.send(900_000, b"b")
    assert subject.timer.due_at == 1_000_000


def test_a_frame_sent_twice_is_not_timed():
    """Karn: nobody knows which of the two was answered; the doubled timeout stays."""
    subject = Subject()
    subject.send(0, b"a")
    subject.timer.expire(1_000_000)
    assert subject.it.resend_oldest(ack_unambiguous=True)
    assert [frame.seq for frame in subject.it.frames_to_send(1_000_000)] == [0]
    subject.acked(1_000_100, 1)
    assert subject.statistics.round_trip is None
    assert subject.timer.timeout == 2_000_000
    assert subject.statistics.retransmissions == 1


def test_what_waited_for_a_frame_sent_twice_is_not_timed_either():
    """Their own acknowledgements were lost: this one comes late, and not for the line's sake."""
    subject = Subject()
    subject.send(0, b"a", b"b")
    subject.it.resend_oldest(ack_unambiguous=True)
    subject.it.frames_to_send(1_000_000)
    subject.acked(1_040_000, 2)
    assert subject.statistics.round_trip is None


def test_the_latest_of_several_is_timed():
    subject = Subject()
    subject.send(0, b"a")
    subject.send(15_000, b"b")
    subject.acked(40_000, 2)
    assert subject.statistics.round_trip == 25_000


def test_selective_progress_is_progress_and_an_old_acknowledgement_is_none():
    subject = Subject()
    subject.send(0, b"a", b"b", b"c")
    subject.timer.expire(1_000_000)
    subject.acked(1_100_000, 0, 0b10)
    assert subject.timer.expiries == 0
    due = subject.timer.due_at
    subject.timer.expire(due)
    due = subject.timer.due_at
    subject.acked(due - 1, 0, 0b10)
    assert (subject.timer.expiries, subject.timer.due_at) == (1, due)


def test_nothing_to_resend():
    assert not Subject().it.resend_oldest(ack_unambiguous=True)


def test_a_payload_behind_a_gap_is_not_delivered():
    subject = Subject()
    subject.send(0, b"a", b"b", b"c")
    subject.acked(1, 0, 0b11)
    assert subject.it.outstanding == 3
    subject.acked(2, 3)
    assert subject.it.outstanding == 0


@pytest.mark.parametrize("sizes", [(1, 200), (200, 1), (3, 3, 90)])
def test_of_frames_that_went_out_together_the_last_is_timed(sizes, monkeypatch):
    """It is its bytes that the line was busy with when the acknowledgement could be sent."""
    subject, timed = Subject(), []
    monkeypatch.setattr(
        RetransmissionTimer, "measure", lambda _, time, size, answer: timed.append((time, size))
    )
    *_, last = subject.send(100, *(bytes(size) for size in sizes))
    assert subject.acked(700, len(sizes))
    ((time, size),) = timed
    assert time == 600
    assert size == OVERHEAD + len(last.payload)
