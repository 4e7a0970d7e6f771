"""A year of the whole pump, and a thousand pumps.

The year: a 24-segment program that differs by the day of the week, a ramp, and a bolus every day,
asked for as a programmer would, with limits held and every change recorded (in RAM).  SimPy steps
over the bare edges of the same program, and does nothing else.
"""

import gc
import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any

from bench.pairs import Effort, Work, race
from bench.simulation_rows import DAY, day_program
from bench.table import Contest, Finding, absent
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.limits import FACTORY
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.protocol import messages as m
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

_YEAR = 365
_PUMPS = 1_000
_MIB = 1024 * 1024


def year_program() -> Program:
    """Working days and others, raised over four months."""
    (weekday,) = day_program(17).patterns
    rest = DayPattern("rest", tuple(Segment(s.start, s.rate // 2) for s in weekday.segments))
    ramp = tuple(RampStep(8 * k, 50 + 4 * k) for k in range(13))
    week = (0, 0, 0, 0, 0, 1, 1)
    return Program(1, "year", week, (weekday, rest), ramp)


def years(effort: Effort) -> list[Finding]:
    """Years of the whole pump; a thousand pumps at once."""
    works: dict[str, Work] = {"whole pump": _whole_pump}
    simpy = _simpy()
    if simpy:
        works["SimPy, bare edges"] = simpy
    contest = Contest(race(works, effort), "pump-years", "whole pump", "/s")
    beside = contest.at_least("SimPy, bare edges", 0.5) if simpy else absent("pump-years", "SimPy")
    return [contest.floor(10), beside, _thousand()]


def whole_pump_in(memory: Any) -> Pump:
    """A new pump in an empty memory, with that program and the usual limits."""
    identity = PumpIdentity(reservoir=2**32 - 1)
    initialize(memory, PumpConfig(identity, year_program(), FACTORY))
    return Pump(memory)


def _whole_pump(count: int) -> None:
    for _ in range(count):
        pump, peer = whole_pump_in(RamMemory(durable=False)), Peer(largest_payload=240)
        for day in range(_YEAR):
            pump.advance(day * DAY + 10 * 3_600)
            bolus = m.StartBolus(day, m.BolusKind.BOLUS, 5_001, 1_801)
            assert isinstance(handle(pump, bolus, peer), m.BolusStarted)
        pump.advance(_YEAR * DAY)


def _simpy() -> Work | None:
    try:
        import simpy
    except ImportError:
        return None

    def spans() -> Iterator[tuple[int, int]]:
        program = year_program()
        for day in itertools.cycle(program.week):
            segments = program.patterns[day].segments
            ends = [segment.start for segment in segments[1:]] + [1440]
            for segment, end in zip(segments, ends, strict=True):
                yield segment.rate, (end - segment.start) * 60

    def pump(environment: Any, given: list[int]) -> Iterator[Any]:
        for rate, seconds in spans():
            yield environment.timeout(seconds)
            given[0] += rate * seconds

    def work(count: int) -> None:
        for _ in range(count):
            environment = simpy.Environment()
            environment.process(pump(environment, [0]))
            environment.run(until=_YEAR * DAY)

    return work


def _thousand() -> Finding:
    """Memory of a thousand pumps, each of which has lived for a day."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        pumps = [whole_pump_in(RamMemory()) for _ in range(_PUMPS)]
        for pump in pumps:
            pump.advance(DAY)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = after - before
    return Finding("1,000 pumps", "", "B", size, target="<100 MiB", met=size < 100 * _MIB)
