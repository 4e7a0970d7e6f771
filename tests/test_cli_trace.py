"""Frames as they go by: some in full, some on a line, the rest counted, and bad ones named."""

import pytest

from mockpump.cli.trace import FrameTrace, brief, layers
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame

OPEN = Frame(Kind.OPEN, 7, payload=bytes.fromhex("00f008"))
SUSPEND = Frame(Kind.DATA, 7, 3, 4, payload=m.encode(m.Suspend(99)))


def test_full_then_brief_then_only_counted(capsys: pytest.CaptureFixture[str]) -> None:
    trace = FrameTrace(1, 1)
    for frame in (OPEN, SUSPEND, SUSPEND):
        trace(True, encode_frame(frame))
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
    shown = capsys.readouterr().out
    assert "pump -> programmer  DATA seq 3 ack 4  Suspend" in shown
    assert "programmer -> pump  OPEN ack 0" in shown


def test_a_bad_frame_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    FrameTrace(9, 9)(False, b"\x00garbage\x00")
    assert "pump -> programmer  rejected: " in capsys.readouterr().out


def test_a_frame_in_layers() -> None:
    rows = list(layers(SUSPEND))
    assert [label for label, _ in rows][:4] == ["line", "header", "payload", "CRC-16"]
    assert rows[0][1] == encode_frame(SUSPEND).hex(" ")
    assert rows[-1] == ("", "transaction = 99")


def test_bytes_are_shown_as_hex_and_what_is_no_message_as_its_layers() -> None:
    commit = Frame(Kind.DATA, 7, payload=m.encode(m.CommitProgram(1, bytes(8))))
    assert ("", "digest = " + "00" * 8) in list(layers(commit))
    nonsense = Frame(Kind.DATA, 7, payload=b"\xee")
    assert [label for label, _ in layers(nonsense)] == ["line", "header", "payload", "CRC-16"]
    assert brief(nonsense) == "DATA seq 0 ack 0"


def test_a_frame_without_payload_has_no_such_layer() -> None:
    assert "payload" not in dict(layers(Frame(Kind.ACK, 7)))
