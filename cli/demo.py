"""`mockpump demo`: two machines, a real pty between them, a day of pump time, a picture."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from mockpump.cli.charts import show_day
from mockpump.cli.completion import programs_or_files, scenarios
from mockpump.cli.examples import example_program
from mockpump.cli.files import read_program_file
from mockpump.cli.pump.process import PumpProcess
from mockpump.cli.quantities import LineTime, Speed, speed_text
from mockpump.cli.recording import Watching, all_of, trace_file
from mockpump.cli.render import bar, can_redraw, notice_reader_gone, show
from mockpump.cli.scenarios import list_scenarios, tell_scenario
from mockpump.cli.tables import show_changes, show_facts
from mockpump.cli.terminal import redraw
from mockpump.cli.trace import FrameTrace
from mockpump.cli.walk import Walk
from mockpump.emulator.programmer.handshake import open_session
from mockpump.emulator.programmer.keyring import Keyring
from mockpump.emulator.programmer.preview import compare
from mockpump.emulator.programmer.procedures import ask, read_program, set_program
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.schedule import Schedule
from mockpump.emulator.trace.format import Ends
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.emulator.transports.keyring_file import read_keyring
from mockpump.emulator.transports.recording import LiveTrace, ProgrammerTap
from mockpump.protocol import messages as m
from mockpump.protocol.errors import InternalError
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.program import UNITS_PER_NL, Program, daily_volume
from mockpump.protocol.units import (
    clock_time,
    exact_volume,
    microseconds,
    rate,
    time_of_day,
    volume,
)

_DAY = 86_400
_INTERVAL = 300
_FULL_FRAMES, _BRIEF_FRAMES = 4, 20
# Seconds between two frames, for somebody who watches.
_PAUSE = 0.2
_NOTHING_REAL = "Everything here is fictional: no real device, drug, dose or patient."


@click.command()
@click.argument("name", required=False, shell_complete=scenarios)
@click.option("--list", "list_", is_flag=True, help="List the scenarios that NAME may be.")
@click.option(
    "--speed",
    type=Speed(minimum=1),
    default="8640",
    show_default=True,
    help="Pump seconds a second; `max` takes a few seconds in all.  Without NAME only.",
)
@click.option(
    "--program",
    "file",
    type=click.Path(path_type=Path),
    shell_complete=programs_or_files,
    help="Deliver this program: a file, or an example's name.  Without NAME only.",
)
@click.option(
    "--step", is_flag=True, help="Go through the ladder with a key for each frame.  With NAME only."
)
@click.option(
    "--pace",
    type=LineTime(),
    default=None,
    help="Show the ladder frame by frame, such as 500ms apart.  With NAME only.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Draw the scenario's picture into this PNG or SVG file as well.  With NAME only.",
)
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    help="Record it into this file, for `mockpump show`.",
)
@click.option(
    "--show", "shows", is_flag=True, help="Show every frame, and not the first ones only."
)
def demo(
    name: str | None,
    list_: bool,
    speed: int | None,
    file: Path | None,
    step: bool,
    pace: int | None,
    plot: Path | None,
    trace: Path | None,
    shows: bool,
) -> None:
    """Show the whole demonstration in one terminal, in about half a minute.

    A mock pump runs in a process of its own; a mock programmer finds it on a pty, gives it a
    program and watches it deliver a day.  Everything in it is fictional.

    With NAME, tell another scenario instead, in virtual time; `--list` says which there are.
    """
    if list_:
        list_scenarios()
    elif name is not None:
        _refuse_without_name()
        if step and not (sys.stdin.isatty() and can_redraw(sys.stdout)):
            raise click.UsageError("--step needs a terminal; --pace 500ms needs none")
        tell_scenario(name, plot, Walk(step, (pace or 0) / 1e6), Watching(trace, shows))
    elif step or pace is not None:
        raise click.UsageError("--step and --pace show a scenario: name one of `demo --list`")
    elif plot is not None:
        raise click.UsageError("--plot draws a scenario: name one of `mockpump demo --list`")
    else:
        _show_day(speed, file, Watching(trace, shows))


def _refuse_without_name() -> None:
    context = click.get_current_context()
    for option in ("speed", "file"):
        if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            shown = {"speed": "--speed", "file": "--program"}[option]
            raise click.UsageError(f"{shown} is for the demo without a name")


def _show_day(speed: int | None, file: Path | None, watched: Watching) -> None:
    wanted = example_program("day") if file is None else read_program_file(file)
    show("mockpump: a mock pump and a mock programmer on a pseudo-serial line", style="bold")
    show(_NOTHING_REAL)
    with TemporaryDirectory(prefix="mockpump-") as folder:
        # The pump puts its keys there as it is made; only this user may look into the folder.
        _show_machines(speed, wanted, Path(folder) / "keyring.json", watched)


def _show_machines(speed: int | None, wanted: Program, keyring: Path, watched: Watching) -> None:
    # The number that the documents show.
    made_with = ("--serial", str(PumpIdentity().serial), "--clock", "Wed 13:37", "--no-limits")
    keys = ("--paired", "--keyring", str(keyring))
    with PumpProcess("--speed", "0", *made_with, *keys) as pump:
        _heading("Two machines")
        machines = {
            "a pump": f"process {pump.pid}, listening on {pump.port}",
            "a programmer": "in this process, at the other end of that line",
        }
        show_facts(machines, indent=2)
        pause = _PAUSE if can_redraw(sys.stdout) else 0.0
        trace = FrameTrace(_FULL_FRAMES, None if watched.shows else _BRIEF_FRAMES, pause)
        with _recorded(pump.port, trace, watched.trace) as programmer:
            ring = read_keyring(keyring)
            # However this ends, the keys are not left behind.
            keyring.unlink()
            before = _program_it(programmer, wanted, ring, trace)
            trace.pause = 0.0
            reports = _deliver(pump, programmer, speed, trace if watched.shows else None)
            _conclude(programmer, wanted, before, reports)


@contextmanager
def _recorded(port: str, shown: FrameTrace, path: Path | None) -> Iterator[SerialProgrammer]:
    """A programmer whose frames are shown, and recorded if there is a file for it."""
    with ExitStack() as stack:
        recorder = None
        if path is not None:
            file, ends = stack.enter_context(trace_file(path)), Ends(programmer=LinkSettings())
            recorder = ProgrammerTap(LiveTrace(file, ends, "the demonstration"))
        programmer = stack.enter_context(SerialProgrammer(port, tap=all_of(shown, recorder)))
        if recorder is not None:
            recorder.programmer = programmer.programmer
        yield programmer


def _heading(text: str) -> None:
    show("")
    show(text, style="bold")


def _program_it(
    programmer: SerialProgrammer, wanted: Program, keyring: Keyring, trace: FrameTrace
) -> m.Status:
    """Find the pump, set its clock, give it the program; what it had delivered before."""
    _heading("The programmer calls; the first frames in full, then a line each")
    opening = open_session(keyring.find_for, drawing.nonce())
    terms = programmer.connect(drawing.connection_id(), opening)
    programmer.run(ask(m.SetClock(drawing.transaction(), 0)))
    active = programmer.run(read_program())
    status: m.Status = programmer.run(ask(m.GetStatus()))
    trace.catch_up()
    _heading("What would change")
    if terms.identity is not None:
        named = f'"{terms.identity.name}", number {terms.identity.serial}'
        show(f"  it has proved to be {named}; its clock is set to Mon 00:00")
    old = "nothing" if active.program is None else f'"{active.program.name}"'
    changes = compare(active.program, wanted, status.percent)
    show_changes(changes, wanted, f"it runs {old}; ")
    _heading("Staged, read back, compared, committed")
    programmer.run(set_program(wanted, active.digest, drawing.transaction(), terms.max_payload))
    status = programmer.run(ask(m.GetStatus()))
    trace.catch_up()
    show(f'  "{wanted.name}" is the active program since {clock_time(status.clock)}')
    return status


def _deliver(
    pump: PumpProcess, programmer: SerialProgrammer, speed: int | None, frames: FrameTrace | None
) -> list[m.Telemetry]:
    """Let a day of pump time pass, showing what the pump reports, or its frames; the reports."""
    _heading(f"24 hours of pump time at speed {speed_text(speed)}")
    programmer.run(ask(m.Subscribe(_INTERVAL)))
    pump.direct(f"go {speed_text(speed)} for {_DAY}")
    reports: list[m.Telemetry] = []
    day = _until_day_is_over(programmer)
    for report in _show_live(day) if frames is None else day:
        reports.append(report)
        if frames is not None:
            frames.catch_up()
    return reports


def _until_day_is_over(programmer: SerialProgrammer) -> Iterator[m.Telemetry]:
    for report in programmer.watch():
        yield report
        if report.elapsed >= _DAY:
            return


def _show_live(reports: Iterator[m.Telemetry]) -> Iterator[m.Telemetry]:
    """Pass reports on; redraw a line on a terminal, print one every three hours elsewhere."""
    live = can_redraw(sys.stdout)
    for report in reports:
        line = (
            f"  {time_of_day(report.clock)} {rate(report.rate):>14} {volume(report.delivered):>14}"
            f"  {bar(report.elapsed, _DAY, 30)} {100 * report.elapsed // _DAY:3} %"
        )
        if live:
            redraw(line)
        elif report.elapsed % (3 * 3600) == 0:
            show(line)
        else:
            notice_reader_gone()
        yield report
    if live:
        show("")


def _conclude(
    programmer: SerialProgrammer, wanted: Program, before: m.Status, reports: list[m.Telemetry]
) -> None:
    _heading("The day, as the pump reported it")
    show_day(reports, _DAY)
    _heading("What was asked for, and what was delivered")
    last = reports[-1]
    moved = (last.delivered - before.delivered) * UNITS_PER_NL + last.remainder - before.remainder
    asked = daily_volume(wanted, 0, Schedule(wanted, 0).percent_at(0))
    sums = {
        "the program's integral over Monday": exact_volume(asked),
        "moved by the motor, with what it owes": exact_volume(moved),
    }
    show_facts(sums, indent=2)
    show(f"  {_verdict(last, moved == asked)}", style="bold")
    _heading("The line, as the programmer saw it")
    _show_line(programmer)


def _verdict(last: m.Telemetry, equal: bool) -> str:
    if equal:
        return "equal, to the last unit of 1/3600 nL"
    if last.mode is m.Mode.FAULT:
        return "the reservoir ran empty, and the motor stopped"
    raise InternalError("delivery is not the integral of the program")


def _show_line(programmer: SerialProgrammer) -> None:
    counted = programmer.programmer.connection.statistics
    link = counted.link
    facts = {
        "frames": f"{link.frames_sent:,} sent, {link.frames_received:,} received",
        "bytes": f"{counted.bytes_sent:,} sent, {counted.bytes_received:,} received",
        "retransmissions": f"{link.retransmissions:,}; frames rejected {counted.frames_rejected:,}",
        "round trip": f"{microseconds(link.round_trip)}, smoothed",
    }
    show_facts(facts, indent=2)
    show("")
    show(_NOTHING_REAL, style="dim")
