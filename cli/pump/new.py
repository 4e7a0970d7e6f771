"""`mockpump pump new`: a pump in a file, and what a pump can be made with."""

import random
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import click

from mockpump.cli.completion import programs_or_files
from mockpump.cli.files import read_program_file
from mockpump.cli.keys import (
    LAST_SERIAL,
    KeyPlace,
    advising_on_serial,
    draw_serial,
    handed_over,
    open_option,
    replace_option,
)
from mockpump.cli.quantities import Amount, ClockTime
from mockpump.cli.signals import undisturbed
from mockpump.cli.terminal import echo
from mockpump.emulator.pump.clock import MAX_DRIFT
from mockpump.emulator.pump.factory import (
    CONCENTRATION,
    DEAD_VOLUME,
    FACTORY_PROGRAM,
    PumpConfig,
    initialize,
)
from mockpump.emulator.pump.limits import FACTORY, WIDEST
from mockpump.emulator.pump.pairing import OPEN, Keys, draw_keys, paired_with
from mockpump.emulator.pump.pump import describe
from mockpump.emulator.pump.state import RESERVOIR, PumpIdentity
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.keyring_file import HandedOver
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.units import CONCENTRATION as DU_PER_ML
from mockpump.protocol.units import DRIFT, VOLUME

_OPTIONS = (
    click.option("--name", default="mock pump", show_default=True, help="What the pump is called."),
    click.option(
        "--serial", type=click.IntRange(0, LAST_SERIAL), help="Its made-up number; else drawn."
    ),
    click.option(
        "--clock", type=ClockTime(), default="Mon 00:00", help="What its clock says first."
    ),
    click.option(
        "--drift",
        type=Amount(DRIFT, -MAX_DRIFT, MAX_DRIFT),
        default=0,
        help="How much its clock gains, in ppm; negative: loses.",
    ),
    click.option(
        "--program",
        type=click.Path(path_type=Path),
        shell_complete=programs_or_files,
        help="Start with this program: a file, or an example's name, such as day.",
    ),
    click.option(
        "--reservoir",
        type=Amount(VOLUME),
        default=str(RESERVOIR),
        help="What it holds, such as 10mL; a plain number is nL.",
    ),
    click.option(
        "--concentration",
        type=Amount(DU_PER_ML, 1, 2**16 - 1),
        default=CONCENTRATION,
        help="Of its fluid, in fictional du/mL.",
    ),
    click.option(
        "--dead",
        type=Amount(VOLUME),
        default=str(DEAD_VOLUME),
        help="What its catheter holds, such as 50uL.",
    ),
    click.option("--no-limits", is_flag=True, help="Hold no limits at all."),
    open_option("Ask nobody for a session: a pump without keys (also from MOCKPUMP_OPEN)."),
    click.option(
        "--keyring",
        type=click.Path(path_type=Path),
        help="Put its pairing keys into this keyring, in place of showing them.",
    ),
    replace_option,
)


def making_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options with which a pump is made."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Order(NamedTuple):
    """A pump as its options want it, its keys (None: it is open), and where they are to go."""

    config: PumpConfig
    keys: Keys | None
    place: KeyPlace


def ordered(
    *,
    name: str,
    serial: int | None,
    clock: int,
    drift: int,
    program: Path | None,
    reservoir: int,
    concentration: int,
    dead: int,
    no_limits: bool,
    is_open: bool,
    keyring: Path | None,
    replace_keys: bool,
) -> Order:
    """What those options say; a usage error for a name that no message can carry."""
    if is_open and keyring is not None:
        raise click.UsageError("an open pump has no keys to put into a --keyring")
    if replace_keys and keyring is None:
        raise click.UsageError("--replace-keys is for --keyring")
    keys = None if is_open else draw_keys(drawing.secret)
    number = draw_serial(keyring) if serial is None else serial
    identity = PumpIdentity(number, name, reservoir)
    try:
        m.encode(describe(identity))
    except LocalProtocolError as error:
        raise click.UsageError(f"--name: {error}") from None
    limits = WIDEST if no_limits else FACTORY
    wanted = FACTORY_PROGRAM if program is None else read_program_file(program)
    pairing = OPEN if keys is None else paired_with(keys)
    config = PumpConfig(identity, wanted, limits, clock, drift, concentration, dead, pairing)
    return Order(config, keys, KeyPlace(keyring, replace_keys))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--seed", type=int, help="Draw its name and number from this.")
@making_options
def new(file: Path, seed: int | None, **made_with: Any) -> None:
    """Make a pump whose memory is FILE, and survives whatever happens to the process.

    \b
    mockpump pump new demo.pump --program day --keyring keys.json
    mockpump pump run --memory demo.pump --pty ./pump &
    mockpump programmer --port ./pump --keyring keys.json status
    """
    if seed is not None:
        context = click.get_current_context()
        for option in ("name", "serial"):
            if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--seed and --{option} exclude each other")
        made_with["serial"] = random.Random(seed).randrange(10_000, 100_000)
        made_with["name"] = f"mock pump {made_with['serial']}"
    from mockpump.emulator.memory.sqlite_file import real_path

    keyring = made_with["keyring"]
    if keyring is not None and real_path(keyring) == real_path(file):
        raise click.UsageError("the pump and its keyring cannot be one file")
    _make(file, ordered(**made_with))


def _make(file: Path, order: Order) -> None:
    """Make it: wholly and with its keys in somebody's hands, or not at all."""
    from mockpump.emulator.memory.sqlite import SqliteMemory
    from mockpump.emulator.memory.sqlite_file import new_file

    identity = order.config.identity
    with new_file(file) as unfinished:
        with closing(SqliteMemory.create(unfinished.path)) as memory:
            initialize(memory, order.config)
        with ExitStack() as stack:
            if order.keys is None:
                handing = HandedOver()
            else:
                stack.enter_context(advising_on_serial())
                over = handed_over(order.keys, identity, order.place)
                handing = stack.enter_context(over)
            with undisturbed():
                unfinished.put_in_place()
                handing.keep()
            echo(f'made "{identity.name}" (fictional), number {identity.serial}, in {file}')
