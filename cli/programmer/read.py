"""`mockpump programmer`: the commands that only ask, and change nothing."""

import sys

import click
from msgspec.structs import asdict, replace

from mockpump.cli.programmer.session import (
    Options,
    called,
    connected,
    meeting,
    run_pump,
    say,
    show,
)
from mockpump.cli.pump.render import (
    chain_text,
    details_facts,
    folded_text,
    identity_facts,
    outcome_text,
    show_log,
    status_facts,
    telemetry_line,
    telemetry_view,
)
from mockpump.cli.quantities import Duration
from mockpump.cli.render import can_redraw
from mockpump.cli.terminal import complain, echo, redraw_lines
from mockpump.emulator.programmer.errors import LogBroken, RequestRefused
from mockpump.emulator.programmer.procedures import Procedure, ask, learn_outcome, read_log
from mockpump.emulator.programmer.recovery import never_recorded
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.protocol import messages as m
from mockpump.protocol.errors import InternalError


@click.command()
@click.pass_obj
def identify(options: Options) -> None:
    """Ask the pump who it is; that takes no pairing key."""
    with called(options, meeting(options)) as session:
        identity = session.terms.identity
    if identity is None:
        raise InternalError("a pump was met, and it is not known which")
    show(options, identity, identity_facts(identity))


def status_and_details() -> Procedure[tuple[m.Status, m.Details | None]]:
    """Both; no details from a pump that knows no such question, as one under construction does."""
    status: m.Status = yield m.GetStatus()
    try:
        details: m.Details = yield m.GetDetails()
    except RequestRefused as no:
        if no.refused.reason is not m.Reason.UNKNOWN_MESSAGE:
            raise
        return status, None
    return status, details


@click.command()
@click.pass_obj
def status(options: Options) -> None:
    """Ask the pump what it is doing."""
    report, details = run_pump(options, status_and_details())
    more = {"details": "this pump tells none"} if details is None else details_facts(details)
    plain = asdict(report) if details is None else {**asdict(report), **asdict(details)}
    show(options, plain, {**status_facts(report), **more})


@click.command()
@click.option(
    "--from", "first", type=click.IntRange(1, 2**32 - 1), default=1, help="Begin with this entry."
)
@click.pass_obj
def log(options: Options, first: int) -> None:
    """Read the pump's event log and verify its chain."""
    try:
        read = run_pump(options, read_log(first))
    except LogBroken as error:
        error.add_note("the event log is not what it was when it was written")
        raise
    if read.first < first:
        complain(f"there is no entry {first:,} yet: the log ends with entry {read.first - 1:,}")
        return
    show_log(read.entries, read.first, options.json)
    if read.folded:
        complain(folded_text(read.folded))
    if not options.json:
        echo(chain_text(len(read.entries), read.first), err=True)


@click.command()
@click.argument("transaction", type=click.IntRange(0, 2**32 - 1))
@click.option(
    "--since",
    metavar="COUNT",
    type=click.IntRange(0, 2**32 - 1),
    help="How many outcomes the pump had recorded before the request was sent.",
)
@click.pass_obj
def outcome(options: Options, transaction: int, since: int | None) -> None:
    """Ask what happened to a TRANSACTION whose reply was lost.

    The pump remembers the newest 64, through power cuts too.  Of one that it does not remember it
    cannot tell whether it never came or was forgotten.  With --since, which the programmer prints
    when an outcome is unknown, the number of those recorded since may tell.
    """
    if since is not None and options.pump.serial is None:
        raise click.UsageError("--since is a count of one pump: say which with --serial")
    known: m.OutcomeKnown = run_pump(options, learn_outcome(transaction))
    result = {**asdict(known), "never_recorded": never_recorded(since, known)}
    text = outcome_text(known, since)
    if options.is_open and never_recorded(since, known):
        text += ", unless it is still under way on another line"
    say(options, result, text)


@click.command()
@click.option(
    "--interval",
    type=Duration(86_400, bare=True),
    default="60s",
    show_default=True,
    help="Pump time between reports, such as 5m; a plain number is seconds.",
)
@click.option("--count", type=click.IntRange(1), help="End after this many reports, shown or not.")
@click.pass_obj
def watch(options: Options, interval: int, count: int | None) -> None:
    """Show what the pump reports, until Ctrl-C.

    On a terminal that can, the view is redrawn in its place; elsewhere every change is a line, and
    a report that differs from the last one in the time alone is none.  With --json every report is
    a line.

    A line says when, the mode, the rate, what was pumped and what of it has arrived (12,000/9,000
    nL), what the reservoir has left, and the highest priority of an alarm.
    """
    view = View(can_redraw(sys.stdout) and not options.json)
    shown: m.Telemetry | None = None
    with connected(options) as session:
        session.device.run(ask(m.Subscribe(interval)))
        try:
            for number, report in enumerate(session.device.watch(), start=1):
                if view.live:
                    view.draw(telemetry_view(report, link_text(session.device)))
                elif options.json or differs(report, shown):
                    say(options, report, telemetry_line(report))
                    shown = report
                if number == count:
                    break
        except KeyboardInterrupt:
            pass


def differs(report: m.Telemetry, shown: m.Telemetry | None) -> bool:
    """Whether it says anything new but the time."""
    return shown is None or report != replace(shown, elapsed=report.elapsed, clock=report.clock)


def link_text(device: SerialProgrammer) -> str:
    """How good the line is, as the programmer has seen it."""
    counted = device.programmer.connection.statistics
    lost = counted.link.retransmissions
    return f"{lost:,} frames sent again, {counted.frames_rejected:,} rejected"


class View:
    """Some lines that are redrawn in their place.  `live`: on a terminal that can."""

    def __init__(self, live: bool) -> None:
        self.live = live
        self._height = 0

    def draw(self, lines: list[str]) -> None:
        """Show the lines in place of the last ones; a line is cut, since a wrapped one stays."""
        redraw_lines(lines, self._height)
        self._height = len(lines)


COMMANDS = (identify, status, log, outcome, watch)
