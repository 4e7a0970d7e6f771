"""Delivered volume equals the integral of the program, however time is cut and whatever happens."""

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_program import NaivePump, emptied_at, naive_volume

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.state import STEP, UNITS_PER_STEP
from mockpump.emulator.schedule import CLOCK_CYCLE, DAY, WEEK
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.messages import When
from mockpump.protocol.program import (
    FORMAT,
    UNITS_PER_NL,
    DayPattern,
    Program,
    ProgramError,
    RampStep,
    Segment,
    daily_volume,
)
from mockpump.protocol.strategies import programs

Action = tuple[Any, ...]
BOTTOMLESS = 10**15
PROGRAMS = programs(max_patterns=3, max_segments=4, max_steps=2)
STRETCHES = st.integers(0, 3 * 3600) | st.integers(0, 150_000)
CLOCKS = st.integers(0, 70 * DAY) | st.integers(0, CLOCK_CYCLE - 1)


def actions(programs_too: bool = True) -> st.SearchStrategy[list[Action]]:
    """What may happen to a pump, in any order."""
    kinds = [
        st.tuples(st.just("advance"), STRETCHES),
        st.just(("suspend",)),
        st.just(("resume",)),
        st.tuples(st.just("set_clock"), CLOCKS),
    ]
    if programs_too:
        kinds.append(st.tuples(st.just("set_program"), PROGRAMS))
    return st.lists(st.one_of(kinds), max_size=8)


def do(delivery: Delivery, name: str, *arguments: Any, cuts: Sequence[int] = ()) -> None:
    """An action; an advance goes by way of the cuts that fall within it."""
    if name != "advance":
        getattr(delivery, name)(*arguments)
        return
    begin = delivery.elapsed
    for cut in (*sorted(cut for cut in cuts if cut < arguments[0]), arguments[0]):
        delivery.advance(begin + cut)


def state(delivery: Delivery) -> dict[str, Any]:
    """Everything that can be seen of a delivery."""
    d = delivery
    names = "elapsed clock delivered remainder reservoir rate percent pattern empty last_day"
    seen = {name: getattr(d, name) for name in names.split()}
    return {**seen, "next_edge": d.next_edge(), "emptied_at": emptied_at(d)}


@given(actions(), PROGRAMS, CLOCKS)
def test_delivered_equals_the_integral(done: list[Action], first: Program, clock: int) -> None:
    delivery, naive = Delivery(BOTTOMLESS), NaivePump(BOTTOMLESS)
    for action in [("set_clock", clock), ("set_program", first), *done, ("advance", 5_000)]:
        do(delivery, *action)
        naive.do(*action)
        assert delivery.delivered * UNITS_PER_NL + delivery.remainder == naive.units
        assert 0 <= delivery.remainder < UNITS_PER_STEP
        assert delivery.delivered % STEP == 0
        assert delivery.delivered + delivery.reservoir == BOTTOMLESS
        assert delivery.clock == naive.clock % CLOCK_CYCLE


@given(actions(), PROGRAMS, st.integers(0, 3_000_000) | st.integers(0, 50))
def test_an_empty_reservoir_stops_the_motor_in_that_very_second(
    done: list[Action], first: Program, reservoir: int
) -> None:
    delivery, naive = Delivery(reservoir), NaivePump(reservoir)
    for action in [("set_program", first), *done, ("advance", 100_000)]:
        do(delivery, *action)
        naive.do(*action)
        assert emptied_at(delivery) == naive.emptied_at
        assert delivery.delivered * UNITS_PER_NL + delivery.remainder == naive.units
        if delivery.empty:
            assert (delivery.rate, delivery.remainder, delivery.next_edge()) == (0, 0, None)
            assert delivery.reservoir == reservoir % STEP


@given(
    actions(),
    PROGRAMS,
    CLOCKS,
    st.integers(0, 3_000_000) | st.just(BOTTOMLESS),
    st.lists(st.integers(0, 150_000), max_size=10),
)
def test_how_time_is_cut_makes_no_difference(
    done: list[Action], first: Program, clock: int, reservoir: int, cuts: list[int]
) -> None:
    whole, pieces = Delivery(reservoir), Delivery(reservoir)
    for action in [("set_clock", clock), ("set_program", first), *done, ("advance", 150_000)]:
        do(whole, *action)
        do(pieces, *action, cuts=cuts)
        assert state(whole) == state(pieces)


@given(PROGRAMS, CLOCKS, st.integers(0, 30_000_000))
def test_going_from_edge_to_edge_arrives_at_the_same(
    program: Program, clock: int, reservoir: int
) -> None:
    whole, edges = Delivery(reservoir), Delivery(reservoir)
    for each in (whole, edges):
        each.set_clock(clock)
        each.set_program(program)
    end = 10 * DAY
    while (edge := edges.next_edge()) is not None and edge < end:
        rate = edges.rate
        edges.advance(edge - 1)
        assert (edges.rate, edges.next_edge()) == (rate, edge)
        edges.advance(edge)
    for each in (whole, edges):
        each.advance(end)
    assert state(whole) == state(edges)


@given(PROGRAMS, CLOCKS, STRETCHES, CLOCKS)
def test_setting_the_clock_delivers_nothing_and_skips_nothing(
    program: Program, clock: int, stretch: int, other: int
) -> None:
    delivery = Delivery(BOTTOMLESS)
    delivery.set_clock(clock)
    delivery.set_program(program)
    delivery.advance(stretch)
    before = (delivery.delivered, delivery.remainder, delivery.elapsed)
    delivery.set_clock(other)
    assert (delivery.delivered, delivery.remainder, delivery.elapsed) == before
    assert delivery.clock == other


def test_a_day_delivers_its_daily_volume() -> None:
    delivery = Delivery(10_000_000)
    delivery.set_program(Program.flat("even", 12_345))
    delivery.advance(DAY)
    assert (delivery.delivered, delivery.remainder) == (296_280, 0)
    assert delivery.reservoir == 10_000_000 - 296_280


def test_without_a_program_nothing_moves() -> None:
    delivery = Delivery(1_000)
    delivery.advance(WEEK)
    assert (delivery.rate, delivery.delivered, delivery.next_edge()) == (0, 0, None)
    assert (delivery.percent, delivery.pattern, delivery.empty) == (100, 0, False)


def test_suspended_is_still_and_owes_what_it_owed() -> None:
    delivery = Delivery(1_000)
    delivery.set_program(Program.flat("slow", 1))
    delivery.advance(100)
    delivery.suspend()
    assert (delivery.rate, delivery.next_edge(), delivery.running) == (0, None, False)
    delivery.advance(WEEK)
    assert (delivery.delivered, delivery.remainder) == (0, 100)
    delivery.resume()
    delivery.advance(WEEK + UNITS_PER_STEP - 100)
    assert (delivery.rate, delivery.delivered, delivery.remainder) == (1, STEP, 0)


def test_a_reservoir_without_a_whole_step_is_empty_from_the_start() -> None:
    delivery = Delivery(STEP - 1)
    delivery.set_program(Program.flat("even", 1_000))
    assert (delivery.empty, emptied_at(delivery), delivery.rate) == (True, 0, 0)
    delivery.advance(DAY)
    assert (delivery.delivered, delivery.reservoir) == (0, STEP - 1)


@pytest.mark.parametrize("next_rate", [0, 1_000])
def test_a_reservoir_that_ends_with_a_segment_is_empty_at_its_edge(next_rate: int) -> None:
    pattern = DayPattern("two", (Segment(0, 1_000), Segment(60, next_rate)))
    delivery = Delivery(1_000)
    delivery.set_program(Program(FORMAT, "two", (0,) * 7, (pattern,), ()))
    delivery.advance(3_600)
    assert (delivery.empty, emptied_at(delivery), delivery.reservoir) == (True, 3_600, 0)
    assert (delivery.rate, delivery.next_edge()) == (0, None)


def test_time_runs_forward_and_a_clock_stays_on_its_dial() -> None:
    delivery = Delivery(1_000)
    delivery.advance(10)
    delivery.advance(10)
    with pytest.raises(LocalProtocolError, match="9 s is before 10 s"):
        delivery.advance(9)
    for clock in (-1, CLOCK_CYCLE):
        with pytest.raises(LocalProtocolError, match="no clock says"):
            delivery.set_clock(clock)
    with pytest.raises(LocalProtocolError, match="cannot hold"):
        Delivery(-1)


def test_a_broken_program_changes_nothing() -> None:
    delivery = Delivery(1_000)
    delivery.set_program(Program.flat("good", 7))
    before = state(delivery), delivery.schedule
    with pytest.raises(ProgramError):
        delivery.set_program(Program.flat("bad", -7))
    with pytest.raises(ProgramError):
        delivery.set_pending(Program.flat("bad", -7), When.EDGE)
    assert (state(delivery), delivery.schedule) == before


@given(PROGRAMS, st.integers(1, 3 * DAY), st.integers(0, 3 * DAY))
def test_the_clock_goes_around_without_a_seam(program: Program, before: int, after: int) -> None:
    """A Monday follows the last Sunday, and the ramp goes on where it was."""
    assert CLOCK_CYCLE % WEEK == 0
    assert 2**32 - WEEK < CLOCK_CYCLE <= 2**32
    delivery = Delivery(BOTTOMLESS)
    delivery.set_clock(CLOCK_CYCLE - before)
    delivery.set_program(program)
    delivery.advance(before + after)
    assert delivery.clock == after
    start_day = (CLOCK_CYCLE - before) // DAY
    expected = naive_volume(program, start_day, CLOCK_CYCLE - before, before + after)
    assert delivery.delivered * UNITS_PER_NL + delivery.remainder == expected
    seen = state(delivery)
    delivery.set_clock(delivery.clock)
    assert state(delivery) == seen


@given(PROGRAMS, st.integers(0, 6))
def test_a_year_at_once_is_the_sum_of_its_days(program: Program, weekday: int) -> None:
    delivery = Delivery(BOTTOMLESS)
    delivery.set_clock(weekday * DAY)
    delivery.set_program(program)
    turns = {step.after: step.percent for step in program.ramp}
    total, percent = 0, 100
    for day in range(365):
        percent = turns.get(day, percent)
        total += daily_volume(program, (weekday + day) % 7, percent)
    delivery.advance(365 * DAY)
    assert delivery.delivered * UNITS_PER_NL + delivery.remainder == total


def test_a_pump_is_small() -> None:
    """The largest program there can be: its pump must leave room for a connection in 64 KiB."""
    segments = [tuple(Segment(30 * at, 400_000 + at) for at in range(48)) for _ in range(4)]
    patterns = tuple(DayPattern(name, each) for name, each in zip("abcd", segments, strict=True))
    ramp = tuple(RampStep(day, 100 + day) for day in range(32))
    delivery = Delivery(BOTTOMLESS)
    delivery.set_program(Program(FORMAT, "large", (0, 1, 2, 3, 0, 1, 2), patterns, ramp))
    delivery.advance(365 * DAY)
    assert size_of(delivery, set()) < 40 * 1024


def size_of(thing: Any, seen: set[int]) -> int:
    """The bytes of an object and of all that it holds."""
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    kind = type(thing)
    names = getattr(kind, "__struct_fields__", None) or getattr(kind, "__slots__", ())
    inner = thing if isinstance(thing, tuple | list) else [getattr(thing, name) for name in names]
    return sys.getsizeof(thing) + sum(size_of(each, seen) for each in inner)


def test_the_steps_are_whole_at_every_second() -> None:
    delivery = Delivery(BOTTOMLESS)
    delivery.set_program(Program.flat("odd", 7_777))
    seen = []
    for second in range(600):
        delivery.advance(second)
        seen.append(delivery.delivered)
    assert {later - earlier for earlier, later in pairwise(seen)} == {0, STEP}
