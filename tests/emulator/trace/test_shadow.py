"""Shadows: both links once more, from the lines of a trace alone.  They guard the trace."""

import msgspec
import pytest
from drawn_scenarios import scenarios
from hypothesis import given, settings
from hypothesis import strategies as st
from traced import Traced, traced, traced_example, traced_steps

from mockpump.cli.examples import scenario_names
from mockpump.emulator.simulation.campaign import scenario_text
from mockpump.emulator.simulation.scenario import load_scenario
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import Recording
from mockpump.emulator.trace.run import Run
from mockpump.emulator.trace.shadow import Hole


def holes(recording: Recording) -> list[Hole]:
    return read_run(recording).holes


@pytest.mark.parametrize("name", scenario_names())
@pytest.mark.parametrize("seed", [0, 7])
def test_the_shadows_send_just_what_every_example_has_sent(name: str, seed: int) -> None:
    assert holes(traced_example(name, seed).recording) == []


@settings(max_examples=30)
@given(scenarios(), st.integers(0, 10**6))
def test_the_shadows_send_just_what_any_run_has_sent(facts: dict[str, object], seed: int) -> None:
    run = traced(load_scenario(scenario_text(facts), "drawn"), seed)
    assert holes(run.recording) == []


def agreed(run: Traced, read: Run) -> tuple[int, int]:
    """How many states of the shadows were those of the links at that time, and how many not."""
    real: dict[int, list[dict[str, object]]] = {}
    for at, links in run.stands:
        real.setdefault(at, []).append(dict(links))
    same = [
        any(links[state.side] == state.link for links in real.get(state.at, ()))
        for state in read.states
    ]
    return sum(same), len(same) - sum(same)


@pytest.mark.parametrize("name", ["bad-link", "out-of-range", "bolus-lost-reply", "stall"])
def test_a_shadow_stands_where_its_link_stood(name: str) -> None:
    run = traced_example(name)
    same, other = agreed(run, read_run(run.recording))
    assert same > 20
    assert other == 0


def test_every_chunk_that_is_left_out_of_a_trace_is_missed_if_anything_came_of_it() -> None:
    recording = traced_example("bad-link").recording
    sent = [place for place, line in enumerate(recording.lines) if isinstance(line, lines.Sent)]
    unnoticed = [
        place
        for place in sent
        if not holes(recording._replace(lines=_without(recording.lines, place)))
    ]
    # A request that was lost and went again looks as if it had been sent the second time only.
    assert len(unnoticed) <= 1
    assert len(sent) > 30


def test_an_arrival_that_was_left_out_is_missed() -> None:
    recording = traced_example("day").recording
    place = next(at for at, line in enumerate(recording.lines) if isinstance(line, lines.Arrived))
    (hole, *_) = holes(recording._replace(lines=_without(recording.lines, place)))
    assert (hole.side, hole.missing) == ("pump", ("OPEN_ACK",))


def test_a_chunk_that_was_sent_a_microsecond_later_is_missed() -> None:
    recording = traced_example("day").recording
    place = next(
        at
        for at, line in enumerate(recording.lines)
        if isinstance(line, lines.Sent) and line.by == "pump"
    )
    later = [
        msgspec.structs.replace(line, t=line.t + (at >= place))
        for at, line in enumerate(recording.lines)
    ]
    assert holes(recording._replace(lines=later))[0].missing == ("OPEN_ACK",)


def _without(all_lines: list[lines.AnyLine], place: int) -> list[lines.AnyLine]:
    return all_lines[:place] + all_lines[place + 1 :]


def test_after_a_power_cut_the_pump_has_a_new_link() -> None:
    run = read_run(traced_steps({"suspend": True}, {"reboot": True}, {"resume": True}).recording)
    assert any(isinstance(note.line, lines.Power) for note in run.notes)
    assert run.holes == []
    idle = [state for state in run.states if state.side == "pump" and state.link.state == "idle"]
    assert len(idle) >= 2


def test_what_waits_behind_a_full_window_is_in_the_trace() -> None:
    """With a window of 1 the requests of one batch wait for each other."""
    run = traced_steps(
        {"bolus": {"volume": 10_000, "over": "1h"}},
        *({"suspend": True} if each % 2 else {"resume": True} for each in range(1, 20)),
        {"show": "log"},
        programmer={"window": 1, "payload": 64},
    )
    waited = [line for line in run.recording.lines if isinstance(line, lines.Waiting)]
    assert waited
    assert holes(run.recording) == []
    never_waits = [line for line in run.recording.lines if line not in waited]
    assert read_run(run.recording._replace(lines=never_waits)).frames
