"""A report on a learner's tests, as one page that needs nothing else."""

from html import escape

from mockpump.cli.exercises.render import in_words
from mockpump.exercises.exercise import Exercise
from mockpump.exercises.grading import named
from mockpump.exercises.judge import Judgement, Report, caught_by_property

_LEARNING_AID = "A learning aid, not a sealed exam.  Everything here is fictional."

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mockpump exercise {number}: {title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ padding: .3rem .6rem; border: 1px solid #8886; text-align: left; }}
pre {{ background: #8882; padding: .6rem; overflow-x: auto; }}
.killed {{ color: #17803d; font-weight: 600; }} .flaky, .timeout {{ color: #a16207; }}
.invalid, .error {{ color: #c02626; font-weight: 600; }}
</style>
<h1>Exercise {number}: {title}</h1>
<p>{goal}</p>
<p><strong>{summary}</strong></p>
{body}
<p><small>{aid}</small></p>
</html>
"""


def page(exercise: Exercise, report: Report) -> str:
    """The report as one page that needs nothing else."""
    if report.error:
        body = f"<h2>It could not be run</h2><pre>{escape(report.error)}</pre>"
        summary = "No report."
    else:
        body = (
            _page_table(exercise, report)
            + _page_wrong(exercise, report)
            + _page_defects(exercise, report)
        )
        caught = sum(map(caught_by_property, report.defects.values()))
        met = "The goal is met." if report.goal_met else "The goal is not met yet."
        summary = f"{caught} of {len(exercise.defect)} defects caught by properties. {met}"
    return _PAGE.format(
        number=exercise.number,
        title=escape(exercise.title),
        goal=escape(exercise.goal.strip()),
        summary=summary,
        body=body,
        aid=_LEARNING_AID,
    )


def _page_table(exercise: Exercise, report: Report) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for _, name in named(exercise, report))
    rows = "".join(
        f"<tr><th>{escape(function)}</th>"
        + "".join(_page_cell(report.cells[function][defect.id]) for defect in exercise.defect)
        + "</tr>"
        for function in report.functions
    )
    return f"<h2>Functions and defects</h2><table><tr><th></th>{head}</tr>{rows}</table>"


def _page_cell(judgement: Judgement) -> str:
    name = judgement.verdict.value
    return f'<td class="{name.replace(" ", "-")}">{escape(in_words(judgement))}</td>'


def _page_wrong(exercise: Exercise, report: Report) -> str:
    about = {each.id: each.about for each in exercise.variant}
    return "".join(
        f'<h2 class="invalid">{escape(name)} is wrong</h2>'
        f"<p>{judgement.verdict.value} on the right variant {escape(variant)}:"
        f" {escape(about[variant])}</p>"
        f"<pre>{escape(judgement.example)}</pre>"
        for name, (variant, judgement) in report.wrong.items()
    )


def _page_defects(exercise: Exercise, report: Report) -> str:
    parts = ["<h2>Counter-examples</h2>"]
    for defect, name in named(exercise, report):
        judgement = report.defects[defect.id]
        parts.append(f"<h3>{escape(name)}: {escape(in_words(judgement))}</h3>")
        if judgement.example:
            parts.append(f"<pre>{escape(judgement.example)}</pre>")
    return "".join(parts)
