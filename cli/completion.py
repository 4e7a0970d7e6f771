"""What a shell may complete beside commands and options: the names of the stories."""

import click
from click.shell_completion import CompletionItem

from mockpump.cli.examples import story_names


def stories(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The names that begin so."""
    return [CompletionItem(name) for name in story_names() if name.startswith(incomplete)]


def stories_or_files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The same; where no story is called so, a file may be."""
    return stories(context, parameter, incomplete) or [CompletionItem(incomplete, type="file")]
