"""What the results of many runs mean; pure.

A run is one subject (a right variant or a defect) with one seed, and has a result for each test
function.  The one idea: a test may only speak of defects if it accepts every right variant with
every seed; and it has caught a defect only if it fails with every seed, by a counter-example.
"""

from collections.abc import Iterable, Mapping
from enum import Enum

import msgspec

from mockpump.exercises.exercise import Exercise


class Ending(Enum):
    """How one test function ended in one run."""

    PASSED = "passed"
    FAILED = "failed"
    # It could not be run, or Hypothesis has something against it: a health check, a strategy that
    # can draw nothing, a deadline.  That is never a counter-example.
    TROUBLE = "trouble"
    TIMEOUT = "timeout"


class Result(msgspec.Struct, frozen=True):
    """One test function in one run.

    `example` is what it failed by, in as many lines as Hypothesis writes, or what the error was;
    `tried` counts its examples up to the first that failed, or all of them; None where nobody
    counted.  `by_property`: an example that was drawn, not one that stands in the file.
    `exercised`: changed code has run.  `small`: the example is as small as Hypothesis can make it.
    """

    ending: Ending
    example: str = ""
    tried: int | None = None
    by_property: bool = False
    exercised: bool = True
    small: bool = False


class Run(msgspec.Struct, frozen=True):
    """One subject with one seed.  `error`: why there is no more than these results."""

    subject: str
    seed: int
    results: dict[str, Result] = {}
    error: str = ""


class Verdict(Enum):
    """What a test function says of a defect, or all of them together."""

    KILLED = "killed"
    FLAKY = "flaky"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    INVALID = "invalid"
    ERROR = "error"
    NOT_EXERCISED = "not exercised"


class Judgement(msgspec.Struct, frozen=True):
    """A verdict with what it rests on.  `kills` of `seeds` seeds; the smallest counter-example."""

    verdict: Verdict
    kills: int = 0
    seeds: int = 0
    example: str = ""
    tried: int | None = None
    by_property: bool = False


class Report(msgspec.Struct, frozen=True):
    """All that came of checking one test file.

    `cells` are the verdicts of each test function on each defect; `defects` what they say together;
    `wrong` the right variant that a test function fails on, and how; `error` why there is no
    report.
    """

    exercise: int
    seeds: int
    functions: tuple[str, ...] = ()
    cells: dict[str, dict[str, Judgement]] = {}
    defects: dict[str, Judgement] = {}
    wrong: dict[str, tuple[str, Judgement]] = {}
    error: str = ""

    @property
    def goal_met(self) -> bool:
        """Whether every defect is caught by a property, and no test is wrong."""
        caught = all(caught_by_property(each) for each in self.defects.values())
        return bool(self.defects) and caught and not self.wrong and not self.error


def caught_by_property(judgement: Judgement) -> bool:
    """Whether it counts towards the goal."""
    return judgement.verdict is Verdict.KILLED and judgement.by_property


def report(exercise: Exercise, runs: Iterable[Run]) -> Report:
    """Judge the runs of one test file."""
    by_subject: dict[str, list[Run]] = {}
    for run in runs:
        by_subject.setdefault(run.subject, []).append(run)
    seeds = max((len(each) for each in by_subject.values()), default=0)
    right = {each.id: by_subject.get(each.id, []) for each in exercise.variant}
    error = next((run.error for each in right.values() for run in each if run.error), "")
    functions = tuple(_functions(right))
    if error or not functions:
        return Report(exercise.number, seeds, error=error or "there is no test in it")
    wrong = {name: found for name in functions if (found := _fault(name, right)) is not None}
    liveness = {each.id: each.liveness for each in exercise.defect}
    cells = {
        name: {
            defect: _cell(name, by_subject.get(defect, []), wrong, liveness=liveness[defect])
            for defect in liveness
        }
        for name in functions
    }
    # What is wrong has no say, unless nobody else has.
    voices = [name for name in functions if name not in wrong] or functions
    together = {d: _together([cells[name][d] for name in voices]) for d in liveness}
    return Report(exercise.number, seeds, functions, cells, together, wrong)


def _functions(right: Mapping[str, list[Run]]) -> list[str]:
    return list(dict.fromkeys(n for runs in right.values() for run in runs for n in run.results))


def _fault(name: str, right: Mapping[str, list[Run]]) -> tuple[str, Judgement] | None:
    """The first right variant that a function does not accept."""
    for variant, runs in right.items():
        for run in runs:
            result = run.results.get(name)
            if result is not None and result.ending is not Ending.PASSED:
                verdict = _OF_FAULT[result.ending]
                return variant, Judgement(verdict, 0, len(runs), result.example, result.tried)
    return None


_OF_FAULT = {
    Ending.FAILED: Verdict.INVALID,
    Ending.TIMEOUT: Verdict.TIMEOUT,
    Ending.TROUBLE: Verdict.ERROR,
}


def _cell(
    name: str, runs: list[Run], wrong: Mapping[str, tuple[str, Judgement]], *, liveness: bool
) -> Judgement:
    results = [found for run in runs if (found := _found(name, run)) is not None]
    if name in wrong:
        return Judgement(wrong[name][1].verdict, 0, len(results))
    killing = {Ending.FAILED, Ending.TIMEOUT} if liveness else {Ending.FAILED}
    kills = [each for each in results if each.ending in killing]
    if kills:
        # Of those that were made as small as could be, the shortest is the easiest to understand.
        best = min(kills, key=lambda each: (not each.small, len(each.example), each.example))
        verdict = Verdict.KILLED if len(kills) == len(results) else Verdict.FLAKY
        # That something never ends is seen by no example.
        by_property = all(each.by_property or each.ending is Ending.TIMEOUT for each in kills)
        return Judgement(verdict, len(kills), len(results), best.example, best.tried, by_property)
    endings = {each.ending: each for each in results}
    for ending, verdict in ((Ending.TIMEOUT, Verdict.TIMEOUT), (Ending.TROUBLE, Verdict.ERROR)):
        if ending in endings:
            return Judgement(verdict, 0, len(results), endings[ending].example)
    exercised = any(each.exercised for each in results)
    return Judgement(
        Verdict.SURVIVED if exercised else Verdict.NOT_EXERCISED, 0, len(results), "", None
    )


def _found(name: str, run: Run) -> Result | None:
    """The result in one run of a defect; where that broke off, it has spoken of nothing."""
    if name not in run.results and run.error:
        return Result(Ending.TROUBLE, run.error)
    return run.results.get(name)


# When several functions speak of a defect, the one that stands first here speaks for all.
_WEIGHT = {
    verdict: weight
    for weight, verdict in enumerate(
        (
            Verdict.KILLED,
            Verdict.FLAKY,
            Verdict.TIMEOUT,
            Verdict.SURVIVED,
            Verdict.ERROR,
            Verdict.INVALID,
            Verdict.NOT_EXERCISED,
        )
    )
}


def _together(judgements: list[Judgement]) -> Judgement:
    """What all test functions say of one defect; among kills, one by a property counts more."""
    return min(
        judgements,
        key=lambda each: (_WEIGHT[each.verdict], not each.by_property, -each.kills),
    )
