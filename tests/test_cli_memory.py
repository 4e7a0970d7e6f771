"""A pump in a file: `pump new`, `run --memory`, `show`, `log` and `fault`, as a user meets them."""

import contextlib
import json
import sqlite3
import stat
from pathlib import Path

import pytest
from outside import Command, in_process, program_file

from mockpump.cli.pump_process import PumpProcess
from mockpump.emulator.pump.faults import FAULTS
from mockpump.emulator.transports.control import socket_path

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
