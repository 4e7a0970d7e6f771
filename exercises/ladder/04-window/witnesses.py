"""What shows each defect of exercise 4, in a few lines."""

from mockpump.protocol.link.arq import REACH, SACK_BITS, ReceiveWindow, SendWindow


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


def expected_after_all_numbers() -> int:
    return receiver(256).expected


def two_behind_a_gap() -> str:
    window = ReceiveWindow()
    window.receive(1, b"b")
    window.receive(2, b"c")
    return repr(window.receive(0, b"a"))


def selectively_over_the_turn() -> list[int]:
    window = sender(4, 254)
    window.queue.extend([b""] * 4)
    window.to_send(0)
    window.acknowledge(254, 0b110)
    return [each.seq for each in window.in_flight]


def what_was_never_sent() -> str:
    return repr(SendWindow(4).acknowledge(3, 0))


def behind_one_that_is_missing() -> int:
    window = SendWindow(16)
    window.queue.extend([b""] * 40)
    for _ in range(5):
        window.to_send(0)
        window.acknowledge(0, 2**SACK_BITS - 1 & (1 << window.next_seq - 1) - 1)
    return window.next_seq


def as_old_as_can_be() -> str:
    return repr(receiver(40).receive(40 - REACH, b""))
