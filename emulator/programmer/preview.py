"""Before and after: what a new program would change, in volumes a day."""

from mockpump.protocol.fields import Record
from mockpump.protocol.program import Program, daily_volume, percents

_DAYS = 7


class DayChange(Record, frozen=True):
    """A run of weekdays (0 is Monday, both ends included) whose volumes are the same.

    `before` and `after` are volumes a day in units of 1/3600 nL, as the ramp stands and as the new
    program begins; `before` is None when there was no program.
    """

    first: int
    last: int
    before: int | None
    after: int


def compare(before: Program | None, after: Program, percent: int = 100) -> list[DayChange]:
    """The weekdays in order, like ones that follow each other in one entry.

    `percent` is that of the ramp step at which the program before stands.
    """
    changes: list[DayChange] = []
    for day in range(_DAYS):
        old = None if before is None else daily_volume(before, day, percent)
        new = daily_volume(after, day, percents(after)[0])
        if changes and (changes[-1].before, changes[-1].after) == (old, new):
            changes[-1] = DayChange(changes[-1].first, day, old, new)
        else:
            changes.append(DayChange(day, day, old, new))
    return changes
