"""The oracle: what a program delivers, found the dull way, minute by minute.

It shares nothing with `mockpump.emulator.pump.schedule` but the program itself.
"""

from collections.abc import Iterator

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
