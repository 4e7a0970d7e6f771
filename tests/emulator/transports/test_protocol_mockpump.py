"""`mockpump://`: the contract of a pyserial port, kept by a pump in this very process.

pyserial swallows an ImportError inside a handler and says "protocol not known", so that the handler
loads at all is a test of its own.  Where a test waits, it is for a pump at speed 1,000,000.
"""

import importlib
import io
import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import serial
from outside import PATIENCE

from mockpump.emulator.transports.clock import line_now
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame

PACKAGE = "mockpump.emulator.transports"
OPEN = encode_frame(Frame(Kind.OPEN, 7, payload=bytes.fromhex("00f008")))
IDENTIFY = encode_frame(Frame(Kind.DATA, 7, payload=m.encode(m.Identify())))
SUBSCRIBE = encode_frame(Frame(Kind.DATA, 7, payload=m.encode(m.Subscribe(3600))))


@pytest.fixture(autouse=True)
def handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial, "protocol_handler_packages", [PACKAGE])


@pytest.fixture
def port() -> Iterator[Any]:
    with serial.serial_for_url("mockpump://demo", timeout=0) as opened:
        yield opened


def test_the_handler_loads() -> None:
    module = importlib.import_module(f"{PACKAGE}.protocol_mockpump")
    assert isinstance(serial.serial_for_url("mockpump://demo", do_not_open=True), module.Serial)


def frames(data: bytes) -> list[Frame]:
    found = FrameDecoder().receive_data(data)
    assert all(isinstance(each, Frame) for each in found)
    return found  # type: ignore[return-value]


def test_it_speaks_the_protocol(port: Any) -> None:
    assert port.write(OPEN) == len(OPEN)
    assert port.write(bytearray(IDENTIFY)) == len(IDENTIFY)
    opened, answer = frames(port.read(port.in_waiting))
    assert opened.kind is Kind.OPEN_ACK
    identity = m.decode(answer.payload)
    assert isinstance(identity, m.Identity)
    assert identity.name == "demo"


def test_the_ten_line_script_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    # What pytest was told is not for the script.
    monkeypatch.setattr(sys, "argv", ["ask_status.py"])
    shown = io.StringIO()
    with redirect_stdout(shown):
        runpy.run_path(str(Path(__file__).parents[3] / "examples" / "ask_status.py"))
    assert "Status(mode=" in shown.getvalue()


# -- reading --------------------------------------------------------------------------------------


def test_timeout_zero_returns_what_is_there(port: Any) -> None:
    assert port.read(10) == b""
    port.write(OPEN)
    waiting = port.in_waiting
    assert len(port.read(waiting + 100)) == waiting
    assert port.in_waiting == 0


def test_a_timeout_returns_what_came_until_then(port: Any) -> None:
    port.timeout = 0.02
    port.write(OPEN)
    before = line_now()
    assert len(port.read(1000)) < 1000
    assert 20_000 <= line_now() - before < 5_000_000


def test_read_takes_no_more_than_was_asked_for(port: Any) -> None:
    port.write(OPEN)
    waiting = port.in_waiting
    assert port.read() == b"\x00"
    assert len(port.read(3)) == 3
    assert port.in_waiting == waiting - 4


def test_no_timeout_waits_for_the_pump() -> None:
    """What is read last only comes 3,600 s of pump time later."""
    with serial.serial_for_url("mockpump://demo?speed=1000000", timeout=0) as port:
        port.write(OPEN + SUBSCRIBE)
        port.read(1000)
        port.timeout = None
        report = port.read(30)
        assert len(report) == 30


def test_inter_byte_timeout_ends_a_read_when_nothing_follows(port: Any) -> None:
    port.timeout, port.inter_byte_timeout = PATIENCE, 0.01
    port.write(OPEN)
    before = line_now()
    assert frames(port.read(1000))
    assert line_now() - before < PATIENCE * 500_000


def test_read_until_and_iteration(port: Any) -> None:
    port.timeout = PATIENCE
    port.write(OPEN)
    assert port.read_until(b"\x00") == b"\x00"
    assert port.read_until(b"\x00").endswith(b"\x00")
    port.write(OPEN + encode_frame(Frame(Kind.OPEN, 10, payload=bytes.fromhex("00f008"))))
    port.timeout = 0.01
    assert b"".join(port) != b""
    assert port.readline() == b""


def test_read_all_and_readinto(port: Any) -> None:
    port.write(OPEN)
    buffer = bytearray(4)
    assert port.readinto(buffer) == 4
    assert port.read_all() != b""


def test_the_input_can_be_thrown_away(port: Any) -> None:
    port.write(OPEN)
    port.reset_input_buffer()
    port.reset_output_buffer()
    port.flush()
    assert port.read(100) == b""


# -- time that goes by while nobody asks -----------------------------------------------------------


class Clock:
    """A clock that goes when the test says so."""

    now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    module = importlib.import_module(f"{PACKAGE}.protocol_mockpump")
    monkeypatch.setattr(module, "line_now", clock)
    return clock


def test_what_came_before_the_input_was_thrown_away_is_thrown_away(clock: Clock) -> None:
    with serial.serial_for_url("mockpump://demo?speed=3600", timeout=0) as port:
        port.write(OPEN + SUBSCRIBE)
        port.reset_input_buffer()
        clock.now = 1_500_000
        port.reset_input_buffer()
        assert port.in_waiting == 0
        clock.now = 2_000_000
        (report,) = [each for each in frames(port.read(1_000)) if each.kind is Kind.DATA]
        telemetry = m.decode(report.payload)
        assert isinstance(telemetry, m.Telemetry)
        assert telemetry.elapsed == 7_200


def test_a_connection_that_was_silent_for_too_long_has_ended_whoever_looks(clock: Clock) -> None:
    with serial.serial_for_url("mockpump://demo", timeout=0) as port:
        port.write(OPEN)
        port.reset_input_buffer()
        clock.now = 3_600_000_000
        port.write(IDENTIFY)
        kinds = [each.kind for each in frames(port.read(1_000))]
        assert Kind.RESET in kinds
        assert Kind.DATA not in kinds


def test_what_nobody_reads_is_bounded(port: Any) -> None:
    opening = bytes.fromhex("00f008")
    for connection in range(6000):
        port.write(encode_frame(Frame(Kind.OPEN, connection, payload=opening)))
    assert 50_000 < port.in_waiting <= 65_536


# -- unblocking -----------------------------------------------------------------------------------


def in_thread(port: Any, act: Callable[[], None]) -> bytes:
    """What a blocked `read` returns once `act` has been done in another thread."""
    result: list[bytes] = []
    waits = threading.Event()
    wait = port._wait

    def seen(*arguments: Any) -> None:
        waits.set()
        wait(*arguments)

    port._wait = seen
    reader = threading.Thread(target=lambda: result.append(port.read(10)), daemon=True)
    reader.start()
    assert waits.wait(PATIENCE)
    act()
    reader.join(PATIENCE)
    assert not reader.is_alive()
    return result[0]


def test_cancel_read_unblocks_a_reader_in_another_thread(port: Any) -> None:
    port.timeout = None
    assert in_thread(port, port.cancel_read) == b""


def test_a_cancellation_that_finds_no_reader_ends_the_next_read_only(port: Any) -> None:
    port.timeout = None
    port.cancel_read()
    assert port.read(10) == b""
    port.write(OPEN)
    assert len(port.read(10)) == 10


def test_close_unblocks_a_reader(port: Any) -> None:
    port.timeout = None
    assert in_thread(port, port.close) == b""


def test_a_write_unblocks_a_reader(port: Any) -> None:
    port.timeout = None
    assert len(in_thread(port, lambda: port.write(OPEN))) == 10


# -- opening, closing, settings -------------------------------------------------------------------


def test_a_closed_port_says_so_everywhere(port: Any) -> None:
    port.close()
    port.close()
    attempts: list[Callable[[], object]] = [
        port.read,
        lambda: port.write(b"x"),
        lambda: port.in_waiting,
        port.reset_input_buffer,
        port.reset_output_buffer,
        port.flush,
        lambda: port.send_break(0),
    ]
    for attempt in attempts:
        with pytest.raises(serial.PortNotOpenError):
            attempt()


def test_opening_again_makes_another_pump(port: Any) -> None:
    with pytest.raises(serial.SerialException, match="already open"):
        port.open()
    port.write(OPEN)
    port.close()
    port.open()
    assert port.in_waiting == 0
    port.write(IDENTIFY)
    (answer,) = frames(port.read(100))
    assert answer.kind is Kind.RESET


def test_a_context_manager_opens_and_closes() -> None:
    port = serial.serial_for_url("mockpump://demo", do_not_open=True)
    assert not port.is_open
    with port:
        assert port.is_open
    assert not port.is_open


def test_a_terminal_program_finds_what_it_looks_for(port: Any) -> None:
    """What pyserial's miniterm reads and sets."""
    assert (port.cts, port.dsr, port.ri, port.cd, port.out_waiting) == (True, True, False, True, 0)
    port.rts, port.dtr, port.break_condition = False, False, True
    assert (port.rts, port.dtr, port.break_condition) == (False, False, True)
    port.send_break(0)
    port.baudrate, port.parity, port.bytesize = 300, serial.PARITY_EVEN, 7
    port.stopbits, port.xonxoff, port.rtscts, port.dsrdtr = 2, True, True, True
    port.write_timeout = 0.1
    port.cancel_write()
    port.apply_settings(port.get_settings())
    assert "mockpump://demo" in repr(port)
    assert port.portstr == port.name == "mockpump://demo"


def test_only_bytes_can_be_written(port: Any) -> None:
    with pytest.raises(TypeError):
        port.write("text")


# -- the URL --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "mockpump://",
        "mockpump://demo/folder",
        "mockpump://demo?colour=red",
        "mockpump://demo#part",
        "mockpump://demo?speed=",
        "mockpump://demo?speed=-1",
        "mockpump://demo?speed=1.5",
        "mockpump://demo?speed=\u0661",
        "mockpump://demo?speed=1000001",
        "mockpump://demo?speed=" + "9" * 5000,
        "mockpump://[demo",
        "mockpump://" + "x" * 33,
        "mockpump://%1b%5b2J",
    ],
)
def test_a_url_that_names_no_pump_is_a_serial_exception(url: str) -> None:
    with pytest.raises(serial.SerialException) as caught:
        serial.serial_for_url(url)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_name_may_be_percent_encoded() -> None:
    with serial.serial_for_url("mockpump://my%20pump?speed=0", timeout=0) as port:
        port.write(OPEN + IDENTIFY)
        assert b"my pump" in port.read(1000)
