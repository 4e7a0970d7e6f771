"""Both windows against a model that counts without end: no modulo, no bits, only sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.link.arq import REACH, Arrival, ReceiveWindow, SendWindow, ahead

WINDOWS = st.integers(1, 16)
# Where a number stands when a test begins: often just before it goes round.
STARTS = st.integers(0, 1000) | st.integers(240, 260)


def receiver(start):
    window = ReceiveWindow()
    window.expected = start & 0xFF
    return window


def sender(size, start):
    window = SendWindow(size)
    window.base = window.next_seq = start & 0xFF
    return window


def name(number):
    return b"%d" % number


# -- receiving -----------------------------------------------------------------------------------


@given(STARTS, st.lists(st.integers(-REACH, REACH - 1), max_size=80))
def test_receives_like_a_set(start, numbers):
    window, have, delivered = receiver(start), set(), []
    # What a sender may have sent: it knows at least expected - REACH.
    for drawn in numbers:
        expected = start + len(delivered)
        number = max(start, expected + drawn)
        arrival, payloads = window.receive(number & 0xFF, name(number))
        assert (arrival is Arrival.DUPLICATE) == (number in have)
        assert (arrival is Arrival.IN_ORDER) == (number == expected)
        assert (arrival is Arrival.AHEAD) == (number > expected and number not in have)
        have.add(number)
        delivered += payloads
        following = next(n for n in range(start, start + 500) if n not in have)
        assert delivered == [name(n) for n in range(start, following)]
        assert window.expected == following & 0xFF
        assert window.sack == sum(1 << i for i in range(16) if following + 1 + i in have)
        assert window.holding == len(have) - (following - start) < REACH


@given(STARTS, st.integers(0, 255))
def test_place_of_every_number(start, distance):
    arrival, payloads = receiver(start).receive((start + distance) & 0xFF, b"x")
    if distance == 0:
        assert (arrival, payloads) == (Arrival.IN_ORDER, [b"x"])
    elif distance < REACH:
        assert (arrival, payloads) == (Arrival.AHEAD, [])
    elif distance >= 256 - REACH:
        assert (arrival, payloads) == (Arrival.DUPLICATE, [])
    else:
        assert (arrival, payloads) == (Arrival.OUTSIDE, [])


def test_sack_bits_by_hand():
    window = receiver(254)
    for number in (255, 0, 4):
        window.receive(number, b"")
    assert window.sack == 0b10_0011  # 255, 0 and 4: places 0, 1 and 5 after 254
    assert window.receive(254, b"")[0] is Arrival.IN_ORDER
    assert (window.expected, window.sack) == (1, 0b100)


# -- sending -------------------------------------------------------------------------------------


@given(WINDOWS, STARTS, st.data())
def test_sends_like_a_set(size, start, data):
    """Any acknowledgement a receiver can give, late ones too, is taken for what it says."""
    window, sent, arrived, known = sender(size, start), start, set(), set()
    queued, says = start, [(start, 0)]
    # How many to queue, which of those in flight arrive, how old the acknowledgement is.
    turns = st.tuples(st.integers(0, 6), st.integers(0, 0xFFFF), st.integers(1, 3))
    for now, (more, arrivals, age) in enumerate(data.draw(st.lists(turns, max_size=60))):
        window.queue.extend(name(n) for n in range(queued, queued + more))
        queued += more
        first = next(n for n in range(start, start + 500) if n not in known)
        # At most a window of them are under way, none further than the reach from the oldest.
        while (
            sent < min(queued, first + REACH)
            and sum(n not in known for n in range(first, sent)) < size
        ):
            sent += 1
        window.to_send(now)
        in_flight = [n for n in range(first, sent) if n not in known]
        assert [s.seq for s in window.in_flight] == [n & 0xFF for n in in_flight]
        assert len(window.queue) == queued - sent
        assert window.ready == (sent == queued and sent - first < REACH and len(in_flight) < size)
        arrived |= {n for n in in_flight if arrivals >> n % 16 & 1}
        ack = next(n for n in range(start, start + 500) if n not in arrived)
        says.append((ack, sum(1 << n - ack - 1 for n in arrived if n > ack)))
        ack, sack = says[-min(age, len(says))]
        done = window.acknowledge(ack & 0xFF, sack)
        if ack >= first:
            known |= set(range(start, ack)) | {ack + 1 + i for i in range(16) if sack >> i & 1}
        assert sorted(s.payload for s in done) == sorted(
            name(n) for n in known.intersection(in_flight)
        )


@given(WINDOWS, STARTS, st.integers(0, 16), st.integers(0, 255), st.integers(0, 0xFFFF))
def test_every_number_acknowledged(size, start, count, advance, sack):
    window = sender(size, start)
    window.queue.extend([b""] * min(count, size))
    outstanding = len(window.to_send(0))
    done = window.acknowledge((start + advance) & 0xFF, sack)
    if advance <= outstanding:
        assert done is not None
        assert window.base == (start + advance) & 0xFF
        assert len(done) + len(window.in_flight) == outstanding
    else:
        # Never sent; or, from the other half of the circle, overtaken on its way.
        assert done == ([] if advance >= 128 else None)
        assert (window.base, len(window.in_flight)) == (start & 0xFF, outstanding)


def test_sack_is_forgotten_at_once_and_makes_room():
    window = sender(4, 254)
    window.queue.extend([b"a", b"b", b"c", b"d", b"e"])
    assert [s.seq for s in window.to_send(0)] == [254, 255, 0, 1]
    assert [s.payload for s in window.acknowledge(254, 0b1)] == [b"b"]
    assert window.acknowledge(254, 0b1) == []
    assert (window.base, [s.payload for s in window.to_send(1)]) == (254, [b"e"])
    # Nothing more can be sent, and the last that was has arrived: those before it have not.
    assert [s.payload for s in window.acknowledge(254, 0b1001)] == [b"e"]
    assert [s.seq for s in window.to_send(2)] == [254, 0, 1]


def test_nothing_is_sent_out_of_reach_of_the_oldest():
    """One frame is lost time and again, and all others arrive."""
    window = sender(2, 250)
    window.queue.extend([b"%d" % n for n in range(99)])
    window.to_send(0)
    while len(arrived := window.acknowledge(250, (1 << ahead(window.next_seq, 250) - 1) - 1)):
        assert arrived[0].seq != 250
        window.to_send(0)
    assert ahead(window.next_seq, window.base) == REACH
    assert (window.ready, len(window.in_flight)) == (False, 1)
    window.acknowledge(251, (1 << REACH - 2) - 1)
    assert [s.seq for s in window.to_send(1)] == [(250 + REACH) & 0xFF]


def test_three_later_arrivals_mark_a_frame_lost_once():
    window = sender(8, 0)
    window.queue.extend([b"%d" % i for i in range(8)])
    window.to_send(0)
    window.acknowledge(0, 0b11)  # 1 and 2 arrived: 0 may still be under way
    assert window.to_send(1) == []
    window.acknowledge(0, 0b111)
    assert [(s.seq, s.transmissions) for s in window.to_send(1)] == [(0, 2)]
    window.acknowledge(0, 0b1111111)  # 0 went again after all of these
    assert window.to_send(2) == []
    assert [s.seq for s in window.acknowledge(8, 0)] == [0]


def test_a_frame_lost_twice_is_noticed_by_what_was_sent_after_it():
    window = sender(8, 0)
    window.queue.extend([b""] * 4)
    window.to_send(0)
    window.acknowledge(0, 0b111)
    assert [s.seq for s in window.to_send(1)] == [0]
    window.queue.extend([b""] * 3)
    window.to_send(2)
    window.acknowledge(0, 0b111111)
    assert [(s.seq, s.transmissions) for s in window.to_send(3)] == [(0, 3)]


def test_oldest_is_marked_however_often():
    window = sender(2, 0)
    assert not window.mark_oldest_lost(ack_unambiguous=True)
    window.queue.extend([b"a", b"b"])
    window.to_send(0)
    assert window.mark_oldest_lost(ack_unambiguous=True)
    assert window.mark_oldest_lost(ack_unambiguous=True)
    assert [s.payload for s in window.to_send(1)] == [b"a"]
    assert window.to_send(1) == []


@pytest.mark.parametrize("ack_unambiguous", [True, False])
def test_what_a_resent_frame_proves_of_those_before_it(ack_unambiguous: bool):
    """Only when it is certain that it was the second one that came, the others must be
    lost.
    """
    window = sender(4, 0)
    window.queue.extend([b""] * 4)
    window.to_send(0)
    window.mark_oldest_lost(ack_unambiguous)
    window.to_send(1)
    window.acknowledge(1, 0)
    assert [s.seq for s in window.to_send(2)] == ([1, 2, 3] if ack_unambiguous else [])


def test_a_resend_that_proves_nothing_does_not_stand_in_the_way_of_proof():
    window = sender(4, 0)
    window.queue.extend([b""] * 4)
    window.to_send(0)
    window.mark_oldest_lost(ack_unambiguous=False)
    window.to_send(1)
    window.acknowledge(1, 0b10)  # 3 arrived, the last that was sent after 1 and 2
    assert [s.seq for s in window.to_send(3)] == [1, 2]


def test_lost_then_acknowledged_does_not_go_again():
    window = sender(2, 0)
    window.queue.extend([b"a", b"b"])
    window.to_send(0)
    window.mark_oldest_lost(ack_unambiguous=True)
    window.acknowledge(1, 0)
    assert window.to_send(1) == []


@pytest.mark.parametrize(("number", "base", "distance"), [(0, 0, 0), (0, 255, 1), (255, 0, 255)])
def test_ahead(number, base, distance):
    assert ahead(number, base) == distance


@pytest.mark.parametrize("size", [2, 3])
def test_where_no_three_later_ones_can_be_sent_the_others_are_proof_enough(size: int) -> None:
    window = sender(size, 0)
    window.queue.extend([b"x"] * size)
    assert len(window.to_send(0)) == size
    for later in range(1, size):
        assert [s.seq for s in window.to_send(1)] == []
        window.acknowledge(0, 1 << later - 1)
    assert [s.seq for s in window.to_send(2)] == [0]


@pytest.mark.parametrize("size", [2, 3, 8])
def test_behind_a_lost_frame_the_window_goes_on(size: int) -> None:
    """Also a small one finds out by three later ones, and the line is never idle meanwhile."""
    window = sender(size, 0)
    window.queue.extend([b"x"] * 40)
    window.to_send(0)
    again, here = False, 0
    for later in range(1, 4):
        assert not again
        here |= 1 << later - 1
        window.acknowledge(0, here)
        sent = window.to_send(later)
        assert sent
        again = any(each.seq == 0 for each in sent)
    assert again


def test_as_long_as_more_can_be_sent_three_later_ones_are_waited_for() -> None:
    window = sender(8, 0)
    window.queue.extend([b"a", b"b"])
    window.to_send(0)
    window.queue.append(b"c")
    window.acknowledge(0, 0b1)
    assert [s.payload for s in window.to_send(1)] == [b"c"]
    window.acknowledge(0, 0b11)
    assert [s.payload for s in window.to_send(2)] == [b"a"]
