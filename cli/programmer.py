"""`mockpump programmer`: the group of commands with which a person uses the mock programmer."""

import click

from mockpump.cli import programmer_ask, programmer_change, programmer_program
from mockpump.cli.programmer_session import Options
from mockpump.protocol.framing import MAX_PAYLOAD
from mockpump.protocol.link_settings import MAX_WINDOW, MIN_PAYLOAD, LinkSettings


@click.group()
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
@click.pass_context
def programmer(
    context: click.Context, port: str | None, json_: bool, window: int, payload: int
) -> None:
    """Talk to a mock pump.  It is a toy; it cannot talk to a real device.

    \b
    mockpump programmer --port /tmp/pump status
    mockpump programmer --port tcp:127.0.0.1:7000 watch
    mockpump programmer --port mockpump://demo identify
    """
    context.obj = Options(port, LinkSettings(max_payload=payload, window=window), json_)


for _module in (programmer_ask, programmer_change, programmer_program):
    for _command in _module.COMMANDS:
        programmer.add_command(_command)
