"""Before and after: the entries cover the week once, and say what each day delivers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.programmer.preview import DayChange, compare
from mockpump.emulator.schedule import Schedule
from mockpump.protocol.program import Program, daily_volume
from mockpump.protocol.strategies import programs

PROGRAMS = programs(max_patterns=3, max_segments=3, max_steps=1)


@given(st.none() | PROGRAMS, PROGRAMS, st.integers(0, 200))
def test_every_day_is_in_one_entry_with_its_volumes(
    before: Program | None, after: Program, percent: int
) -> None:
    changes = compare(before, after, percent)
    begins = Schedule(after, 0).percent_at(0)
    days = [day for change in changes for day in range(change.first, change.last + 1)]
    assert days == list(range(7))
    for change in changes:
        for day in range(change.first, change.last + 1):
            assert change.after == daily_volume(after, day, begins)
            old = None if before is None else daily_volume(before, day, percent)
            assert change.before == old
    pairs = [(change.before, change.after) for change in changes]
    assert all(one != two for one, two in pairwise(pairs))


def test_a_flat_program_is_one_entry() -> None:
    old, new = Program.flat("old", 100), Program.flat("new", 150)
    assert compare(old, new) == [DayChange(0, 6, 100 * 86_400, 150 * 86_400)]
    assert compare(None, new) == [DayChange(0, 6, None, 150 * 86_400)]
