"""Pump-days a second through the whole pump, against SimPy stepping over the bare segment edges.

Whoever steps chooses the stride, so there are four: from edge to edge as SimPy does, by the hour
with the edges on the hour, by the hour with every edge inside an hour ("odd hours"), and a day at a
time.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from bench.pairs import Effort, Work, race
from bench.table import Contest, Finding, absent
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.pump import LAST_SECOND, Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.protocol.program import FORMAT, DayPattern, Program, Segment

DAY = 86_400
_HOUR = 3_600
# So little that the largest reservoir outlasts the longest life a pump can have.
_RATES = tuple(600 + 37 * (7 * hour % 24) for hour in range(24))


def simulate(effort: Effort) -> list[Finding]:
    """A 24-segment program, day after day."""
    works: dict[str, Work] = {
        "days, edge by edge": _days(0, _edge_by_edge),
        "days, hour by hour": _days(0, _strides(_HOUR)),
        "days, odd hours": _days(17, _strides(_HOUR)),
        "days, day by day": _days(17, _strides(DAY)),
        "closed form": _closed_form,
    }
    simpy = _simpy()
    if simpy:
        works["SimPy"] = simpy
    timed = race(works, effort)
    ours = [name for name in works if name not in ("closed form", "SimPy")]
    contests = [Contest(timed, name, name, "/s") for name in ours]
    findings = [_beside_simpy(each) if simpy else absent(each.case, "SimPy") for each in contests]
    return [*findings, contests[-1].beside("closed form")]


def _beside_simpy(contest: Contest) -> Finding:
    """Left alone for a day at a time it must be no slower; the other strides are to compare."""
    alone = contest.us == "days, day by day"
    return contest.at_least("SimPy", 1) if alone else contest.beside("SimPy")


def day_program(minute: int) -> Program:
    """24 segments, all but the first this many minutes past the hour."""
    segments = tuple(
        Segment(hour * 60 + (minute if hour else 0), rate) for hour, rate in enumerate(_RATES)
    )
    return Program(FORMAT, "benchmark", (0,) * 7, (DayPattern("day", segments),), ())


def _days(minute: int, live: Callable[[Pump, int], None]) -> Work:
    """This many days in a pump's life; a pump that has come to its end makes room for another."""
    pump = _immortal(minute)

    def work(count: int) -> None:
        nonlocal pump
        while count:
            left = (LAST_SECOND - pump.elapsed) // DAY
            if not left:
                pump = _immortal(minute)
                continue
            days = min(count, left)
            live(pump, pump.elapsed + days * DAY)
            count -= days

    return work


def _immortal(minute: int) -> Pump:
    return new_pump(PumpIdentity(reservoir=2**32 - 1), day_program(minute))


def _edge_by_edge(pump: Pump, until: int) -> None:
    while pump.elapsed < until:
        edge = pump.delivery.next_edge()
        assert edge is not None
        pump.advance(edge)


def _strides(stride: int) -> Callable[[Pump, int], None]:
    def live(pump: Pump, until: int) -> None:
        for elapsed in range(pump.elapsed + stride, until + 1, stride):
            pump.advance(elapsed)

    return live


def _spans() -> list[tuple[int, int]]:
    edges = pairwise((*range(0, DAY, _HOUR), DAY))
    return [(rate, end - start) for rate, (start, end) in zip(_RATES, edges, strict=True)]


def _closed_form(count: int) -> int:
    spans, units = _spans(), 0
    for _ in range(count):
        for rate, seconds in spans:
            units += rate * seconds
    return units


def _simpy() -> Work | None:
    try:
        import simpy
    except ImportError:
        return None

    def pump(environment: Any, given: list[int]) -> Iterator[Any]:
        spans = _spans()
        while True:
            for rate, seconds in spans:
                yield environment.timeout(seconds)
                given[0] += rate * seconds

    def work(count: int) -> None:
        environment = simpy.Environment()
        environment.process(pump(environment, [0]))
        environment.run(until=count * DAY)

    return work
