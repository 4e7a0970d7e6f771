"""What many results mean together: nothing is caught by a test that is wrong, or only sometimes."""

from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockpump.exercises.exercise import Defect, Exercise, Variant
from mockpump.exercises.grading import ERROR, GOAL_MET, SURVIVORS, WRONG_TEST, caught, exit_code
from mockpump.exercises.grading import facts as facts_of
from mockpump.exercises.judge import Ending, Judgement, Report, Result, Run, Verdict, report

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
RIGHT = [each.id for each in EXERCISE.variant]
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
    """Of the functions some are right, or hardly any kill would ever be drawn."""
    right = draw(st.sampled_from([{"f"}, {"f", "g"}, {"g"}, set()]))
    names = draw(st.sampled_from([["f"], ["f", "g"]]))
    return [
        Run(
            subject,
            seed,
            {n: PASSED if subject in RIGHT and n in right else draw(RESULTS) for n in names},
        )
        for subject in SUBJECTS
        for seed in range(draw(st.integers(1, 3)))
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
    told = facts_of(EXERCISE, found)
    third = "lurks" if found.defects["lurks"].verdict is Verdict.KILLED else "hidden-3"
    assert list(told["verdicts"]) == ["loses", "hangs", third]
    assert all(list(each) == ["loses", "hangs", third] for each in told["functions"].values())


def test_the_verdicts_one_by_one() -> None:
    timeout, error = Result(Ending.TIMEOUT), Result(Ending.TROUBLE, "unhealthy")
    elsewhere = Result(Ending.PASSED, exercised=False)
    for result, verdict in (
        (KILL, Verdict.KILLED),
        ([KILL, PASSED, KILL], Verdict.FLAKY),
        (PASSED, Verdict.SURVIVED),
        (timeout, Verdict.TIMEOUT),
        (error, Verdict.ERROR),
        (elsewhere, Verdict.NOT_EXERCISED),
        ([elsewhere, PASSED, elsewhere], Verdict.SURVIVED),
    ):
        assert judged(loses=result).defects["loses"].verdict is verdict
    assert judged(hangs=timeout).defects["hangs"].verdict is Verdict.KILLED
    assert judged(a=KILL, loses=KILL).defects["loses"].verdict is Verdict.INVALID


@given(tables())
def test_what_is_wrong_has_no_say_unless_nobody_else_has(runs: list[Run]) -> None:
    found = report(EXERCISE, runs)
    voices = [name for name in found.functions if name not in found.wrong] or found.functions
    for each, together in found.defects.items():
        assert together in [found.cells[name][each] for name in voices]


def together(f: list[Result], g: list[Result]) -> Judgement:
    """What two functions, both right, say of a defect."""
    right = [Run(each, 0, {"f": PASSED, "g": PASSED}) for each in RIGHT]
    said = [
        Run("loses", seed, {"f": a, "g": b}) for seed, (a, b) in enumerate(zip(f, g, strict=True))
    ]
    return report(EXERCISE, [*right, *said]).defects["loses"]


def test_the_strongest_voice_speaks_for_all() -> None:
    elsewhere = Result(Ending.PASSED, exercised=False)
    strongest = {
        Verdict.KILLED: [KILL] * 3,
        Verdict.FLAKY: [KILL, PASSED, PASSED],
        Verdict.TIMEOUT: [Result(Ending.TIMEOUT)] * 3,
        Verdict.SURVIVED: [PASSED] * 3,
        Verdict.ERROR: [Result(Ending.TROUBLE)] * 3,
        Verdict.NOT_EXERCISED: [elsewhere] * 3,
    }
    for (stronger, f), (_, g) in combinations(strongest.items(), 2):
        assert together(f, g).verdict is together(g, f).verdict is stronger
    by_example = [Result(Ending.FAILED, "x=0")] * 3
    assert together(by_example, [KILL] * 3).by_property
    assert together([KILL, PASSED, PASSED], [KILL, PASSED, KILL]).kills == 2


def test_what_it_rests_on() -> None:
    timeout, error = Result(Ending.TIMEOUT, "late"), Result(Ending.TROUBLE, "unhealthy", 4)
    by_example = Result(Ending.FAILED, "x=10")
    assert not judged(loses=[KILL, by_example, KILL]).defects["loses"].by_property
    for result, verdict in ((timeout, Verdict.TIMEOUT), (error, Verdict.ERROR)):
        assert judged(loses=result).defects["loses"].example == result.example
        wrong = judged(b=[PASSED, result])
        assert wrong.wrong["f"] == ("b", Judgement(verdict, 0, 2, result.example, result.tried))
        assert wrong.cells["f"]["loses"].verdict is verdict
    assert judged(loses=[error, timeout]).defects["loses"].verdict is Verdict.TIMEOUT
    assert judged(a=PASSED, loses=[KILL] * 5).seeds == 5
    assert judged(loses=[KILL]).seeds == 3
    assert not Report(1, 1).goal_met


def test_trouble_with_what_is_right_is_no_report() -> None:
    runs = [Run(each, 0, {"f": KILL if each == "loses" else PASSED}) for each in SUBJECTS]
    found = report(EXERCISE, [*runs, Run("b", 1, {"f": PASSED}, "it ended")])
    assert (found.error, found.functions, exit_code(found)) == ("it ended", (), ERROR)


def test_trouble_with_a_defect_is_what_is_said_of_that_one() -> None:
    """A file that cannot even be imported with it has caught nothing, and knows all the rest."""
    runs = [Run(each, 0, {"f": PASSED, "g": PASSED}) for each in ("a", "b", "hangs")]
    found = report(
        EXERCISE,
        [*runs, Run("loses", 0, {}, "no import"), Run("lurks", 0, {"f": KILL}, "it ended")],
    )
    assert not found.error
    assert found.cells["f"]["loses"] == Judgement(Verdict.ERROR, 0, 1, "no import")
    assert found.cells["f"]["lurks"].verdict is Verdict.KILLED
    assert found.cells["g"]["lurks"].verdict is Verdict.ERROR
    assert found.defects["hangs"].verdict is Verdict.SURVIVED


def test_what_never_ends_is_caught_by_a_property_where_that_is_the_defect() -> None:
    told = judged(hangs=[Result(Ending.TIMEOUT, "late")] * 3).defects["hangs"]
    assert (told.verdict, told.by_property, told.kills) == (Verdict.KILLED, True, 3)


def test_the_example_that_is_shown_was_made_small_if_any_was() -> None:
    small = Result(Ending.FAILED, "a longer one: x=0", 3, by_property=True, small=True)
    assert judged(loses=[KILL, small, KILL]).defects["loses"].example == small.example


def test_a_function_that_only_one_right_variant_has_seen_counts() -> None:
    runs = [Run(each, 0, {"g" if each == "b" else "f": PASSED}) for each in SUBJECTS]
    assert report(EXERCISE, runs).functions == ("f", "g")


def test_the_facts_are_those_of_the_report() -> None:
    by_example = Result(Ending.FAILED, "x=9", 1)
    told = facts_of(EXERCISE, judged(loses=KILL, hangs=by_example, lurks=[KILL, PASSED, PASSED]))
    assert told["seeds"] == 3
    assert (told["caught_by_property"], told["caught_by_example_only"]) == (1, 1)
    assert told["functions"]["f"]["loses"] == {
        "verdict": "killed",
        "kills": 3,
        "seeds": 3,
        "by_property": True,
        "tried": 3,
        "example": "x=0",
    }
    wrong = facts_of(EXERCISE, judged(b=KILL))["wrong_tests"]["f"]
    assert (wrong["variant"], wrong["verdict"], wrong["example"]) == ("b", "invalid", "x=0")


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
    both = {"f": Result(Ending.FAILED), "g": Result(Ending.TROUBLE)}
    assert exit_code(report(EXERCISE, [Run("a", 0, both), Run("b", 0, both)])) == WRONG_TEST
    assert exit_code(report(EXERCISE, [Run("a", 0, {}, "cannot be imported")])) == ERROR
    assert exit_code(report(EXERCISE, [Run("a", 0)])) == ERROR
