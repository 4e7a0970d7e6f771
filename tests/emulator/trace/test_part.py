"""A part of a trace: the same frames as in the whole, without what is before them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import example_bundle, random_bundle

from mockpump.emulator.simulation.bundle import read_bundle
from mockpump.emulator.trace import model
from mockpump.emulator.trace.explain import why
from mockpump.emulator.trace.model import read_part, read_run
from mockpump.emulator.trace.reading import BadTrace

TRACES = [read_bundle(text).trace for text in (example_bundle("out-of-range"), random_bundle(0))]
WHOLE = [read_run(each.recording) for each in TRACES]


@pytest.fixture(autouse=True, scope="module")
def _little_is_kept() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "_BEFORE", 5)
        patch.setattr(model, "_BEHIND", 60)
        yield


@given(st.data(), st.sampled_from(range(len(TRACES))))
def test_frames_of_a_part_are_those_of_the_whole(data: st.DataObject, which: int) -> None:
    whole = WHOLE[which]
    first = data.draw(st.integers(1, whole.last), "first")
    last = data.draw(st.integers(first, min(first + 10, whole.last)), "last")
    part = read_part(TRACES[which], lambda _, n: n >= first, lambda _, n: n > last)
    assert part.before <= max(0, first - 1)
    assert part.before >= first - 1 - 10
    for number in range(first, last + 1):
        mine, theirs = part.frame(number), whole.frame(number)
        assert (mine.name, mine.at, mine.order) == (theirs.name, theirs.at, theirs.order)
        assert mine.arrivals == theirs.arrivals[: len(mine.arrivals)]
        assert mine.count == theirs.count
        if theirs.cause.frame > part.before or not theirs.cause.frame:
            assert mine.cause == theirs.cause
        else:
            assert mine.cause.why == "unknown"
        assert why(part, number)[0].frame == number
    before = [note.line for note in part.notes if note.line.t < part.frame(first).at]
    assert all(line in [note.line for note in whole.notes] for line in before)


def test_a_part_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_LINES", 20)
    with pytest.raises(BadTrace, match="ask for less"):
        read_part(TRACES[0], lambda *_: True, lambda *_: False)


def test_what_is_before_a_part_is_not_there() -> None:
    part = read_part(TRACES[0], lambda _, n: n >= 60, lambda _, n: n > 70)
    assert part.before > 40
    with pytest.raises(KeyError):
        part.frame(part.before)
    assert part.frame(part.last) is part.frames[-1]
