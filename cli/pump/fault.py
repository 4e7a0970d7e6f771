"""`mockpump pump fault`: make something go wrong in a running pump, and clear it."""

from pathlib import Path

import click

from mockpump.cli.terminal import echo
from mockpump.emulator.pump.faults import FAULTS, Fault
from mockpump.protocol.units import choice_name

_NAMES = {choice_name(fault): fault for fault in Fault}


@click.command()
@click.argument("name", type=click.Choice(list(_NAMES)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--clear", is_flag=True, help="Clear it.")
def fault(name: str, file: Path, clear: bool) -> None:
    """Make something go wrong in the running pump whose memory is FILE.

    \b
    stall, memory, low-battery and sensor-stuck last until --clear;
    brown-out (a restart at the next write) and clock-jump happen once.

    It is told through a socket beside FILE that only its owner can use.
    """
    from mockpump.emulator.transports.control_socket import tell

    if clear and FAULTS[_NAMES[name]].clear is None:
        raise click.UsageError(f"{name} happens once; there is nothing to clear")
    tell(file, f"{'clear' if clear else 'inject'} {name}")
    echo(f"{name}: {'cleared' if clear else _NAMES[name].value}")
