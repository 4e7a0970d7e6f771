"""Styled lines, on a terminal through a pager, in a pipe as they are."""

import os
import sys
from collections.abc import Iterable

import click

from mockpump.cli.render import as_shown, show
from mockpump.display.spans import Line, Style

_STYLES: dict[Style, str] = {
    "programmer": "cyan",
    "pump": "magenta",
    "other": "bold",
    "fault": "bold red",
    "look": "yellow",
    "strong": "bold",
    "dim": "dim",
}
# Colours are shown, what fits on the screen is left there, and so is what was read last.
_LESS = "-FRX"


def show_lines(lines: Iterable[Line], use_pager: bool) -> None:
    """Show lines; on a terminal in a pager, if it is wanted."""
    if use_pager and sys.stdout.isatty():
        os.environ.setdefault("LESS", _LESS)
        # It ends the last line itself.
        click.echo_via_pager(
            ("\n" if place else "") + as_shown(*_coloured(each)).removesuffix("\n")
            for place, each in enumerate(lines)
        )
        return
    for each in lines:
        show(*_coloured(each))


def _coloured(line: Line) -> list[tuple[str, str]]:
    return [(span.text, _STYLES.get(span.style, "")) for span in line]
