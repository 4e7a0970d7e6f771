"""`mockpump programmer`: what a person does with the mock programmer, over any port."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from mockpump.cli.files import read_program_file
from mockpump.cli.main import EXIT_REFUSED, fail
from mockpump.cli.quantities import ClockTime, clock_time, duration
from mockpump.cli.render import (
    as_json,
    identity_facts,
    redrawn,
    show_changes,
    show_facts,
    status_facts,
    telemetry_line,
)
from mockpump.emulator.programmer.client import Connected
from mockpump.emulator.programmer.comparison import compare
from mockpump.emulator.programmer.errors import ConnectionLost, NoReply, ReadbackDiffers
from mockpump.emulator.programmer.procedures import ask, read_program, set_program
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.serial_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol import program_toml
from mockpump.protocol.framing import MAX_PAYLOAD
from mockpump.protocol.link_settings import MAX_WINDOW, MIN_PAYLOAD, LinkSettings
from mockpump.protocol.program import Program

_WEEK = 7 * 86_400


class Options(NamedTuple):
    """What every command of the group needs."""

    port: str | None
    settings: LinkSettings
    json: bool


class Session(NamedTuple):
    """A programmer that is connected."""

    device: SerialProgrammer
    terms: Connected


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


@contextmanager
def changing() -> Iterator[None]:
    """Around what changes the pump: say of every failure that nothing was changed, if that is so.

    An unknown outcome is another error, and says for itself what is not known.
    """
    try:
        yield
    except (ConnectionLost, NoReply, ReadbackDiffers, PortError) as error:
        error.add_note("nothing was changed")
        raise


@contextmanager
def connected(options: Options) -> Iterator[Session]:
    """Open the port, call the pump, and hang up in the end."""
    if options.port is None:
        # Not before: `programmer status --help` needs no port.
        raise click.UsageError("name the pump's port with --port or MOCKPUMP_PORT")
    with SerialProgrammer(options.port, options.settings) as device:
        yield Session(device, device.connect(secrets.randbelow(2**16)))


def _transaction() -> int:
    return secrets.randbelow(2**32)


def _say(options: Options, result: object, text: str) -> None:
    click.echo(as_json(result) if options.json else text)


@programmer.command()
@click.pass_obj
def identify(options: Options) -> None:
    """Ask the pump who it is."""
    with connected(options) as session:
        identity: m.Identity = session.device.run(ask(m.Identify()))
    _show(options, identity, identity_facts(identity))


@programmer.command()
@click.pass_obj
def status(options: Options) -> None:
    """Ask the pump what it is doing."""
    with connected(options) as session:
        report: m.Status = session.device.run(ask(m.GetStatus()))
    _show(options, report, status_facts(report))


def _show(options: Options, result: object, facts: dict[str, str]) -> None:
    if options.json:
        click.echo(as_json(result))
    else:
        show_facts(facts)


@programmer.command()
@click.option("--set", "wanted", type=ClockTime(day=None), help="Set it, such as 'Mon 07:30'.")
@click.pass_obj
def clock(options: Options, wanted: int | None) -> None:
    """Read the pump's clock, or set it.

    Setting it keeps the week.  Nothing is delivered twice or skipped: the schedule follows the new
    time of day.
    """
    with changing(), connected(options) as session:
        now: m.Clock = session.device.run(ask(m.GetClock()))
        if wanted is None:
            _say(options, now, clock_time(now.clock))
            return
        target = now.clock // _WEEK * _WEEK + wanted
        done: m.ClockSet = session.device.run(ask(m.SetClock(_transaction(), target)))
    _say(options, done, f"clock set from {clock_time(done.before)} to {clock_time(done.clock)}")


@programmer.command()
@click.pass_obj
def suspend(options: Options) -> None:
    """Suspend delivery."""
    with changing(), connected(options) as session:
        done: m.Suspended = session.device.run(ask(m.Suspend(_transaction())))
    _say(options, done, f"delivery suspended at {duration(done.elapsed)} of pump time")


@programmer.command()
@click.pass_obj
def resume(options: Options) -> None:
    """Resume delivery."""
    with changing(), connected(options) as session:
        done: m.Resumed = session.device.run(ask(m.Resume(_transaction())))
    _say(options, done, f"delivery resumed at {duration(done.elapsed)} of pump time")


@programmer.command()
@click.option(
    "--interval",
    type=click.IntRange(1, 86_400),
    default=60,
    show_default=True,
    help="Seconds of pump time between reports.",
)
@click.option("--count", type=click.IntRange(1), help="End after so many reports.")
@click.pass_obj
def watch(options: Options, interval: int, count: int | None) -> None:
    """Show what the pump reports, until Ctrl-C."""
    in_place = sys.stdout.isatty() and not options.json
    with connected(options) as session:
        session.device.run(ask(m.Subscribe(interval)))
        try:
            for number, report in enumerate(session.device.watch(), start=1):
                line = as_json(report) if options.json else telemetry_line(report)
                click.echo(redrawn(line) if in_place else line, nl=not in_place)
                sys.stdout.flush()
                if number == count:
                    break
        except KeyboardInterrupt:
            pass
        finally:
            if in_place:
                click.echo()


@programmer.group()
def program() -> None:
    """Read the pump's program, or give it another."""


@program.command()
@click.pass_obj
def show(options: Options) -> None:
    """Print the active program as a file that `program set` takes."""
    with connected(options) as session:
        read = session.device.run(read_program())
    if options.json:
        click.echo(as_json(read))
    elif read.program is None:
        click.echo("# the pump holds no program")
    else:
        click.echo(program_toml.dumps(read.program), nl=False)


@program.command("set")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--dry-run", is_flag=True, help="Show what would change and stop there.")
@click.pass_obj
def set_(options: Options, file: Path, yes: bool, dry_run: bool) -> None:
    """Make the program in FILE the active one.

    Shows daily volumes before and after, asks, then stages the program, reads it back, compares and
    commits.  Exit code 4 says that the outcome is unknown: the commit was sent and its reply lost.
    """
    if not (yes or dry_run):
        _require_somebody(options)
    wanted = read_program_file(file)
    with changing(), connected(options) as session:
        active = session.device.run(read_program())
        status: m.Status = session.device.run(ask(m.GetStatus()))
    if active.program == wanted:
        _say(options, {"digest": active.digest, "changed": False}, "already the active program")
        return
    changes = compare(active.program, wanted, status.percent)
    if not options.json:
        show_changes(changes, wanted)
    elif dry_run:
        click.echo(as_json({"changes": changes, "ramp": wanted.ramp, "changed": False}))
    if dry_run:
        return
    if not yes:
        _confirm()
    # The pump would give a silent line up, so the line is not kept open while somebody thinks; the
    # digest of the program seen before lets the pump refuse when another has come between.
    _commit(options, wanted, active.digest)


def _require_somebody(options: Options) -> None:
    """Before anything is sent: is there somebody to show the changes to, and to ask?"""
    if options.json:
        raise click.UsageError("--json asks nobody for confirmation: add --yes or --dry-run")
    if not sys.stdin.isatty():
        raise click.UsageError("nobody to ask for confirmation: add --yes or --dry-run")


def _confirm() -> None:
    if not click.confirm("Make it the active program?", err=True):
        fail("not confirmed; nothing was changed", EXIT_REFUSED)


def _commit(options: Options, wanted: Program, base: bytes) -> None:
    with changing(), connected(options) as session:
        steps = set_program(wanted, base, _transaction(), session.terms.max_payload)
        done = session.device.run(steps)
    digest = programs.digest(programs.image(wanted))
    result = {"digest": digest, "changed": True, "elapsed": done.elapsed}
    _say(options, result, f'"{wanted.name}" is the active program (digest {digest.hex()})')
