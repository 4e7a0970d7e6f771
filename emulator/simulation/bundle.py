"""A run bundle: one file with everything that it takes to run a scenario again, and all that
happened.

Its lines are JSON: a head (the scenario as it was written, the programs it names, the seed, the
versions), the trace, and a foot with the SHA-256 of every line before it.  So a bundle that was
changed says so, and running it again either gives the same lines or shows the first that differs.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import PurePath
from typing import Any, Literal, NamedTuple

import msgspec

from mockpump import __version__
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.scenario import Scenario, load_scenario, program_names
from mockpump.emulator.trace.format import Ends, head_of
from mockpump.emulator.trace.format import Head as TraceHead
from mockpump.emulator.trace.reading import Recording, Undecoded
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.framing import VERSION
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.program import Program, ProgramError
from mockpump.protocol.program_toml import loads

FORMAT: Literal["mockpump-bundle/2"] = "mockpump-bundle/2"
# Formats of before, and why such a bundle cannot be run again.
_OLD = {
    "mockpump-bundle/1": "frames had another checksum then, and chance was drawn in another way",
}
# How many lines before a divergence are shown with it.
_CONTEXT = 4


class BadBundle(MockpumpError):
    """What should be a bundle is none, was changed, or is of another version."""


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The first line of a bundle; `defect` is the planted one, if the run had one."""

    format: Literal["mockpump-bundle/2"]
    trace: Literal[1]
    mockpump: str
    protocol: int
    name: str
    seed: int
    scenario: str
    programs: dict[str, str]
    defect: str = ""


class RunInput(NamedTuple):
    """All that a run is made of: the head as it is written, and what stands in it as it was read.

    It is read once, where a run begins; whatever runs it takes it from here.
    """

    head: Head
    scenario: Scenario
    programs: dict[str, Program]

    def program(self, name: str) -> Program:
        """A program of it, by its name among the examples."""
        return self.programs[name]

    @property
    def subject(self) -> str:
        """Which run it is, in a few words."""
        head = self.head
        defect = f", defect {head.defect}" if head.defect else ""
        return f"{PurePath(head.name).stem}, seed {head.seed}{defect}"

    @property
    def trace_head(self) -> TraceHead:
        """The head of the trace of this run."""
        part = self.scenario.programmer
        settings = LinkSettings(max_payload=part.payload, window=part.window)
        # A bundle of another version is not read, so this is the head that its run had.
        return head_of("virtual", Ends(settings, settings), self.scenario.title)


def prepare(
    name: str, text: str, program_text: Callable[[str], str], seed: int, defect: str = ""
) -> RunInput:
    """What it takes to run the scenario in a text; `ScenarioError` when it cannot be run.

    `program_text` gives the programs that it calls for, by their names.
    """
    scenario = load_scenario(text, name)
    texts = {each: program_text(each) for each in program_names(scenario)}
    head = Head(FORMAT, 1, __version__, VERSION, name, seed, text, texts, defect)
    return RunInput(head, scenario, {each: _program(head, each) for each in texts})


def _program(head: Head, name: str) -> Program:
    return loads(head.programs[name].encode(), f"{head.name}: {name}")


class Writer:
    """Writes a bundle, line by line; `write` takes each with its newline."""

    def __init__(self, write: Callable[[str], object], head: Head) -> None:
        self._write = write
        self._digest = hashlib.sha256()
        self.line(json.dumps(msgspec.to_builtins(head)))

    def line(self, line: str) -> None:
        """One more line."""
        self._digest.update(f"{line}\n".encode())
        self._write(f"{line}\n")

    def close(self) -> str:
        """The foot; the digest in it."""
        digest = self._digest.hexdigest()
        self._write(f"{_foot(digest)}\n")
        return digest


class Bundle(NamedTuple):
    """A bundle that was read: what was run, and its trace line by line."""

    run: RunInput
    lines: list[str]
    digest: str

    @property
    def trace(self) -> Undecoded:
        """The trace in it."""
        return Undecoded(self.run.trace_head, self.lines)

    @property
    def recording(self) -> Recording:
        """The trace in it; `BadTrace` when a line of it is none."""
        return self.trace.recording


def read_bundle(text: str) -> Bundle:
    """The bundle in a text; `BadBundle` in one line when it is none that this version can run."""
    # Not `splitlines`: that one takes more for an end of a line than there is in a bundle.
    first, *lines = text.split("\n")
    try:
        head = msgspec.json.decode(first, type=Head)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise BadBundle(_why_not(first)) from None
    digest = _digest(lines)
    whole = "".join(f"{line}\n" for line in (first, *lines))
    if hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest() != digest:
        raise BadBundle("it is not as it was recorded: the digest in its last line does not fit")
    if (head.mockpump, head.protocol) != (__version__, VERSION):
        raise BadBundle(f"it was recorded by mockpump {head.mockpump}; this is {__version__}")
    return Bundle(_recorded(head), lines, digest)


def _recorded(head: Head) -> RunInput:
    try:
        scenario = load_scenario(head.scenario, head.name)
        names = program_names(scenario)
        for name in names:
            if name not in head.programs:
                raise BadBundle(f"it lacks the program {name!r} that its scenario calls for")
        return RunInput(head, scenario, {name: _program(head, name) for name in names})
    except (ScenarioError, ProgramError) as error:
        raise BadBundle(f"what it has recorded cannot be run: {error}") from None


def _digest(lines: list[str]) -> str:
    """The digest in the last of the lines, which is taken away; nothing comes behind it."""
    try:
        last, end = lines.pop(-2), lines.pop()
        digest = str(json.loads(last)["sha256"])
    except (IndexError, ValueError, KeyError, TypeError, RecursionError):
        if any(map(_FOOT.fullmatch, lines)):
            raise BadBundle(_APPENDED) from None
        raise BadBundle("it has been cut off: its last line is not the digest") from None
    if end:
        raise BadBundle(_APPENDED)
    if last != _foot(digest):
        raise BadBundle("it is not as it was recorded: its end is another")
    return digest


_FOOT = re.compile(r'\{"sha256": "[0-9a-f]{64}"\}')
_APPENDED = "it is not as it was recorded: something has been appended behind the digest"


def _foot(digest: str) -> str:
    return f'{{"sha256": "{digest}"}}'


def _why_not(first: str) -> str:
    """Why a first line is not a head of a bundle that can be run again."""
    no = f"it is not a bundle of {FORMAT}"
    try:
        found: Any = json.loads(first)
        told = str(found["format"])
    except (ValueError, KeyError, TypeError, RecursionError):
        cut = first.startswith(f'{{"format": "{FORMAT}"')
        return f"{no}: its first line {'has been cut off' if cut else 'is not a head'}"
    if told in _OLD:
        return f"{told} cannot be run again: {_OLD[told]}; record it anew"
    return f"{no}: it says {told}"


class Divergence(NamedTuple):
    """Where two runs part: the number of the line, what came before, and what each has there.

    None: it has ended.
    """

    number: int
    before: list[str]
    recorded: str | None
    now: str | None


def compare(recorded: Iterable[str], now: Iterable[str]) -> Divergence | None:
    """The first line that differs; None when the runs are identical."""
    before: list[str] = []
    for number, (one, other) in enumerate(_pairs(recorded, now), start=2):
        if one != other:
            return Divergence(number, before, one, other)
        before = [*before[1 - _CONTEXT :], str(one)]
    return None


def _pairs(one: Iterable[str], other: Iterable[str]) -> Iterator[tuple[str | None, str | None]]:
    return zip_longest(one, other)
