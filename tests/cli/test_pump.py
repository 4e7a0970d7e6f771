"""`mockpump pump run`: where it can be found, how it is directed, and how it ends.

Each test starts a process, so each asks it several things.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside import COMMAND, PATIENCE, Command, in_process, is_alive, program_file, wait_readable

from mockpump.cli.pump import run as pump_module
from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol import messages as m

pytestmark = pytest.mark.end_to_end
MIB = 1024


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


@contextlib.contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`mockpump pump run` as a child, ended at the end whatever happened."""
    child = subprocess.Popen(
        [*COMMAND, "pump", "run", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def ended(child: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """How a child that is about to end has ended: code, the rest of its output, its errors."""
    out, err = child.communicate(timeout=PATIENCE)
    return child.returncode, out.decode(), err.decode()


def line_of(child: subprocess.Popen[bytes]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().decode()


# -- where it is ----------------------------------------------------------------------------------


def test_it_says_where_it_is_in_words_and_a_signal_ends_it(tmp_path: Path) -> None:
    link = tmp_path / "pump"
    with running("--pty", str(link), "--name", "my pump", "--speed", "60") as child:
        assert line_of(child) == f'mock pump "my pump" (fictional) on {link}, speed 60\n'
        assert f"mockpump programmer --port {link} --open status" in line_of(child)
        assert link.is_symlink()
        child.send_signal(signal.SIGINT)
        code, out, err = ended(child)
    assert (code, out) == (0, "")
    assert err.startswith("pump stopped after ")
    assert err.count("\n") == 1
    assert not link.is_symlink()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_it_as_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    link = tmp_path / "pump"
    with running("--pty", str(link), "--json") as child:
        assert json.loads(line_of(child))["port"] == str(link)
        child.send_signal(number)
        code, _, err = ended(child)
    assert code == 0
    assert "Traceback" not in err
    assert not link.is_symlink()


def test_it_is_small() -> None:
    """Resident, with a programmer's visit: the issue allows 40 MiB."""
    with PumpProcess() as pump:
        before = resident(pump.pid)
        descriptor = os.open(pump.port, os.O_RDWR | os.O_NOCTTY)
        os.write(descriptor, bytes.fromhex("00 04 11 c5 6e 01 01 01 01 05 f0 08 f3 d2 00"))
        assert wait_readable(descriptor)
        os.close(descriptor)
        assert before <= resident(pump.pid) < 40 * MIB


def resident(pid: int) -> int:
    """The greatest resident size so far, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_it_does_nothing_while_nobody_is_there() -> None:
    """After a visitor has closed the pty, the process must sleep: CPU time stays what it was."""
    with PumpProcess("--speed", "0") as pump:
        os.close(os.open(pump.port, os.O_RDWR | os.O_NOCTTY))
        stat = Path(f"/proc/{pump.pid}/stat")
        before = cpu_ticks(stat)
        reader, writer = os.pipe()
        assert not wait_readable(reader, 0.3)
        os.close(reader)
        os.close(writer)
        assert cpu_ticks(stat) - before <= 10


def cpu_ticks(stat: Path) -> int:
    """User and system time so far, in ticks of (usually) 10 ms."""
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("place", ["0", ":0", "127.0.0.1:0"])
def test_tcp_is_on_loopback(place: str) -> None:
    with PumpProcess("--tcp", place) as pump:
        assert pump.port.startswith("socket://127.0.0.1:")


def test_as_many_clients_are_served_as_it_is_told() -> None:
    with PumpProcess("--tcp", "0", "--clients", "1") as pump, SerialProgrammer(pump.port) as first:
        first.connect(1)
        first.run(ask(m.GetStatus()))
        with pytest.raises(PortError), SerialProgrammer(pump.port) as second:
            second.connect(2)
        first.run(ask(m.GetStatus()))


def test_more_clients_than_the_system_has_files_for_is_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1_024, 1_024))
    finished = command("pump", "run", "--tcp", "0", "--clients", "2000")
    assert finished.code == 3
    assert "too few files may be open at a time for 2,000 clients" in finished.line
    assert "at most 792 are possible" in finished.line


def test_beyond_loopback_must_be_said_and_is_warned_of(command: Command) -> None:
    refused = command("pump", "run", "--tcp", "0.0.0.0:0")
    assert refused.code == 2
    assert "0.0.0.0:0 can be reached from other machines" in refused.err
    assert "--expose" in refused.err
    with running("--tcp", "0.0.0.0:0", "--expose", "--json") as child:
        where = json.loads(line_of(child))["port"].removeprefix("socket://")
        child.send_signal(signal.SIGINT)
        code, _, err = ended(child)
    assert code == 0
    assert err.splitlines()[0] == f"mockpump: warning: anybody who reaches {where} is served"


def test_on_loopback_there_is_nothing_to_warn_of() -> None:
    with running("--tcp", "0", "--json") as child:
        assert line_of(child)
        child.send_signal(signal.SIGINT)
        _, _, err = ended(child)
    assert "warning" not in err


# -- what it does not take ------------------------------------------------------------------------


def test_a_pump_that_nobody_can_reach_hands_no_keys_over(command: Command, tmp_path: Path) -> None:
    finished = command("pump", "run", "--pty", str(tmp_path / "no" / "pty"))
    assert finished.code == 3
    assert "clinician" not in finished.out + finished.err


def test_a_memory_that_there_is_not_is_not_made_already(command: Command, tmp_path: Path) -> None:
    finished = command("pump", "run", "--memory", str(tmp_path / "no.pump"), "--name", "x")
    assert "there is no such file" in finished.line


@pytest.mark.parametrize(
    "options",
    [
        ("--pty", "a", "--tcp", "1"),
        ("--tcp", "65536"),
        ("--expose",),
        ("--clients", "2"),
        ("--tcp", "0", "--clients", "0"),
        ("--tcp", "host"),
        ("--tcp", "host:"),
        ("--tcp", "9" * 5000),
        ("--speed", "fast"),
        ("--clock", "later"),
        ("--serial", "-1"),
        ("--name", "x" * 33),
        ("--name", "\x1b[2J"),
        ("--program", "/no/such/file"),
        ("--program", "/dev/null"),
    ],
)
def test_what_makes_no_sense_is_usage(command: Command, options: tuple[str, ...]) -> None:
    finished = command("pump", "run", *options)
    assert finished.code == 2
    assert finished.out == ""
    assert "\x1b" not in finished.err


def test_a_place_that_cannot_be_had_ends_with_3(command: Command, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempts = [
            (("--tcp", str(port)), "address already in use"),
            (("--pty", str(tmp_path / "taken")), "something else has that name"),
            (("--pty", str(tmp_path / "no" / "folder")), "no such file or directory"),
        ]
        for options, reason in attempts:
            finished = command("pump", "run", *options)
            assert finished.code == 3
            assert finished.out == ""
            assert reason in finished.line


def test_a_failure_inside_ends_the_pump_and_says_so(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncio would print a traceback and go on with half a pump."""

    def breaks(*_: object) -> None:
        loop = pump_module.asyncio.get_running_loop()
        loop.call_soon(lambda: 1 // 0)
        loop.call_later(PATIENCE, signal.raise_signal, signal.SIGTERM)

    monkeypatch.setattr(pump_module, "_announce", breaks)
    finished = command("pump", "run")
    assert finished.code == 70
    assert "ZeroDivisionError" in finished.line


# -- directions -----------------------------------------------------------------------------------


def test_wrong_directions_are_named_and_the_pump_goes_on() -> None:
    directions = [
        b"go 3600 for 86400",
        b"",
        b"go -1",
        b"go 1000001",
        b"go 9999999999999",
        b"stop",
        b"\xff\xfe",
        b"hold it",
        b"x" + b" " * 50_000 + b"hold",
        b"go max for 60",
        b"hold",
    ]
    with running("--stage", "--json") as child:
        assert json.loads(line_of(child))["speed"] == "1"
        code, _, err = ended_after(child, b"\n".join(directions) + b"\n")
    assert code == 0
    *complaints, last = err.splitlines()
    assert len(complaints) == 7
    known = ": use 'hold', 'go SPEED' or 'go SPEED for SECONDS'"
    assert all(complaint.endswith(known) for complaint in complaints)
    assert complaints[0].startswith("mockpump: unknown direction '")
    assert max(map(len, complaints)) < 160
    assert last.startswith("pump stopped after")


def ended_after(child: subprocess.Popen[bytes], text: bytes) -> tuple[int, str, str]:
    out, err = child.communicate(text, timeout=PATIENCE)
    return child.returncode, out.decode(), err.decode()


def test_directions_come_from_something_that_can_be_waited_for(tmp_path: Path) -> None:
    for place in (Path(program_file(tmp_path)), Path(os.devnull)):
        with place.open() as file:
            done = subprocess.run(
                [*COMMAND, "pump", "run", "--stage"],
                stdin=file,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        assert done.returncode == 2
        assert "from a pipe or a terminal" in done.stderr


# -- the child of a `with` ------------------------------------------------------------------------


def test_a_pump_process_ends_with_its_with(tmp_path: Path) -> None:
    with PumpProcess("--pty", str(tmp_path / "pump")) as pump:
        assert is_alive(pump.pid)
        assert pump.port == str(tmp_path / "pump")
    assert not is_alive(pump.pid)
    assert not (tmp_path / "pump").is_symlink()
    with pytest.raises((PortError, ValueError)):
        pump.direct("hold")


def test_a_pump_process_that_does_not_start_is_one_line_that_says_why() -> None:
    with pytest.raises(PortError, match=r"did not start: Error: .*'nonsense'") as caught:
        PumpProcess("--speed", "nonsense")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo '{}'", "did not start"),
        ("echo 'mockpump: no room' >&2", "did not start: no room"),
        ("printf '{\"port\"'; exec sleep 60", "did not start: it says nothing"),
    ],
)
def test_a_child_that_is_no_pump_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, reason: str
) -> None:
    imposter = tmp_path / "imposter"
    imposter.write_text(f"#!/bin/sh\n{script}\n")
    imposter.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(imposter))
    for patience in ("_PATIENCE", "_STARTING_PATIENCE"):
        monkeypatch.setattr(f"mockpump.cli.pump.process.{patience}", 0.5)
    with pytest.raises(PortError) as caught:
        PumpProcess()
    assert str(caught.value) == f"the pump process {reason}"


def test_a_pump_process_that_has_died_is_one_line() -> None:
    with PumpProcess() as pump:
        os.kill(pump.pid, signal.SIGKILL)
        pump._child.wait(PATIENCE)
        with pytest.raises(PortError, match="has ended"):
            pump.direct("hold")


def test_a_child_that_does_not_listen_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mockpump.cli.pump.process._PATIENCE", 0.05)
    with PumpProcess() as pump:
        os.kill(pump.pid, signal.SIGSTOP)
    assert not is_alive(pump.pid)


def test_files_of_the_current_folder_are_not_taken_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A learner's own `serial.py` or `protocol.py` lies where they run the demo."""
    for name in ("serial", "click", "protocol", "mockpump", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    with PumpProcess() as pump:
        assert pump.port


def test_no_descriptor_is_left_behind() -> None:
    before = set(Path("/proc/self/fd").iterdir())
    with PumpProcess():
        pass
    left = set(Path("/proc/self/fd").iterdir()) - before
    assert not [each for each in left if each.exists()]
