"""The live cable: bytes come through as the channel says, both ends, and in the end the table."""

import json
import os
import select
import subprocess
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from outside import COMMAND, PATIENCE, Command, in_process

from mockpump.cli.pump_process import PumpProcess
from mockpump.emulator.programmer.procedures import ask, read_log
from mockpump.emulator.transports.serial_programmer import SerialProgrammer
from mockpump.protocol import messages as m


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


@contextmanager
def cable(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A cable in a process of its own, and where its ends are."""
    child = subprocess.Popen(
        [*COMMAND, "link", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        yield child, json.loads(child.stdout.readline())
    finally:
        child.kill()
        child.communicate(timeout=PATIENCE)


def concluded(child: subprocess.Popen[str]) -> dict[str, dict[str, int]]:
    child.terminate()
    out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, err
    faults: dict[str, dict[str, int]] = json.loads(out)["faults"]
    return faults


@pytest.mark.end_to_end
def test_a_programmer_and_a_pump_get_on_over_a_bad_cable(tmp_path: Path) -> None:
    near = tmp_path / "near"
    wrong = ("--loss", "5%", "--duplicate", "5%", "--garbage", "10%", "--ber", "1e-4")
    with (
        PumpProcess("--speed", "0", "--open") as pump,
        cable("--a", f"pty:{near}", "--b", pump.port, *wrong, "--seed", "3") as (child, ends),
    ):
        assert ends == {"a": str(near), "b": pump.port}
        with SerialProgrammer(str(near)) as programmer:
            programmer.connect(1)
            for number in range(40):
                assert isinstance(programmer.run(ask(m.SetClock(number, number))), m.ClockSet)
            assert len(programmer.run(read_log()).entries) == 41
        table = concluded(child)
    assert {"loss", "duplicate", "garbage"} <= set(table)
    assert sum(table["garbage"].values()) == table["garbage"]["frame"] + table["garbage"]["crc"]
    assert not near.is_symlink()


@pytest.mark.end_to_end
def test_it_carries_what_is_no_frame_too_and_takes_its_time() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    far = os.ttyname(slave)
    with cable("--b", far, "--delay", "50ms", "--baud", "9600") as (child, ends):
        near = os.open(ends["a"], os.O_RDWR | os.O_NOCTTY)
        began = time.monotonic()
        os.write(near, b"hello, whoever you are")
        came = b""
        while len(came) < 22 and select.select([master], [], [], PATIENCE)[0]:
            came += os.read(master, 100)
        assert came == b"hello, whoever you are"
        # 22 bytes of ten bits, and the delay.
        assert time.monotonic() - began >= 22 * 10 / 9600 + 0.05
        os.write(master, b"back")
        assert select.select([near], [], [], PATIENCE)[0]
        assert concluded(child) == {}
        os.close(near)
    os.close(slave)
    os.close(master)


@pytest.mark.end_to_end
def test_when_an_end_goes_it_says_so_and_shows_the_table_all_the_same() -> None:
    with PumpProcess("--speed", "0", "--open") as pump, cable("--b", pump.port) as (child, _):
        pump.close()
        out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 3
    assert json.loads(out) == {"faults": {}}
    assert err.count("\n") == 1
    assert "has closed" in err


@pytest.mark.end_to_end
def test_it_ends_by_itself_after_the_time_it_was_given(tmp_path: Path) -> None:
    master, slave = os.openpty()
    done = subprocess.run(
        [*COMMAND, "link", "--b", os.ttyname(slave), "--for", "50ms"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "nothing went wrong on the line"
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 2),
        (("--b", "/nowhere"), 3),
        (("--b", "mockpump://demo"), 3),
        (("--b", "/nowhere", "--loss", "x"), 2),
        (("--b", "/nowhere", "--loss", "101%"), 2),
        (("--b", "/nowhere", "--outage", "10s"), 2),
        (("--b", "/nowhere", "--for", "soon"), 2),
        (("--b", "/nowhere", "--baud", "0"), 2),
    ],
)
def test_what_cannot_be_is_one_line(command: Command, options: tuple[str, ...], code: int) -> None:
    ended = command("link", *options)
    assert ended.code == code
    assert ended.out == ""
    assert "Traceback" not in ended.err
