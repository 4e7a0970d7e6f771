"""The oracle: what a program delivers, found the dull way, minute by minute.

It shares nothing with `mockpump.emulator.pump` but the program itself and a few constants.
"""

from collections.abc import Iterator
from typing import Any

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.state import STEP, UNITS_PER_STEP, DeliveryEvent
from mockpump.emulator.schedule import CLOCK_CYCLE
from mockpump.protocol.program import Program


def naive_percent(program: Program, start_day: int, clock: int) -> int:
    percent = 100
    for step in program.ramp:
        if max(clock // 86_400 - start_day, 0) >= step.after:
            percent = step.percent
    return percent


def naive_rate(program: Program, start_day: int, clock: int) -> int:
    day, second = divmod(clock, 86_400)
    rate = 0
    for segment in program.patterns[program.week[day % 7]].segments:
        if segment.start * 60 <= second:
            rate = segment.rate
    return rate * naive_percent(program, start_day, clock) // 100


def naive_pieces(
    program: Program, start_day: int, clock: int, seconds: int
) -> Iterator[tuple[int, int]]:
    """(rate, seconds) from one whole minute of the clock to the next."""
    end = clock + seconds
    while clock < end:
        stop = min(end, (clock // 60 + 1) * 60)
        yield naive_rate(program, start_day, clock), stop - clock
        clock = stop


def naive_volume(program: Program, start_day: int, clock: int, seconds: int) -> int:
    """In units of 1/3600 nL."""
    return sum(rate * each for rate, each in naive_pieces(program, start_day, clock, seconds))


class NaivePump:
    """The same pump without a thought for speed: it sums the rate minute by minute."""

    def __init__(self, reservoir: int) -> None:
        self.elapsed = self.clock = self.units = self.start_day = 0
        self.capacity = reservoir // STEP * UNITS_PER_STEP
        self.running = True
        self.program: Program | None = None
        self.emptied_at = None if self.capacity else 0

    def advance(self, seconds: int) -> None:
        pieces: Any = [(0, seconds)]
        if self.program is not None and self.running:
            pieces = naive_pieces(self.program, self.start_day, self.clock, seconds)
        for rate, each in pieces:
            self._flow(rate, each)
            self.elapsed += each
        self.clock += seconds

    def _flow(self, rate: int, seconds: int) -> None:
        if self.emptied_at is not None:
            return
        self.units += rate * seconds
        over = self.units - self.capacity
        if over >= 0:
            # The whole seconds that were not needed any more.
            self.emptied_at = self.elapsed + seconds - over // rate
            self.units = self.capacity

    def set_program(self, program: Program) -> None:
        self.program = program
        self.start_day = self.clock // 86_400

    def do(self, name: str, *arguments: Any) -> None:
        if name in ("suspend", "resume"):
            self.running = name == "resume"
        elif name == "set_clock":
            # The dial goes around, the days go on: it is turned the shorter way.
            ahead = (arguments[0] - self.clock) % CLOCK_CYCLE
            self.clock += min(ahead, ahead - CLOCK_CYCLE, key=abs)
        else:
            getattr(self, name)(*arguments)


def emptied_at(delivery: Delivery) -> int | None:
    """The second in which it first ran empty, as it has told itself."""
    told = [
        elapsed for elapsed, happening, _ in delivery.events if happening is DeliveryEvent.EMPTY
    ]
    return told[0] if told else 0 if delivery.empty else None
