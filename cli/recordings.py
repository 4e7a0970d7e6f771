"""What a person names a run by: a bundle, a trace, or a scenario, which is run then and there."""

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mockpump.cli.examples import scenario_names
from mockpump.cli.files import read_text
from mockpump.cli.scenario import MOST_OF_A_BUNDLE, scenario_head, trace_of
from mockpump.cli.scenarios import library
from mockpump.emulator.simulation.bundle import BadBundle, Head, read_bundle
from mockpump.emulator.simulation.runner import ScenarioRunner
from mockpump.emulator.simulation.scenario import ScenarioError
from mockpump.emulator.trace.reading import MOST_LINES, BadTrace, Recording, decoded, read_trace
from mockpump.emulator.transports.reading import Unreadable
from mockpump.protocol.program import digest, image

_SQLITE = b"SQLite format 3"
_PUMP = ".pump"


class NamedRun(NamedTuple):
    """A run that was recorded or has just been run; `programs` are names by digest, in hex."""

    name: str
    seed: int | None
    recording: Recording
    programs: dict[str, str]

    @property
    def title(self) -> str:
        """What it is called on a page."""
        return self.name if self.seed is None else f"{self.name}, seed {self.seed}"


def named_run(what: str, seed: int) -> NamedRun:
    """The run that is meant by a name or a file; one clear error when there is none."""
    path = Path(what)
    if what in scenario_names() or path.suffix == ".toml":
        head = scenario_head(what, seed)
        return NamedRun(path.stem, seed, _run(head), _programs(head))
    return _read(path)


def _run(head: Head) -> Recording:
    with library(head.program) as books:
        runner = ScenarioRunner(head.parsed, books, head.seed)
        lines = list(decoded(trace_of(runner)))
    _expect_few(len(lines), head.name)
    return Recording(head.trace_head, lines)


def _programs(head: Head) -> dict[str, str]:
    return {digest(image(head.program(name))).hex(): name for name in head.programs}


def _read(path: Path) -> NamedRun:
    _expect_no_pump(path)
    try:
        text = read_text(path, MOST_OF_A_BUNDLE)
    except Unreadable as error:
        names = ", ".join(scenario_names())
        raise ScenarioError(f"{path}: {error}; the example scenarios are {names}") from None
    kind = _format(text)
    _expect_few(text.count("\n"), str(path))
    try:
        if kind.startswith("mockpump-bundle/"):
            bundle = read_bundle(text)
            return NamedRun(path.stem, bundle.head.seed, bundle.recording, _programs(bundle.head))
        if kind.startswith("mockpump-trace/"):
            return NamedRun(path.stem, None, read_trace(text), {})
    except (BadBundle, BadTrace) as error:
        raise type(error)(f"{path}: {error}") from None
    raise BadTrace(f"{path} is neither a bundle, a trace nor a scenario: record one with `run`")


def _expect_few(lines: int, name: str) -> None:
    if lines > MOST_LINES:
        raise BadTrace(
            f"{name}: {lines:,} lines, and a page shows at most {MOST_LINES:,}: look at a part"
            " of it with `mockpump show --from TIME --to TIME`"
        )


def _expect_no_pump(path: Path) -> None:
    if path.suffix == _PUMP or _begins_as_sqlite(path):
        raise BadTrace(f"{path} is a pump, not a run: use `mockpump pump show {path}`")


def _begins_as_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return path.is_file() and file.read(len(_SQLITE)) == _SQLITE
    except (OSError, ValueError):
        return False


def _format(text: str) -> str:
    """What the first line says it is; empty when it says nothing."""
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        return str(json.loads(text.partition("\n")[0])["format"])
    return ""
