"""Which pump `mockpump pump run` runs: that of a file, or a fresh one that ends with it."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mockpump.cli.keys import advising_on_serial, lent, show_keys
from mockpump.cli.pump.new import Order, ordered
from mockpump.cli.terminal import echo
from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import initialize


def which(
    context: click.Context,
    stack: contextlib.ExitStack,
    file: Path | None,
    made_with: dict[str, Any],
) -> tuple[FaultyMemory, Callable[[], None]]:
    """The memory of the pump in FILE, or that of a fresh one that ends with this process.

    And what hands the keys of a fresh one over, when somebody can use them.
    """
    if file is None:
        return _fresh(stack, ordered(**made_with))
    for option in context.command.params if file.exists() else ():
        source = context.get_parameter_source(option.name or "")
        if option.name in made_with and source is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option.opts[0]}: the pump of {file} is made already")
    from mockpump.cli.memories import opened

    kept = FaultyMemory(opened(file))
    stack.callback(kept.close)
    return kept, lambda: None


def _fresh(stack: contextlib.ExitStack, order: Order) -> tuple[FaultyMemory, Callable[[], None]]:
    fresh, (config, keys, place) = RamMemory(durable=False), order
    initialize(fresh, config)

    def hand_over() -> None:
        if place.keyring is not None:
            echo(f"its pairing keys are in {place.keyring}", err=True)
        elif keys is not None:
            show_keys(keys, config.identity, err=True)

    if keys is not None:
        with advising_on_serial():
            stack.enter_context(lent(keys, config.identity, place))
    return FaultyMemory(fresh), hand_over
