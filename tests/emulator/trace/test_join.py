"""Two traces of one line, one of each end, made one again."""

from collections.abc import Iterator

import msgspec
import pytest
from traced import traced, traced_example

from mockpump.emulator.simulation.campaign import random_facts, scenario_text
from mockpump.emulator.simulation.scenario import load_scenario
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.format import PROGRAMMER, PUMP, Ends, Sender
from mockpump.emulator.trace.join import join
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import BadTrace, Recording
from mockpump.emulator.trace.run import Run, Transmission

# What only the end of the programmer can record, beside what it sends and hears.
_OF_PROGRAMMER = (lines.Belief, lines.Programmer, lines.Began, lines.Ended)
_OF_PUMP = (lines.Log, lines.Pump, lines.Alarm, lines.Power)


def half(whole: Recording, side: Sender, later: int = 0) -> Recording:
    """What one end of a line knows of a run, by a clock that is ahead."""
    ends = Ends(**{side: getattr(whole.head.ends, side)})
    head = msgspec.structs.replace(whole.head, time="real", ends=ends)
    mine = (each for line in whole.lines for each in _known_at(side, line))
    numbered = enumerate(mine, start=1)
    return Recording(
        head,
        [
            msgspec.structs.replace(
                line,
                t=line.t + later,
                **({"id": number} if isinstance(line, lines.Sent | lines.Arrived) else {}),
            )
            for number, line in numbered
        ],
    )


def _known_at(side: Sender, line: lines.AnyLine) -> Iterator[lines.AnyLine]:
    if isinstance(line, lines.Sent) and line.by == side:
        yield msgspec.structs.replace(line, lost="")
    elif isinstance(line, lines.Arrived) and line.to == side:
        yield msgspec.structs.replace(line, faults=[])
    elif isinstance(line, _OF_PROGRAMMER if side == PROGRAMMER else _OF_PUMP):
        yield line


def joined(whole: Recording, later: int) -> Recording:
    return join(half(whole, PROGRAMMER), half(whole, PUMP, later))


def told(run: Run) -> dict[str, list[object]]:
    """The frames of each direction: their bytes, and what came of each, with its verdict."""
    return {side: [_told(f) for f in run.frames if f.sender == side] for side in (PROGRAMMER, PUMP)}


def _told(frame: Transmission) -> object:
    return frame.data, frame.first, [(each.data, each.verdict) for each in frame.arrivals]


def without_order(of_sides: dict[str, list[object]]) -> dict[str, list[object]]:
    return {
        side: [(data, arrivals) for data, _, arrivals in own]  # type: ignore[misc]
        for side, own in of_sides.items()
    }


def as_if_real(whole: Recording) -> Run:
    head = msgspec.structs.replace(whole.head, time="real")
    return read_run(whole._replace(head=head))


LINES = [
    {"delay": "30ms"},
    {"delay": "30ms", "baud": 9600, "loss": "8%", "ber": 0.0002},
    {"delay": "20ms", "jitter": "5ms", "loss": "20%"},
    {"delay": "40ms", "baud": 19200, "duplicate": "6%", "reorder": "5%"},
]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("later", [-20_000, 10**9])
def test_two_halves_make_the_whole_again(seed: int, line: dict[str, object], later: int) -> None:
    facts = random_facts(seed)
    facts = {**facts, "channel": line, "step": facts["step"][:3]}
    whole = traced(load_scenario(scenario_text(facts), "drawn"), seed).recording
    run = read_run(joined(whole, later))
    assert without_order(told(run)) == without_order(told(as_if_real(whole)))
    assert all(frame.was_seen_sent for frame in run.frames)
    numbers = [each.id for each in joined(whole, later).lines if isinstance(each, lines.Sent)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("name", ["bad-link", "day", "out-of-range", "limits", "stall"])
def test_examples_are_the_same_when_joined(name: str) -> None:
    whole = traced_example(name).recording
    run = read_run(joined(whole, 77_000_000))
    assert without_order(told(run)) == without_order(told(as_if_real(whole)))
    times = [line.t for line in joined(whole, 77_000_000).lines]
    assert times == sorted(times)
    for frame in run.frames:
        assert all(each.at >= frame.at for each in frame.arrivals)


def test_one_of_each_end_is_wanted_and_of_one_line() -> None:
    whole = traced_example("day").recording
    pumps, programmers = half(whole, PUMP), half(whole, PROGRAMMER)
    with pytest.raises(BadTrace, match="recorded at the pump and the pump: give one of each end"):
        join(pumps, pumps)
    with pytest.raises(BadTrace, match="no frame in common"):
        join(programmers, half(traced_example("day", 8).recording._replace(lines=[]), PUMP))
    assert join(pumps, programmers) == join(programmers, pumps)


def test_what_was_never_heard_is_lost_only_when_later_frames_were() -> None:
    whole = traced_example("bad-link").recording
    run, virtual = read_run(joined(whole, 0)), read_run(whole)
    assert {frame.lost for frame in run.frames} == {"", "loss"}
    last_heard = {frame.sender: frame.number for frame in virtual.frames if frame.arrivals}
    assert [frame.number for frame in run.frames if frame.lost] == [
        frame.number
        for frame in virtual.frames
        if frame.lost and frame.number < last_heard[frame.sender]
    ]
    last = next(
        place
        for place, line in reversed(list(enumerate(whole.lines)))
        if isinstance(line, lines.Arrived) and line.to == PUMP
    )
    cut = whole._replace(lines=[*whole.lines[:last], *whole.lines[last + 1 :]])
    sent = [frame for frame in read_run(joined(cut, 0)).frames if frame.sender == PROGRAMMER]
    assert not sent[-1].arrivals
    assert not sent[-1].lost
