"""A solution of exercise 4: models that count without an end, near where windows start over."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.link.arq import REACH, SACK_BITS, Arrival, ReceiveWindow, SendWindow

# How many frames went before; often so many that the numbers are about to start over.
BEFORE = st.integers(236, 257) | st.integers(0, 600)
# How far from the number that is expected.
DISTANCE = st.integers(-REACH - 2, REACH + 2)
SIZES = st.integers(1, 16)


def receiver(before: int) -> ReceiveWindow:
    window = ReceiveWindow()
    for number in range(before):
        window.receive(number % 256, b"")
    return window


def sender(size: int, before: int) -> SendWindow:
    window = SendWindow(size)
    for number in range(1, before + 1):
        window.queue.append(b"")
        window.to_send(0)
        window.acknowledge(number % 256, 0)
    return window


@given(BEFORE, st.lists(st.integers(0, REACH - 1), min_size=5, max_size=40))
def test_each_is_delivered_once_and_in_order(before: int, jumps: list[int]) -> None:
    window = receiver(before)
    delivered: list[bytes] = []
    kept: set[int] = set()
    following = before
    for jump in jumps:
        # Whatever comes is at most so far ahead of what the model knows to be missing.
        number = following + jump % 5
        kept.add(number)
        _, now = window.receive(number % 256, b"%d" % number)
        delivered += now
        while following in kept:
            following += 1
    assert delivered == [b"%d" % number for number in range(before, following)]


@given(BEFORE)
def test_the_number_expected_is_the_count(before: int) -> None:
    assert receiver(before).expected == before % 256


@given(BEFORE, DISTANCE)
def test_what_is_late_early_or_neither_is_told(before: int, distance: int) -> None:
    arrival, _ = receiver(before).receive((before + distance) % 256, b"")
    if distance == 0:
        assert arrival is Arrival.IN_ORDER
    elif 0 < distance < REACH:
        assert arrival is Arrival.AHEAD
    else:
        assert arrival is (Arrival.DUPLICATE if -REACH <= distance < 0 else Arrival.OUTSIDE)


@given(BEFORE, SIZES, st.integers(0, 2**SACK_BITS - 1))
def test_what_is_named_is_forgotten_and_nothing_else(before: int, size: int, sack: int) -> None:
    window = sender(size, before)
    window.queue.extend([b""] * 20)
    sent = [each.seq for each in window.to_send(0)]
    # The first is missing; bit i stands for the one after the next i.
    named = {seq for place, seq in enumerate(sent[1:]) if sack >> place & 1}
    done = window.acknowledge(before % 256, sack)
    assert done is not None
    assert {each.seq for each in done} == named
    assert {each.seq for each in window.in_flight} == set(sent) - named


@given(BEFORE, SIZES, st.lists(st.integers(0, 2**SACK_BITS - 1), max_size=12))
def test_a_sender_knows_how_far_it_may_go(before: int, size: int, sacks: list[int]) -> None:
    window = sender(size, before)
    window.queue.extend([b""] * 60)
    window.to_send(0)
    for sack in [*sacks, 2**SACK_BITS - 1]:
        # The oldest one never comes.
        window.acknowledge(before % 256, sack & (1 << window.outstanding - len(window.queue)) - 1)
        window.to_send(0)
        assert len(window.in_flight) <= size
        assert (window.next_seq - before) % 256 <= REACH


@given(BEFORE, SIZES, st.integers(1, 127), st.integers(1, 127))
def test_an_old_acknowledgement_means_nothing_and_one_too_new_is_none(
    before: int, size: int, back: int, beyond: int
) -> None:
    window = sender(size, before)
    window.queue.extend([b""] * size)
    window.to_send(0)
    assert window.acknowledge((before - back) % 256, 0) == []
    if size + beyond < 128:
        assert window.acknowledge((before + size + beyond) % 256, 0) is None
    assert len(window.in_flight) == size
