"""`mockpump view`: a run on one page, in a file that needs nothing else."""

import webbrowser
from pathlib import Path

import click

from mockpump.cli.completion import scenarios_or_files
from mockpump.cli.files import write_file
from mockpump.cli.named_runs import named_run
from mockpump.cli.terminal import echo
from mockpump.display.page.document import GENERATOR, model_json, page_of
from mockpump.display.page.telling import model_of
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.transports.errors import reason_of

# The head of a page of ours is shorter than this.
_HEAD = 2_000


@click.command()
@click.argument("run", shell_complete=scenarios_or_files)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The page; NAME.html if not given."
)
@click.option("--open", "open_", is_flag=True, help="Open the page in the browser.")
@click.option("--force", is_flag=True, help="Replace a file that is not such a page.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of a scenario that is run.")
@click.option("--json", "json_", is_flag=True, help="Print what the page shows as JSON instead.")
def view(run: str, output: Path | None, open_: bool, force: bool, seed: int, json_: bool) -> None:
    """Show a RUN as a ladder, on one page that opens from a file and loads nothing.

    \b
    mockpump run bad-link --seed 7 --record run.bundle
    mockpump view run.bundle --open

    A RUN is a bundle, a trace, or a scenario: a file, - for standard input, or the name of an
    example.
    """
    if json_ and (output is not None or open_):
        raise click.UsageError(
            "--json prints, and writes no page: use it without --output and --open"
        )
    named = named_run(run, seed)
    model = model_of(read_run(named.recording), named.title, named.programs)
    if json_:
        echo(model_json(model))
        return
    path = Path(f"{named.stem}.html") if output is None else output
    if not force:
        _expect_ours(path)
    write_file(path, page_of(model).encode())
    echo(f"{path}: {model.title}; {model.sums}", err=True)
    if open_:
        webbrowser.open(path.resolve().as_uri())


def _expect_ours(path: Path) -> None:
    """A usage error when something else is there already."""
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise click.UsageError(f"{path}: {reason_of(error)}") from None
    if GENERATOR.encode() not in head:
        raise click.UsageError(f"{path} is not a page of `mockpump view`: --force replaces it")
