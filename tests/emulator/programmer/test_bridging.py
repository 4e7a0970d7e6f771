"""How long the old fluid still comes out: against what the program delivers, minute by minute."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from naive_program import naive_volume
from pump_state import Line

from mockpump.emulator.programmer.bridging import Bridge, bridge, read_bridge
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.schedule import DAY, WEEK
from mockpump.protocol import messages as m
from mockpump.protocol.program import UNITS_PER_NL, Program, RampStep
from mockpump.protocol.strategies import programs

PROGRAMS = programs(max_patterns=3, max_segments=4, max_steps=2)
CLOCKS = st.integers(0, 2 * WEEK)


def steady(program: Program, percent: int) -> Program:
    """The same program with its ramp standing still."""
    step = (RampStep(0, percent),)
    return Program(program.format, program.name, program.week, program.patterns, step)


@given(PROGRAMS, CLOCKS, st.integers(1, 60_000))
def test_it_ends_in_the_first_second_by_which_all_has_been_pumped(
    program: Program, clock: int, seconds: int
) -> None:
    plain = steady(program, 100)
    dead = naive_volume(plain, clock // DAY, clock, seconds) // UNITS_PER_NL
    found = bridge(program, 100, clock, dead).seconds
    assert found is not None
    assert found <= seconds
    assert naive_volume(plain, clock // DAY, clock, found) >= dead * UNITS_PER_NL
    if found:
        assert naive_volume(plain, clock // DAY, clock, found - 1) < dead * UNITS_PER_NL


@given(st.integers(1, 1_000), st.integers(0, 100), CLOCKS, st.integers(0, 1_000))
def test_the_present_percentage_counts_and_not_the_ramp(
    rate: int, percent: int, clock: int, dead: int
) -> None:
    ramped = Program.flat("x", rate)
    ramped = Program(1, "x", ramped.week, ramped.patterns, (RampStep(0, 1), RampStep(9, 100)))
    scaled = rate * percent // 100
    seconds = -(-dead * UNITS_PER_NL // scaled) if scaled else None
    if seconds is not None and seconds > 60 * DAY:
        seconds = None
    assert bridge(ramped, percent, clock, dead) == Bridge(seconds if dead else 0)


def asked(line: Line, refilled: m.Refilled) -> Bridge:
    """Drive the procedure at a pump without a line between them."""
    procedure = read_bridge(refilled)
    reply: Any = None
    while True:
        try:
            reply = line.ask(procedure.send(reply))
        except StopIteration as ended:
            return ended.value


EARLIER = st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from([77, 500, 900])), max_size=4)


@given(PROGRAMS, CLOCKS, st.integers(1, 3_000), st.integers(0, 100_000), EARLIER)
def test_when_it_ends_the_new_fluid_arrives(
    program: Program, clock: int, dead: int, before: int, earlier: list[tuple[int, int]]
) -> None:
    line = Line(new_pump(PumpIdentity(reservoir=2**32 - 1), steady(program, 100), clock=clock))
    pump = line.pump
    pump.catheter = replace(pump.catheter, dead=dead)
    for seconds_before, concentration in earlier:
        pump.advance(pump.elapsed + seconds_before)
        line.ask(m.Refill(line.fresh(), 2**32 - 1, concentration))
    before += pump.elapsed
    pump.advance(before)
    refilled = line.ask(m.Refill(1, 2**32 - 1, 77))
    if not refilled.dead:
        assert pump.catheter.arriving(pump.delivery.due) == 77
        return
    due = pump.delivery.due
    seconds = asked(line, refilled).seconds
    if seconds is None:
        pump.advance(before + 60 * DAY)
        assert pump.catheter.ahead(pump.delivery.due) > 0
        return
    # It is told in whole nanolitres, rounded up.
    pump.advance(before + seconds - 1)
    assert pump.delivery.due - due < refilled.dead * UNITS_PER_NL
    pump.advance(before + seconds)
    assert pump.catheter.ahead(pump.delivery.due) == 0
    assert pump.catheter.arriving(pump.delivery.due) == 77


@pytest.mark.parametrize("request_", [m.Suspend(5), None])
def test_standing_still_it_never_ends(request_: Any) -> None:
    line = Line(new_pump(program=Program.flat("x", 10) if request_ else None))
    if request_:
        line.ask(request_)
    assert asked(line, line.ask(m.Refill(1, 1_000, 77))) == Bridge(None)
