"""A report in numbers and plain values: for JSON, for a table of many submissions.

What is hidden and was not caught is not named.
"""

from typing import Any

from mockpump.exercises.exercise import Defect, Exercise
from mockpump.exercises.judge import Judgement, Report, Verdict

# The exit codes of a check.
GOAL_MET, SURVIVORS, WRONG_TEST, ERROR = range(4)
_FAULTS_OF_A_TEST = {Verdict.INVALID, Verdict.TIMEOUT}


def exit_code(report: Report) -> int:
    """0 the goal is met, 1 defects survive, 2 a test is wrong on a right variant, 3 error."""
    if report.error:
        return ERROR
    verdicts = {judgement.verdict for _, judgement in report.wrong.values()}
    if verdicts & _FAULTS_OF_A_TEST:
        return WRONG_TEST
    if verdicts:
        return ERROR
    return GOAL_MET if report.goal_met else SURVIVORS


def name_of(place: int, defect: Defect, judgement: Judgement | None) -> str:
    """What a defect is called: a hidden one has a number only, until it is caught."""
    caught = judgement is not None and judgement.verdict is Verdict.KILLED
    return defect.id if caught or not defect.hidden else f"hidden-{place}"


def named(exercise: Exercise, report: Report) -> list[tuple[Defect, str]]:
    """The defects of an exercise, each with what it may be called."""
    return [
        (defect, name_of(place, defect, report.defects.get(defect.id)))
        for place, defect in enumerate(exercise.defect, start=1)
    ]


def caught(report: Report) -> tuple[int, int]:
    """How many defects are caught by a property; and how many by an example or plain test only."""
    kills = [each for each in report.defects.values() if each.verdict is Verdict.KILLED]
    by_property = sum(each.by_property for each in kills)
    return by_property, len(kills) - by_property


def facts(exercise: Exercise, report: Report) -> dict[str, Any]:
    """All of a report, in plain values."""
    names = named(exercise, report)
    by_property, by_example = caught(report)
    return {
        "exercise": exercise.number,
        "name": exercise.name,
        "goal_met": report.goal_met,
        "seeds": report.seeds,
        "defects": len(exercise.defect),
        "caught_by_property": by_property,
        "caught_by_example_only": by_example,
        "trouble": report.error,
        "wrong_tests": {
            name: {"variant": variant, **_plain(judgement)}
            for name, (variant, judgement) in report.wrong.items()
        },
        "verdicts": {
            shown: _plain(report.defects[defect.id])
            for defect, shown in names
            if defect.id in report.defects
        },
        "functions": {
            function: {
                shown: _plain(cells[defect.id]) for defect, shown in names if defect.id in cells
            }
            for function, cells in report.cells.items()
        },
    }


def _plain(judgement: Judgement) -> dict[str, Any]:
    return {
        "verdict": judgement.verdict.value,
        "kills": judgement.kills,
        "seeds": judgement.seeds,
        "by_property": judgement.by_property,
        "tried": judgement.tried,
        "example": judgement.example,
    }
