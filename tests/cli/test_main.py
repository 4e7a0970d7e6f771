"""The command's frame: help that costs little, one line for what goes wrong, the exit code."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click
import pytest
from outside import COMMAND, PATIENCE, Command, as_process, in_process

from mockpump import __main__ as entry
from mockpump.cli import main as main_module
from mockpump.cli import signals as ending
from mockpump.cli.main import COMMANDS, EXIT_INTERRUPTED, cli
from mockpump.cli.signals import graceful_signals, undisturbed
from mockpump.emulator.programmer.errors import ConnectionLost, OutcomeUnknown, RequestRefused
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol import messages as m
from mockpump.protocol.errors import InternalError, LocalProtocolError
from mockpump.protocol.link.types import CloseReason
from mockpump.protocol.program import ProgramError

HEAVY = ("rich", "hypothesis", "construct", "serial", "asyncio", "msgspec", "tomllib")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


def paths(group: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command there is, groups too."""
    found = [path]
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            child = group.get_command(context, name)
            assert child is not None
            found += paths(child, (*path, name))
    return found


def test_every_command_has_help(command: Command) -> None:
    for path in paths(cli):
        ended = command(*path, "--help")
        assert ended.code == 0
        assert ended.out.startswith("Usage: mockpump"), path
        assert all(len(line) <= 80 for line in ended.out.splitlines()), path
        assert "\x1b" not in ended.out


def test_the_help_says_that_it_is_fictional_and_what_the_exit_codes_mean(command: Command) -> None:
    text = " ".join(command("-h").out.split())
    assert "fictional" in text
    for name in COMMANDS:
        assert name in text
    assert "4 outcome unknown" in text


_DEMO_PUMP = ("programmer", "--open", "--port", "mockpump://demo?speed=1000", "--json")


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("--help",), HEAVY),
        (("--version",), HEAVY),
        ((*_DEMO_PUMP, "status"), HEAVY[:1]),
        ((*_DEMO_PUMP, "log"), HEAVY[:1]),
        ((*_DEMO_PUMP, "alarms"), HEAVY[:1]),
        (("exercises", "list", "--json"), HEAVY[:1]),
        (("campaign", "--runs", "1", "--jobs", "1", "--json"), HEAVY[:1]),
    ],
    ids=lambda value: "-".join(value[-2:]),
)
def test_a_command_imports_nothing_that_it_does_not_need(
    arguments: tuple[str, ...], unwanted: tuple[str, ...]
) -> None:
    code = (
        "import sys; from mockpump.cli.main import cli;"
        f"cli.main({list(arguments)}, standalone_mode=False);"
        f"print([name for name in {unwanted} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version(command: Command) -> None:
    ended = command("--version")
    assert ended.code == 0
    assert ended.out.startswith("mockpump ")


@pytest.mark.parametrize(
    "arguments", [(), ("nonsense",), ("--nonsense",), ("programmer",), ("programmer", "status")]
)
def test_usage_errors_end_with_2(
    command: Command, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOCKPUMP_PORT", raising=False)
    ended = command(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err != ""


REFUSED = m.Refused(0x21, m.Reason.WRONG_MODE, 0, 1, 0)
FAILURES: list[tuple[BaseException, int, str]] = [
    (
        RequestRefused(m.Resume(1), REFUSED),
        1,
        "the pump refused Resume: wrong mode (it is running)",
    ),
    (LocalProtocolError("too long"), 1, "too long"),
    (ProgramError("no such pattern", file="day.toml"), 2, "no such pattern"),
    (ConnectionLost(CloseReason.SILENCE), 3, "connection lost: nothing was heard any more"),
    (PortError("/dev/x has closed"), 3, "/dev/x has closed"),
    (OutcomeUnknown(m.Suspend(9), 9, CloseReason.SILENCE), 4, "transaction 9"),
    (InternalError("two programs are active"), 70, "internal error, please report"),
    (ZeroDivisionError("division\nby zero"), 70, "internal error, please report"),
    (RuntimeError(), 70, "RuntimeError"),
    (OSError(28, "No space left on device"), 74, "no space left on device"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (click.Abort(), 130, "interrupted"),
]


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(main_module.cli, "main", fail)


@pytest.mark.parametrize(("error", "code", "text"), FAILURES)
def test_every_failure_is_one_line_and_a_code(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, text: str
) -> None:
    failing(monkeypatch, error)
    ended = command()
    assert ended.code == code
    assert text in ended.line
    assert ended.out == ""


@pytest.mark.parametrize("error", [PortError("gone"), KeyboardInterrupt()])
def test_what_was_noted_on_an_error_is_on_its_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    error.add_note("nothing was changed")
    failing(monkeypatch, error)
    assert command().line.endswith("; nothing was changed")


def test_a_note_on_an_interrupt_survives_click(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt, abort = KeyboardInterrupt(), click.Abort()
    interrupt.add_note("outcome unknown")
    abort.__cause__ = interrupt
    failing(monkeypatch, abort)
    assert command().line == "interrupted; outcome unknown"


def test_the_traceback_is_there_for_those_who_ask(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKPUMP_DEBUG", "1")
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    with pytest.raises(SystemExit) as end:
        main_module.main()
    assert end.value.code == 70
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("(ZeroDivisionError: division by zero)\n")


def test_what_the_output_cannot_show_comes_out_escaped() -> None:
    ended = as_process(
        "programmer",
        *("--port", "mockpump://%C3%A9t%C3%A9", "identify"),
        environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert ended.code == 0
    assert "\\xe9t\\xe9" in ended.out


# -- an output that goes away ---------------------------------------------------------------------


STATUS = "programmer --port mockpump://x status"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which MOCKPUMP is the command."""
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("MOCKPUMP", " ".join(COMMAND))],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "arguments", ["programmer --port mockpump://x?speed=1000000 watch", "wire spec"]
)
def test_a_reader_who_has_seen_enough_ends_it_quietly(arguments: str) -> None:
    done = shell(f"MOCKPUMP {arguments} | head -1")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.end_to_end
def test_closed_streams_and_a_full_disk() -> None:
    closed = shell(f"MOCKPUMP {STATUS} >&-")
    assert (closed.returncode, closed.stderr.count("\n")) == (74, 1)
    assert "the output could not be written" in closed.stderr
    assert shell(f"MOCKPUMP {STATUS} <&- >&- 2>&-").returncode == 74
    if Path("/dev/full").exists():
        for unbuffered in ("", "1"):
            done = shell(f"PYTHONUNBUFFERED={unbuffered} MOCKPUMP {STATUS} >/dev/full")
            assert done.returncode == 74
            said = "mockpump: the output could not be written: no space left on device\n"
            assert done.stderr == said


def test_a_closed_stream_leaves_its_number_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    main_module._prepare_streams()
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        assert stream.name == os.devnull
        stream.close()


class Loading:
    """A module that somebody interrupts while it is loading."""

    def __getattr__(self, name: str) -> None:
        raise KeyboardInterrupt


def test_who_interrupts_it_while_it_loads_gets_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mockpump.cli.main", Loading())
    # Of this process Ctrl-C is not taken away for good.
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == EXIT_INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


class Interruption:
    """Somebody presses Ctrl-C at the call of a function of the command line, that one from now."""

    def __init__(self, after: int) -> None:
        self.calls = 0
        self._after = after

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and "/cli/" in frame.f_code.co_filename:
            self.calls += 1
            if self.calls == self._after:
                raise KeyboardInterrupt


@pytest.mark.parametrize(
    "arguments", ["wire explain Nonsense", "wire explain Status", "pump show /nowhere", "pump"]
)
def test_who_interrupts_it_at_any_moment_gets_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["mockpump", *arguments.split()])
    interrupt, moments = signal.signal, 0
    while True:
        moments += 1
        interruption = Interruption(moments)
        with monkeypatch.context() as patched:
            # Of this process Ctrl-C is not taken away for good.
            patched.setattr("signal.signal", lambda *args: _unless_ignored(interrupt, *args))
            code = code_of_main(interruption)
        said = capsys.readouterr().err
        assert "Traceback" not in said
        if interruption.calls < moments:
            break
        assert code == EXIT_INTERRUPTED
        assert "interrupted" in said
    assert moments > 5


def code_of_main(interruption: Interruption) -> object:
    """How the command ends that is interrupted."""
    sys.setprofile(interruption)
    try:
        entry.main()
    except SystemExit as ended:
        return ended.code
    finally:
        sys.setprofile(None)
    return 0


def _unless_ignored(set_: Callable[..., object], number: int, handler: object) -> object:
    return None if number == signal.SIGINT else set_(number, handler)


# -- what a terminal could act on -----------------------------------------------------------------

FOREIGN = "\x1b]0;owned\x07\x1b[31m\u202egnp\u200b\x9b2J\r\x7f\udcff"


@pytest.mark.parametrize(
    "arguments",
    [
        ("pump", "show", f"/{FOREIGN}"),
        ("pump", "log", f"/{FOREIGN}"),
        ("pump", "run", "--pty", f"/{FOREIGN}/x"),
        ("pump", "run", "--memory", f"/{FOREIGN}"),
        ("pump", "new", f"/{FOREIGN}/x"),
        ("pump", "pair", f"/{FOREIGN}"),
        ("pump", "fault", "stall", f"/{FOREIGN}"),
        ("pump", "new", "/nowhere/x", "--name", FOREIGN),
        ("pump", "new", "/nowhere/x", "--program", f"/{FOREIGN}"),
        ("pump", FOREIGN),
        ("demo", FOREIGN),
        ("demo", "--speed", FOREIGN),
        ("run", FOREIGN),
        ("replay", f"/{FOREIGN}"),
        ("campaign", "--runs", FOREIGN),
        ("programmer", "--port", FOREIGN, "--open", "status"),
        ("programmer", "--port", f"mockpump://{FOREIGN}", "--open", "status"),
        ("programmer", "--port", "/nowhere", "--keyring", f"/{FOREIGN}/\0", "status"),
        ("programmer", "--port", "/nowhere", "program", "set", f"/{FOREIGN}", "--yes"),
        ("link", "--b", FOREIGN),
        ("link", "--b", "/nowhere", "--loss", FOREIGN),
        ("exercises", "check", f"/{FOREIGN}"),
        ("exercises", "grade", f"/{FOREIGN}"),
        ("wire", "decode", FOREIGN),
        ("wire", "explain", FOREIGN),
        ("wire", "encode", "Bolus", FOREIGN),
        ("wire", "spec", f"/{FOREIGN}"),
        (FOREIGN,),
        (f"--{FOREIGN}",),
    ],
)
def test_no_name_reaches_the_terminal_as_a_command(
    command: Command, arguments: tuple[str, ...]
) -> None:
    ended = command(*arguments)
    assert ended.code != 0
    assert ended.err.replace("\n", "").isprintable(), ended.err
    assert ended.out.replace("\n", "").isprintable(), ended.out


def test_what_is_in_a_file_reaches_the_terminal_escaped(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[31mred\u202e"
    folder.mkdir()
    for arguments in (("pump", "new", str(folder / "a.pump")), ("exercises", "start", "1")):
        ended = command(*arguments, *([str(folder / "one")] if "start" in arguments else []))
        assert ended.code == 0
        assert "\\x1b[31mred\\u202e" in ended.out
        assert ended.out.replace("\n", "").isprintable(), ended.out


def test_an_error_of_a_file_is_not_said_to_be_one_of_the_output(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, PermissionError(13, "Permission denied", "/a/folder"))
    ended = command()
    assert (ended.code, ended.line) == (74, "mockpump: /a/folder: permission denied")


# -- being told to end ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_told_to_end_again_and_again_still_cleans_up(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = signal.signal(number, signal.SIG_DFL)
    cleaned = []

    def told() -> None:
        with graceful_signals():
            try:
                os.kill(os.getpid(), number)
            finally:
                os.kill(os.getpid(), number)
                cleaned.append("all of it")

    try:
        with pytest.raises(ending.Ended) as ended:
            told()
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert (ended.value.number, cleaned) == (number, ["all of it"])


@pytest.mark.parametrize(
    ("note", "said"), [("", ""), ("outcome unknown", "told to end; outcome unknown\n")]
)
def test_who_is_told_to_end_ends_by_that_signal_and_says_what_is_open(
    command: Command, monkeypatch: pytest.MonkeyPatch, note: str, said: str
) -> None:
    died: list[int] = []
    monkeypatch.setattr("signal.raise_signal", died.append)
    ended = ending.Ended(signal.SIGTERM)
    if note:
        ended.add_note(note)
    failing(monkeypatch, ended)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert command().err == said
    finally:
        signal.signal(signal.SIGTERM, before)
    assert died == [signal.SIGTERM]


def test_whatever_is_raised_after_what_must_be_done_wholly_all_handlers_are_back() -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def heard(*_: object) -> None:
        raise ValueError("heard")

    signal.signal(signal.SIGTERM, heard)
    try:
        with pytest.raises(ValueError, match="heard"), undisturbed():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGINT) is before[signal.SIGINT]
        assert signal.getsignal(signal.SIGTERM) is heard
    finally:
        signal.signal(signal.SIGTERM, before[signal.SIGTERM])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["wire", "decode", "zz"], 2),
        (["run", "missing.toml"], 2),
        (["programmer", "--port", "./missing", "status"], 3),
        (["programmer", "--port", "mockpump://demo", "--open", "outcome", "x"], 2),
    ],
)
def test_the_exit_code_is_the_same_when_nobody_can_be_told_why(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*COMMAND, *arguments],
            check=False,
            stderr=full,
            stdout=full,
            cwd=tmp_path,
            timeout=PATIENCE,
        )
    assert ended.returncode == code


def test_too_few_files_are_told_of_as_such() -> None:
    """With fewer than these Python itself may not begin."""
    for most in range(9, 14):
        ended = subprocess.run(
            ["sh", "-c", f'ulimit -n {most}; exec "$@"', "sh", *COMMAND, "campaign", "--runs=4"],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert "Traceback" not in ended.stderr
        assert ended.returncode in (0, 74)
        if ended.returncode:
            assert "no more files can be opened" in ended.stderr


def test_what_must_not_be_interrupted_is_done_first() -> None:
    """Also when another thread takes the signal: the system gives it to any that lets it."""
    done = []
    now = threading.Event()

    def take() -> None:
        now.wait()
        signal.raise_signal(signal.SIGINT)

    other = threading.Thread(target=take)
    other.start()

    def half_and_half() -> None:
        with undisturbed():
            done.append("one half")
            now.set()
            other.join()
            done.append("the other")

    with pytest.raises(KeyboardInterrupt):
        half_and_half()
    assert done == ["one half", "the other"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with undisturbed():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
