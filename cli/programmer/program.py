"""`mockpump programmer program`: what the pump is to do, read, compared, staged and committed."""

import difflib
import sys
from pathlib import Path
from typing import NamedTuple

import click

from mockpump.cli.completion import programs_or_files
from mockpump.cli.files import read_program_file
from mockpump.cli.main import EXIT_REFUSED, fail
from mockpump.cli.programmer.recovery import (
    change_pump,
    changing,
    recovering,
)
from mockpump.cli.programmer.session import (
    Options,
    connected,
    run_pump,
    say,
)
from mockpump.cli.render import as_json
from mockpump.cli.render import show as show_line
from mockpump.cli.tables import show_changes
from mockpump.cli.terminal import echo, write_out
from mockpump.emulator.programmer.preview import DayChange, compare
from mockpump.emulator.programmer.procedures import (
    Procedure,
    ProgramRead,
    read_program,
    set_program,
)
from mockpump.emulator.transports.drawing import transaction
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol import program_toml
from mockpump.protocol.program import UNITS_PER_NL, Program
from mockpump.protocol.units import duration

_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_WHEN = {when.name.lower(): when for when in m.When}


@click.group()
def program() -> None:
    """Read the pump's program, or give it another."""


def _change_facts(changes: list[DayChange], wanted: Program) -> dict[str, object]:
    return {"unit": f"1/{UNITS_PER_NL} nL", "changes": changes, "ramp": wanted.ramp}


@program.command("show")
@click.option("--pending", is_flag=True, help="The program that is to rule later.")
@click.pass_obj
def show_(options: Options, pending: bool) -> None:
    """Print the active program as a file that `program set` takes."""
    read = run_pump(options, read_program(m.Slot.PENDING if pending else m.Slot.ACTIVE))
    if options.json:
        echo(as_json(read))
    elif read.program is None:
        echo("# no program pends" if pending else "# the pump holds no program")
    else:
        write_out(program_toml.dumps(read.program))


class Before(NamedTuple):
    """What a commit takes the place of: the program that rules, and one that is to rule later."""

    active: ProgramRead
    percent: int
    pending: Program | None


def _read_before() -> Procedure[Before]:
    active = yield from read_program()
    status: m.Status = yield m.GetStatus()
    pending = yield from read_program(m.Slot.PENDING)
    return Before(active, status.percent, pending.program)


@program.command(short_help="Show what the program in FILE would change.")
@click.argument("file", type=click.Path(path_type=Path), shell_complete=programs_or_files)
@click.pass_obj
def diff(options: Options, file: Path) -> None:
    """Show what the program in FILE would change: line by line, and in volumes a day."""
    wanted = read_program_file(file)
    active, percent, _ = run_pump(options, _read_before())
    changes = compare(active.program, wanted, percent)
    if options.json:
        same = active.program == wanted
        echo(as_json({"same": same, **_change_facts(changes, wanted)}))
        return
    before = "" if active.program is None else program_toml.dumps(active.program)
    after = program_toml.dumps(wanted)
    names = {"fromfile": "active", "tofile": str(file), "lineterm": ""}
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, **names):
        show_line(line, style=_DIFF_STYLES.get(line[:1], ""))
    show_changes(changes, wanted, "")


@program.command()
@click.pass_obj
def drop(options: Options) -> None:
    """Forget the program that was to rule later."""
    done: m.PendingDropped = change_pump(options, m.DropPending(transaction()))
    say(options, done, "the active program goes on")


@program.command("set")
@click.argument("file", type=click.Path(path_type=Path), shell_complete=programs_or_files)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--dry-run", is_flag=True, help="Show what would change and stop there.")
@click.option(
    "--at",
    "when",
    type=click.Choice(list(_WHEN)),
    default="now",
    show_default=True,
    help="Have it rule now, from the next edge of the active program, or from midnight on.",
)
@click.pass_obj
def set_(options: Options, file: Path, yes: bool, dry_run: bool, when: str) -> None:
    """Make the program in FILE, or the example of that name, the active one.

    Shows daily volumes before and after, asks, then stages the program, reads it back, compares and
    commits.  When the reply to the commit is lost, the pump is asked what happened to it; exit code
    4 says that nobody answered, and with which transaction to ask later.
    """
    wanted = read_program_file(file)
    if not (yes or dry_run):
        _require_somebody(options)
    if dry_run or not yes:
        with changing():
            before = run_pump(options, _read_before())
        if not _is_to_be_set(options, before, wanted, dry_run=dry_run):
            return
        _confirm()
    with recovering(options) as recovery, changing(), connected(options) as session:
        if yes:
            before = session.device.run(_read_before())
            if not _is_to_be_set(options, before, wanted):
                return
        # The pump would give a silent line up, so the line is not kept open while somebody thinks:
        # this may be another connection than that in which the program was read.  It is to the same
        # pump, and the digest lets that refuse when another program has come between.
        base, room = before.active.digest, session.terms.max_payload
        steps = set_program(wanted, base, transaction(), room, _WHEN[when])
        recovery.reply = session.device.run(steps)
    _say_committed(options, wanted, recovery.reply, _WHEN[when])


def _is_to_be_set(
    options: Options, before: Before, wanted: Program, *, dry_run: bool = False
) -> bool:
    """Show what would change; whether anything is to."""
    if before.active.program == wanted:
        said = "already the active program"
        if before.pending is not None:
            said += "; another one is pending still: `program drop` forgets it"
        say(options, {"digest": before.active.digest, "changed": False}, said)
        return False
    changes = compare(before.active.program, wanted, before.percent)
    if not options.json:
        show_changes(changes, wanted, "")
        if before.pending is not None:
            show_line(f'the pending program "{before.pending.name}" is forgotten with it')
    elif dry_run:
        echo(as_json({**_change_facts(changes, wanted), "changed": False}))
    return not dry_run


def _require_somebody(options: Options) -> None:
    """Before anything is sent: is there somebody to show the changes to, and to ask?"""
    if options.json:
        raise click.UsageError("--json asks nobody for confirmation: add --yes or --dry-run")
    if not sys.stdin.isatty():
        raise click.UsageError("nobody to ask for confirmation: add --yes or --dry-run")


def _confirm() -> None:
    if not click.confirm("Make it the active program?", err=True):
        fail("not confirmed; nothing was changed", EXIT_REFUSED)


def _say_committed(
    options: Options, wanted: Program, done: m.ProgramCommitted, when: m.When
) -> None:
    digest = programs.digest(programs.image(wanted))
    result = {"digest": digest, "changed": True, "elapsed": done.elapsed}
    rules = "is the active program" if when is m.When.NOW else _later(done)
    say(options, result, f'"{wanted.name}" {rules}\ndigest {digest.hex()}')


def _later(done: m.ProgramCommitted) -> str:
    return f"will rule from {duration(done.elapsed)} of pump time on"


COMMANDS = (program,)
