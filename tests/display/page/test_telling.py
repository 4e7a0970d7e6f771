"""What the page is told of a run is what is in the run."""

from functools import cache
from pathlib import Path

import msgspec
import pytest
from recorded import example_bundle, run_of

from mockpump.cli.named_runs import named_run
from mockpump.display.page.model import Model
from mockpump.display.page.telling import model_of
from mockpump.display.page.times import moment, span
from mockpump.emulator.trace.format import Ends
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.run import Run

WINDOWS = str(Path(__file__).parents[2] / "browser" / "windows.toml")
NAMES = (
    "bad-link",
    "bolus-lost-reply",
    "replay-attack",
    "out-of-range",
    "two-programmers",
    "windows",
)


@cache
def told(name: str) -> tuple[Run, Model]:
    named = named_run(WINDOWS, 10) if name == "windows" else named_run(name, 7)
    run = read_run(named.recording)
    return run, model_of(run, named.title, named.programs)


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_is_told_once_with_its_faults(name: str) -> None:
    run, model = told(name)
    assert len(model.frames) == len(run.frames)
    for sent, frame in zip(run.frames, model.frames, strict=True):
        assert model.images[frame.image].line == sent.data.hex()
        assert bool(frame.lost) == bool(sent.lost)
        assert [each.at for each in frame.arrivals] == [each.at for each in sent.arrivals]
        assert [each.garbage for each in frame.arrivals] == [
            each.data[: each.garbage].hex() for each in sent.arrivals
        ]
        flips = [each.byte for arrival in frame.arrivals for each in arrival.flips]
        assert flips == [each.byte for arrival in sent.arrivals for each in arrival.flips]
        if sent.faults:
            assert frame.trouble, sent.name
        assert all(0 <= each < len(model.reasons) for each in frame.why)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_names_something(name: str) -> None:
    _, model = told(name)
    numbers = range(len(model.frames) + 1)
    for knot in model.knots:
        assert set(knot.frames) <= set(numbers)
        assert knot.focus in knot.frames
    for timer in model.timers:
        assert timer.first in numbers
        assert timer.last in numbers
    for rows in (model.states, model.truth, model.belief):
        for row in rows:
            assert all(-1 <= each < len(model.texts) for each in row.words)
    assert all(len(each.words) == len(model.fact_rows) for each in model.truth + model.belief)
    assert all(len(each.words) == len(model.link_rows) for each in model.states)


def test_a_timer_leads_from_the_frame_that_started_it_to_the_next_one() -> None:
    _, model = told("bolus-lost-reply")
    timer = next(each for each in model.timers if each.side == 0)
    first, last = model.frames[timer.first - 1], model.frames[timer.last - 1]
    assert (first.name, last.name, last.count) == ("StartBolus", "StartBolus", 2)
    assert (timer.starts, timer.ends, timer.text) == (first.at, last.at, "200 ms")


def test_what_is_kept_lies_in_lanes_of_its_own_until_it_is_handed_up() -> None:
    run, model = told("windows")
    kept = [each for each in model.bars if each.kind == "kept"]
    assert kept
    for bar in kept:
        frame = run.frames[bar.frames[0] - 1]
        assert bar.ends == frame.handed_up
        beside = [
            each
            for each in model.bars
            if each is not bar and each.side == bar.side and each.lane == bar.lane
        ]
        assert all(each.ends <= bar.starts or each.starts >= bar.ends for each in beside)


def test_the_head_says_what_was_asked_and_what_happened() -> None:
    _, model = told("bolus-lost-reply")
    assert model.name == "bolus-lost-reply, seed 7"
    assert model.claim == "one change asked for, one done, one known"
    assert model.sums == "57 frames: 6 lost, 10 sent again"
    assert told("replay-attack")[1].sums == "68 frames: 4 refused"


def test_a_program_has_its_name_where_it_is_known() -> None:
    _, model = told("bad-link")
    place = model.fact_rows.index("program")
    assert {model.texts[each.words[place]] for each in model.truth} == {"day"}
    nameless = model_of(told("bad-link")[0], "x")
    assert nameless.texts[nameless.truth[0].words[place]] == "90464118..."


def test_somebody_else_is_on_the_line_for_a_while() -> None:
    _, model = told("replay-attack")
    assert [model.sides[each.side] for each in model.guests] == ["somebody else"]
    refused = next(each for each in model.frames if each.name == "StartBolus" and each.by == 2)
    assert refused.fate == "delivered; the pump refuses it: no session"


def test_the_line_is_said_in_words() -> None:
    assert told("out-of-range")[1].line == [
        (0, "delay 10 ms \u00b7 outage 20 s from 145 ms and 20 s from 25 s")
    ]


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (7, "7 \u00b5s"),
        (1_500, "1.5 ms"),
        (20_000, "20 ms"),
        (999_600, "1 s"),
        (1_140_000, "1.14 s"),
    ],
)
def test_a_span_is_short(time: int, words: str) -> None:
    assert span(time) == words


def test_a_moment_has_milliseconds() -> None:
    assert moment(1_234_567) == "1.235 s"


def test_a_trace_that_lacks_something_says_where() -> None:
    recording = named_run("bolus-lost-reply", 7).recording
    whole = model_of(read_run(recording), "x")
    assert whole.source.endswith("two links that are fed with the trace send the same frames.")
    lines = [each for each in recording.lines if getattr(each, "id", 0) != 9 or each.t < 8_000]
    assert len(lines) < len(recording.lines)
    gap = model_of(read_run(recording._replace(lines=lines)), "x")
    assert "but the trace lacks something at 0.009 s" in gap.source
    assert gap.claim == "one change asked for, none done, one known"
    assert any("the trace lacks something here" in each.text for each in gap.captions)


def test_a_trace_of_links_that_were_not_recorded_says_so() -> None:
    recording = named_run("clock", 7).recording
    head = msgspec.structs.replace(recording.head, ends=Ends())
    model = model_of(read_run(recording._replace(head=head)), "x")
    assert model.source.endswith("as far as the trace says how the links were set.")
    assert {model.texts[each.words[0]] for each in model.states} <= {"not in the trace"}


def test_the_head_of_the_page_says_what_waited_longest_and_which_notes_say_why() -> None:
    told = model_of(run_of(example_bundle("bad-link", 14)), "bad-link, seed 14")
    longest = told.waits[0]
    assert longest.text == "set program 9.1 s"
    notes = {note.number: note.title for note in told.knots}
    assert notes[longest.knots[0]] == "CommitProgram 7 goes five times"
