"""Runs as they are read from their traces: frames, what happened to them, and why each was sent."""

from collections import Counter

import msgspec
import pytest
from drawn_scenarios import scenarios
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import trace_of
from traced import Traced, traced, traced_example, traced_steps

from mockpump.emulator.simulation.campaign import scenario_text
from mockpump.emulator.simulation.scenario import load_scenario
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.explain import FAULT_WORDS, fate, why
from mockpump.emulator.trace.knots import times
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import Recording
from mockpump.emulator.trace.run import CAUSES, Knot, Run
from mockpump.protocol.framing import Frame, Kind, encode_frame

CLEAN = {"delay": "10ms"}


def run_of(name: str, seed: int = 7) -> Run:
    return read_run(traced_example(name, seed).recording)


# -- frames ----------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(scenarios(), st.integers(0, 10**6))
def test_a_run_has_every_chunk_and_every_fault_once(facts: dict[str, object], seed: int) -> None:
    recorded = traced(load_scenario(scenario_text(facts), "drawn"), seed).recording
    run = read_run(recorded)
    sent = [line for line in recorded.lines if isinstance(line, lines.Sent)]
    came = [line for line in recorded.lines if isinstance(line, lines.Arrived)]
    assert [frame.number for frame in run.frames] == list(range(1, len(sent) + 1))
    assert [frame.data.hex() for frame in run.frames] == [line.bytes for line in sent]
    assert sum(len(frame.arrivals) for frame in run.frames) == len(came)
    faults = Counter(line.lost for line in sent if line.lost)
    faults += Counter(kind for line in came for kind, _, _ in line.faults)
    assert Counter(kind for frame in run.frames for kind in frame.faults) == faults
    assert set(faults) <= set(FAULT_WORDS)


@settings(max_examples=25)
@given(scenarios(), st.integers(0, 10**6))
def test_every_frame_has_a_cause_and_every_chain_an_end(
    facts: dict[str, object], seed: int
) -> None:
    run = read_run(traced(load_scenario(scenario_text(facts), "drawn"), seed).recording)
    for frame in run.frames:
        assert frame.cause.why in CAUSES
        assert frame.cause.why != "unknown"
        assert frame.cause.frame < frame.number
        chain = why(run, frame.number)
        assert 2 <= len(chain) <= 20
        assert all(0 <= reason.frame <= len(run.frames) for reason in chain)
    for frame in run.frames:
        assert all(run.frame(effect).cause.frame == frame.number for effect in frame.effects)


def test_a_frame_is_on_the_line_for_as_long_as_its_bytes_take() -> None:
    run = run_of("bad-link")
    for frame in run.frames:
        assert frame.ends - frame.begins == -(-len(frame.data) * 10_000_000 // 9_600)
        for arrival in frame.arrivals:
            assert arrival.at >= frame.ends + 30_000


def test_damage_is_where_the_bytes_differ() -> None:
    run = run_of("bad-link")
    damaged = [(f, a) for f in run.frames for a in f.arrivals if a.flips]
    assert damaged
    for frame, arrival in damaged:
        came = arrival.data[arrival.garbage :]
        pairs = enumerate(zip(frame.data, came, strict=True), start=1)
        differ = [place for place, (was, is_) in pairs if was != is_]
        assert [flip.byte for flip in arrival.flips] == differ
        assert all(flip.bits for flip in arrival.flips)


def test_times_a_frame_went_are_counted() -> None:
    run = run_of("bad-link")
    again = [frame for frame in run.frames if frame.counts > 1]
    assert again
    for frame in again:
        same = run.transmissions(frame)
        assert [each.count for each in same] == list(range(1, frame.counts + 1))
        assert len({each.frame.payload for each in same if each.frame}) == 1


# -- why -------------------------------------------------------------------------------------------


def chain(run: Run, number: int) -> str:
    return "\n".join(reason.text for reason in why(run, number))


def test_a_resend_is_explained_back_to_the_damaged_byte() -> None:
    run = run_of("bad-link")
    again = [frame for frame in run.frames if frame.cause.why == "timer"]
    found = next(frame for frame in again if "damaged" in fate(run.frame(frame.cause.frame)))
    told = chain(run, found.number)
    assert "resent, because" in told
    assert "timer" in told
    assert "because nothing acknowledged" in told
    assert " flipped) and stopped: " in told


def test_a_resend_of_what_was_there_is_explained_by_its_acknowledgement() -> None:
    run = run_of("bolus-lost-reply")
    again = next(f for f in run.frames if f.count == 2 and f.message == "StartBolus")
    told = chain(run, again.number)
    assert "it had arrived" in told
    assert "lost, as the scenario wants it" in told


def test_a_loss_is_found_by_what_arrives_behind_it_before_any_timer() -> None:
    run = read_run(lossy_log().recording)
    fast = [frame for frame in run.frames if frame.cause.why == "gap"]
    assert fast
    assert "said that what was sent later is there" in chain(run, fast[0].number)


def lossy_log() -> Traced:
    """A long log, read over a line that loses frames."""
    toggles = [{"suspend": True} if each % 2 else {"resume": True} for each in range(1, 40)]
    line = {"loss": "20%", "delay": "20ms"}
    steps = (*toggles, {"channel": line}, {"show": "log"})
    return traced_steps(*steps, channel=CLEAN, programmer={"payload": 64})


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("replay-attack", "attack"),
        ("two-programmers", "rival"),
        ("two-programmers", "stray"),
        ("day", "keepalive"),
        ("day", "delayed"),
        ("day", "asked"),
        ("day", "next"),
        ("day", "answer"),
    ],
)
def test_examples_show_these_causes(name: str, cause: str) -> None:
    assert any(frame.cause.why == cause for frame in run_of(name).frames)


def test_a_frame_that_there_is_not() -> None:
    run = run_of("day")
    for beyond in (0, len(run.frames) + 1):
        with pytest.raises(KeyError):
            why(run, beyond)


# -- what is beside the frames ---------------------------------------------------------------------


def test_the_replies_that_a_scenario_loses_are_frames_of_its_run() -> None:
    lost = [frame for frame in run_of("bolus-lost-reply").frames if frame.lost == "scenario"]
    assert len(lost) == 6
    assert {frame.sender for frame in lost} == {"pump"}


def test_a_change_is_asked_done_and_known() -> None:
    for change in run_of("bad-link").changes:
        assert change.done is not None
        assert change.known is not None
        assert change.asked < change.done < change.known
    (lost, *_) = run_of("bolus-lost-reply").changes
    assert lost.done is not None
    assert lost.known is not None
    assert lost.known - lost.done > 5_000_000


def test_each_change_was_done_once_only_when_the_log_has_no_other_entry_like_it() -> None:
    run = run_of("bad-link")
    assert run.done_once
    entry = next(
        note
        for note in run.notes
        if isinstance(note.line, lines.Log) and note.line.number == run.changes[0].entry
    )
    run.notes.append(entry._replace(line=msgspec.structs.replace(entry.line, number=99)))
    assert not run.done_once
    run.changes.clear()
    assert not run.done_once


def test_an_entry_stands_where_it_was_made() -> None:
    run = run_of("replay-attack")
    first = next(note.line for note in run.notes if isinstance(note.line, lines.Log))
    assert (first.t, first.kind) == (0, "made")
    logged = [note.line for note in run.notes if isinstance(note.line, lines.Log)]
    failed = next(entry for entry in logged if entry.kind == "proof_failed")
    prove = next(f for f in run.frames if f.sender == "somebody" and f.message == "Prove")
    assert failed.t == prove.arrivals[0].at


def test_a_doing_is_inside_the_one_that_began_it() -> None:
    run = run_of("day")
    by_number = {doing.number: doing for doing in run.doings}
    inner = [doing for doing in run.doings if doing.inside]
    assert {by_number[doing.inside].kind for doing in inner} == {"action"}
    assert all(doing.ends is not None for doing in run.doings)


def test_flights_are_within_the_window_and_lanes_hold_one_at_a_time() -> None:
    run = read_run(lossy_log().recording)
    assert len({flight.lane for flight in run.flights if flight.side == "programmer"}) > 1
    for side in ("programmer", "pump"):
        mine = [flight for flight in run.flights if flight.side == side]
        for one in mine:
            for other in mine:
                if one is not other and one.lane == other.lane:
                    assert one.ends <= other.starts or other.ends <= one.starts
        assert max(flight.lane for flight in mine) < 8


def test_a_timer_that_ran_out_has_brought_about_what_went_again() -> None:
    run = run_of("bad-link")
    expired = [timer for timer in run.timers if timer.how == "expired"]
    again = {(f.sender, f.at) for f in run.frames if f.cause.why == "timer"}
    assert {(timer.side, timer.ends) for timer in expired} == again


# -- what to look at -------------------------------------------------------------------------------


@settings(max_examples=25)
@given(scenarios(), st.integers(0, 10**6))
def test_every_troubled_frame_is_in_one_knot_at_least(facts: dict[str, object], seed: int) -> None:
    run = read_run(traced(load_scenario(scenario_text(facts), "drawn"), seed).recording)
    told = {number for knot in run.knots for number in knot.frames}
    assert {frame.number for frame in run.frames if frame.is_troubled} <= told
    assert [knot.number for knot in run.knots] == list(range(1, len(run.knots) + 1))
    for knot in run.knots:
        assert knot.focus in knot.frames
        assert knot.starts <= knot.ends
        assert knot.title
        assert knot.text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("bolus-lost-reply", "StartBolus is done, and not known to be done"),
        ("out-of-range", "Out of range for 20 s"),
        ("replay-attack", "Somebody else on the line"),
        ("two-programmers", "A second programmer"),
        ("bad-link", "WriteProgram 5 goes three times"),
    ],
)
def test_the_point_of_an_example_is_a_knot(name: str, title: str) -> None:
    assert title in {knot.title for knot in run_of(name).knots}


def test_numbers_that_come_round_tie_nothing_together() -> None:
    """An acknowledgement that is lost is not missed by what has its number much later."""
    toggles = [{"suspend": True}, {"wait": "15s"}, {"resume": True}, {"wait": "15s"}] * 100
    line = {"loss": "20%", "delay": "20ms"}
    run = read_run(traced_steps({"channel": line}, *toggles, channel=CLEAN).recording)
    assert max(f.frame.seq for f in run.frames if f.frame) > 128
    assert len(run.knots) > 30
    assert max(knot.frames[-1] - knot.frames[0] for knot in run.knots) < 40


def knot_of(recording: Recording, title: str) -> Knot:
    return next(knot for knot in read_run(recording).knots if knot.title.startswith(title))


def test_what_the_line_did_to_the_answers_is_counted() -> None:
    recording = traced_example("bolus-lost-reply").recording
    (change, *_) = read_run(recording).changes
    replies = [read_run(recording).frame(each) for each in change.replies]
    lost = sum(bool(frame.lost) for frame in replies)
    told = "StartBolus is done, and not known to be done"
    assert lost
    assert f"Its answer is lost {times(lost)}." in knot_of(recording, told).text
    spoilt = [_damaged_instead(line) for line in recording.lines]
    damaged = recording._replace(lines=[each for one in spoilt for each in one])
    assert f"Its answer is damaged {times(lost)}." in knot_of(damaged, told).text


def _damaged_instead(line: lines.AnyLine) -> list[lines.AnyLine]:
    """What a scenario lost, not lost but damaged."""
    if not (isinstance(line, lines.Sent) and line.lost):
        return [line]
    data = bytearray.fromhex(line.bytes)
    data[3] ^= 1
    whole = msgspec.structs.replace(line, lost="")
    faults = [("ber", 3, 4)]
    to = "programmer" if line.by == "pump" else "pump"
    came = lines.Arrived(t=line.t, id=line.id, to=to, bytes=data.hex(), faults=faults)
    return [whole, came]


def test_a_frame_that_is_lost_and_not_sent_again_says_so_and_what_follows() -> None:
    """The programmer is told to hang up before its timer runs out."""
    data = encode_frame(Frame(Kind.DATA, 7, 0, 0, payload=b"\0")).hex()
    close = encode_frame(Frame(Kind.RESET, 7)).hex()
    gone = lines.Sent(t=0, id=1, by="programmer", bytes=data, lost="loss")
    alone = knot_of(trace_of(gone), "? 0")
    assert alone.title == "? 0 is lost on the line"
    assert "sends nothing more" in alone.text
    after = lines.Sent(t=9, id=2, by="programmer", bytes=close)
    assert "goes on with RESET" in knot_of(trace_of(gone, after), "? 0").text


def test_a_run_without_trouble_has_no_knot() -> None:
    assert run_of("day").knots == []
