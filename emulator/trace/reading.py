"""Reading a trace: its text into its head and lines, in bounded memory, or one clear error."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from mockpump.emulator.trace.format import FORMAT, AnyLine, Head
from mockpump.protocol.errors import MockpumpError

# More lines than this are more than anybody looks at; a part can be asked for.
MOST_LINES = 200_000
_LINE = msgspec.json.Decoder(AnyLine)


class BadTrace(MockpumpError):
    """What should be a trace is none, was cut off, or is of another version."""


class Recording(NamedTuple):
    """A trace that was read."""

    head: Head
    lines: list[AnyLine]


def read_trace(text: str) -> Recording:
    """The trace in a text; `BadTrace` in one line when it is none that this version can read."""
    # Not `splitlines`: that one takes more for an end of a line than there is in a trace.
    first, *rest = text.split("\n")
    if rest[-1:] != [""]:
        raise BadTrace("it has been cut off in the middle of a line")
    return Recording(_head(first), list(decoded(rest[:-1])))


def decoded(texts: Iterable[str]) -> Iterator[AnyLine]:
    """Each line behind a head; `BadTrace` names the first that is none, or comes too early."""
    now = 0
    for number, text in enumerate(texts, start=2):
        try:
            line = _LINE.decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise BadTrace(f"line {number} is not a line of a trace: {error}") from None
        if line.t < now:
            raise BadTrace(f"line {number} is earlier than the line before it")
        now = line.t
        yield line


def _head(first: str) -> Head:
    try:
        return msgspec.json.decode(first, type=Head)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadTrace(f"its first line is not the head of a {FORMAT}: {error}") from None
