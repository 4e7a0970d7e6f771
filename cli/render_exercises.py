"""A report on a learner's tests, as lines for a terminal."""

import textwrap

from mockpump.cli.render import show
from mockpump.exercises.exercise import Exercise
from mockpump.exercises.grading import named
from mockpump.exercises.progress import Progress
from mockpump.exercises.verdicts import Judgement, Report, Verdict

_SHORT = {
    Verdict.KILLED: "kill",
    Verdict.FLAKY: "",
    Verdict.SURVIVED: "-",
    Verdict.TIMEOUT: "time",
    Verdict.INVALID: "inv",
    Verdict.ERROR: "err",
    Verdict.NOT_EXERCISED: ".",
}
_STYLE = {Verdict.KILLED: "green", Verdict.FLAKY: "yellow", Verdict.INVALID: "red"}
_LEGEND = "kill caught; k/n by k of n seeds; e by an example only; - survived; . not run"
_MOST_LINES = 6


def show_hint(lead: str, text: str) -> None:
    """A hint, in lines that fit."""
    first, *more = textwrap.wrap(lead + text, 78)
    show((lead, "bold"), first.removeprefix(lead))
    for line in more:
        show(line)


def show_report(exercise: Exercise, report: Report, progress: Progress) -> None:
    """The table of functions and defects, the counter-examples, what to do next."""
    show(f"Exercise {exercise.number}: {exercise.title}", style="bold")
    if report.trouble:
        show("it could not be run:", style="red")
        for line in report.trouble.strip().splitlines()[-12:]:
            show(f"  {line}")
        return
    _show_table(exercise, report)
    _show_wrong(report)
    _show_defects(exercise, report)
    _show_next(exercise, report, progress)


def _show_table(exercise: Exercise, report: Report) -> None:
    show("")
    width = min(max(len(name) for name in report.functions), 44)
    numbers = "".join(f"{place:>6}" for place in range(1, len(exercise.defect) + 1))
    show(f"{'':<{width}}{numbers}", style="dim")
    for name in report.functions:
        cells = [report.cells[name][defect.id] for defect in exercise.defect]
        shown = [(f"{_in_short(each):>6}", _STYLE.get(each.verdict, "dim")) for each in cells]
        show(f"{_cut(name, width):<{width}}", *shown)
    show(_LEGEND, style="dim")


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "~"


def _in_short(judgement: Judgement) -> str:
    if judgement.verdict is Verdict.FLAKY:
        return f"{judgement.kills}/{judgement.seeds}"
    by_example = judgement.verdict is Verdict.KILLED and not judgement.by_property
    return _SHORT[judgement.verdict] + (" e" if by_example else "")


def _show_wrong(report: Report) -> None:
    for name, (variant, judgement) in report.wrong.items():
        show("")
        show(f"{_cut(name, 70)} is wrong:", style="red")
        show(f"     {judgement.verdict.value} on the right variant '{variant}'")
        _show_example(judgement.example)


def _show_defects(exercise: Exercise, report: Report) -> None:
    show("")
    for place, (defect, name) in enumerate(named(exercise, report), start=1):
        judgement = report.defects[defect.id]
        style = _STYLE.get(judgement.verdict, "")
        show(f"{place:>2} {name:<22} ", (in_words(judgement), style))
        if judgement.kills:
            _show_example(judgement.example)


def in_words(judgement: Judgement) -> str:
    """A verdict with what it rests on."""
    if not judgement.kills:
        return judgement.verdict.value
    kills = "" if judgement.verdict is Verdict.KILLED else f" {judgement.kills}/{judgement.seeds}"
    if not judgement.by_property:
        return f"{judgement.verdict.value}{kills}, by an example in the file"
    tried = "" if judgement.tried is None else f", at example {judgement.tried}"
    return f"{judgement.verdict.value}{kills}{tried}"


def _show_example(example: str) -> None:
    lines = example.splitlines()
    for line in lines[:_MOST_LINES]:
        show(f"     {line[:74]}", style="dim")
    if len(lines) > _MOST_LINES:
        show(f"     ... {len(lines) - _MOST_LINES} lines more", style="dim")


def _show_next(exercise: Exercise, report: Report, progress: Progress) -> None:
    show("")
    if report.goal_met:
        show(("The goal is met. ", "green"), f"mockpump exercises solution {exercise.number}")
        return
    caught = sum(
        each.verdict is Verdict.KILLED and each.by_property for each in report.defects.values()
    )
    show(f"{caught} of {len(exercise.defect)} caught by properties.")
    defect = progress.hint(exercise)
    if defect is not None:
        show_hint("Hint: ", defect.hint)
