"""Deadlines of many lines: the nearest is never missed, and nobody else is asked."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.transports.asyncio_pump import Deadlines


class Line:
    """A line whose deadline is what the test says, and which counts how often it was asked."""

    def __init__(self, deadline: int | None) -> None:
        self.deadline = deadline
        self.asked = 0

    def next_deadline(self) -> int | None:
        self.asked += 1
        return self.deadline


def note(deadlines: Deadlines, line: Line) -> None:
    port: Endpoint = line  # type: ignore[assignment]
    deadlines.note(port)


CHANGES = st.lists(
    st.tuples(st.integers(0, 4), st.none() | st.integers(0, 300), st.integers(0, 40)), max_size=80
)


@given(CHANGES)
def test_no_deadline_is_ever_missed(changes: list[tuple[int, int | None, int]]) -> None:
    """Lines change their minds in any way; each is told of in time, or has none any more."""
    deadlines, lines, now = Deadlines(), [Line(None) for _ in range(5)], 0
    for place, ahead, span in changes:
        lines[place].deadline = None if ahead is None else now + ahead
        note(deadlines, lines[place])
        known = [line.deadline for line in lines if line.deadline is not None]
        nearest = deadlines.next()
        assert not known or (nearest is not None and nearest <= min(known))
        now += span
        due: list[Line] = deadlines.due(now)  # type: ignore[assignment]
        assert len(set(due)) == len(due)
        assert all(
            line in due for line in lines if line.deadline is not None and line.deadline <= now
        )
        for line in due:
            if line.deadline is not None and line.deadline <= now:
                line.deadline = None
            note(deadlines, line)
        assert (nearest := deadlines.next()) is None or nearest > now


def test_what_moves_away_is_asked_for_once_more_when_it_would_have_come() -> None:
    deadlines, line = Deadlines(), Line(100)
    note(deadlines, line)
    for later in range(200, 1_000):
        line.deadline = later
        note(deadlines, line)
    assert deadlines.next() == 100
    assert deadlines.due(100) == [line]
    assert deadlines.next() is None
    note(deadlines, line)
    assert deadlines.next() == 999


def test_nobody_is_asked_but_whom_it_is_about() -> None:
    deadlines, lines = Deadlines(), [Line(100 + place) for place in range(50)]
    for line in lines:
        note(deadlines, line)
    assert deadlines.next() == 100
    assert len(deadlines.due(109)) == 10
    assert [line.asked for line in lines] == [1] * 50


def test_a_line_that_is_gone_is_not_waited_for_and_leaves_nothing() -> None:
    deadlines = Deadlines()
    for deadline in range(10_000):
        line = Line(deadline)
        note(deadlines, line)
        deadlines.forget(line)  # type: ignore[arg-type]
        assert len(deadlines._heap) <= 66
    assert deadlines.next() is None
    deadlines.forget(line)  # type: ignore[arg-type]


def test_deadlines_that_come_ever_nearer_are_not_piled_up() -> None:
    deadlines, line = Deadlines(), Line(10_000)
    while line.deadline:
        note(deadlines, line)
        line.deadline -= 1
    assert len(deadlines._heap) <= 67
    assert deadlines.due(10_000) == [line]
