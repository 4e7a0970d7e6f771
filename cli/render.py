"""What the commands show: lines in their styles, JSON, bars and charts of characters.

Rich is imported only when a line is shown on a terminal; a piped one is plain text of the same
words.
"""

import errno
import json
import os
import select
import sys
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from msgspec import Struct

from mockpump.cli.terminal import echo
from mockpump.display.text import printable

if TYPE_CHECKING:
    from rich.console import Console

_FULL, _EMPTY = "█", "░"
_EIGHTHS = " ▁▂▃▄▅▆▇█"


@cache
def console() -> "Console":
    """Where everything is shown: colour on a terminal (unless NO_COLOR), plain text in a pipe."""
    from rich.console import Console

    # Rich by itself would leave bold and dim in place.
    colours: Any = None if os.environ.get("NO_COLOR") else "auto"
    return Console(color_system=colours, highlight=False, markup=False, emoji=False, soft_wrap=True)


def show(*parts: str | tuple[str, str], style: str = "") -> None:
    """Print a line; a part may come with a style of its own, which only a terminal shows."""
    if not sys.stdout.isatty():
        words = "".join(part if isinstance(part, str) else part[0] for part in parts)
        echo(words.rstrip())
        return
    from rich.text import Text

    said = (
        printable(part) if isinstance(part, str) else (printable(part[0]), part[1])
        for part in parts
    )
    console().print(Text.assemble(*said, style=style))


def as_shown(*parts: str | tuple[str, str]) -> str:
    """What `show` prints of a line, for whoever prints it instead."""
    with console().capture() as captured:
        show(*parts)
    return captured.get()


def as_json(value: object) -> str:
    """A value as one line of JSON: names for enumerations, hex for bytes."""
    # What an output cannot show must stay JSON: escaped the way JSON does it.
    everything = (getattr(sys.stdout, "encoding", None) or "ascii").lower().startswith("utf")
    text = json.dumps(_plain(value), ensure_ascii=not everything)
    # What a terminal could take for a command is escaped too, in JSON's own way.
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def can_redraw(stream: TextIO) -> bool:
    """Whether it is a terminal on which a line can be drawn anew in its place."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def notice_reader_gone() -> None:
    """`BrokenPipeError` when nobody will read what is printed, without printing anything."""
    try:
        watcher = select.poll()
        watcher.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):
        return  # an output that is not a file of the system's
    if any(events & select.POLLERR for _, events in watcher.poll(0)):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def bar(done: int, whole: int, width: int) -> str:
    """A bar of this many characters."""
    full = min(width, done * width // whole)
    return glyphs(_FULL * full + _EMPTY * (width - full))


def columns(values: list[int], height: int) -> list[str]:
    """A chart of columns, top line first; every value is at least 0."""
    highest = max(values, default=0) or 1
    eighths = [value * height * 8 // highest for value in values]
    lines = []
    for row in reversed(range(height)):
        cells = (min(max(each - 8 * row, 0), 8) for each in eighths)
        lines.append(glyphs("".join(_EIGHTHS[cell] for cell in cells)))
    return lines


def glyphs(text: str) -> str:
    """Text with block characters, or with plain ones where the output cannot show them."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "".join("#" if char in "▄▅▆▇█" else "." if char in "░▁▂▃" else char for char in text)
    return text
