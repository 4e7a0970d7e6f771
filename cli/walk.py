"""A drawn run on a terminal: all at once, frame by frame with a key, or at a pace.

What is held back is the display: the run is over before its first line is shown, and going back
moves the view and nothing else.
"""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import click

from mockpump.cli.frame import show_why
from mockpump.cli.keypress import watched_keys
from mockpump.cli.pager import show_lines
from mockpump.cli.render import show
from mockpump.cli.terminal import clear
from mockpump.display import glyphs
from mockpump.display.ladder import NARROWEST, Look
from mockpump.display.spans import Line, plain
from mockpump.emulator.trace.run import Run

_PIPED, _WIDEST_BY_ITSELF = 80, 160
# Going on shows a step in so many seconds.
_PACE = 0.3
_KEYS = "n next   b back   g go on   w why   q quit"


class Walk(NamedTuple):
    """How a run is gone through: with a key for each frame, or `pace` seconds between two."""

    steps: bool = False
    pace: float = 0.0


def look_at(
    width: int | None = None, ascii_: bool = False, subject: str = "", windows: bool = False
) -> Look:
    """How a run is drawn on this output."""
    return Look(width=width or _width(), glyphs=_glyphs(ascii_), subject=subject, windows=windows)


def _width() -> int:
    """As wide as the terminal, within reason."""
    if not sys.stdout.isatty():
        return _PIPED
    return max(NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST_BY_ITSELF))


def _glyphs(ascii_: bool) -> glyphs.Glyphs:
    """The characters that the output can show."""
    try:
        glyphs.needed().encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        ascii_ = True
    return glyphs.ASCII if ascii_ else glyphs.UNICODE


def show_walk(lines: Sequence[Line], run: Run, walk: Walk) -> None:
    """Show the lines of a ladder as they are to be gone through."""
    if walk.steps:
        _Stepper(lines, run, walk.pace).walk()
    elif walk.pace:
        for line in lines:
            show_lines([line], use_pager=False)
            if number_of(line):
                sys.stdout.flush()
                time.sleep(walk.pace)
    else:
        show_lines(lines, use_pager=False)


def number_of(line: Line) -> int:
    """The number of the frame that a line of a ladder is of; 0 for any other line."""
    first = plain(line)[:4].strip()
    return int(first) if first.isascii() and first.isdigit() else 0


class _Stepper:
    """The view over a ladder: all lines up to the present one, on one screen."""

    def __init__(self, lines: Sequence[Line], run: Run, pace: float) -> None:
        self._lines, self._run, self._pace = lines, run, pace or _PACE
        # Where a step ends: behind each line of a frame, and behind the last line of all.
        self._stops = [place + 1 for place, line in enumerate(lines) if number_of(line)]
        if not self._stops or self._stops[-1] != len(lines):
            self._stops.append(len(lines))
        self._at = 0

    def walk(self) -> None:
        """Until the last step was taken, or somebody has seen enough."""
        self._draw()
        while self._act(click.getchar()):
            self._draw()

    def _act(self, key: str) -> bool:
        """Do what a key says; whether the walk goes on."""
        act = _ACTS.get(key, _Stepper._stay)
        return act(self)

    def _next(self) -> bool:
        self._at += 1
        return self._at < len(self._stops)

    def _back(self) -> bool:
        self._at = max(self._at - 1, 0)
        return True

    def _go_on(self) -> bool:
        """Show the steps that are left, one after the other, until any key stops it."""
        with watched_keys() as pressed_within:
            while self._at + 1 < len(self._stops):
                if pressed_within(self._pace):
                    return True
                self._at += 1
                between = slice(*self._stops[self._at - 1 : self._at + 1])
                show_lines(self._lines[between], use_pager=False)
                sys.stdout.flush()
        return False

    def _why(self) -> bool:
        number = number_of(self._lines[self._stops[self._at] - 1])
        if number:
            show("")
            show_why(self._run, number)
            show("any key goes on", style="dim")
            click.getchar()
        return True

    def _stay(self) -> bool:
        return True

    def _quit(self) -> bool:
        return False

    def _draw(self) -> None:
        rows = shutil.get_terminal_size().lines
        shown = self._lines[: self._stops[self._at]][-max(rows - 2, 1) :]
        clear()
        show_lines(shown, use_pager=False)
        where = f"step {self._at + 1} of {len(self._stops)}"
        show(f"{_KEYS}   {where}", style="dim")
        sys.stdout.flush()


_ACTS: dict[str, Callable[[_Stepper], bool]] = {
    **dict.fromkeys(("n", " ", "\r", "\n", "\x1b[C", "\x1b[B"), _Stepper._next),
    **dict.fromkeys(("b", "\x7f", "\x1b[D", "\x1b[A"), _Stepper._back),
    "g": _Stepper._go_on,
    "w": _Stepper._why,
    "q": _Stepper._quit,
}
