"""What goes in at one end comes out at the other, in order: against a queue of single units."""

from collections import deque
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from pump_state import Line

from mockpump.emulator.pump import catheter as room
from mockpump.emulator.pump.catheter import MOST_FLUIDS, Catheter, Fluid, filled_with
from mockpump.emulator.pump.factory import new_pump
from mockpump.protocol import messages as m
from mockpump.protocol.program import Program

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
            catheter = catheter.refilled(queue.due, argument)
        assert catheter.arrived(queue.due) == queue.arrived
        assert catheter.dose(queue.due) == queue.dose
        assert catheter.arriving(queue.due) == queue.arriving()
        assert catheter.concentration == queue.concentration


@one_by_one
@given(STEPS, st.integers(0, 12), st.integers(0, 2), st.integers(0, 2))
def test_what_must_pass_before_the_newest_comes_out_is_what_a_queue_must_pass(
    steps: list[tuple[str, Any]], dead: int, concentration: int, filled: int
) -> None:
    """However many fluids are before it, and whether or not one of them is the same."""
    catheter, queue = filled_with(concentration, dead), Queue(concentration, dead)
    for name, argument in steps:
        value = argument % 3 if name == "fill" else argument
        getattr(queue, name)(value)
        if name == "fill":
            catheter = catheter.refilled(queue.due, value)
    after = catheter.refilled(queue.due, filled)
    queue.fill(filled)
    in_front = [*reversed([each != filled for each in queue.inside])]
    own = in_front.index(True) if True in in_front else len(in_front)
    # What is behind the last other fluid, the empty part of the catheter counting as one.
    waits = 0 if dead == 0 else dead * 3 - own
    assert after.ahead(queue.due) == -(-waits // 3)
    assert after.fluids[0].concentration == (queue.inside[0] if queue.inside else filled)
    assert catheter.concentration == (catheter.fluids[-1].concentration)


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
        catheter = catheter.refilled(due, argument)
        assert all(fluid.since > catheter.arrived(due) for fluid in catheter.fluids[1:])
        assert catheter.concentration == argument
        began = [fluid.since for fluid in catheter.fluids]
        assert began == sorted(set(began))


def test_after_a_refill_the_old_fluid_comes_out_first() -> None:
    catheter = Catheter(10, (Fluid(0, 500),))
    full = 10 * 3_600
    assert (catheter.arrived(full), catheter.arriving(full - 1), catheter.arriving(full)) == (
        0,
        0,
        500,
    )
    catheter = catheter.refilled(full, 800)
    assert (catheter.arriving(2 * full - 1), catheter.arriving(2 * full)) == (500, 800)
    assert catheter.dose(2 * full + 1) == full * 500 + 800


def test_a_fluid_too_many_is_refused_and_one_more_of_the_newest_is_not() -> None:
    line = Line(new_pump(program=Program.flat("f", 3_600)))
    for number in range(MOST_FLUIDS - 1):
        line.pump.advance(line.pump.elapsed + 1)
        assert isinstance(line.ask(m.Refill(line.fresh(), 10**6, number)), m.Refilled)
    line.pump.advance(line.pump.elapsed + 1)
    newest = MOST_FLUIDS - 2
    no = line.ask(m.Refill(line.fresh(), 10**6, 900))
    assert (no.reason, no.field, no.figure, no.limit) == (m.Reason.OUT_OF_RANGE, 3, 900, newest)
    assert isinstance(line.ask(m.Refill(line.fresh(), 10**6, newest)), m.Refilled)
    assert len(line.pump.catheter.fluids) == MOST_FLUIDS
    assert len(line.pump.memory.state() or b"") < 10_000
    line.pump.advance(line.pump.elapsed + line.pump.catheter.dead)
    assert isinstance(line.ask(m.Refill(line.fresh(), 10**6, 900)), m.Refilled)


def test_between_two_of_the_same_another_one_comes_out() -> None:
    line = Line(new_pump(program=Program.flat("f", 3_600)))
    line.pump.advance(2 * line.pump.catheter.dead)
    line.ask(m.Refill(line.fresh(), 10**7, 900))
    line.pump.advance(line.pump.elapsed + 10)
    told = line.ask(m.Refill(line.fresh(), 10**7, 500))
    assert (told.old, told.new, told.dead) == (500, 500, line.pump.catheter.dead)
    again = line.ask(m.Refill(line.fresh(), 10**7, 500))
    assert again.dead == told.dead
