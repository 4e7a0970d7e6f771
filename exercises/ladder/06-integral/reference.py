"""A solution of exercise 6: a dull model, and time cut up in two ways."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.protocol.messages import BolusKind
from mockpump.protocol.program import DayPattern, Program, Segment

DAY = 86_400
BOTTOMLESS = 10**15
RATES = st.integers(0, 5_000)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A few segments, the same every day."""
    starts = [0, *sorted(draw(st.sets(st.integers(1, 1_439), max_size=4)))]
    segments = tuple(Segment(at, draw(RATES)) for at in starts)
    return Program(1, "drawn", (0,) * 7, (DayPattern("day", segments),), ())


def rate_at(program: Program, clock: int) -> int:
    segments = program.patterns[0].segments
    return [each.rate for each in segments if each.start * 60 <= clock % DAY][-1]


def integral(program: Program, begin: int, seconds: int, percent: int = 100) -> int:
    """In units of 1/3600 nL; a minute at a time, cut at whole minutes."""
    units, clock, end = 0, begin, begin + seconds
    while clock < end:
        stop = min(end, (clock // 60 + 1) * 60)
        units += rate_at(program, clock) * percent // 100 * (stop - clock)
        clock = stop
    return units


def units(delivery: Delivery) -> int:
    return delivery.delivered * 3_600 + delivery.remainder


@given(programs(), st.integers(0, DAY))
def test_it_is_the_integral_of_the_program(program: Program, seconds: int) -> None:
    delivery = Delivery(BOTTOMLESS)
    delivery.set_program(program)
    delivery.advance(seconds)
    assert units(delivery) == integral(program, 0, seconds)


@given(programs(), st.integers(1, 9_000), st.integers(0, 9_000), st.integers(0, 250))
def test_a_temporary_rate_scales_it_till_its_end(
    program: Program, ends: int, more: int, percent: int
) -> None:
    delivery = Delivery(BOTTOMLESS)
    delivery.set_program(program)
    delivery.set_temporary(TemporaryRate(percent, ends))
    delivery.advance(ends + more)
    scaled = integral(program, 0, ends, percent)
    assert units(delivery) == scaled + integral(program, ends, more)


@given(RATES, st.integers(1, 9_000), st.integers(0, 250))
def test_a_percentage_is_rounded_down(rate: int, seconds: int, percent: int) -> None:
    program = Program(1, "even", (0,) * 7, (DayPattern("day", (Segment(0, rate),)),), ())
    delivery = Delivery(BOTTOMLESS)
    delivery.set_program(program)
    delivery.set_temporary(TemporaryRate(percent, 10_000))
    assert delivery.rate == rate * percent // 100
    delivery.advance(seconds)
    assert units(delivery) == rate * percent // 100 * seconds


@given(st.integers(1, 10**6), st.integers(1, 9_000))
def test_a_bolus_gives_exactly_its_volume(volume: int, duration: int) -> None:
    delivery = Delivery(BOTTOMLESS)
    delivery.start_bolus(Bolus(BolusKind.BOLUS, volume, duration, 0))
    delivery.advance(duration + 1)
    assert units(delivery) == volume * 3_600


@given(programs(), st.integers(0, 7 * DAY - 1), st.integers(5, 12), st.integers(0, DAY))
def test_how_time_is_cut_makes_no_difference(
    program: Program, clock: int, days: int, more: int
) -> None:
    at_once, daily = Delivery(BOTTOMLESS), Delivery(BOTTOMLESS)
    for each in (at_once, daily):
        each.set_clock(clock)
        each.set_program(program)
    for day in range(1, days + 1):
        daily.advance(day * DAY)
    daily.advance(days * DAY + more)
    # A day to settle, and then all of it.
    at_once.advance(DAY)
    at_once.advance(days * DAY + more)
    assert units(at_once) == units(daily)
