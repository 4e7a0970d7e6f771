"""`mockpump demo NAME`: a story told in virtual time, with a picture at its end."""

import itertools
import shutil
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mockpump.cli.charts import show_curves
from mockpump.cli.examples import example_program, example_story, story_names
from mockpump.cli.plot import check_plot
from mockpump.cli.plot import plot as draw
from mockpump.cli.render import show
from mockpump.cli.terminal import echo
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.world.curves import curves_of
from mockpump.emulator.world.telling import Library, Teller, Told
from mockpump.protocol.program import Program

_NOTHING_REAL = "Everything here is fictional: no real device, drug, dose or patient."
_WIDEST, _NARROWEST = 78, 20
_STYLES = {"say": "", "do": "cyan", "pump": "magenta"}
_LEADS = {"say": "", "do": "  > ", "pump": "    "}


def list_stories() -> None:
    """The stories, a line each."""
    names = story_names()
    width = max(map(len, names))
    for name in names:
        show((f"{name:<{width}}", "bold"), f"  {example_story(name).title}")


def tell_story(name: str, plot: Path | None) -> None:
    """Tell a story, show its picture, and draw it into a file if one is named."""
    story = example_story(name)
    if plot is not None:
        check_plot(plot)
    show(f"mockpump: {story.title}", style="bold")
    show(_NOTHING_REAL)
    with library() as books:
        teller = Teller(story, books)
        for told in teller.tell():
            show_told(told)
    if story.picture is not None:
        curves = curves_of(story.picture, teller.recorder)
        show("")
        show(story.picture.title, style="bold")
        show_curves(curves)
        if plot is not None:
            draw(curves, story.picture.title, plot)
            echo(f"drawn into {plot}", err=True)
    show("")
    show(_NOTHING_REAL, style="dim")


def show_told(told: Told) -> None:
    """A line of a story."""
    if told.kind == "say":
        show("")
    lead = _LEADS[told.kind]
    after = " " * len(lead)
    width = max(min(shutil.get_terminal_size().columns - 2, _WIDEST), _NARROWEST)
    for line in textwrap.wrap(told.text, width, initial_indent=lead, subsequent_indent=after):
        show(line, style=_STYLES[told.kind])


@contextmanager
def library(program: Callable[[str], Program] = example_program) -> Iterator[Library]:
    """What a story may call for, as long as it is told."""
    with tempfile.TemporaryDirectory(prefix="mockpump-") as folder:
        number = itertools.count()

        def cuttable() -> SqliteMemory:
            return SqliteMemory.create(Path(folder) / f"pump-{next(number)}")

        yield Library(program, cuttable)
