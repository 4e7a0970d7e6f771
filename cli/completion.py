"""What a shell may complete beside commands and options: names of examples and defects."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from mockpump.cli.examples import program_names, scenario_names
from mockpump.exercises.planting import defect_names


def scenarios(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The names that begin so."""
    return [CompletionItem(name) for name in scenario_names() if name.startswith(incomplete)]


def scenarios_or_files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The same, and the scenario files of this folder; else whatever file begins so."""
    return _or_files(scenarios(context, parameter, incomplete), incomplete)


def programs_or_files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The names of programs that begin so, and the files."""
    names = [name for name in program_names() if name.startswith(incomplete)]
    return _or_files([CompletionItem(name) for name in names], incomplete)


def _or_files(known: list[CompletionItem], incomplete: str) -> list[CompletionItem]:
    names = (file.name for file in Path().glob("*.toml") if file.name.isprintable())
    files = (name for name in names if name.startswith(incomplete))
    items = [*known, *map(CompletionItem, sorted(files))]
    return items or [CompletionItem(incomplete, type="file")]


def defects(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The defects of the exercises whose names begin so."""
    return [CompletionItem(name) for name in defect_names() if name.startswith(incomplete)]
