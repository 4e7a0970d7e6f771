"""Options of a group that stand behind one of its commands, where people type them as well."""

from collections import deque
from collections.abc import Iterable, Mapping

import click

Options = Mapping[str, click.Option]


class OptionsAnywhere(click.Group):
    """A group whose own options may come before its command or behind it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse them as if they all stood before it."""
        return super().parse_args(ctx, _own_first(self, ctx, args))


def _own_first(group: click.Group, ctx: click.Context, args: Iterable[str]) -> list[str]:
    """The same words, the group's own options first.

    An option is the command's if the command has one of that name, and the word behind an option
    that takes a value is its value.
    """
    own = _options(group, ctx)
    innermost, its = ctx, own
    front: list[str] = []
    rest: list[str] = []
    words = deque(args)
    while words:
        word = words.popleft()
        if word == "--":
            return [*front, *rest, word, *words]
        if word[:1] != "-":
            rest.append(word)
            innermost = _entered(innermost, word)
            its = _options(innermost.command, innermost)
            continue
        name, equals, _ = word.partition("=")
        _expect_known(name, its, own, innermost)
        option = its.get(name) or own.get(name)
        home = front if option in own.values() else rest
        home.append(word)
        if option is not None and not (equals or option.is_flag) and words:
            home.append(words.popleft())
    return [*front, *rest]


def _options(command: click.Command, ctx: click.Context) -> Options:
    params = command.get_params(ctx)
    options = [each for each in params if isinstance(each, click.Option)]
    return {name: each for each in options for name in (*each.opts, *each.secondary_opts)}


def _entered(ctx: click.Context, word: str) -> click.Context:
    """The context of a command of that name; the same one where there is none."""
    if not isinstance(ctx.command, click.Group):
        return ctx
    command = ctx.command.get_command(ctx, word)
    return ctx if command is None else click.Context(command, ctx, word)


def _expect_known(name: str, its: Options, own: Options, ctx: click.Context) -> None:
    known = [*its, *own]
    if name[:2] == "--" and name not in known and not ctx.resilient_parsing:
        raise click.NoSuchOption(name, possibilities=dict.fromkeys(known), ctx=ctx)
