"""What many results mean together: nothing is caught by a test that is wrong, or only sometimes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockpump.exercises.exercise import Defect, Exercise, Variant
from mockpump.exercises.grading import ERROR, GOAL_MET, SURVIVORS, WRONG_TEST, caught, exit_code
from mockpump.exercises.grading import facts as facts_of
from mockpump.exercises.verdicts import Ending, Report, Result, Run, Verdict, report

PASSED, KILL = Result(Ending.PASSED), Result(Ending.FAILED, "x=0", 3, by_property=True)


def defect(name: str, *, liveness: bool = False, hidden: bool = False) -> Defect:
    return Defect(name, "m", "old", "new", "invariant", 1, "?", "w", hidden, liveness)


EXERCISE = Exercise(
    1,
    "one",
    "One",
    ("invariant",),
    "",
    (),
    (Variant("a", ""), Variant("b", "")),
    (defect("loses"), defect("hangs", liveness=True), defect("lurks", hidden=True)),
)
SUBJECTS = [each.id for each in EXERCISE.subjects]
RESULTS = st.builds(
    Result,
    st.sampled_from(Ending),
    st.sampled_from(["", "x=0", "x=10"]),
    st.none() | st.integers(1, 9),
    st.booleans(),
    st.booleans(),
)


@st.composite
def tables(draw: st.DrawFn) -> list[Run]:
    names = draw(st.sampled_from([["f"], ["f", "g"]]))
    seeds = range(draw(st.integers(1, 3)))
    return [
        Run(subject, seed, {name: draw(RESULTS) for name in names})
        for subject in SUBJECTS
        for seed in seeds
    ]


def judged(**results: Any) -> Report:
    """One function, and one result (or a list, by seed) for each subject; else it passes."""
    runs = []
    for subject in SUBJECTS:
        each = results.get(subject, PASSED)
        for seed, result in enumerate(each if isinstance(each, list) else [each] * 3):
            runs.append(Run(subject, seed, {"f": result}))
    return report(EXERCISE, runs)


@given(tables())
def test_what_is_wrong_on_a_right_variant_catches_nothing(runs: list[Run]) -> None:
    found = report(EXERCISE, runs)
    for run in runs:
        for name, result in run.results.items():
            if run.subject in ("a", "b") and result.ending is not Ending.PASSED:
                assert name in found.wrong
                assert all(not cell.kills for cell in found.cells[name].values())


@given(tables())
def test_caught_is_what_fails_with_every_seed(runs: list[Run]) -> None:
    found = report(EXERCISE, runs)
    for name, cells in found.cells.items():
        for each, cell in cells.items():
            endings = [run.results[name].ending for run in runs if run.subject == each]
            fatal = {Ending.FAILED, Ending.TIMEOUT} if each == "hangs" else {Ending.FAILED}
            always = all(ending in fatal for ending in endings)
            assert (cell.verdict is Verdict.KILLED) == (always and name not in found.wrong)


@given(tables())
def test_the_goal_is_met_by_properties_alone(runs: list[Run]) -> None:
    found = report(EXERCISE, runs)
    by_property, by_example = caught(found)
    assert by_property + by_example <= len(EXERCISE.defect)
    assert found.goal_met == (by_property == len(EXERCISE.defect) and not found.wrong)
    assert (exit_code(found) == GOAL_MET) == found.goal_met


@given(tables())
def test_what_is_hidden_is_named_only_when_it_is_caught(runs: list[Run]) -> None:
    found = report(EXERCISE, runs)
    told = facts_of(EXERCISE, found)["verdicts"]
    assert ("lurks" in told) == (found.defects["lurks"].kills > 0)
    assert {"loses", "hangs"} <= told.keys()


def test_the_verdicts_one_by_one() -> None:
    timeout, trouble = Result(Ending.TIMEOUT), Result(Ending.TROUBLE, "unhealthy")
    elsewhere = Result(Ending.PASSED, exercised=False)
    for result, verdict in (
        (KILL, Verdict.KILLED),
        ([KILL, PASSED, KILL], Verdict.FLAKY),
        (PASSED, Verdict.SURVIVED),
        (timeout, Verdict.TIMEOUT),
        (trouble, Verdict.ERROR),
        (elsewhere, Verdict.NOT_EXERCISED),
        ([elsewhere, PASSED, elsewhere], Verdict.SURVIVED),
    ):
        assert judged(loses=result).defects["loses"].verdict is verdict
    assert judged(hangs=timeout).defects["hangs"].verdict is Verdict.KILLED
    assert judged(a=KILL, loses=KILL).defects["loses"].verdict is Verdict.INVALID


def test_the_smallest_example_is_shown() -> None:
    longer = Result(Ending.FAILED, "x=1000", 9, by_property=True)
    judgement = judged(loses=[longer, KILL, longer]).defects["loses"]
    assert (judgement.example, judgement.tried) == ("x=0", 3)


def test_exit_codes() -> None:
    by_example = Result(Ending.FAILED, "x=0")
    everything = {"loses": KILL, "hangs": KILL, "lurks": KILL}
    assert exit_code(judged(**everything)) == GOAL_MET
    assert exit_code(judged(**{**everything, "lurks": by_example})) == SURVIVORS
    assert exit_code(judged(**everything, b=KILL)) == WRONG_TEST
    assert exit_code(judged(**everything, b=Result(Ending.TROUBLE))) == ERROR
    assert exit_code(report(EXERCISE, [Run("a", 0, {}, "cannot be imported")])) == ERROR
    assert exit_code(report(EXERCISE, [Run("a", 0)])) == ERROR
