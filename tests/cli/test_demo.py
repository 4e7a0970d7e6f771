"""The demo end to end: two processes, a real pty, a day in a second, and nothing left behind."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from outside import COMMAND, PATIENCE, Ended, as_process, is_alive, program_file, wait_readable

from mockpump.protocol.program import Program

pytestmark = pytest.mark.end_to_end
EXAMPLES = Path(__file__).parents[2] / "examples" / "programs"


def pump_pid(text: str) -> int:
    found = re.search(r"a pump +process (\d+)", text)
    assert found is not None, text
    return int(found[1])


@pytest.fixture(scope="module")
def day() -> tuple[Ended, float]:
    before = time.monotonic()
    return as_process("demo", "--speed", "max"), time.monotonic() - before


def test_it_takes_a_few_seconds_and_leaves_no_process(day: tuple[Ended, float]) -> None:
    ended, seconds = day
    assert (ended.code, ended.err) == (0, "")
    assert seconds < 15
    assert not is_alive(pump_pid(ended.out))


def test_it_tells_the_whole_scenario(day: tuple[Ended, float]) -> None:
    text = day[0].out
    wanted = [
        "fictional",
        "/dev/",
        "programmer -> pump  OPEN ack 0",
        "header",
        "CRC-16",
        "DATA seq 0 ack 1  Identity",
        "serial = ",
        "ReadProgram",
        "before       after   change",
        "Mon-Sun",
        " %",
        "WriteProgram",
        "ProgramCommitted",
        "24 hours of pump time at speed max",
        "100 %",
        "24:00",
        "equal, to the last unit",
        "retransmissions",
        "round trip",
    ]
    place = 0
    for each in wanted:
        assert each in text[place:], each
        place = text.index(each, place)


def test_both_totals_are_equal(day: tuple[Ended, float]) -> None:
    totals = [line.rsplit("  ", 1)[1] for line in day[0].out.splitlines() if "/3600 nL" in line]
    assert len(totals) >= 2
    assert totals[0] == totals[1]


def test_it_is_plain_and_fits_80_columns(day: tuple[Ended, float]) -> None:
    text = day[0].out
    assert "\x1b" not in text
    assert "\r" not in text
    long = [line for line in text.splitlines() if len(line) > 80]
    assert all(line.lstrip().startswith(("line", "header", "payload")) for line in long)


@pytest.mark.parametrize("name", ["week", "ramp"])
def test_any_program_can_be_shown(name: str) -> None:
    ended = as_process("demo", "--speed", "max", "--program", str(EXAMPLES / f"{name}.toml"))
    assert (ended.code, ended.err) == (0, "")
    assert "equal, to the last unit" in ended.out


def test_a_reservoir_that_runs_empty_is_a_scenario_too(tmp_path: Path) -> None:
    file = program_file(tmp_path, Program.flat("thirsty", 1_000_000))
    ended = as_process("demo", "--speed", "max", "--program", file)
    assert ended.code == 0
    assert "ran empty" in ended.out


@pytest.mark.parametrize("options", [("--program", "/no/such/file"), ("--speed", "fast")])
def test_bad_options_end_with_2_before_anything_starts(options: tuple[str, ...]) -> None:
    ended = as_process("demo", *options)
    assert (ended.code, ended.out) == (2, "")


# -- a demo that is cut short ---------------------------------------------------------------------


class Demo:
    """A demo that takes its time, and what it has said."""

    def __init__(self, temporary: Path | None = None) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "demo", "--speed", "60"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | ({"TMPDIR": str(temporary)} if temporary else {}),
        )
        assert self.process.stdout is not None
        self._output = self.process.stdout
        text = self._until(b"24 hours of pump time")
        self.pump = pump_pid(text)
        port = re.search(r"listening on (\S+)", text)
        assert port is not None
        self.port = port[1]

    def _until(self, text: bytes) -> str:
        said = b""
        while text not in said:
            assert wait_readable(self._output.fileno()), said
            data = os.read(self._output.fileno(), 65_536)
            assert data, said
            said += data
        return said.decode()

    def end(self) -> tuple[int, bytes]:
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err


def wait_for_end(pid: int) -> bool:
    """Whether a process that is not our child ends in time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select((descriptor,), (), (), PATIENCE)[0])
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, -signal.SIGTERM),
        (signal.SIGHUP, -signal.SIGHUP),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_however_it_is_cut_short_no_pump_stays(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    demo = Demo(tmp_path)
    assert is_alive(demo.pump)
    demo.process.send_signal(number)
    ended, err = demo.end()
    assert wait_for_end(demo.pump)
    assert ended == code
    assert err.strip() == (b"interrupted" if number is signal.SIGINT else b"")
    # The pump's keys are in there; against being killed there is no help.
    assert list(tmp_path.iterdir()) == [] or number is signal.SIGKILL


def test_a_pump_that_dies_is_one_line() -> None:
    demo = Demo()
    os.kill(demo.pump, signal.SIGKILL)
    code, err = demo.end()
    assert code == 3
    assert err.count(b"\n") == 1
    # Whichever the demo was at: the line, or telling the pump how time is to pass.
    assert b"has closed" in err or b"the pump process has ended" in err


def test_a_reader_who_has_seen_enough() -> None:
    demo = Demo()
    demo.process.stdout.close()  # type: ignore[union-attr]
    demo.process.stdout = None
    code, err = demo.end()
    assert code == 74
    assert err == b""
    assert wait_for_end(demo.pump)


def on_terminal(environment: dict[str, str]) -> bytes:
    """What the demo writes to a terminal."""
    master, slave = os.openpty()
    clean = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    child = subprocess.Popen(
        [*COMMAND, "demo", "--speed", "max"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**clean, "TERM": "xterm-256color", "COLUMNS": "80", **environment},
    )
    os.close(slave)
    shown = b""
    read: Callable[[], bytes] = lambda: os.read(master, 65_536)  # noqa: E731
    try:
        while wait_readable(master) and (data := read()):
            shown += data
    except OSError:
        pass
    os.close(master)
    assert child.wait(PATIENCE) == 0
    return shown


def test_on_a_terminal_it_is_coloured_and_redraws_its_line() -> None:
    shown = on_terminal({})
    assert b"\x1b[1m" in shown
    assert shown.count(b"\r\x1b[2K") > 100
    for line in re.split(rb"\r\n|\r\x1b\[2K", shown):
        plain = re.sub(rb"\x1b\[[0-9;]*[mK]", b"", line).decode()
        if not plain.lstrip().startswith(("line", "header", "payload")):
            assert len(plain) <= 80, plain


def test_no_color_is_honoured() -> None:
    assert not re.search(rb"\x1b\[[0-9;]*m", on_terminal({"NO_COLOR": "1"}))
