"""Reading a trace: its text into its head and lines, in bounded memory, or one clear error."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from mockpump.emulator.channel.channel import FaultKind
from mockpump.emulator.trace.format import FORMAT, AnyLine, Arrived, Head, Log, Sent
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.messages import LogKind

# More lines than this are more than anybody looks at; a part can be asked for.
MOST_LINES = 200_000
_LINE = msgspec.json.Decoder(AnyLine)


class BadTrace(MockpumpError):
    """What should be a trace is none, was cut off, or is of another version."""


class Recording(NamedTuple):
    """A trace that was read."""

    head: Head
    lines: list[AnyLine]


class Undecoded(NamedTuple):
    """A trace whose head was read, and whose lines are read as they are needed, each time anew."""

    head: Head
    texts: list[str]

    @property
    def lines(self) -> Iterator[AnyLine]:
        """The lines from the first on; `BadTrace` at the first that is none."""
        return decoded(self.texts)

    @property
    def recording(self) -> Recording:
        """All of it."""
        return Recording(self.head, list(self.lines))


def read_trace(text: str) -> Recording:
    """The trace in a text; `BadTrace` in one line when it is none that this version can read."""
    return split_trace(text).recording


def split_trace(text: str) -> Undecoded:
    """The same, with only its head read."""
    # Not `splitlines`: that one takes more for an end of a line than there is in a trace.
    first, *rest = text.split("\n")
    if rest[-1:] != [""]:
        raise BadTrace("it has been cut off in the middle of a line")
    return Undecoded(_head(first), rest[:-1])


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
        if unknown := _unknown_word(line):
            raise BadTrace(f"line {number} is not a line of a trace: there is no {unknown!r}")
        now = line.t
        yield line


_FAULTS = {kind.value for kind in FaultKind}
_LOGGED = {kind.name.lower() for kind in LogKind}


def _unknown_word(line: AnyLine) -> str:
    """A fault or a kind of log entry that there is none of; empty when all is known."""
    if isinstance(line, Sent):
        return line.lost if line.lost and line.lost not in _FAULTS else ""
    if isinstance(line, Arrived):
        return next((kind for kind, _, _ in line.faults if kind not in _FAULTS), "")
    return line.kind if isinstance(line, Log) and line.kind not in _LOGGED else ""


def _head(first: str) -> Head:
    try:
        return msgspec.json.decode(first, type=Head)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadTrace(f"its first line is not the head of a {FORMAT}: {error}") from None
