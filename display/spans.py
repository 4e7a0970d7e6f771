"""Styled text: what a drawing is made of, whatever shows it.

A style is a word for what is said, not a colour; and no style says anything that the characters
under it do not say.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from mockpump.display.text import cells

Style = Literal["", "programmer", "pump", "other", "fault", "look", "strong", "dim"]


class Span(NamedTuple):
    """Some text in one style."""

    text: str
    style: Style = ""


Line = tuple[Span, ...]


def line(*parts: Span | str) -> Line:
    """A line of parts, neighbours of one style made one."""
    joined: list[Span] = []
    for part in parts:
        span = Span(part) if isinstance(part, str) else part
        if joined and joined[-1].style == span.style:
            joined[-1] = Span(joined[-1].text + span.text, span.style)
        elif span.text:
            joined.append(span)
    return tuple(joined)


def plain(spans: Iterable[Span]) -> str:
    """The characters of a line, without what is empty at its end."""
    return "".join(span.text for span in spans).rstrip()


def width_of(spans: Iterable[Span]) -> int:
    """How many columns a line takes."""
    return cells(plain(spans))
