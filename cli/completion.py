"""What a shell may complete beside commands and options: the names of the scenarios."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from mockpump.cli.examples import scenario_names


def scenarios(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The names that begin so."""
    return [CompletionItem(name) for name in scenario_names() if name.startswith(incomplete)]


def scenarios_or_files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The same, and the scenario files of this folder; else whatever file begins so."""
    names = (file.name for file in Path().glob("*.toml") if file.name.isprintable())
    files = (name for name in names if name.startswith(incomplete))
    items = [*scenarios(context, parameter, incomplete), *map(CompletionItem, sorted(files))]
    return items or [CompletionItem(incomplete, type="file")]
