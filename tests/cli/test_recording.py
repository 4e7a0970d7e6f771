"""Live lines, recorded and shown as they pass: at the programmer, at the pump, on the line."""

import contextlib
import json
from pathlib import Path

import pytest
from outside import Command, in_process

from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.trace.format import SIDES, Ends
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.reading import read_trace
from mockpump.emulator.trace.run import Run
from mockpump.emulator.transports.recording import LiveTrace, PumpTap, TappedRunner
from mockpump.protocol.link.types import LinkSettings

DEMO = ("programmer", "--port", "mockpump://demo", "--open")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


def run_in(path: Path) -> Run:
    return read_run(read_trace(path.read_text("utf-8")))


def test_what_the_programmer_sends_and_hears_is_recorded(command: Command, tmp_path: Path) -> None:
    trace = tmp_path / "programmer.trace"
    assert command(*DEMO, "--trace", str(trace), "status").code == 0
    run = run_in(trace)
    assert run.head.time == "real"
    assert run.head.ends.programmer is not None
    assert run.head.ends.pump is None
    names = [(frame.sender, frame.name) for frame in run.frames if frame.kind != "ACK"]
    assert names[:4] == [
        ("programmer", "OPEN"),
        ("pump", "OPEN_ACK"),
        ("programmer", "Identify 0"),
        ("pump", "Identity 0"),
    ]
    assert ("pump", "Status 1") in names
    assert run.holes == []
    shown = command("show", str(trace))
    assert shown.code == 0
    assert "recorded live: " in shown.out
    assert "Status 1" in shown.out


def test_a_frame_is_known_to_be_sent_or_to_have_arrived_by_the_end_that_saw_it(
    command: Command, tmp_path: Path
) -> None:
    trace = tmp_path / "programmer.trace"
    command(*DEMO, "--trace", str(trace), "status")
    for frame in run_in(trace).frames:
        assert frame.was_seen_sent == (frame.sender == "programmer")
        assert bool(frame.arrivals) == (frame.sender == "pump")
        assert frame.is_arrival_known == (frame.sender == "pump")


def test_frames_are_shown_as_they_go_by(command: Command) -> None:
    ended = command(*DEMO, "--show", "status")
    lines = ended.out.splitlines()
    assert lines[0] == "programmer -> pump  OPEN ack 0"
    assert any(line.endswith("  Status") for line in lines)
    assert any("reservoir" in line for line in lines)
    in_full = command(*DEMO, "--show", "-v", "status").out
    assert "CRC-16" in in_full


def test_with_json_they_are_shown_beside_it(command: Command) -> None:
    ended = command(*DEMO, "--json", "--show", "status")
    assert json.loads(ended.out)["mode"] == "running"
    assert "OPEN_ACK" in ended.err


def test_a_trace_that_cannot_be_written_is_one_line(command: Command, tmp_path: Path) -> None:
    ended = command(*DEMO, "--trace", str(tmp_path / "no" / "where"), "status")
    assert ended.code != 0
    assert ended.line.startswith("mockpump: ")
    assert "No such file" in ended.line or "no such file" in ended.line


class FakeRunner:
    """A runner that answers each byte string with itself, to whoever sent it."""

    def __init__(self) -> None:
        self.server = PumpServer(new_pump())
        self.writers: list[object] = []

    def attach(self, write: object, settings: LinkSettings | None = None) -> object:
        self.writers.append(write)
        return write

    def detach(self, endpoint: object) -> None:
        self.writers.remove(endpoint)

    def data_received(self, endpoint: object, data: bytes) -> None:
        endpoint(data[::-1])  # type: ignore[operator]


def test_each_line_of_a_pump_goes_past_the_tap_under_its_number(tmp_path: Path) -> None:
    seen: list[tuple[int, bool, bytes]] = []
    came: list[bytes] = []
    tapped = TappedRunner(FakeRunner(), lambda *each: seen.append(each))  # type: ignore[arg-type]
    first, second = tapped.attach(came.append), tapped.attach(came.append)
    tapped.data_received(first, b"ab")
    tapped.data_received(second, b"cd")
    tapped.detach(first)
    assert seen == [(0, False, b"ab"), (0, True, b"ba"), (1, False, b"cd"), (1, True, b"dc")]
    assert came == [b"ba", b"dc"]


def test_a_pump_that_is_recorded_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pump.trace"
    with path.open("w", encoding="utf-8") as file, contextlib.ExitStack():
        runner = FakeRunner()
        live = LiveTrace(file, Ends(pump=LinkSettings()), "at the pump")
        PumpTap(live, runner)(0, False, b"\0" + bytes(8) + b"\0")  # type: ignore[arg-type]
    kinds = {json.loads(line)["what"] for line in path.read_text("utf-8").splitlines()[1:]}
    assert kinds >= {"log", "pump"}
    assert run_in(path).head.ends.programmer is None
    assert set(SIDES) == {"programmer", "pump"}
