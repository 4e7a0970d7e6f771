"""What goes in at one end comes out at the other, in order: against a queue of single units."""

from collections import deque
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump import catheter as room
from mockpump.emulator.pump.catheter import Catheter, Fluid, filled_with

# A nanolitre of few units, so that each can stand in a queue by itself.
one_by_one = patch.object(room, "UNITS_PER_NL", 3)
STEPS = st.lists(
    st.tuples(st.just("pump"), st.integers(0, 30)) | st.tuples(st.just("fill"), st.integers(0, 9)),
    max_size=15,
)


class Queue:
    """A row of units, each with its concentration; what does not fit comes out."""

    def __init__(self, concentration: int, dead: int) -> None:
        self.concentration, self.room = concentration, dead * 3
        self.inside: deque[int] = deque()
        self.due = self.arrived = self.dose = 0

    def pump(self, units: int) -> None:
        for _ in range(units):
            self.due += 1
            self.inside.append(self.concentration)
            if len(self.inside) > self.room:
                self.arrived += 1
                self.dose += self.inside.popleft()

    def fill(self, concentration: int) -> None:
        self.concentration = concentration

    def arriving(self) -> int:
        if len(self.inside) < self.room:
            return 0
        return self.inside[0] if self.inside else self.concentration


@one_by_one
@given(STEPS, st.integers(0, 12), st.integers(0, 9))
def test_it_is_a_queue(steps: list[tuple[str, Any]], dead: int, concentration: int) -> None:
    catheter, queue = filled_with(concentration, dead), Queue(concentration, dead)
    for name, argument in steps:
        getattr(queue, name)(argument)
        if name == "fill":
            catheter.refill(queue.due, argument)
        assert catheter.arrived(queue.due) == queue.arrived
        assert catheter.dose(queue.due) == queue.dose
        assert catheter.arriving(queue.due) == queue.arriving()
        assert catheter.concentration == queue.concentration


@one_by_one
@given(STEPS, st.integers(0, 12))
def test_it_remembers_no_fluid_that_has_come_out_wholly(
    steps: list[tuple[str, Any]], dead: int
) -> None:
    catheter, due = filled_with(1, dead), 0
    for name, argument in steps:
        if name == "pump":
            due += argument
            continue
        catheter.refill(due, argument)
        assert all(fluid.since > catheter.arrived(due) for fluid in catheter.fluids[1:])
        assert catheter.concentration == argument
        began = [fluid.since for fluid in catheter.fluids]
        assert began == sorted(set(began))


def test_after_a_refill_the_old_fluid_comes_out_first() -> None:
    catheter = Catheter(10, [Fluid(0, 500)])
    full = 10 * 3_600
    assert (catheter.arrived(full), catheter.arriving(full - 1), catheter.arriving(full)) == (
        0,
        0,
        500,
    )
    catheter.refill(full, 800)
    assert (catheter.arriving(2 * full - 1), catheter.arriving(2 * full)) == (500, 800)
    assert catheter.dose(2 * full + 1) == full * 500 + 800
