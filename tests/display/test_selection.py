"""Which frames are looked at: those between two bounds, and of these all or one kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import example_bundle, run_of

from mockpump.display.selection import Bound, select

RUN = run_of(example_bundle("bad-link"))
ALL = range(1, len(RUN.frames) + 1)


@given(st.sampled_from(ALL), st.sampled_from(ALL))
def test_numbers_are_bounds_themselves(first: int, last: int) -> None:
    found = select(RUN, Bound(first, True), Bound(last, True)).frames
    assert found >= set(range(first, last + 1))
    # What is sent before the last one has arrived may go with it.
    assert not found & set(range(1, first))
    ends = max(arrival.at for arrival in RUN.frame(last).arrivals or [RUN.frame(last)])
    assert all(number <= last or RUN.frame(number).at <= ends for number in found)


@given(st.integers(0, RUN.ends), st.integers(0, RUN.ends))
def test_times_are_those_of_sending(first: int, last: int) -> None:
    found = select(RUN, Bound(first, False), Bound(last, False)).frames
    assert found == {frame.number for frame in RUN.frames if first <= frame.at <= last}


def test_a_frame_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError):
        select(RUN, Bound(len(RUN.frames) + 1, True))


def test_only_some() -> None:
    faults = select(RUN, only="faults").frames
    assert faults == {number for knot in RUN.knots for number in knot.frames}
    session = [RUN.frame(number).name for number in sorted(select(RUN, only="session").frames)]
    assert session[:4] == ["OPEN", "OPEN_ACK", "Identify 0", "Identity 0"]
    assert {"Hello 1", "Welcome 1", "Prove 2", "Proven 2"} <= set(session)
    changes = {RUN.frame(number).message for number in select(RUN, only="changes").frames}
    assert changes == {"CommitProgram", "ProgramCommitted", "StartBolus", "BolusStarted"}
