"""`mockpump programmer`: the group of commands with which a person uses the mock programmer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mockpump.cli.keys import DEFAULT_KEYRING, open_option
from mockpump.cli.options_anywhere import OptionsAnywhere
from mockpump.cli.programmer import clock, control, pair, program, read
from mockpump.cli.programmer.session import Options
from mockpump.cli.recording import FrameShow, Watching, trace_file, watching_options
from mockpump.cli.waiting import wait_option
from mockpump.emulator.programmer.known_pump import KnownPump
from mockpump.emulator.trace.format import Ends
from mockpump.emulator.transports.blocking_programmer import Tap
from mockpump.emulator.transports.recording import LiveTrace, ProgrammerTap
from mockpump.protocol.framing import MAX_PAYLOAD
from mockpump.protocol.link.types import MAX_WINDOW, MIN_PAYLOAD, LinkSettings
from mockpump.protocol.messages.base import Access


@click.group(cls=OptionsAnywhere)
@click.option(
    "--port",
    envvar="MOCKPUMP_PORT",
    help="A pty or serial port, tcp:HOST:PORT, or any pyserial URL (also from MOCKPUMP_PORT).",
)
@click.option("--json", "json_", is_flag=True, help="Print results as JSON, one object a line.")
@click.option(
    "--window",
    type=click.IntRange(1, MAX_WINDOW),
    default=LinkSettings().window,
    show_default=True,
    help="Frames under way at a time; 1 is stop-and-wait.",
)
@click.option(
    "--payload",
    type=click.IntRange(MIN_PAYLOAD, MAX_PAYLOAD),
    default=LinkSettings().max_payload,
    show_default=True,
    help="Largest payload offered, in bytes.",
)
@click.option(
    "--keyring",
    type=click.Path(path_type=Path),
    envvar="MOCKPUMP_KEYRING",
    default=DEFAULT_KEYRING,
    help="Where the pairing keys are (also from MOCKPUMP_KEYRING).",
)
@click.option(
    "--as",
    "access",
    type=click.Choice([access.name.lower() for access in Access]),
    help="Take this key of the pump's; if not said, the one that grants most.",
)
@click.option(
    "--take-over",
    is_flag=True,
    help="End the session that another programmer has; that takes the clinician's key.",
)
@click.option(
    "--serial",
    type=click.IntRange(0, 2**32 - 1),
    help="Talk to the pump with this serial number only, not to another at the same port.",
)
@wait_option
@watching_options
@open_option("Open no session, for a pump that asks for none (also from MOCKPUMP_OPEN).")
@click.pass_context
def programmer(
    context: click.Context,
    /,
    port: str | None,
    json_: bool,
    window: int,
    payload: int,
    keyring: Path,
    access: str | None,
    take_over: bool,
    serial: int | None,
    wait: int,
    is_open: bool,
    **watched: Any,
) -> None:
    """Talk to a mock pump.  It is a toy; it cannot talk to a real device.

    \b
    mockpump programmer --port /tmp/pump status
    mockpump programmer --port tcp:127.0.0.1:7000 watch
    mockpump programmer --port mockpump://demo identify

    These options may stand behind the command as well: `programmer status --port /tmp/pump`.
    """
    # The pump inside this process has no keys.
    is_open = is_open or (port or "").startswith("mockpump://")
    settings = LinkSettings(max_payload=payload, window=window)
    if is_open and access is not None:
        raise click.UsageError("--open opens no session, so there is no key to take --as")
    if take_over and is_open:
        raise click.UsageError("--open opens no session, so it cannot --take-over one")
    wanted = Access[access.upper()] if access else None
    if take_over and wanted is Access.OBSERVER:
        raise click.UsageError("an observer takes over no session: use --as clinician")
    pump = KnownPump(serial)
    taps = tuple(_taps(context, settings, json_, Watching(**watched)))
    context.obj = Options(
        port, settings, json_, keyring, wanted, is_open, pump, take_over, taps, wait
    )


def _taps(
    context: click.Context, settings: LinkSettings, json_: bool, watched: Watching
) -> Iterator[Tap]:
    """What records the line, and what shows it; a recording ends with the command."""
    if watched.trace is not None:
        file = context.with_resource(trace_file(watched.trace))
        yield ProgrammerTap(LiveTrace(file, Ends(programmer=settings), "at the programmer"))
    if watched.shows:
        yield FrameShow(watched.in_full, err=json_)


_MODULES = (
    pair,
    read,
    clock,
    control,
    program,
)
for _module in _MODULES:
    for _command in _module.COMMANDS:
        programmer.add_command(_command)
