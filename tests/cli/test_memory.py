"""A pump in a file: `pump new`, `run --memory`, `show`, `log` and `fault`, as a user meets them."""

import asyncio
import contextlib
import json
import resource
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside import COMMAND, PATIENCE, Command, in_process, program_file

from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.pump.faults import FAULTS
from mockpump.emulator.transports.control_socket import ControlSocket, socket_path
from mockpump.protocol import messages as m

FAULTY = sorted(fault.name.lower().replace("_", "-") for fault in FAULTS)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


@pytest.fixture
def memory(command: Command, tmp_path: Path) -> Path:
    file = tmp_path / "x.pump"
    assert command("pump", "new", str(file), "--seed", "7").code == 0
    return file


def test_a_new_pump_is_its_owners_and_shows_what_it_was_made_with(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "x.pump"
    program = program_file(tmp_path)
    made = ("--name", "my pump", "--serial", "9", "--clock", "Tue 06:00", "--dead", "7_000")
    ended = command("pump", "new", str(file), "--program", program, *made)
    assert ended == (0, f'made "my pump" (fictional), number 9, in {file}\n', "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = command("pump", "show", str(file))
    assert shown.code == 0
    for text in ("my pump (fictional), number 9", '"evening", in slot', "Tue 06:00:00"):
        assert text in shown.out
    whole = json.loads(command("pump", "show", str(file), "--json").out)
    assert whole["identity"]["serial"] == 9
    assert whole["image"]


def test_the_same_seed_makes_the_same_pump(command: Command, tmp_path: Path) -> None:
    lines = []
    for name in ("a", "b"):
        ended = command("pump", "new", str(tmp_path / name), "--seed", "7")
        lines.append(ended.out.partition(", in ")[0])
    assert lines[0] == lines[1]


def test_what_is_there_already_is_not_overwritten(command: Command, memory: Path) -> None:
    before = memory.read_bytes()
    ended = command("pump", "new", str(memory))
    assert ended.code != 0
    assert str(memory) in ended.line
    assert memory.read_bytes() == before


@pytest.mark.parametrize("look", ["show", "log"])
@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\0" + bytes(4096)])
def test_a_file_that_is_no_pump_is_one_line(
    command: Command, tmp_path: Path, look: str, content: bytes | None
) -> None:
    file = tmp_path / "x.pump"
    if content is not None:
        file.write_bytes(content)
    ended = command("pump", look, str(file))
    assert ended.code != 0
    assert ended.out == ""
    assert str(file) in ended.line
    assert (file.read_bytes() if file.exists() else None) == content


def test_the_log_is_shown_and_a_changed_entry_is_noticed(command: Command, memory: Path) -> None:
    entries = command("pump", "log", str(memory), "--json").out.splitlines()
    assert json.loads(entries[0])["text"].startswith("made: serial ")
    assert [json.loads(line)["number"] for line in entries] == list(range(1, len(entries) + 1))
    assert command("pump", "log", str(memory)).code == 0
    with contextlib.closing(sqlite3.connect(memory)) as database:
        database.execute("UPDATE entries SET first = first + 1 WHERE number = 1")
        database.commit()
    ended = command("pump", "log", str(memory))
    assert ended.code != 0
    assert ended.line.endswith(f"the log in {memory} does not fit its own chain")


def tamper(memory: Path, sql: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(memory)) as database:
        assert database.execute(sql, values).rowcount > 0
        database.commit()


# Of transaction 3.
SUSPEND, SUSPENDED = m.encode(m.Suspend(3)), m.encode(m.Suspended(7))
OUTCOMES_THAT_CANNOT_BE: dict[str, tuple[tuple[object, ...], str]] = {
    "no text": ((3, 3, "text", SUSPENDED), "transaction 3 is not made of bytes"),
    "no number": ((3, 3, SUSPEND, 3), "transaction 3 is not made of bytes"),
    "place": ((2**40, 3, SUSPEND, SUSPENDED), "no pump has ever had 1,099,511,627,776 outcomes"),
    "negative": ((-5, 3, SUSPEND, SUSPENDED), "what should count its outcomes is not a number"),
    "zero": ((0, 3, SUSPEND, SUSPENDED), "what should count its outcomes is not a number"),
    "transaction": ((3, -1, SUSPEND, SUSPENDED), "what should be a transaction's number is none"),
    "long": ((3, 2**32, SUSPEND, SUSPENDED), "what should be a transaction's number is none"),
    "word": ((3, "x", SUSPEND, SUSPENDED), "what should be a transaction's number is none"),
    "no request": ((3, 3, b"", SUSPENDED), "no outcome of transaction 3: empty payload"),
    "no reply": (
        (3, 3, SUSPEND, b"\xfe"),
        "transaction 3: no message has number 254",
    ),
    "another": (
        (3, 4, SUSPEND, SUSPENDED),
        "transaction 4: the request is of another",
    ),
    "a question": (
        (3, 3, m.encode(m.GetStatus()), SUSPENDED),
        "no outcome of transaction 3: the request is of another",
    ),
    "a request": ((3, 3, SUSPEND, SUSPEND), "transaction 3: the reply is to another request"),
}


def expect_refused(command: Command, memory: Path, expected: str) -> None:
    """Whatever would use it says the same, in one line that names the file."""
    before = memory.read_bytes()
    lines = set()
    for words in (("show", str(memory)), ("log", str(memory)), ("pair", str(memory))):
        ended = command("pump", *words)
        assert (ended.code, ended.out) == (1, "")
        lines.add(ended.line)
    ended = command("pump", "run", "--stage", "--memory", str(memory))
    assert (ended.code, ended.out) == (1, "")
    (line,) = lines | {ended.line}
    assert str(memory) in line
    assert expected in line
    assert command("pump", "show", str(memory)).line == line
    assert len(memory.read_bytes()) == len(before)


@pytest.mark.parametrize(
    ("row", "expected"), OUTCOMES_THAT_CANNOT_BE.values(), ids=OUTCOMES_THAT_CANNOT_BE
)
def test_an_outcome_that_cannot_be_is_found_by_whatever_opens_it(
    command: Command, memory: Path, row: tuple[object, ...], expected: str
) -> None:
    tamper(memory, "INSERT INTO outcomes VALUES (?, ?, ?, ?)", *row)
    expect_refused(command, memory, expected)


def test_outcomes_that_can_be_are_no_fault(command: Command, memory: Path) -> None:
    refused = m.encode(m.Refused(SUSPEND[0], m.Reason.WRONG_MODE, 0, 3, 0))
    tamper(memory, "INSERT INTO outcomes VALUES (4, 4, ?, ?)", m.encode(m.Suspend(4)), refused)
    tamper(memory, "INSERT INTO outcomes VALUES (?, 3, ?, ?)", 2**32 - 1, SUSPEND, SUSPENDED)
    assert command("pump", "show", str(memory)).code == 0
    assert command("pump", "pair", str(memory)).code == 0


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("INSERT INTO images VALUES (1, 'text')", "the image in slot 1 is not made of bytes"),
        ("UPDATE states SET state = 'text'", "its state is not made of bytes"),
        ("UPDATE states SET state = x'7b7d'", "the memory holds no state of a pump: "),
        ("DELETE FROM images WHERE slot = 0", "names a program in slot 0, and there is none"),
        ("UPDATE entries SET chain = 'text' WHERE number = 1", "its log is not made of bytes"),
        ("UPDATE entries SET chain = x'00' WHERE number = 1", "what should be its chain is none"),
    ],
)
def test_what_cannot_be_is_found_by_whatever_opens_it(
    command: Command, memory: Path, sql: str, expected: str
) -> None:
    tamper(memory, sql)
    expect_refused(command, memory, expected)


def test_a_pump_with_two_names_is_found_by_whatever_opens_it(
    command: Command, memory: Path
) -> None:
    memory.with_name("y.pump").hardlink_to(memory)
    expect_refused(command, memory, "it has 2 names (hard links)")


@pytest.mark.end_to_end
def test_a_running_pump_is_its_own_and_takes_faults(command: Command, memory: Path) -> None:
    with PumpProcess("--memory", str(memory)) as pump:
        control = socket_path(memory)
        assert stat.S_IMODE(control.stat().st_mode) == 0o600
        for look in ("show", "log"):
            ended = command("pump", look, str(memory))
            assert (ended.code != 0, ended.out) == (True, "")
            assert "in use" in ended.line or "running" in ended.line
        at = ("programmer", "--port", pump.port)
        assert command("pump", "fault", "stall", str(memory)).out == (
            "stall: the motor stops turning\n"
        )
        assert "stalled" in command(*at, "alarms").out
        assert command("pump", "fault", "stall", str(memory), "--clear").code == 0
        assert command(*at, "alarms", "--acknowledge", "stalled").code == 0
        assert command(*at, "alarms").out == "no alarms\n"
        for name in sorted(FAULTY, key="memory".__eq__):
            assert command("pump", "fault", name, str(memory)).code == 0, name
        ended = command("pump", "fault", "stall", str(memory))
        assert ended.code == 3
        assert ended.line.endswith("the pump could not record it; nothing was changed")
    assert not control.exists()
    after = command("pump", "fault", "stall", str(memory))
    assert after.code == 3
    assert "no running pump at" in after.line


@pytest.mark.parametrize("name", ["brown-out", "clock-jump"])
def test_what_happens_once_cannot_be_cleared(command: Command, memory: Path, name: str) -> None:
    ended = command("pump", "fault", name, str(memory), "--clear")
    assert ended.code == 2
    assert ended.err.endswith("happens once; there is nothing to clear\n")


def test_a_fault_that_does_not_exist_is_usage(command: Command, memory: Path) -> None:
    ended = command("pump", "fault", "thirst", str(memory))
    assert ended.code == 2
    assert all(name in ended.err for name in FAULTY)


# -- the way out -----------------------------------------------------------------------------------


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`pump run ARGS...` as a process, from when it has said where it is."""
    command = [*COMMAND, "pump", "run", "--json", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Tell a pump to end; its exit code, and what it complained of."""
    process.terminate()
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


@pytest.mark.end_to_end
def test_a_last_state_that_cannot_be_recorded_is_said(command: Command, memory: Path) -> None:
    with running("--memory", str(memory)) as process:
        assert command("pump", "fault", "memory", str(memory)).code == 0
        code, said = end(process)
    assert code == 74
    assert said == (
        "mockpump: the pump's last state could not be recorded:"
        " the memory takes no writes: an injected fault\n"
    )
    assert "last shutdown  power lost" in command("pump", "show", str(memory)).out


@pytest.mark.end_to_end
def test_a_power_cut_in_the_very_end_is_got_over(command: Command, memory: Path) -> None:
    with running("--memory", str(memory)) as process:
        assert command("pump", "fault", "brown-out", str(memory)).code == 0
        code, _ = end(process)
    assert code == 0
    assert "last shutdown  clean" in command("pump", "show", str(memory)).out
    assert "alarm raised: restarted" in command("pump", "log", str(memory)).out


@pytest.mark.end_to_end
def test_the_files_beside_it_are_gone_and_it_ends_in_good_order(
    command: Command, memory: Path, tmp_path: Path
) -> None:
    place = tmp_path / "ptys"
    place.mkdir()
    with running("--memory", str(memory), "--pty", str(place / "pump")) as process:
        shutil.rmtree(place)
        socket_path(memory).unlink()
        assert end(process)[0] == 0
    assert "last shutdown  clean" in command("pump", "show", str(memory)).out


@pytest.mark.end_to_end
def test_without_descriptors_it_ends_in_good_order(command: Command, memory: Path) -> None:
    with running("--memory", str(memory)) as process:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 3))
        assert end(process)[0] == 0
    assert not socket_path(memory).exists()
    assert "last shutdown  clean" in command("pump", "show", str(memory)).out


def test_a_clean_up_that_fails_is_told_and_the_pump_is_put_down(
    command: Command, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(ControlSocket):
        async def __aexit__(self, *reason: object) -> None:
            await super().__aexit__(*reason)
            self.error = "cannot remove it: permission denied"

    def close(_: object) -> None:
        raise PermissionError(13, "Permission denied", "/a/folder")

    monkeypatch.setattr("mockpump.emulator.transports.control_socket.ControlSocket", Stuck)
    # The end of its input ends it at once.
    monkeypatch.setattr(
        "mockpump.cli.pump.run._take_pacing_commands", lambda _, __, ended: ended.set()
    )
    ended = command("pump", "run", "--memory", str(memory), "--stage")
    assert ended.code == 0
    assert ended.err.startswith("mockpump: warning: cannot remove it: permission denied\npump st")
    assert json.loads(command("pump", "show", str(memory), "--json").out)["clean"]
    monkeypatch.setattr("mockpump.emulator.transports.pty.PtyLine._remove_link", close)
    ended = command("pump", "run", "--memory", str(memory), "--stage")
    assert ended.err.endswith("mockpump: /a/folder: permission denied\n")
    assert json.loads(command("pump", "show", str(memory), "--json").out)["clean"]


def test_a_pump_in_which_something_failed_is_not_put_down_in_good_order(
    command: Command, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        asyncio.get_running_loop().call_soon(int, "no number")

    monkeypatch.setattr("mockpump.cli.pump.run._take_pacing_commands", fail)
    ended = command("pump", "run", "--memory", str(memory), "--stage")
    assert ended.code == 70
    assert not json.loads(command("pump", "show", str(memory), "--json").out)["clean"]


# -- a part is not the whole -----------------------------------------------------------------------


@pytest.mark.end_to_end
def test_a_copy_taken_while_it_runs_does_not_pass_for_a_whole_pump(
    command: Command, memory: Path, tmp_path: Path
) -> None:
    copy, both = tmp_path / "copy.pump", tmp_path / "both.pump"
    with PumpProcess("--memory", str(memory), "--speed", "0") as pump:
        assert command("programmer", "--port", pump.port, "suspend").code == 0
        shutil.copyfile(memory, copy)
        shutil.copyfile(memory, both)
        shutil.copyfile(f"{memory}-wal", f"{both}-wal")
    facts = json.loads(command("pump", "show", str(memory), "--json").out)
    assert (facts["mode"], facts["clean"], facts["whole"]) == ("suspended", True, True)
    for each, lacks in ((both, False), (copy, True)):
        shown = command("pump", "show", str(each))
        assert ("something may be missing" in shown.out) is lacks
        for look in (shown, command("pump", "log", str(each))):
            assert look.code == 0
            assert ("without the copy.pump-wal beside it" in look.err) is lacks
        facts = json.loads(command("pump", "show", str(each), "--json").out)
        assert (facts["clean"], facts["whole"]) == (False, not lacks)
    with running("--memory", str(copy)) as process:
        code, said = end(process)
    assert code == 0
    assert "warning" in said
    assert "may be missing" in said
    shown = command("pump", "show", str(copy))
    assert ("restarted" in shown.out, shown.err) == (True, "")


@pytest.mark.end_to_end
def test_a_pump_notices_that_its_file_is_another(command: Command, memory: Path) -> None:
    with running("--memory", str(memory), "--pty", str(memory) + ".pty") as process:
        at = ("programmer", "--port", str(memory) + ".pty")
        memory.unlink()
        assert command("pump", "new", str(memory), "--seed", "8").code == 1, "it is in use"
        ended = command(*at, "suspend")
        assert (ended.code, "memory" in ended.line) == (1, True)
        assert "memory-fault" in command(*at, "alarms").out
        code, said = end(process)
    assert code == 74
    assert f"{memory} is not the file any more that was opened" in said
    assert not memory.exists()


@pytest.mark.end_to_end
def test_a_pump_at_files_made_anew_leaves_the_socket_to_the_one_before(
    command: Command, memory: Path
) -> None:
    with running("--memory", str(memory)):
        memory.unlink()
        Path(f"{memory}-lock").unlink()
        assert command("pump", "new", str(memory), "--seed", "8").code == 0
        with running("--memory", str(memory)) as second:
            code, said = end(second)
        assert code == 0
        line, _ = said.splitlines()
        assert line == (
            "mockpump: warning: `pump fault` cannot reach this pump:"
            f" another pump answers at {socket_path(memory)}"
        )
        assert socket_path(memory).is_socket()
    assert "last shutdown  clean" in command("pump", "show", str(memory)).out


def test_what_is_far_too_long_is_not_copied(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "disk.img"
    with file.open("wb") as opened:
        opened.truncate(20 * 10**9)
    for look in ("show", "log"):
        assert command("pump", look, str(file)).line.endswith(": it is not the memory of a pump")


@pytest.mark.end_to_end
def test_a_pump_with_a_long_name_runs_without_a_control_socket(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / ("x" * 150)
    assert command("pump", "new", str(file)).code == 0
    with running("--memory", str(file)) as process:
        assert command("pump", "fault", "stall", str(file)).code == 3
        code, said = end(process)
    assert code == 0
    assert said.startswith("mockpump: warning: `pump fault` cannot reach this pump: ")
