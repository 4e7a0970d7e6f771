"""The options that say what is wrong with a line, read from its one declaration."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from mockpump.emulator.channel.impairments import FIELDS, Impairments, read_impairments
from mockpump.protocol.units import BadQuantity


def channel_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each impairment."""
    for name, field in reversed(FIELDS.items()):
        text = f"{field.doc[0].upper()}{field.doc[1:]}, such as {field.example}."
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, multiple=field.repeated, help=text)(command)
    return command


def impairments_of(given: Mapping[str, object]) -> Impairments:
    """What those options say; a usage error names the one that is wrong."""
    said = {name: given[name] for name in FIELDS if given[name]}
    try:
        return read_impairments(said)
    except BadQuantity as error:
        raise click.UsageError(f"--{error}") from None
