"""`mockpump demo NAME`: a scenario told in virtual time, with a picture at its end."""

import itertools
import shutil
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mockpump.cli.charts import check_plot, show_curves
from mockpump.cli.charts import plot as draw
from mockpump.cli.examples import example_program, example_scenario, scenario_names
from mockpump.cli.render import show
from mockpump.cli.terminal import echo
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.simulation.curves import curves_of
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.emulator.simulation.runner import Library, ScenarioRunner
from mockpump.protocol.program import Program

_NOTHING_REAL = "Everything here is fictional: no real device, drug, dose or patient."
_WIDEST, _NARROWEST = 78, 20
_STYLES = {"say": "", "do": "cyan", "pump": "magenta"}
_LEADS = {"say": "", "do": "  > ", "pump": "    "}


def list_scenarios() -> None:
    """The scenarios, a line each."""
    names = scenario_names()
    width = max(map(len, names))
    for name in names:
        show((f"{name:<{width}}", "bold"), f"  {example_scenario(name).title}")


def tell_scenario(name: str, plot: Path | None) -> None:
    """Tell a scenario, show its picture, and draw it into a file if one is named."""
    scenario = example_scenario(name)
    if plot is not None:
        check_plot(plot)
    show(f"mockpump: {scenario.title}", style="bold")
    show(_NOTHING_REAL)
    with library() as books:
        runner = ScenarioRunner(scenario, books)
        for told in runner.tell():
            show_told(told)
    if scenario.picture is not None:
        curves = curves_of(scenario.picture, runner.recorder)
        show("")
        show(scenario.picture.title, style="bold")
        show_curves(curves)
        if plot is not None:
            draw(curves, scenario.picture.title, plot)
            echo(f"drawn into {plot}", err=True)
    show("")
    show(_NOTHING_REAL, style="dim")


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
