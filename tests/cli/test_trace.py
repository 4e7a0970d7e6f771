"""Frames as they pass: some in full, some on a line, the rest counted, and bad ones named."""

import pytest

from mockpump.cli.trace import FrameTrace, brief
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame

OPEN = Frame(Kind.OPEN, 7, payload=bytes.fromhex("00f008"))
SUSPEND = Frame(Kind.DATA, 7, 3, 4, payload=m.encode(m.Suspend(99)))


def test_full_then_brief_then_only_counted(capsys: pytest.CaptureFixture[str]) -> None:
    trace = FrameTrace(1, 1)
    for frame in (OPEN, SUSPEND, SUSPEND):
        trace(True, encode_frame(frame))
    assert capsys.readouterr().out == ""
    trace.catch_up()
    shown = capsys.readouterr().out
    assert trace.frames == 3
    assert "connection 0x0007" in shown
    assert shown.count("Suspend") == 1
    assert shown.count("programmer -> pump") == 2


def test_either_direction_has_a_stream_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    trace = FrameTrace(0, 9)
    data = encode_frame(OPEN)
    trace(True, data[:5])
    trace(False, encode_frame(SUSPEND))
    trace(True, data[5:])
    trace.catch_up()
    shown = capsys.readouterr().out
    assert "pump -> programmer  DATA seq 3 ack 4  Suspend" in shown
    assert "programmer -> pump  OPEN ack 0" in shown


def test_a_bad_frame_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    trace = FrameTrace(9, 9)
    trace(False, b"\x00garbage\x00")
    trace.catch_up()
    assert "pump -> programmer  rejected: " in capsys.readouterr().out


def shown_in_full(frame: Frame, capsys: pytest.CaptureFixture[str]) -> str:
    trace = FrameTrace(1, 0)
    trace(True, encode_frame(frame))
    trace.catch_up()
    shown = capsys.readouterr().out
    assert all(len(line) <= 80 for line in shown.splitlines())
    return shown


def test_a_frame_in_layers(capsys: pytest.CaptureFixture[str]) -> None:
    shown = shown_in_full(SUSPEND, capsys)
    layers = ["delimiter", "COBS", "header", "payload", "CRC-16", "delimiter"]
    places = [shown.index(layer) for layer in layers[:-1]] + [shown.rindex(layers[-1])]
    assert places == sorted(places)
    assert "transaction = 99" in shown


def test_a_long_frame_still_fits_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    identity = m.Identity(1, 2, 3, 4, "a" * m.MAX_NAME)
    assert "a" * m.MAX_NAME in shown_in_full(
        Frame(Kind.DATA, 7, payload=m.encode(identity)), capsys
    )


def test_what_is_no_message_is_shown_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    nonsense = Frame(Kind.DATA, 7, payload=b"\xee")
    assert "no message has number 238" in shown_in_full(nonsense, capsys)
    assert brief(nonsense) == "DATA seq 0 ack 0"


def test_a_frame_without_payload_has_no_such_layer(capsys: pytest.CaptureFixture[str]) -> None:
    assert "payload" not in shown_in_full(Frame(Kind.ACK, 7), capsys)


def test_a_pause_holds_the_display_and_not_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[float] = []
    monkeypatch.setattr("mockpump.cli.trace.time.sleep", held.append)
    trace = FrameTrace(0, 2, pause=0.25)
    for frame in (OPEN, SUSPEND, SUSPEND):
        trace(True, encode_frame(frame))
    assert held == []
    trace.catch_up()
    assert held == [0.25, 0.25]
