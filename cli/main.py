"""The `mockpump` command: which groups there are, and how errors become one line and an exit code.

Each command lives in a module of its own that is imported only when it is run, so that `--help`
costs no more than click itself.
"""

import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from mockpump.cli.signals import Ended, graceful_signals
from mockpump.cli.terminal import complain, echo
from mockpump.display.text import on_one_line

# Name, where it lives, one line of help: what `mockpump --help` shows without importing anything.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("mockpump.cli.demo:demo", "Show the whole demonstration in one terminal."),
    "pump": ("mockpump.cli.pump.group:pump", "Run a mock pump on a pty or a TCP port."),
    "programmer": (
        "mockpump.cli.programmer.group:programmer",
        "Talk to a mock pump over any port.",
    ),
    "run": ("mockpump.cli.scenario:run", "Run a scenario in virtual time, by seed."),
    "replay": ("mockpump.cli.scenario:replay", "Run a recorded bundle again, and compare."),
    "show": (
        "mockpump.cli.show:show_run",
        "Draw a recorded run: who said what, and what was lost.",
    ),
    "view": ("mockpump.cli.view:view", "Show a run on one page: a bundle, a trace or a scenario."),
    "campaign": ("mockpump.cli.campaign:run_campaign", "Run thousands of random scenarios."),
    "link": ("mockpump.cli.link:link", "Put a bad cable between two programs."),
    "exercises": ("mockpump.cli.exercises.group:exercises", "Learn property-based testing on it."),
    "wire": ("mockpump.cli.wire.group:wire", "Take the made-up protocol TIDE/1 apart."),
}

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_LINK = 3
EXIT_UNKNOWN = 4
EXIT_INTERNAL = 70
EXIT_OUTPUT = 74
EXIT_INTERRUPTED = 130


class ReaderGone(Exception):
    """Whoever read our output has gone."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports each only when it is used."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; `ReaderGone` before click makes its own of a broken pipe: a refusal."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, freshly imported."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; of one that is not there, which one may have been meant."""
        if args[0] not in COMMANDS and args[0][:1] != "-" and not ctx.resilient_parsing:
            ctx.fail(f"there is no command {args[0]!r}{self._meant(ctx, args[0])}")
        return super().resolve_command(ctx, args)

    def _meant(self, ctx: click.Context, name: str) -> str:
        from mockpump.protocol.units import did_you_mean

        groups = {each: self.get_command(ctx, each) for each in COMMANDS}
        within = [
            f"`mockpump {each} {name}`"
            for each, group in groups.items()
            if isinstance(group, click.Group) and name in group.commands
        ]
        near = did_you_mean(name, COMMANDS)
        meant = " or ".join(within) or (f"`mockpump {near}`" if near else "")
        return f"; did you mean {meant}?" if meant else ""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from mockpump import __version__

        echo(f"mockpump {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """A mock pump and a mock programmer that talk over a pseudo-serial link.

    Everything here is fictional: no real device, drug, dose or patient, and nothing connects to
    one.  Start with `mockpump demo`.

    Exit codes: 0 done, 1 refused or a check failed, 2 usage, 3 link failure, 4 outcome unknown,
    70 a bug in mockpump, 74 the output, or a pump's last state, could not be written, whatever was
    done, 130 interrupted.
    """


# What the system says when this process, or all together, may open no more files.
_NO_MORE_FILES = {errno.EMFILE, errno.ENFILE}


def fail(message: str, code: int) -> NoReturn:
    """End the program with one clear line on stderr."""
    with _last_words():
        complain(message)
    sys.exit(code)


@contextlib.contextmanager
def _last_words() -> Iterator[None]:
    """Say why it ends, to whoever can be told; the exit code says it at any rate."""
    with contextlib.suppress(OSError):
        yield


def main() -> Any:
    """The entry point: runs a command, turns what goes wrong into one line and an exit code."""
    try:
        _prepare_streams()
        with graceful_signals():
            return cli.main(prog_name="mockpump", standalone_mode=False)
    except click.ClickException as error:
        _show_usage(error)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        _say_stopped("interrupted", _notes(error) + _notes(error.__cause__))
        sys.exit(EXIT_INTERRUPTED)
    except Ended as ended:
        if _notes(ended):
            _say_stopped("told to end", _notes(ended))
        ended.end()
    except ReaderGone:
        _give_up_output()
        sys.exit(EXIT_OUTPUT)
    except Exception as error:
        if os.environ.get("MOCKPUMP_DEBUG"):
            import traceback

            with _last_words():
                echo(traceback.format_exc(), err=True, nl=False)
        if _is_of_output(error):
            _give_up_output()
        code, line = _explain(error)
        fail("; ".join([line, *_notes(error)]), code)


def _say_stopped(how: str, notes: list[str]) -> None:
    said = "; ".join([how, *notes])
    with _last_words():
        echo(on_one_line(said), err=True)


def _show_usage(error: click.ClickException) -> None:
    said = io.StringIO()
    error.show(file=said)
    with _last_words():
        echo(said.getvalue(), err=True, nl=False)


def _prepare_streams() -> None:
    """Give every standard stream a place, and let no name be a reason to fail.

    A stream that was closed (`>&-`) would leave its number to the next file opened: to the line.
    An output that was closed takes nothing, so that nobody believes that it did.
    """
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 (open to the end)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the output's encoding lacks comes out escaped.
        sys.stdout.reconfigure(errors="backslashreplace")


def _give_up_output() -> None:
    # What the output did not take would be tried again, and fail again, as the interpreter ends.
    # Its own place is free at any rate, even where no more files can be opened.
    os.close(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _is_of_output(error: Exception) -> bool:
    """Whether it is an error of what is open already, and not of anything that has a name."""
    nameless = isinstance(error, OSError) and error.filename is None
    return nameless and not _lacks_files(error)


def _lacks_files(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in _NO_MORE_FILES


def _notes(error: BaseException | None) -> list[str]:
    return getattr(error, "__notes__", [])


def _explain(error: Exception) -> tuple[int, str]:
    if _lacks_files(error):
        # Nor can a module be loaded then.
        return EXIT_OUTPUT, "no more files can be opened: see `ulimit -n`"
    from mockpump.emulator.memory.interface import StateLost
    from mockpump.emulator.programmer.errors import (
        LogBroken,
        OutcomeUnknown,
        ProgrammerError,
        RequestRefused,
    )
    from mockpump.emulator.programmer.keyring import KeysTaken
    from mockpump.emulator.simulation.bundle import BadBundle
    from mockpump.emulator.simulation.errors import ExpectationFailed, ScenarioError
    from mockpump.emulator.trace.reading import BadTrace
    from mockpump.emulator.transports.errors import PortError, reason_of
    from mockpump.protocol.errors import InternalError, MockpumpError
    from mockpump.protocol.program import ProgramError

    if isinstance(error, MockpumpError) and not isinstance(error, InternalError):
        table: list[tuple[type[Exception], int]] = [
            (OutcomeUnknown, EXIT_UNKNOWN),
            (RequestRefused, EXIT_REFUSED),
            (LogBroken, EXIT_REFUSED),
            (KeysTaken, EXIT_USAGE),
            (StateLost, EXIT_OUTPUT),
            (ProgrammerError, EXIT_LINK),
            (PortError, EXIT_LINK),
            (ProgramError, EXIT_USAGE),
            (ExpectationFailed, EXIT_REFUSED),
            (ScenarioError, EXIT_USAGE),
            (BadBundle, EXIT_USAGE),
            (BadTrace, EXIT_USAGE),
            (MockpumpError, EXIT_REFUSED),
        ]
        # No generator: an interruption that comes as it is thrown away would be told at length.
        codes = [code for kind, code in table if isinstance(error, kind)]
        return codes[0], str(error)
    if isinstance(error, OSError):
        # Every file and port is opened where its errors are explained.
        what = "the output could not be written" if _is_of_output(error) else error.filename
        return EXIT_OUTPUT, f"{what}: {reason_of(error)}"
    what = f"{type(error).__name__}: {reason_of(error)}"
    return EXIT_INTERNAL, f"internal error, please report it with MOCKPUMP_DEBUG=1 set ({what})"
