"""Tables and lists of facts, laid out by Rich, and those that several commands show.

In a pipe a row is one line of plain text, however long; on a terminal its widest column is
folded, and the next one when that is no wider any more: so no column is ever lost.
"""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from mockpump.cli.render import console, show
from mockpump.cli.terminal import echo
from mockpump.display.text import on_one_line
from mockpump.emulator.channel.channel import Layer
from mockpump.emulator.programmer.preview import DayChange
from mockpump.protocol.program import Program
from mockpump.protocol.units import WEEKDAYS, volume

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

# A text, which may come with a style of its own.
Cell = str | tuple[str, str]

# Wider than any row: in a pipe nothing is folded.
_UNBOUNDED = 1_000_000


def show_table(
    headings: Sequence[str], rows: Iterable[Sequence[Cell]], caption: str, indent: int = 0
) -> None:
    """Rows under a caption and headings; a column whose heading begins with `>` is to the right."""
    show(" " * indent + caption)
    _show(headings, rows, indent)


def show_facts(facts: Mapping[str, object], indent: int = 0) -> None:
    """Names and values, a line each, the values aligned."""
    _show(("", ""), [((name, "dim"), str(value)) for name, value in facts.items()], indent)


def _show(headings: Sequence[str], rows: Iterable[Sequence[Cell]], indent: int) -> None:
    from rich.console import Console
    from rich.padding import Padding

    table = Padding(_table(headings, rows), (0, 0, 0, indent), expand=False)
    if sys.stdout.isatty():
        console().print(table, width=shutil.get_terminal_size().columns, soft_wrap=False)
        return
    plain = Console(width=_UNBOUNDED, color_system=None)
    with plain.capture() as captured:
        plain.print(table)
    for line in captured.get().splitlines():
        echo(line.rstrip())


def _table(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=any(headings))
    for name in headings:
        side: Literal["left", "right"] = "right" if name[:1] == ">" else "left"
        table.add_column(_text((name.removeprefix(">"), "bold")), justify=side, overflow="fold")
    for row in rows:
        table.add_row(*map(_text, row))
    return table


def _text(cell: Cell) -> "Text":
    from rich.text import Text

    words, style = (cell, "") if isinstance(cell, str) else cell
    return Text(on_one_line(words), style)


def show_changes(changes: Iterable[DayChange], wanted: Program, before: str) -> None:
    """Daily volumes before and after, a line each weekday or run of like ones; then the ramp."""
    headings = ("day", ">before", ">after", ">change")
    caption = f'{before}"{wanted.name}" would change its volumes a day'
    show_table(headings, map(_change_row, changes), caption, indent=2)
    if wanted.ramp:
        steps = (f"{step.percent} % from day {step.after}" for step in wanted.ramp)
        show_facts({"its ramp": ", ".join(steps)}, indent=2)


def _change_row(change: DayChange) -> Sequence[str]:
    first, last = WEEKDAYS[change.first], WEEKDAYS[change.last]
    days = first if first == last else f"{first}-{last}"
    before = "nothing" if change.before is None else volume(change.before // 3600)
    return days, before, volume(change.after // 3600), _percent(change)


def _percent(change: DayChange) -> str:
    if not change.before:
        return "new"
    if change.after == change.before:
        return "none"
    return f"{(change.after - change.before) * 100 / change.before:+.1f} %"


_CAUGHT = "what went wrong on the line, caught or repaired by"


def fault_facts(table: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """The same for programs, with the sum that both last columns were once."""
    last = (Layer.HARMLESS.value, Layer.UNDETECTED.value)
    return {
        kind: {**row, "nothing": sum(map(row.__getitem__, last))} for kind, row in table.items()
    }


def show_faults(table: Mapping[str, Mapping[str, int]]) -> None:
    """A row for each kind of fault, a column for each layer that may have caught it."""
    if not table:
        show("nothing went wrong on the line")
        return
    layers = [layer.value for layer in Layer]
    rows = ([kind, *(str(row[each] or "") for each in layers)] for kind, row in table.items())
    show_table(("fault", *(f">{each}" for each in layers)), rows, _CAUGHT)
