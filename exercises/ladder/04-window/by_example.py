"""Exercise 4 as one would write it without properties: right, and caught nothing."""

from mockpump.protocol.link.arq import Arrival, ReceiveWindow, SendWindow


def test_a_gap_is_filled() -> None:
    window = ReceiveWindow()
    assert window.receive(0, b"a") == (Arrival.IN_ORDER, [b"a"])
    assert window.receive(2, b"c") == (Arrival.AHEAD, [])
    assert (window.sack, window.holding) == (0b1, 1)
    assert window.receive(1, b"b") == (Arrival.IN_ORDER, [b"b", b"c"])
    assert (window.expected, window.sack) == (3, 0)


def test_a_duplicate() -> None:
    window = ReceiveWindow()
    window.receive(0, b"a")
    assert window.receive(0, b"a") == (Arrival.DUPLICATE, [])
    assert window.receive(100, b"x") == (Arrival.OUTSIDE, [])


def test_a_full_window_waits() -> None:
    window = SendWindow(2)
    window.queue.extend([b"a", b"b", b"c"])
    assert [each.payload for each in window.to_send(0)] == [b"a", b"b"]
    assert window.to_send(1) == []
    done = window.acknowledge(1, 0)
    assert done is not None
    assert [each.payload for each in done] == [b"a"]
    assert [each.payload for each in window.to_send(2)] == [b"c"]


def test_a_selective_acknowledgement() -> None:
    window = SendWindow(4)
    window.queue.extend([b"a", b"b", b"c"])
    window.to_send(0)
    window.acknowledge(0, 0b10)
    assert [each.seq for each in window.in_flight] == [0, 1]


def test_an_old_acknowledgement() -> None:
    window = SendWindow(4)
    window.queue.extend([b"a", b"b"])
    window.to_send(0)
    window.acknowledge(2, 0)
    assert window.acknowledge(1, 0) == []
