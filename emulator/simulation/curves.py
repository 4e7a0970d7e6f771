"""The curves of a scenario: points taken from a pump as it lives, and what follows from them.

A point says what was so at an elapsed second; between two points the dose rate that arrived is
taken as even.  The responder's index and the long way round are computed from that, afterwards.
The numbers are a toy's; nothing about them is anybody's.
"""

from collections.abc import Callable
from typing import NamedTuple

from mockpump.emulator.pump.catheter import DOSE_PER_DU
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.responder import Responder
from mockpump.emulator.simulation.scenario import Curve, PicturePart
from mockpump.protocol.program import UNITS_PER_NL
from mockpump.protocol.units import read_duration


class Point(NamedTuple):
    """What was so at an elapsed second: rate in nL/h, volumes in nL, dose in du."""

    elapsed: int
    clock: int
    rate: int
    pumped: int
    arrived: int
    dose: float


class Recorder:
    """Takes the points.  What a pump had done before does not count."""

    def __init__(self, pump: Pump) -> None:
        self.points: list[Point] = []
        self.take(pump)

    def take(self, pump: Pump) -> None:
        """A point, now."""
        d, catheter = pump.delivery, pump.catheter
        self.points.append(
            Point(
                d.elapsed,
                d.pump_clock.at(d.elapsed),
                d.rate,
                d.delivered,
                catheter.arrived(d.due) // UNITS_PER_NL,
                catheter.dose(d.due) / DOSE_PER_DU,
            )
        )

    def index(self, responder: Responder) -> list[float]:
        """The responder's index at every point."""
        indexes = [responder.index]
        for before, after in zip(self.points, self.points[1:], strict=False):
            seconds = after.elapsed - before.elapsed
            rate = (after.dose - before.dose) * 3600 / seconds if seconds else 0.0
            indexes.append(responder.live(seconds, rate))
        return indexes

    def long_way(self, responder: Responder, share: int, half_life: int) -> list[float]:
        """The index when the same dose goes a long way round: `share` percent of it arrives.

        It is stored on its way, and half of what is stored comes out in every `half_life` seconds.
        """
        indexes, stored = [responder.index], 0.0
        for before, after in zip(self.points, self.points[1:], strict=False):
            seconds = after.elapsed - before.elapsed
            stored += (after.dose - before.dose) * share / 100
            out = stored * (1 - 0.5 ** (seconds / half_life))
            stored -= out
            indexes.append(responder.live(seconds, out * 3600 / seconds if seconds else 0.0))
        return indexes


class Line(NamedTuple):
    """One curve.  `steps`: its value holds until the next point."""

    name: str
    unit: str
    values: list[float]
    steps: bool = False


class Curves(NamedTuple):
    """Curves over the same elapsed seconds."""

    elapsed: list[int]
    lines: list[Line]


def curves_of(picture: PicturePart, recorder: Recorder) -> Curves:
    """The curves that a scenario's picture asks for."""
    lines = [_LINES[name](picture, recorder) for name in picture.curves]
    return Curves([point.elapsed for point in recorder.points], lines)


def _long_way(picture: PicturePart, recorder: Recorder) -> Line:
    route = picture.route
    values = (
        recorder.long_way(Responder(), route.share, read_duration(route.half_life))
        if route
        else recorder.index(Responder())
    )
    return Line("index, the long way", "of 100, fictional", values)


_LINES: dict[Curve, Callable[[PicturePart, Recorder], Line]] = {
    "rate": lambda _, taken: Line("rate", "nL/h", [p.rate for p in taken.points], steps=True),
    "pumped": lambda _, taken: Line("pumped", "nL", [p.pumped for p in taken.points]),
    "arrived": lambda _, taken: Line("arrived", "nL", [p.arrived for p in taken.points]),
    "dose": lambda _, taken: Line("dose arrived", "du, fictional", [p.dose for p in taken.points]),
    "index": lambda _, taken: Line("index", "of 100, fictional", taken.index(Responder())),
    "long way": _long_way,
}
