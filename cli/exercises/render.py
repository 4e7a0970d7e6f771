"""A report on a learner's tests, as lines for a terminal."""

import textwrap

from mockpump.cli.render import show
from mockpump.cli.tables import Cell, show_table
from mockpump.cli.terminal import complain
from mockpump.display.text import printable
from mockpump.exercises.exercise import Exercise
from mockpump.exercises.grading import named
from mockpump.exercises.judge import Judgement, Report, Verdict, caught_by_property
from mockpump.exercises.progress import Progress

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
_LEGEND = {
    "kill": "kill caught",
    "kill e": "e by an example only",
    "k/n": "k/n by k of n seeds",
    "-": "- survived",
    ".": ". not run",
    "inv": "inv fails on what is right",
    "err": "err could not be judged",
    "time": "time did not end",
}
_WIDTH = 78
_MOST_LINES = 8


def show_hint(lead: str, text: str) -> None:
    """A hint, in lines that fit."""
    first, *more = textwrap.wrap(lead + text, 78)
    show((lead, "bold"), first.removeprefix(lead))
    for line in more:
        show(line)


def warn_of(progress: Progress) -> None:
    """What could not be kept is no reason to keep the rest back."""
    if progress.error:
        complain(f"{progress.error}")


def show_report(exercise: Exercise, report: Report, progress: Progress) -> None:
    """The table of functions and defects, the counter-examples, what to do next."""
    show(f"Exercise {exercise.number}: {exercise.title}", style="bold")
    if report.error:
        show("it could not be run:", style="red")
        for line in printable(report.error.strip()).splitlines()[-12:]:
            for part in _wrapped(line, "  "):
                show(part)
        return
    _show_table(exercise, report)
    _show_wrong(exercise, report)
    _show_defects(exercise, report)
    _show_next(exercise, report, progress)


def _show_table(exercise: Exercise, report: Report) -> None:
    show("")
    rows: list[list[Cell]] = []
    used = set()
    for name in report.functions:
        cells = [report.cells[name][defect.id] for defect in exercise.defect]
        rows.append([name, *((_in_short(each), _STYLE.get(each.verdict, "dim")) for each in cells)])
        used |= {"k/n" if each.verdict is Verdict.FLAKY else _in_short(each) for each in cells}
    numbers = range(1, len(exercise.defect) + 1)
    caption = "what each test says to each defect, by number"
    show_table(("test", *(f">{number}" for number in numbers)), rows, caption)
    legend = "; ".join(text for key, text in _LEGEND.items() if key in used)
    for line in textwrap.wrap(legend, _WIDTH):
        show(line, style="dim")


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "~"


def _in_short(judgement: Judgement) -> str:
    if judgement.verdict is Verdict.FLAKY:
        return f"{judgement.kills}/{judgement.seeds}"
    by_example = judgement.verdict is Verdict.KILLED and not judgement.by_property
    return _SHORT[judgement.verdict] + (" e" if by_example else "")


def _show_wrong(exercise: Exercise, report: Report) -> None:
    about = {each.id: each.about for each in exercise.variant}
    for name, (variant, judgement) in report.wrong.items():
        show("")
        show(f"{_cut(name, 70)} is wrong:", style="red")
        told = f"{judgement.verdict.value} on the right variant '{variant}': {about[variant]}"
        for line in textwrap.wrap(told, _WIDTH - 5):
            show(f"     {line}")
        _show_example(judgement.example)


def _show_defects(exercise: Exercise, report: Report) -> None:
    show("")
    names = named(exercise, report)
    width = max(len(name) for _, name in names)
    for place, (defect, name) in enumerate(names, start=1):
        judgement = report.defects[defect.id]
        style = _STYLE.get(judgement.verdict, "")
        show(f"{place:>2} {name:<{width}} ", (in_words(judgement), style))
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
    lines = [line for line in printable(example).splitlines() if line.strip()]
    shown = [part for line in lines for part in _wrapped(line, "     ")]
    for line in shown[:_MOST_LINES]:
        show(line, style="dim")
    left = len(shown) - _MOST_LINES
    if left > 0:
        lines_ = "1 more line" if left == 1 else f"{left} more lines"
        show(f"     ... {lines_}; --json and --html have all of it", style="dim")


def _wrapped(line: str, indent: str) -> list[str]:
    """A line as it is, on as many lines as it takes."""
    inner = indent + " " * (len(line) - len(line.lstrip()))
    further = inner + "  "
    return textwrap.wrap(line.strip(), _WIDTH, initial_indent=inner, subsequent_indent=further) or [
        indent
    ]


def _show_next(exercise: Exercise, report: Report, progress: Progress) -> None:
    show("")
    if report.goal_met:
        show(("The goal is met. ", "green"), f"mockpump exercises solution {exercise.number}")
        return
    caught = sum(map(caught_by_property, report.defects.values()))
    show(f"{caught} of {len(exercise.defect)} caught by properties.")
    if report.wrong:
        show("First make right what is wrong: it asks for more than the README promises.")
        return
    defect = progress.next_hint(exercise)
    if defect is not None:
        show_hint("Hint: ", defect.hint)
