"""`mockpump pump run`: a mock pump in a process of its own, on a pty or a TCP port."""

import asyncio
import contextlib
import errno
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mockpump.cli import render
from mockpump.cli.pump.new import making_options
from mockpump.cli.pump.which import which
from mockpump.cli.quantities import MAX_FACTOR, Speed, speed_text
from mockpump.cli.recording import Watching, watched_lines, watching_options
from mockpump.cli.signals import undisturbed
from mockpump.cli.terminal import complain, echo, warn
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.time_scale import MAX_SPEED, TimeScale
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol.errors import InternalError
from mockpump.protocol.units import duration, volume

if TYPE_CHECKING:
    from mockpump.emulator.transports.recording import TappedRunner

_DIRECTION = re.compile(r"hold|go (max|\d{1,7})(?: for (\d{1,9}))?", re.ASCII)
_LONGEST_DIRECTION = 4096
# What a flood of callers can use up for a moment; asyncio tries again.
_SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
# How many clients a TCP port serves unless told otherwise.
_CLIENTS = 16


class ListenAddress(NamedTuple):
    """Where the pump is to be found: a pty with an optional stable name, or a TCP address.

    The address must be on loopback unless it is `exposed`, and serves this many `clients`.  Beside
    a memory file there is also a control socket.
    """

    pty: Path | None = None
    tcp: tuple[str, int] | None = None
    exposed: bool = False
    memory: Path | None = None
    clients: int = _CLIENTS


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT, or just a port on this machine's loopback."""

    name = "host:port"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Host and port; the host is 127.0.0.1 when only a port is given."""
        bare = re.sub(r"^(tcp:|socket:)(//)?", "", str(value))
        host, _, port = bare.rpartition(":")
        if re.fullmatch(r"\d{1,5}", port, re.ASCII) is None or int(port) > 65_535:
            self.fail(f"{value!r} is not HOST:PORT", param, ctx)
        if bare != value:
            self.fail(f"{value!r}: use HOST:PORT alone, as in {bare}", param, ctx)
        return host.strip("[]") or "127.0.0.1", int(port)


@click.command()
@click.option("--pty", type=click.Path(path_type=Path), help="Give the pty this stable name.")
@click.option("--tcp", type=Address(), help="Listen on HOST:PORT in place of a pty.")
@click.option("--expose", is_flag=True, help="Let --tcp listen where other machines can call.")
@click.option(
    "--clients",
    type=click.IntRange(1, 10_000),
    help="How many clients --tcp serves at a time.  [default: 16]",
)
@click.option(
    "--speed",
    type=Speed(),
    default="1",
    show_default=True,
    help="1, 60, 3600, ..., max; 0 stands still.",
)
@click.option(
    "--memory",
    type=click.Path(path_type=Path),
    help="Be the pump of this file (see `pump new`), in place of a fresh one.",
)
@making_options
@watching_options
@click.option("--stage", is_flag=True, help="Take directions for its time on standard input.")
@click.option("--json", "as_json", is_flag=True, help="Say where the pump is as JSON.")
@click.pass_context
def run(
    context: click.Context,
    /,
    pty: Path | None,
    tcp: tuple[str, int] | None,
    expose: bool,
    clients: int | None,
    speed: int | None,
    memory: Path | None,
    stage: bool,
    as_json: bool,
    **made_with: Any,
) -> None:
    """Run a pump until Ctrl-C.  It prints where to find it.

    \b
    mockpump pump run --pty ./pump --speed 60 --keyring keys.json &
    mockpump programmer --port ./pump --keyring keys.json status

    A TCP port is on loopback, serves --clients at a time, and hangs up on those that never make
    a connection of the protocol or do not read what they are sent.

    At speed `max` pump time goes as fast as the telemetry that somebody has subscribed to is
    carried away, and stands still while nobody has.

    With --stage, a line `go 3600 for 86400` lets a day of pump time pass in 24 seconds and then
    stand still, `go max` and `hold` do what they say, and the end of the input ends the pump.
    """
    place = _place(pty, tcp, expose, memory, clients)
    watched = Watching(**{name: made_with.pop(name) for name in Watching._fields})
    with contextlib.ExitStack() as stack:
        kept, hand_over = which(context, stack, memory, made_with)
        device = Pump(kept)
        time_scale = TimeScale(speed, now=line_now(), elapsed=device.elapsed)
        server = PumpServer(device, time_scale, drawing.secret)
        failures: list[Exception] = []
        stack.callback(_shut_down, server, failures)
        with contextlib.suppress(KeyboardInterrupt):
            first_words = _first_words(device, memory, made_with["keyring"])
            announce = partial(_announce, as_json, hand_over, first_words)
            asyncio.run(_run(server, place, stage, announce, failures, watched))
    delivered = volume(server.pump.delivery.delivered)
    age = duration(server.pump.elapsed)
    echo(f"pump stopped after {age}; delivered {delivered}", err=True)


def _place(
    pty: Path | None,
    tcp: tuple[str, int] | None,
    expose: bool,
    memory: Path | None,
    clients: int | None,
) -> ListenAddress:
    if pty and tcp:
        raise click.UsageError("--pty and --tcp exclude each other")
    for option, given in (("--expose", expose), ("--clients", clients)):
        if given and not tcp:
            raise click.UsageError(f"{option} is for --tcp")
    return ListenAddress(pty, tcp, expose, memory, clients or _CLIENTS)


def _shut_down(server: PumpServer, failures: list[Exception]) -> None:
    """Record the pump's last state, whatever else went wrong in the end.

    A pump in which something failed is not put down in good order: it wakes up as after a crash.
    """
    if failures:
        return
    with undisturbed():
        # Nobody has looked at the clock since the last byte came.
        server.shut_down(line_now())


async def _run(
    server: PumpServer,
    place: ListenAddress,
    stage: bool,
    announce: Callable[[PumpServer, str], None],
    failures: list[Exception],
    watched: Watching,
) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What was told to be ignored (nohup does) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, ended.set)
    _end_on_failure(loop, ended, failures)
    runner = PumpRunner(server)
    with contextlib.closing(runner), watched_lines(runner, watched) as behind:
        async with _line(behind, place) as where, _control(runner, place.memory):
            if stage:
                _take_pacing_commands(loop, runner, ended)
            announce(server, where)
            await ended.wait()
    if failures:
        raise failures[0]


def _end_on_failure(
    loop: asyncio.AbstractEventLoop, ended: asyncio.Event, failures: list[Exception]
) -> None:
    """A pump in which something failed is no pump to rely on: it ends, and says why."""

    def on_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if getattr(context.get("exception"), "errno", None) in _SHORTAGES:
            return  # one more caller could not be taken
        failures.append(context.get("exception") or InternalError(context["message"]))
        ended.set()

    loop.set_exception_handler(on_failure)


@contextlib.asynccontextmanager
async def _line(runner: "PumpRunner | TappedRunner", place: ListenAddress) -> AsyncIterator[str]:
    """Open the line, yield where to find it, close it in the end."""
    if place.tcp is not None:
        async with _tcp_line(runner, place.tcp, place) as where:
            yield where
        return
    from mockpump.emulator.transports.pty import PtyLine

    with contextlib.closing(PtyLine(runner, place.pty)) as line:
        yield line.path


@contextlib.asynccontextmanager
async def _tcp_line(
    runner: "PumpRunner | TappedRunner", address: tuple[str, int], place: ListenAddress
) -> AsyncIterator[str]:
    from mockpump.emulator.transports.tcp import NotLoopback, TcpBounds, TcpListener, make_room

    make_room(place.clients)
    bounds = TcpBounds(clients=place.clients)
    with contextlib.closing(TcpListener(runner, bounds=bounds)) as listener:
        try:
            await listener.listen(*address, exposed=place.exposed)
        except NotLoopback as error:
            raise click.UsageError(f"{error}; if that is wanted, say --expose") from None
        host, port = listener.address
        if not listener.on_loopback:
            warn(f"anybody who reaches {host}:{port} is served")
        yield f"tcp:[{host}]:{port}" if ":" in host else f"tcp:{host}:{port}"


@contextlib.asynccontextmanager
async def _control(runner: PumpRunner, memory: Path | None) -> AsyncIterator[None]:
    """Open the control socket beside the memory file, if there is one, and take it away."""
    if memory is None:
        yield
        return
    from mockpump.emulator.transports.control_socket import ControlSocket, NoControl

    async with contextlib.AsyncExitStack() as stack:
        control = ControlSocket(runner, memory)
        try:
            await stack.enter_async_context(control)
        except NoControl as error:
            warn(f"`pump fault` cannot reach this pump: {error}")
        yield
    if control.error:
        warn(control.error)


def _first_words(device: Pump, memory: Path | None, keyring: Path | None) -> list[str]:
    """What of `mockpump programmer` works first: with the keys where they are, or typed."""
    if device.pairing.is_open:
        return ["--open", "status"]
    if keyring is not None:
        return ["--keyring", str(keyring), "status"]
    return ["status" if memory else "pair"]


def _announce(
    as_json: bool,
    hand_over: Callable[[], None],
    first_words: list[str],
    server: PumpServer,
    where: str,
) -> None:
    hand_over()
    identity = server.pump.identity
    speed = speed_text(server.time_scale.speed)
    if as_json:
        # What any pyserial program takes.
        url = re.sub("^tcp:", "socket://", where)
        facts = {"port": url, "name": identity.name, "serial": identity.serial, "speed": speed}
        echo(render.as_json(facts))
    else:
        echo(f'mock pump "{identity.name}" (fictional) on {where}, speed {speed}')
        command = shlex.join(["mockpump", "programmer", "--port", where, *first_words])
        echo(f"try: {command}    (Ctrl-C ends the pump)")
    sys.stdout.flush()


def _take_pacing_commands(
    loop: asyncio.AbstractEventLoop, runner: PumpRunner, ended: asyncio.Event
) -> None:
    """Follow the lines that come on standard input; its end ends the pump."""
    waiting = bytearray()

    def on_readable() -> None:
        data = os.read(0, _LONGEST_DIRECTION)
        waiting.extend(data)
        while (end := waiting.find(b"\n")) >= 0:
            line = waiting[:end].decode(errors="replace").strip()
            del waiting[: end + 1]
            if line:
                _direct(runner, line)
        if len(waiting) > _LONGEST_DIRECTION:
            # Too long to be one: what is still to come of it must not be taken for another.
            waiting[:] = b"?"
        if not data:
            loop.remove_reader(0)
            ended.set()

    try:
        loop.add_reader(0, on_readable)
    except OSError:
        # A file can be read at any time, so nothing can wait for it.
        raise click.UsageError("--stage takes its directions from a pipe or a terminal") from None


def _direct(runner: PumpRunner, line: str) -> None:
    match = _DIRECTION.fullmatch(line)
    if match is None or (match[1] != "max" and int(match[1] or 0) > MAX_FACTOR):
        said = line if len(line) <= 40 else f"{line[:40]}..."
        complain(f"unknown direction {said!r}: use 'hold', 'go SPEED' or 'go SPEED for SECONDS'")
    elif line == "hold":
        runner.set_speed(0)
    else:
        speed = MAX_SPEED if match[1] == "max" else int(match[1])
        runner.set_speed(speed, int(match[2]) if match[2] else None)
