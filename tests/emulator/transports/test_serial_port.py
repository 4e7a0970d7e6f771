"""A serial port as the programmer uses it: what cannot be opened, and how it is left behind."""

import contextlib
import os
import resource
import termios
from pathlib import Path

import pytest
import serial
from outside import silent_pty, wait_readable

from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.serial_port import SerialPort, open_port


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/no/such/port", "no such file or directory"),
        ("", "no such file or directory"),
        (__file__, "not a serial port"),
        ("/dev/null", "not a serial port"),
        (str(Path(__file__).parent), "is a directory"),
        ("tcp:127.0.0.1:1", "connection refused"),
        ("tcp:1", "connection refused"),
        ("socket://127.0.0.1:1", "connection refused"),
        ("tcp:", "use tcp:HOST:PORT"),
        ("tcp:host:name", "use tcp:HOST:PORT"),
        ("socket://host", "use tcp:HOST:PORT"),
        ("socket://[host:1", "use tcp:HOST:PORT"),
        ("nonsense://x", "not known"),
        ("mockpump://", "expected mockpump://NAME"),
    ],
)
def test_a_port_that_cannot_be_opened_is_one_line(url: str, reason: str) -> None:
    with pytest.raises(PortError) as caught:
        SerialProgrammer(url)
    text = str(caught.value)
    assert text.startswith("cannot open ")
    assert reason in text
    assert "\n" not in text
    assert "Errno" not in text


def test_a_port_that_somebody_has_for_himself_is_busy() -> None:
    with (
        silent_pty() as (_, path),
        serial.Serial(path, exclusive=True),
        pytest.raises(PortError, match="busy"),
    ):
        open_port(path)


def test_ours_is_exclusive() -> None:
    with (
        silent_pty() as (_, path),
        contextlib.closing(SerialPort(path)),
        pytest.raises(PortError, match="busy"),
    ):
        open_port(path)


def test_terminal_settings_are_restored() -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    assert before[3] & termios.ECHO
    port = SerialPort(os.ttyname(slave))
    assert not termios.tcgetattr(slave)[3] & termios.ECHO
    port.close()
    assert termios.tcgetattr(slave) == before
    os.close(slave)
    os.close(master)


def test_a_line_that_takes_nothing_blocks_nobody() -> None:
    """More than a pty holds: the rest waits, and the deadline still comes."""
    with silent_pty() as (master, path), contextlib.closing(SerialPort(path)) as port:
        data = os.urandom(200_000)
        port.send(data)
        port.send(b"end")
        assert port.receive(0.001) == b""
        read = b""
        while len(read) < len(data) + 3:
            assert wait_readable(master)
            read += os.read(master, 65_536)
            port.receive(0)
        assert read == data + b"end"


def test_a_descriptor_above_1023_is_as_good_as_any() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(2_048, hard)), hard))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        master, path = stack.enter_context(silent_pty())
        for _ in range(1_024):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        port = stack.enter_context(contextlib.closing(SerialPort(path)))
        assert port._descriptor is not None
        assert port._descriptor > 1_023
        assert port.receive(0) == b""
        os.write(master, b"!")
        assert port.receive(5) == b"!"


def test_a_spy_sees_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Past pyserial's own `write` and `read`, a `spy://` would log nothing."""
    with silent_pty() as (master, path), contextlib.closing(SerialPort(f"spy://{path}")) as port:
        port.send(b"question")
        assert os.read(master, 100) == b"question"
        os.write(master, b"answer")
        answer = b""
        while piece := port.receive(5 if len(answer) < 6 else 0):
            answer += piece
        assert answer == b"answer"
    text = capsys.readouterr().err
    assert "TX" in text
    assert "question" in text
    assert "RX" in text


def test_a_line_that_ends_while_it_is_waited_for_has_closed() -> None:
    master, slave = os.openpty()
    with contextlib.closing(SerialPort(os.ttyname(slave))) as port:
        os.close(slave)
        os.close(master)
        with pytest.raises(PortError, match="has closed"):
            port.receive(5)


def test_links_in_a_circle_are_no_pump_that_has_ended(tmp_path: Path) -> None:
    link = tmp_path / "pump"
    link.symlink_to(link)
    with pytest.raises(PortError) as error:
        SerialPort(str(link))
    assert "has ended" not in str(error.value)


def test_the_link_of_a_pump_that_was_killed_says_so(tmp_path: Path) -> None:
    link = tmp_path / "pump"
    link.symlink_to("/dev/pts/9999999")
    with pytest.raises(PortError, match="it leads to /dev/pts/9999999, which is gone"):
        SerialPort(str(link))
