"""The live cable: bytes come through as the channel says, both ends, and in the end the table."""

import asyncio
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

from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.programmer.procedures import ask, read_log
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import read_trace
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.emulator.transports.cable import Cable
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.units import WHOLE


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


def concluded(child: subprocess.Popen[str], what: str = "faults") -> dict[str, dict[str, int]]:
    child.terminate()
    out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0, err
    told: dict[str, dict[str, int]] = json.loads(out)[what]
    return told


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
        assert concluded(child, "carried") == {
            "a_to_b": {"frames": 0, "bytes": 22, "arrived": 22},
            "b_to_a": {"frames": 0, "bytes": 4, "arrived": 4},
        }
        os.close(near)
    os.close(slave)
    os.close(master)


def test_what_becomes_of_a_frame_does_not_depend_on_how_it_is_read() -> None:
    line = Impairments(loss=WHOLE // 5, ber=10**6, duplicate=WHOLE // 5, garbage=WHOLE // 5)
    frames = [encode_frame(Frame(Kind.DATA, 1, n, payload=bytes(n))) for n in range(100)]
    whole = b"".join(frames)
    at_once = carried(line, [whole])
    assert at_once != whole
    assert carried(line, frames) == at_once
    assert carried(line, [whole[at : at + 7] for at in range(0, len(whole), 7)]) == at_once


def carried(line: Impairments, reads: list[bytes]) -> bytes:
    """What comes through when the bytes are read like that."""
    came: list[bytes] = []

    async def carry() -> None:
        cable = Cable(Channel(line, 3), lambda _: None)
        cable.plug(False, came.append)
        for read in reads:
            cable.data_received(True, read)
        cable.close()

    asyncio.run(carry())
    return b"".join(came)


def test_the_beginning_of_a_frame_that_never_ends_comes_through_in_the_end() -> None:
    async def carry() -> bytes:
        came = asyncio.get_running_loop().create_future()
        cable = Cable(Channel(), lambda _: None)
        cable.plug(False, came.set_result)
        cable.data_received(True, b"\0begun")
        assert not came.done()
        return await asyncio.wait_for(came, PATIENCE)

    assert asyncio.run(carry()) == b"\0begun"


@pytest.mark.end_to_end
def test_when_an_end_goes_it_says_so_and_shows_the_table_all_the_same() -> None:
    with PumpProcess("--speed", "0", "--open") as pump, cable("--b", pump.port) as (child, _):
        pump.close()
        out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 3
    assert json.loads(out)["faults"] == {}
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


@pytest.mark.end_to_end
def test_it_records_both_directions_with_what_was_done_to_them(tmp_path: Path) -> None:
    trace = tmp_path / "link.trace"
    with PumpProcess("--speed", "0", "--open") as pump:
        options = ("--b", pump.port, "--drop", "3", "--flip", "6:2.0", "--trace", str(trace))
        with cable(*options) as (child, ends):
            with SerialProgrammer(ends["a"]) as programmer:
                programmer.call()
                programmer.run(ask(m.GetStatus()))
            table = concluded(child)
    run = read_run(read_trace(trace.read_text("utf-8")))
    assert run.frame(3).lost == "drop"
    (flip,) = (flip for arrival in run.frame(6).arrivals for flip in arrival.flips)
    assert (flip.byte, flip.bits) == (2, (0,))
    assert set(table) == {"drop", "flip"}


@pytest.mark.end_to_end
def test_it_ends_by_saying_what_it_carried_each_way(command: Command, tmp_path: Path) -> None:
    with PumpProcess("--speed", "0", "--open") as pump:
        with cable("--b", pump.port, "--drop", "1") as (child, ends):
            assert command("programmer", "--port", ends["a"], "--open", "status").code == 0
            carried = concluded(child, "carried")
        ended = command("link", "--b", pump.port, "--for", "1ms")
    there, back = carried["a_to_b"], carried["b_to_a"]
    assert 0 < back["frames"] < there["frames"]
    assert there["bytes"] > there["arrived"] > 0
    assert back["bytes"] == back["arrived"] > 0
    _, first, second, last = ended.out.splitlines()
    assert first.endswith(f" to {pump.port}: 0 frames, 0 bytes sent; 0 bytes arrived")
    assert second.startswith(f"from {pump.port} to ")
    assert last == "nothing went wrong on the line"
