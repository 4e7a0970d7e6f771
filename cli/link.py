"""`mockpump link`: a bad cable to put between any two programs."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Any

import click

from mockpump.cli.channel_options import channel_options, impairments_of
from mockpump.cli.recording import trace_file
from mockpump.cli.render import as_json, show
from mockpump.cli.tables import show_faults
from mockpump.cli.terminal import echo
from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.trace.format import Ends
from mockpump.emulator.transports.cable import Cable
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.recording import LiveTrace
from mockpump.protocol.units import BadQuantity, read_line_time


@click.command()
@click.option("--a", "first", default="pty", show_default=True, help="One end; see below.")
@click.option("--b", "second", required=True, help="The other end.")
@channel_options
@click.option("--seed", type=int, default=0, show_default=True, help="What chance is drawn from.")
@click.option("--for", "lasting", help="End after such a time, such as 30s; else at Ctrl-C.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    help="Record both directions into this file, for `mockpump show`.",
)
@click.option("--json", "json_", is_flag=True, help="Print the ends, and the table, as JSON.")
def link(
    first: str,
    second: str,
    seed: int,
    lasting: str | None,
    trace: Path | None,
    json_: bool,
    **wrong: Any,
) -> None:
    """Put a bad cable between two programs.

    An end is `pty` or `pty:PATH` (a fresh pty, for somebody to open), or a port that is there: the
    path of a pty or serial port, or tcp:HOST:PORT.

    \b
    mockpump pump run --pty ./pump --keyring keys.json &
    mockpump link --a pty:./bad --b ./pump --loss 5% --delay 50ms &
    mockpump programmer --port ./bad --keyring keys.json status

    It carries whatever bytes come, TIDE/1 or not.  In the end it shows, for each kind of fault, how
    many there were and what caught them; only frames of TIDE/1 tell.
    """
    channel = Channel(impairments_of(wrong), seed)
    seconds = None if lasting is None else _seconds(lasting)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(channel, first, second, seconds, trace, json_))


def _seconds(text: str) -> float:
    try:
        return read_line_time(text) / 1e6
    except BadQuantity as error:
        raise click.UsageError(f"--for: {error}") from None


async def _run(
    channel: Channel,
    first: str,
    second: str,
    seconds: float | None,
    trace: Path | None,
    json_: bool,
) -> None:
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(error: PortError | None = None) -> None:
        if not ended.done():
            ended.set_result(None) if error is None else ended.set_exception(error)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What was told to be ignored (nohup does) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, end)
    with contextlib.ExitStack() as stack:
        cable = stack.enter_context(contextlib.closing(Cable(channel, end)))
        if trace is not None:
            live = LiveTrace(stack.enter_context(trace_file(trace)), Ends(), "on the line")
            live.writer.channel(0, channel.impairments)
            cable.trace = live.writer
        far = stack.enter_context(contextlib.closing(cable.open(second, False)))
        near = stack.enter_context(contextlib.closing(cable.open(first, True)))
        _announce(near.path, far.path, json_)
        try:
            await asyncio.wait_for(ended, seconds)
        except TimeoutError:
            pass
        finally:
            _conclude(cable, json_)


def _announce(first: str, second: str, json_: bool) -> None:
    if json_:
        echo(as_json({"a": first, "b": second}))
    else:
        show(f"a cable from {first} to {second}    (Ctrl-C ends it)")
    sys.stdout.flush()


def _conclude(cable: Cable, json_: bool) -> None:
    table = cable.attribution.table()
    if json_:
        echo(as_json({"faults": table}))
    else:
        show_faults(table)
