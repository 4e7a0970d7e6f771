"""`mockpump demo NAME`: a scenario told in virtual time, with a picture at its end."""

import itertools
import shutil
import tempfile
import textwrap
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mockpump.cli.charts import check_plot, show_curves
from mockpump.cli.charts import plot as draw
from mockpump.cli.examples import (
    example_program,
    example_scenario,
    program_text,
    scenario_names,
    scenario_text,
)
from mockpump.cli.files import expect_writable, naming, write_file
from mockpump.cli.pager import show_lines
from mockpump.cli.recording import Watching
from mockpump.cli.render import show
from mockpump.cli.tables import show_faults, show_table
from mockpump.cli.terminal import echo
from mockpump.cli.walk import Walk, look_at, show_walk
from mockpump.display.ladder import ladder
from mockpump.display.selection import Bound, Selection, select
from mockpump.display.strip import strip
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.simulation.bundle import RunInput, prepare
from mockpump.emulator.simulation.curves import curves_of
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.emulator.simulation.runner import Library, ScenarioRunner
from mockpump.emulator.simulation.scenario import PicturePart, Scenario
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import Recording, decoded
from mockpump.emulator.trace.run import Run
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.protocol.program import Program

_NOTHING_REAL = "Everything here is fictional: no real device, drug, dose or patient."
_WIDEST, _NARROWEST = 78, 20
_STYLES = {"say": "", "do": "cyan", "pump": "magenta"}
_LEADS = {"say": "", "do": "  > ", "pump": "    "}


def list_scenarios() -> None:
    """The scenarios, a line each."""
    rows = [((name, "bold"), example_scenario(name).title) for name in scenario_names()]
    show_table(("scenario", "title"), rows, "scenarios for `mockpump demo NAME`")


def tell_scenario(name: str, plot: Path | None, walk: Walk, watched: Watching) -> None:
    """Tell a scenario, show what it is about, and draw its picture into a file if one is named."""
    wanted = _example(name)
    scenario = wanted.scenario
    _check_plot(scenario, plot)
    if watched.trace is not None:
        with naming(watched.trace):
            expect_writable(watched.trace)
    show(f"mockpump: {scenario.title}", style="bold")
    show(_NOTHING_REAL)
    with recorded_run(wanted) as (runner, recording):
        for told in runner.tell():
            # A whole ladder tells it all again, in its place.
            if scenario.ladder != "whole":
                show_told(told)
    run = read_run(recording())
    if watched.trace is not None:
        _keep(recording(), watched.trace)
    if scenario.ladder is not None or walk.steps or watched.shows:
        _show_ladder(run, scenario, walk, whole=watched.shows or walk.steps)
    if scenario.beside:
        _show_beside(scenario, run)
    if faults := runner.world.attribution.table():
        show("")
        show_faults(faults)
    if scenario.picture is not None:
        _show_picture(scenario.picture, runner, plot)
    show("")
    show(_NOTHING_REAL, style="dim")


def _check_plot(scenario: Scenario, plot: Path | None) -> None:
    if plot is not None:
        check_plot(plot)
        if scenario.picture is None:
            told = f"see it with `mockpump view {scenario.name}`"
            raise ScenarioError(f"{scenario.name} has no curves to draw: {told}")


def _show_picture(picture: PicturePart, runner: ScenarioRunner, plot: Path | None) -> None:
    curves = curves_of(picture, runner.recorder)
    show("")
    show(picture.title, style="bold")
    show_curves(curves)
    if plot is not None:
        draw(curves, picture.title, plot)
        echo(f"drawn into {plot}", err=True)


def _example(name: str) -> RunInput:
    return prepare(f"examples/scenarios/{name}.toml", scenario_text(name), program_text, 0)


@contextmanager
def recorded_run(wanted: RunInput) -> Iterator[tuple[ScenarioRunner, Callable[[], Recording]]]:
    """What runs a scenario, and what gives its trace when it was told."""
    lines: list[str] = []
    with library(wanted.program) as books:
        runner = ScenarioRunner(wanted.scenario, books, wanted.head.seed)
        runner.world.record(TraceWriter(lines.append))
        yield runner, lambda: Recording(wanted.trace_head, list(decoded(lines)))


def _keep(recording: Recording, path: Path) -> None:
    written = map(msgspec.json.encode, (recording.head, *recording.lines))
    write_file(path, b"".join(line + b"\n" for line in written))


def _show_ladder(run: Run, scenario: Scenario, walk: Walk, *, whole: bool) -> None:
    """The ladder of a run: the whole, or what is around its worst moment."""
    part = select(run) if whole or scenario.ladder != "worst" else _worst(run)
    show("")
    if len(part.frames) < len(run.frames):
        first, last = min(part.frames, default=0), max(part.frames, default=0)
        show(
            f"frames {first} to {last} of {len(run.frames)}, around the worst moment;", style="dim"
        )
        told = f"mockpump demo {scenario.name} --show, or --step"
        show(f"all of them: {told}", style="dim")
    show_walk(list(ladder(run, look_at(), part)), run, walk)


def _worst(run: Run) -> Selection:
    """From the frame before the weightiest knot to the one behind it."""
    if not run.knots:
        return select(run)
    worst = max(run.knots, key=lambda knot: (knot.weight, -knot.number))
    first, last = max(worst.frames[0] - 1, 1), min(worst.frames[-1] + 1, len(run.frames))
    return select(run, Bound(first, is_frame=True), Bound(last, is_frame=True))


def _show_beside(scenario: Scenario, run: Run) -> None:
    """A run and the one beside it, on the same time axis."""
    with recorded_run(_example(scenario.beside)) as (runner, recording):
        deque(runner.tell(), maxlen=0)
    runs = [(scenario.name, run), (scenario.beside, read_run(recording()))]
    show("")
    show("Both on the same line, on one time axis: how many frames went when", style="bold")
    show_lines(strip(runs, look_at()), use_pager=False)


def show_told(told: NarrationLine) -> None:
    """A line of a scenario."""
    if told.kind == "say":
        show("")
    lead = _LEADS[told.kind]
    after = " " * len(lead)
    width = max(min(shutil.get_terminal_size().columns - 2, _WIDEST), _NARROWEST)
    for line in textwrap.wrap(told.text, width, initial_indent=lead, subsequent_indent=after):
        show(line, style=_STYLES[told.kind])


@contextmanager
def library(program: Callable[[str], Program] = example_program) -> Iterator[Library]:
    """What a scenario may call for, as long as it is told."""
    with tempfile.TemporaryDirectory(prefix="mockpump-") as folder:
        number = itertools.count()

        def cuttable() -> SqliteMemory:
            return SqliteMemory.create(Path(folder) / f"pump-{next(number)}")

        yield Library(program, cuttable)
