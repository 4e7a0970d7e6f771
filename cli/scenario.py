"""`mockpump run` and `mockpump replay`: a scenario by seed, written down, and run again."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from mockpump.cli.completion import defects, scenarios_or_files
from mockpump.cli.examples import nearest_example, program_text, scenario_names, scenario_text
from mockpump.cli.files import read_text, written
from mockpump.cli.main import EXIT_REFUSED, fail
from mockpump.cli.planting import blamed, run_with
from mockpump.cli.recordings import advising_to_record
from mockpump.cli.render import as_json, show
from mockpump.cli.scenarios import library, show_told
from mockpump.cli.tables import fault_facts, show_facts, show_faults
from mockpump.cli.terminal import echo
from mockpump.emulator.simulation.bundle import (
    BadBundle,
    Bundle,
    Divergence,
    RunInput,
    Writer,
    compare,
    prepare,
    read_bundle,
)
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.invariants import checked
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.emulator.simulation.runner import ScenarioRunner
from mockpump.emulator.simulation.scenario import MAX_TEXT
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.emulator.transports.errors import reason_of
from mockpump.emulator.transports.reading import Unreadable
from mockpump.exercises.planting import planted
from mockpump.reference.scenario import schema

_NOTHING_REAL = "Everything here is fictional: no real device, drug, dose or patient."
_WIDEST = 200
# Far more than any bundle has.
_MOST_OF_A_BUNDLE = 256 * 1024 * 1024


def _print_schema(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        echo(json.dumps(schema(), indent=2))
        ctx.exit()


@click.command()
@click.argument("scenario", shell_complete=scenarios_or_files)
@click.option("--seed", type=int, default=0, show_default=True, help="What chance is drawn from.")
@click.option(
    "--record", type=click.Path(path_type=Path), help="Write all that happens into this file."
)
@click.option(
    "--defect",
    default="",
    metavar="RUNG/NAME",
    shell_complete=defects,
    help="Plant a defect of the exercises into pump and programmer.",
)
@click.option("--json", "json_", is_flag=True, help="Print JSON, one object a line.")
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of scenarios, and exit.",
)
def run(scenario: str, seed: int, record: Path | None, defect: str, json_: bool) -> None:
    """Run a SCENARIO in virtual time: a file, or the name of an example.

    \b
    mockpump run bad-link --seed 7 --record run.bundle
    mockpump replay run.bundle
    mockpump run bad-link --defect 5/delivered-again

    The same seed gives the same run, to the byte.  Exit code 1 when something that the scenario
    expects is not so, or an invariant that must hold in every run.
    """
    run_with(defect)
    wanted = prepare(*text_of(scenario), program_text, seed, defect)
    with ExitStack() as stack:
        # What cannot begin says so before anything of it is shown or written.
        runner = stack.enter_context(ready(wanted))
        if not json_:
            show(f"mockpump: {wanted.scenario.title}", style="bold")
            show(_NOTHING_REAL)
        if record is not None:
            writer = Writer(stack.enter_context(_created(record)), wanted.head)
            runner.world.record(TraceWriter(writer.line))
            stack.callback(writer.close)
        try:
            for told in telling(runner):
                echo(as_json(told._asdict())) if json_ else show_told(told)
        except ScenarioError as error:
            _conclude(runner, seed, json_, str(error))
            raise
    _conclude(runner, seed, json_, None)


@contextmanager
def ready(wanted: RunInput) -> Iterator[ScenarioRunner]:
    """What runs it, from its beginning."""
    with library(wanted.program) as books:
        with blamed():
            runner = ScenarioRunner(wanted.scenario, books, wanted.head.seed)
        yield runner


def telling(runner: ScenarioRunner) -> Iterator[NarrationLine]:
    """The scenario as it is told and checked."""
    with blamed(runner.world.tell):
        yield from checked(runner)


def text_of(scenario: str) -> tuple[str, str]:
    """The name and the text of an example, or of the scenario in a file."""
    if scenario in scenario_names():
        return f"examples/scenarios/{scenario}.toml", scenario_text(scenario)
    try:
        return scenario, read_text(Path(scenario), MAX_TEXT)
    except Unreadable as error:
        examples = nearest_example(Path(scenario).stem, scenario_names())
        raise ScenarioError(f"{scenario}: {error}; {examples}") from None


@contextmanager
def _created(record: Path) -> Iterator[Callable[[str], None]]:
    """What writes into a bundle; what had that name stays until the scenario has been told to its
    end.

    `OSError` with the name of the file, which is not the output.
    """
    broken_off = None
    with ExitStack() as stack:
        try:
            file = stack.enter_context(written(record))
        except OSError as error:
            raise ScenarioError(f"{record}: {reason_of(error)}") from None

        def write(text: str) -> None:
            file.write(text.encode())

        try:
            yield write
        except ScenarioError as error:
            # It ends there every time, and is worth to be looked at.
            broken_off = error
    if broken_off is not None:
        raise broken_off


def _conclude(runner: ScenarioRunner, seed: int, json_: bool, failure: str | None) -> None:
    table, defect = runner.world.attribution.table(), planted()
    if json_:
        of_defect = (
            {} if defect is None else {"defect": defect.name, "reached": bool(defect.reached)}
        )
        echo(as_json({"seed": seed, "faults": fault_facts(table), "failure": failure} | of_defect))
        return
    show("")
    show_faults(table)
    show("")
    whole = "completed; all expectations met"
    show(f"seed {seed}: {'it broke off' if failure else whole}")
    if defect is not None:
        ran = "ran" if defect.reached else "never ran: another scenario or seed may reach it"
        show(f"defect {defect.name}: the changed code {ran}")


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "json_", is_flag=True, help="Print what came of it as JSON.")
def replay(bundle: Path, json_: bool) -> None:
    """Run a recorded BUNDLE again, and say whether it is identical, to the byte.

    Exit code 1 when it is not: then the first line that differs is shown, with what came before it.
    """
    recorded = _read(bundle)
    run_with(recorded.run.head.defect)
    with ready(recorded.run) as runner:
        found = compare(recorded.lines, trace_of(runner))
    if json_:
        line = None if found is None else found.number
        facts = {"lines": len(recorded.lines), "sha256": recorded.digest, "differs_from": line}
        echo(as_json(facts))
    elif found is None:
        show(f"identical: {len(recorded.lines):,} lines, sha256 {recorded.digest[:16]}...")
    else:
        _show(found)
    if found is not None:
        fail(f"{bundle}: not identical from line {found.number} on", EXIT_REFUSED)


def _read(bundle: Path) -> Bundle:
    with advising_to_record(bundle):
        try:
            return read_bundle(read_text(bundle, _MOST_OF_A_BUNDLE))
        except (BadBundle, Unreadable) as error:
            raise BadBundle(f"{bundle}: {error}") from None


def trace_of(runner: ScenarioRunner) -> Iterator[str]:
    """The lines of the trace, as the scenario is told."""
    lines: list[str] = []
    runner.world.record(TraceWriter(lines.append))
    # What a scenario fails with is a line of its trace like the others.
    with suppress(ScenarioError):
        for _ in telling(runner):
            yield from lines
            lines.clear()
    yield from lines


def _show(found: Divergence) -> None:
    for line in found.before:
        show(_cut(f"  {line}"), style="dim")
    sides = {"recorded": found.recorded, "now": found.now}
    ended = "(it has ended)"
    show_facts({side: _cut(ended if line is None else line) for side, line in sides.items()})


def _cut(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}..."
