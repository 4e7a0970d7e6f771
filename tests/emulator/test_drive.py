"""A machine at its line, turn by turn: in which order, at what time, and until when."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.drive import drive, earliest, turn

END = b"end"
MOMENTS = st.integers(0, 20)


class Machine:
    """It writes down what is done to it; the event of each piece is the piece."""

    def __init__(self, deadlines: Sequence[int] = ()) -> None:
        self.deadlines = sorted(deadlines)
        self.done: list[tuple[str, int, bytes]] = []
        self.events: list[bytes] = []

    def receive_data(self, data: bytes, now: int) -> None:
        self.done.append(("take", now, data))
        self.events.append(data)

    def data_to_send(self, now: int) -> bytes:
        self.done.append(("send", now, b""))
        return b"%d" % now

    def next_deadline(self) -> int | None:
        return self.deadlines[0] if self.deadlines else None

    def handle_timer(self, now: int) -> None:
        self.done.append(("time", now, b""))
        self.deadlines = [each for each in self.deadlines if each > now]

    def next_event(self) -> bytes | None:
        return self.events.pop(0) if self.events else None

    def did(self, what: str) -> list[tuple[int, bytes]]:
        return [(now, data) for kind, now, data in self.done if kind == what]


class Line:
    """Time jumps to the next arrival or to the end of the wait, and a while further."""

    def __init__(self, arrivals: Sequence[tuple[int, bytes]], late: int = 0) -> None:
        self.now = 0
        self.arrivals = sorted(arrivals, key=lambda each: each[0])
        self.late = late
        self.sent: list[bytes] = []
        self.waits: list[int | None] = []

    def exchange(self, data: bytes, until: int | None) -> Sequence[bytes]:
        self.sent.append(data)
        self.waits.append(until)
        due = earliest(until, self.arrivals[0][0] if self.arrivals else None)
        assert due is not None, "nothing would ever happen"
        assert len(self.waits) < 100, "it turns and turns"
        self.now = max(self.now, due) + self.late
        came = [data for at, data in self.arrivals if at <= self.now]
        self.arrivals = [each for each in self.arrivals if each[0] > self.now]
        return came


ARRIVALS = st.lists(st.tuples(MOMENTS, st.sampled_from((b"x", b"y"))), max_size=6)


@given(ARRIVALS, st.lists(MOMENTS, unique=True, max_size=6))
def test_all_is_done_in_time_and_nothing_after_the_wanted_event(
    arrivals: list[tuple[int, bytes]], deadlines: list[int]
) -> None:
    machine, line = Machine(deadlines), Line([*arrivals, (21, END)])
    seen: list[bytes] = []
    assert drive(machine, line, lambda event: seen.append(event) or event == END) == END
    came = sorted(arrivals, key=lambda each: each[0])
    assert machine.did("take") == [*came, (21, END)]
    assert seen == [data for _, data in machine.did("take")]
    assert machine.did("time") == [(at, b"") for at in sorted(deadlines)]
    # The reply goes to whoever waits before its acknowledgement goes out.
    assert machine.done[-1] == ("take", 21, END)
    # What there was to send was sent at once, every time.
    assert line.sent == [b"%d" % now for now, _ in machine.did("send")]


@given(MOMENTS, st.lists(st.sampled_from((b"x", b"y")), min_size=1, max_size=3))
def test_what_came_in_time_counts_as_in_time(at: int, pieces: list[bytes]) -> None:
    machine, line = Machine([at]), Line([(at, piece) for piece in pieces])
    turn(machine, line)
    taken = [("take", at, piece) for piece in pieces]
    assert machine.done == [("send", 0, b""), *taken, ("time", at, b"")]


def test_the_time_is_asked_anew_after_the_wait() -> None:
    machine, line = Machine([9]), Line([(5, b"x")], late=3)
    turn(machine, line)
    assert machine.did("take") == [(8, b"x")]
    turn(machine, line)
    assert machine.done[-2:] == [("send", 8, b""), ("time", 12, b"")]


def test_an_event_that_is_there_already_costs_no_turn() -> None:
    machine, line = Machine(), Line([])
    machine.events = [b"x", END, b"y"]
    assert drive(machine, line, lambda event: event == END) == END
    assert (machine.events, machine.done, line.sent) == ([b"y"], [], [])


@given(st.none() | MOMENTS, MOMENTS)
def test_a_turn_ends_by_the_last_moment(deadline: int | None, last: int) -> None:
    machine = Machine([] if deadline is None else [deadline])
    line = Line([])
    turn(machine, line, last)
    assert line.waits == [earliest(deadline, last)]


@pytest.mark.parametrize(
    ("times", "least"), [((), None), ((None, None), None), ((None, 0, 3), 0), ((7, None, 3), 3)]
)
def test_the_earliest_of_deadlines(times: tuple[int | None, ...], least: int | None) -> None:
    assert earliest(*times) == least
