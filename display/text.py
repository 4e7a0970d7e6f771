"""Text that others have written, made fit to be drawn: escaped, measured in cells, and wrapped.

What a terminal takes for a command, or what turns the order of its letters round, may be in
anything that comes out of a file.  It is escaped before anything is measured, so that a line is as
wide as it was drawn.
"""

import unicodedata
from collections.abc import Iterator

# What a text may be made of beside letters, figures and signs.
_LAYOUT = "\n\t"


def printable(text: str, keep: str = _LAYOUT) -> str:
    r"""The text, with control and format characters and half surrogates escaped as in `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in keep else ascii(each)[1:-1] for each in text
    )


def on_one_line(text: str) -> str:
    """The same, on one line."""
    return printable(text, "")


def cells(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def _cells_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int) -> str:
    """At most this many columns of a text; what is missing is marked."""
    if cells(text) <= width:
        return text
    return f"{_head(text, width - 2).rstrip()}.." if width > 2 else _head(text, width)


def _head(text: str, width: int) -> str:
    """As many of the first characters as have room."""
    end = taken = 0
    for char in text:
        taken += _cells_of(char)
        if taken > width:
            break
        end += 1
    return text[:end]


def padded(text: str, width: int) -> str:
    """The text cut to a width, or filled up to it."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken between words, and inside a word that is longer."""
    lines = [""]
    for word in (piece for each in text.split() for piece in _pieces(each, width)):
        if not lines[-1]:
            lines[-1] = word
        elif cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _pieces(word: str, width: int) -> Iterator[str]:
    """A word in pieces that have room on a line."""
    while cells(word) > width:
        part = _head(word, width) or word[0]
        yield part
        word = word[len(part) :]
    yield word
