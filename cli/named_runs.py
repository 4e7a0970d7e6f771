"""What a person names a run by: a recorded one, or a scenario, which is run then and there."""

from pathlib import Path
from typing import NamedTuple

from mockpump.cli.examples import nearest_example, program_text, scenario_names
from mockpump.cli.recordings import STANDARD_INPUT, read_with_its_defect
from mockpump.cli.scenario import ready, text_of, trace_of
from mockpump.emulator.simulation.bundle import prepare
from mockpump.emulator.trace.reading import MOST_LINES, BadTrace, Recording, Undecoded
from mockpump.protocol.program import Program, digest, image


class NamedRun(NamedTuple):
    """A run: what it is called, its file's name without an ending, its trace.

    `programs` are names by digest, in hex.
    """

    title: str
    stem: str
    recording: Recording
    programs: dict[str, str]


def named_run(what: str, seed: int) -> NamedRun:
    """The run that is meant by a name or a file; one clear error when there is none."""
    path = Path(what)
    if what in scenario_names() or path.suffix == ".toml":
        return _run(what, path.stem, seed)
    if what == STANDARD_INPUT:
        path = Path("run")
    elif not path.suffix and not path.exists():
        examples = nearest_example(what, scenario_names())
        raise BadTrace(f"{what}: no such file or directory; {examples}")
    found = read_with_its_defect(Path(what))
    try:
        recording = _few(found.trace)
    except BadTrace as error:
        raise BadTrace(f"{path}: {error}") from None
    return NamedRun(found.subject or path.stem, path.stem, recording, _names(found.programs))


def _run(what: str, stem: str, seed: int) -> NamedRun:
    wanted = prepare(*text_of(what), program_text, seed)
    with ready(wanted) as runner:
        trace = Undecoded(wanted.trace_head, list(trace_of(runner)))
    return NamedRun(f"{stem}, seed {seed}", stem, _few(trace), _names(wanted.programs))


def _names(programs: dict[str, Program]) -> dict[str, str]:
    return {digest(image(program)).hex(): name for name, program in programs.items()}


def _few(trace: Undecoded) -> Recording:
    """All of a trace, unless it is more than a page shows."""
    if len(trace.texts) > MOST_LINES:
        raise BadTrace(
            f"{len(trace.texts):,} lines, and a page shows at most {MOST_LINES:,}: look at a part"
            " with `mockpump show FILE --from TIME --to TIME`"
        )
    return trace.recording
