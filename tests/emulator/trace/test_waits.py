"""How long each command waited, and that the slowest leads to what held it up."""

import pytest
from recorded import example_bundle, random_run, run_of

from mockpump.emulator.trace.explain import why
from mockpump.emulator.trace.run import Run
from mockpump.emulator.trace.waits import waits_of

# In this run of `bad-link` setting the program takes nine seconds.
SLOW_SEED = 14


@pytest.fixture(scope="module", name="slow")
def slow_run() -> Run:
    return run_of(example_bundle("bad-link", SLOW_SEED))


def test_setting_the_program_waits_longest_and_its_first_note_says_why(slow: Run) -> None:
    longest = waits_of(slow)[0]
    assert (longest.name, longest.is_over) == ("set program", True)
    assert 9_000_000 < longest.took < 10_000_000
    note = longest.knots[0]
    assert note.title == "CommitProgram 7 goes five times"
    assert "One lost and three damaged" in note.text
    chain = " ".join(
        reason.text for reason in why(slow, slow.transmissions(slow.frame(29))[-1].number)
    )
    assert "timer" in chain
    assert "damaged" in chain


def test_each_note_tells_what_was_damaged_in_it(slow: Run) -> None:
    told = next(knot for knot in slow.knots if knot.title.startswith("ProgramData 6 was there"))
    assert told.text.startswith("CommitProgram 7, which would have told, is lost once and damaged")


@pytest.mark.parametrize("seed", range(6))
def test_commands_are_told_once_each_the_slowest_first(seed: int) -> None:
    run = random_run(seed)
    waits = waits_of(run)
    asked = [each for each in run.doings if each.kind in ("call", "procedure")]
    assert len(waits) == len(asked)
    assert [each.took for each in waits] == sorted((each.took for each in waits), reverse=True)
    for wait in waits:
        assert all(wait.starts <= knot.starts < wait.starts + wait.took for knot in wait.knots)
    assert sum(each.is_over for each in waits) == sum(each.ends is not None for each in asked)


def test_a_bolus_bears_its_own_name(slow: Run) -> None:
    assert [each.name for each in waits_of(slow)].count("StartBolus") == 2
