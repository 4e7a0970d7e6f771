"""The one door through which text leaves for a terminal.

What a terminal takes for a command, or what turns the order of its letters round, may be in
anything that others have written: a file, the name of a folder, an error that quotes either, what a
peer says of itself.  So nothing under `cli` prints but through here, where whatever is not a letter
comes out escaped, and only what is drawn here is a command.
"""

import shutil
import sys
from collections.abc import Iterable
from typing import TextIO

from mockpump.display.text import on_one_line, printable


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a text, on standard output or standard error."""
    _write(printable(text) + ("\n" if nl else ""), _stream(err))


def complain(text: str) -> None:
    """Say what is wrong, on one line of standard error."""
    echo(f"mockpump: {on_one_line(text)}", err=True)


def warn(text: str) -> None:
    """The same of what is wrong and no reason to stop."""
    complain(f"warning: {text}")


def write_out(text: str) -> None:
    """Put what is a file in itself on standard output: as it is, unless that is a terminal."""
    if sys.stdout.isatty():
        text = printable(text.replace("\r\n", "\n"))
    _write(text, sys.stdout)


# -- drawn in place --------------------------------------------------------------------------------


def redraw(line: str, *, err: bool = False, last: bool = False) -> None:
    """A line in the place of the last one; cut to the terminal, since a wrapped one would stay."""
    _write(_anew(line) + ("\n" if last else ""), _stream(err))


def clear() -> None:
    """An empty screen."""
    _write("\x1b[H\x1b[2J\x1b[3J", sys.stdout)


def redraw_lines(lines: Iterable[str], above: int) -> None:
    """Lines in place of as many that stand above."""
    up = f"\x1b[{above}A" if above else ""
    _write(up + "".join(f"{_anew(line)}\n" for line in lines), sys.stdout)


def _anew(line: str) -> str:
    width = shutil.get_terminal_size().columns - 1
    return f"\r\x1b[2K{cut(on_one_line(line), width)}"


def cut(line: str, width: int) -> str:
    """A line cut to `width` characters; what is missing is marked, lest a figure be misread."""
    return line if len(line) <= width else line[: max(width - 1, 0)] + ">"


def _stream(err: bool) -> TextIO:
    return sys.stderr if err else sys.stdout


def _write(text: str, stream: TextIO) -> None:
    # Not `click.echo`: that one takes an output that says ASCII for one that is set up wrong.
    stream.write(text)
    stream.flush()
