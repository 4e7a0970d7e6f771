"""`mockpump link`: a bad cable to put between any two programs."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from mockpump.cli.channel_options import channel_options, impairments_of
from mockpump.cli.quantities import LineTime
from mockpump.cli.recording import FrameShow, Watching, trace_file, watching_options
from mockpump.cli.render import as_json, show
from mockpump.cli.tables import fault_facts, show_faults
from mockpump.cli.terminal import echo
from mockpump.cli.waiting import tell_waiting, wait_option
from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.trace.format import Ends
from mockpump.emulator.transports.cable import Cable, PortEnd
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.pty import PtyLine
from mockpump.emulator.transports.recording import LiveTrace
from mockpump.emulator.transports.waiting import tries


@click.command()
@click.option("--a", "first", default="pty", show_default=True, help="One end; see below.")
@click.option("--b", "second", required=True, help="The other end.")
@channel_options
@click.option("--seed", type=int, default=0, show_default=True, help="What chance is drawn from.")
@click.option(
    "--for",
    "lasting",
    type=LineTime(),
    help="End after such a time, such as 30s; else at Ctrl-C.",
)
@wait_option
@watching_options
@click.option("--json", "json_", is_flag=True, help="Print the ends, and the table, as JSON.")
def link(
    first: str,
    second: str,
    seed: int,
    lasting: int | None,
    wait: int,
    json_: bool,
    trace: Path | None,
    shows: bool,
    in_full: bool,
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
    watched = Watching(trace, shows, in_full)
    seconds = None if lasting is None else lasting / 1e6
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(channel, _CableEnds(first, second, wait), seconds, watched, json_))


class _CableEnds(NamedTuple):
    """Where a cable goes, and how long an end that is not there yet is waited for."""

    first: str
    second: str
    wait: int

    async def opened(self, cable: Cable, first: bool) -> PtyLine | PortEnd:
        """One of them, open."""
        end = self.first if first else self.second
        trying = tries(lambda: cable.open(end, first), self.wait, partial(tell_waiting, self.wait))
        while True:
            try:
                pause = next(trying)
            except StopIteration as done:
                line: PtyLine | PortEnd = done.value
                return line
            await asyncio.sleep(pause)


async def _run(
    channel: Channel, ends: _CableEnds, seconds: float | None, watched: Watching, json_: bool
) -> None:
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(error: PortError | None = None) -> None:
        if not ended.done():
            ended.set_result(None) if error is None else ended.set_exception(error)

    with contextlib.ExitStack() as stack:
        cable = stack.enter_context(contextlib.closing(Cable(channel, end)))
        if watched.shows:
            cable.tap = FrameShow(watched.in_full, err=json_)
        if watched.trace is not None:
            file = stack.enter_context(trace_file(watched.trace))
            live = LiveTrace(file, Ends(), "on the line")
            live.writer.channel(0, channel.impairments)
            cable.trace = live.writer
        far = stack.enter_context(contextlib.closing(await ends.opened(cable, False)))
        near = stack.enter_context(contextlib.closing(await ends.opened(cable, True)))
        _end_in_order(end)
        _announce(near.path, far.path, json_)
        try:
            await asyncio.wait_for(ended, seconds)
        except TimeoutError:
            pass
        finally:
            _conclude(cable, near.path, far.path, json_)


def _end_in_order(end: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What was told to be ignored (nohup does) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, end)


def _announce(first: str, second: str, json_: bool) -> None:
    if json_:
        echo(as_json({"a": first, "b": second}))
    else:
        show(f"a cable from {first} to {second}    (Ctrl-C ends it)")
    sys.stdout.flush()


def _conclude(cable: Cable, near: str, far: str, json_: bool) -> None:
    table = cable.attribution.table()
    ways = {True: "a_to_b", False: "b_to_a"}
    carried = {name: _carried(cable, way) for way, name in ways.items()}
    if json_:
        echo(as_json({"faults": fault_facts(table), "carried": carried}))
        return
    for way, ends in ((True, f"{near} to {far}"), (False, f"{far} to {near}")):
        told = carried[ways[way]]
        show(
            f"from {ends}: {told['frames']:,} frames, {told['bytes']:,} bytes sent;"
            f" {told['arrived']:,} bytes arrived"
        )
    show_faults(table)


def _carried(cable: Cable, first: bool) -> dict[str, int]:
    """What went in at an end, and came out at the other."""
    return {
        "frames": cable.attribution.frames[first],
        "bytes": cable.bytes_sent[first],
        "arrived": cable.bytes_arrived[first],
    }
