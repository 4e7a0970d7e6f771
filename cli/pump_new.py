"""`mockpump pump new`: a pump in a file, and what a pump can be made with."""

import random
import secrets
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import click

from mockpump.cli.files import read_program_file
from mockpump.cli.keys import kept, open_option, show_keys
from mockpump.cli.quantities import ClockTime, Volume
from mockpump.cli.terminal import echo
from mockpump.emulator.memory.interface import Memory
from mockpump.emulator.pump.clock import MAX_DRIFT
from mockpump.emulator.pump.device import describe
from mockpump.emulator.pump.limits import FACTORY, WIDEST
from mockpump.emulator.pump.making import (
    CONCENTRATION,
    DEAD_VOLUME,
    FACTORY_PROGRAM,
    Making,
    make,
)
from mockpump.emulator.pump.pairing import OPEN, Keys, draw_keys, paired_with
from mockpump.emulator.pump.pump_state import RESERVOIR, PumpIdentity
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError

_OPTIONS = (
    click.option("--name", default="mock pump", show_default=True, help="What the pump is called."),
    click.option(
        "--serial", type=click.IntRange(0, 2**32 - 1), default=1001, help="Its made-up number."
    ),
    click.option(
        "--clock", type=ClockTime(), default="Mon 00:00", help="What its clock says first."
    ),
    click.option(
        "--drift",
        type=click.IntRange(-MAX_DRIFT, MAX_DRIFT),
        default=0,
        help="How much its clock gains, in ppm; negative: loses.",
    ),
    click.option("--program", type=click.Path(path_type=Path), help="Start with this program."),
    click.option("--reservoir", type=Volume(), default=str(RESERVOIR), help="What it holds, nL."),
    click.option(
        "--concentration",
        type=click.IntRange(1, 2**16 - 1),
        default=CONCENTRATION,
        help="Of its fluid, in fictional du/mL.",
    ),
    click.option("--dead", type=Volume(), default=str(DEAD_VOLUME), help="In its catheter, nL."),
    click.option("--no-limits", is_flag=True, help="Hold no limits at all."),
    open_option("Ask nobody for a session: a pump without keys (also from MOCKPUMP_OPEN)."),
    click.option(
        "--keyring",
        type=click.Path(path_type=Path),
        help="Put its pairing keys into this keyring, in place of showing them.",
    ),
)


def making_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options with which a pump is made."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def making_of(
    *,
    name: str,
    serial: int,
    clock: int,
    drift: int,
    program: Path | None,
    reservoir: int,
    concentration: int,
    dead: int,
    no_limits: bool,
    keys: Keys | None,
) -> Making:
    """What those options say; a usage error for a name that no message can carry."""
    identity = PumpIdentity(serial, name, reservoir)
    try:
        m.encode(describe(identity))
    except LocalProtocolError as error:
        raise click.UsageError(f"--name: {error}") from None
    limits = WIDEST if no_limits else FACTORY
    wanted = FACTORY_PROGRAM if program is None else read_program_file(program)
    pairing = OPEN if keys is None else paired_with(keys)
    return Making(identity, wanted, limits, clock, drift, concentration, dead, pairing)


def make_pump(
    memory: Memory, made_with: dict[str, Any], file: Path | None = None
) -> Callable[[], None]:
    """Make a pump with those options in an empty memory; what hands its keys over, once it stands.

    Of one in a file, standard output tells; of one that ends with the process, standard error.
    """
    is_open, keyring = made_with.pop("is_open"), made_with.pop("keyring")
    if is_open and keyring is not None:
        raise click.UsageError("an open pump has no keys to put into a --keyring")
    keys = None if is_open else draw_keys(secrets.token_bytes)
    making = making_of(**made_with, keys=keys)
    make(memory, making)
    identity = making.identity
    if keys is not None and keyring is not None:
        with kept(keys, identity, keyring):
            pass

    def hand_over() -> None:
        if file is not None:
            echo(f'made "{identity.name}" (fictional), number {identity.serial}, in {file}')
        if keys is not None:
            show_keys(keys, keyring, err=file is None)

    return hand_over


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--seed", type=int, help="Draw its name and number from this.")
@making_options
def new(file: Path, seed: int | None, **made_with: Any) -> None:
    """Make a pump whose memory is FILE, and survives whatever happens to the process.

    \b
    mockpump pump new demo.pump --name "demo pump" --program day.toml
    mockpump pump run --memory demo.pump --pty ./pump
    """
    from mockpump.emulator.memory.sqlite import SqliteMemory

    if seed is not None:
        context = click.get_current_context()
        for option in ("name", "serial"):
            if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--seed and --{option} exclude each other")
        made_with["serial"] = random.Random(seed).randrange(10_000, 100_000)
        made_with["name"] = f"mock pump {made_with['serial']}"
    with ExitStack() as unless_made:
        memory = SqliteMemory.create(file)
        # By then the memory is closed, and leaves nothing beside the file.
        unless_made.callback(file.unlink)
        with closing(memory):
            make_pump(memory, made_with, file)()
        unless_made.pop_all()
