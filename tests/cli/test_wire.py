"""`mockpump wire`: what it shows of bytes, what it makes of words, and how it says no."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st
from independent import on_the_line
from outside import COMMAND, as_process

from mockpump.cli.main import cli
from mockpump.cli.render import as_json
from mockpump.cli.wire.decode import stretches
from mockpump.cli.wire.explain import BLOCKS, ENUMERATIONS
from mockpump.cli.wire.input import MAX_BYTES, from_hex
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.fields import fields_of
from mockpump.protocol.framing import (
    CHECKSUM,
    MAX_ENCODED,
    Frame,
    FrameDecoder,
    Kind,
    RejectedFrame,
    RejectReason,
    encode_body,
    encode_frame,
)
from mockpump.protocol.messages.base import CATALOGUE, Message
from mockpump.protocol.program import Program
from mockpump.protocol.strategies import frames, line_bytes, messages
from mockpump.protocol.strategies import programs as any_programs

SUSPEND = encode_frame(Frame(Kind.DATA, 1, payload=m.encode(m.Suspend(42))))
PROGRAM = programs.Program(
    1,
    "small",
    (0, 0, 0, 0, 0, 1, 1),
    (
        programs.DayPattern("work", (programs.Segment(0, 10_000), programs.Segment(420, 50_000))),
        programs.DayPattern("rest", (programs.Segment(0, 15_000),)),
    ),
    (programs.RampStep(7, 110),),
)


def wire(*arguments: str, given: bytes = b"") -> Result:
    result = CliRunner().invoke(cli, ["wire", *arguments], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result
    return result


def done(*arguments: str, given: bytes = b"") -> str:
    result = wire(*arguments, given=given)
    assert result.exit_code == 0, result.output
    if arguments[0] != "encode" and "--json" not in arguments:
        assert all(len(line) <= 80 for line in result.stdout.splitlines())
    return result.stdout


def refusal(*arguments: str, given: bytes = b"", code: int = 2) -> str:
    """The one line on stderr of a command that must fail."""
    result = wire(*arguments, given=given)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("mockpump: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# -- decode --------------------------------------------------------------------------------------


def test_a_frame_layer_by_layer() -> None:
    assert done("decode", SUSPEND.hex()).splitlines() == [
        "frame 1 at byte 1: DATA Suspend",
        "  delimiter  00",
        "  COBS       02 13 02 01 01 01 01 02 20 01 01 04 2a ab 10",
        "                                      15 bytes, 14 without the stuffing",
        "  header     13                       version 1, kind 3 DATA",
        "             00 01                    connection 0x0001",
        "             00                       seq 0",
        "             00                       ack 0: the next one expected",
        "             00 00                    sack 0x0000: nothing ahead of it",
        "  payload    20                       Suspend: programmer to pump, answered by",
        "                                      Suspended",
        "             00 00 00 2a              transaction = 42",
        "  CRC-16     ab 10                    good",
        "  delimiter  00",
        "",
        "1 good, 0 rejected",
    ]


@pytest.mark.parametrize(
    "written",
    [
        SUSPEND.hex(" "),
        SUSPEND.hex(":").upper(),
        SUSPEND.hex("\n") + "  # a remark\n# and another: 00",
        " ".join(f"0x{byte:02X}," for byte in SUSPEND),
        SUSPEND.hex("-", 4),
    ],
)
def test_hex_however_it_is_written(written: str, tmp_path: Path) -> None:
    plain = done("decode", SUSPEND.hex())
    assert done("decode", written) == plain
    assert done("decode", "-", given=written.encode()) == plain
    (tmp_path / "frame.hex").write_text(written)
    assert done("decode", str(tmp_path / "frame.hex")) == plain


def test_raw_bytes_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "line.bin").write_bytes(SUSPEND)
    plain = done("decode", SUSPEND.hex())
    assert done("decode", str(tmp_path / "line.bin")) == plain
    assert done("decode", "-", given=SUSPEND) == plain


@given(st.binary(), st.sampled_from(["", " ", ":", "\n", ", "]))
def test_hex_gives_the_bytes_back(data: bytes, between: str) -> None:
    assert from_hex(between.join(f"{byte:02x}" for byte in data)) == data


def bent(place: int) -> bytes:
    body = bytearray(encode_body(Frame(Kind.DATA, 1, payload=m.encode(m.Suspend(42)))))
    body[place] ^= 1
    return b"\0" + cobs.encode(bytes(body)) + b"\0"


REJECTED = {
    RejectReason.BAD_CRC: (bent(-6), "bad: dda4 would be right"),
    RejectReason.BAD_COBS: (b"\0\x03\x11\x22\x33\0", "byte 3 announces 50 more, there are 0"),
    RejectReason.SHORT: (b"\0\x04\x13\x12\x34\0", "shorter than header and checksum"),
    RejectReason.UNKNOWN_VERSION: (on_the_line(b"\x23" + bytes(6)), "version 2, kind 3 DATA"),
    RejectReason.UNKNOWN_KIND: (on_the_line(b"\x19" + bytes(6)), "version 1, kind 9 unknown"),
    RejectReason.TOO_LONG: (b"\0" + b"\x01" * (MAX_ENCODED + 1) + b"\0", "without the stuffing"),
}


@pytest.mark.parametrize("reason", RejectReason)
def test_what_is_rejected_says_why_and_ends_with_1(reason: RejectReason) -> None:
    data, detail = REJECTED[reason]
    result = wire("decode", data.hex())
    assert result.exit_code == 1
    assert f"rejected 1 at byte 1: {reason.name}, {reason.value}\n" in result.stdout
    assert detail in result.stdout
    assert result.stdout.endswith("\n0 good, 1 rejected\n")
    (found,) = objects(wire("decode", "--json", data.hex()).stdout)
    assert found["rejected"] == reason.name.lower()
    assert found["good"] is False


def test_the_right_checksum_is_right() -> None:
    wrong = wire("decode", bent(-1).hex()).stdout
    assert "bad: ab10 would be right" in wrong


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (Frame(Kind.DATA, 1, payload=b"\x55"), "no message has number 85"),
        (Frame(Kind.DATA, 1), "empty payload"),
        (Frame(Kind.DATA, 1, payload=b"\x20\0"), "Suspend.transaction: cut short"),
        (Frame(Kind.OPEN, 1, payload=b"\0\0\x01"), "Offer.max_payload"),
        (Frame(Kind.ACK, 1, payload=b"\x01"), "ACK carries no payload"),
    ],
)
def test_a_good_frame_with_a_payload_that_means_nothing(frame: Frame, fault: str) -> None:
    result = wire("decode", encode_frame(frame).hex())
    assert result.exit_code == 1
    assert fault in result.stdout
    (found,) = objects(wire("decode", "--json", encode_frame(frame).hex()).stdout)
    assert found["fault"].startswith(fault)
    assert found["frame"]["payload"] == frame.payload.hex()


def test_delimiters_that_are_missing_are_shown() -> None:
    text = done("decode", SUSPEND[1:-1].hex())
    assert text.count("delimiter                           missing") == 2
    assert text.startswith("frame 1 at byte 0: DATA Suspend\n")


def test_several_stretches_with_their_places() -> None:
    data = SUSPEND + b"\xff" + SUSPEND
    result = wire("decode", data.hex())
    assert result.exit_code == 1
    heads = re.findall(r"^(\w+ \d+ at byte \d+)", result.stdout, re.MULTILINE)
    second = len(SUSPEND)
    assert heads == [
        "frame 1 at byte 1",
        f"rejected 2 at byte {second}",
        f"frame 3 at byte {second + 2}",
    ]
    assert result.stdout.endswith("2 good, 1 rejected\n")


def test_the_acknowledgement_in_words() -> None:
    text = done("decode", encode_frame(Frame(Kind.ACK, 1, ack=254, sack=0b1010)).hex())
    assert "sack 0x000a: 0, 2 ahead of it" in text


@given(line_bytes())
def test_it_agrees_with_the_decoder_whatever_comes(data: bytes) -> None:
    found = FrameDecoder().receive_data(data + b"\0")
    taken = list(stretches(data))
    assert [type(each.found) for each in taken] == [type(each) for each in found]
    assert [s.found for s in taken if isinstance(s.found, Frame)] == [
        each for each in found if isinstance(each, Frame)
    ]
    assert [s.found.reason for s in taken if isinstance(s.found, RejectedFrame)] == [
        each.reason for each in found if isinstance(each, RejectedFrame)
    ]
    for each in taken:
        assert data[each.offset : each.offset + len(each.encoded)] == each.encoded


@given(line_bytes(max_pieces=3))
def test_it_shows_any_bytes_at_80_columns(data: bytes) -> None:
    result = wire("decode", "-", given=data + b"\0\xff")
    assert result.exit_code == 1
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if line.isascii())
    assert len(objects(wire("decode", "--json", "-", given=data + b"\0\xff").stdout)) >= 1


@given(frames())
def test_the_shown_bytes_are_the_frame(frame: Frame) -> None:
    text = wire("decode", encode_frame(frame).hex()).stdout
    (found,) = stretches(encode_frame(frame))
    body = text[text.index("  header") :]
    assert bytes.fromhex("".join(shown_hex(body))) == encode_body(frame) + b"\0"
    assert found.found == frame


def shown_hex(text: str) -> list[str]:
    """The hex column; a line's meaning starts behind it, or it takes the whole line."""
    columns = (line[13:] for line in text.splitlines())
    return re.findall(r"^(?:[0-9a-f]{2}(?: |$))+", "\n".join(columns), re.MULTILINE)


def test_a_payload_by_itself() -> None:
    text = done("decode", "--payload", "20:00:00:00:2a")
    assert "transaction = 42" in text
    assert "COBS" not in text
    result = wire("decode", "--payload", "2000")
    assert result.exit_code == 1
    assert result.stdout.startswith("rejected: Suspend.transaction")
    (found,) = objects(done("decode", "--payload", "--json", "20 0000002a"))
    assert found == {"bytes": "200000002a", "content": "Suspend", "fields": {"transaction": 42}}


def test_a_status_shows_units_and_names() -> None:
    status = m.Status(m.Mode.SUSPENDED, 1, 2, 3, 4, 5, 6, 7, 1, 8, 9, 10)
    text = done("decode", "--payload", m.encode(status).hex())
    for line in ("mode = 2 suspended", "rate = 3 nL/h", "remainder = 5 nL/3600", "percent = 7 %"):
        assert f"{line}\n" in text


def test_a_program_image() -> None:
    image = programs.image(PROGRAM)
    text = done("decode", "--program", image.hex())
    assert "patterns[0].segments[1]: start = 420 min," in text
    assert "ramp[0]: after = 7 d, percent = 110 %" in text
    assert text.endswith(f"digest {programs.digest(image).hex()}\n")
    (found,) = objects(done("decode", "--program", "--json", image.hex()))
    assert found["fields"]["patterns"][1]["name"] == "rest"


@given(any_programs())
def test_the_pieces_of_a_program_are_its_image(program: programs.Program) -> None:
    image = programs.image(program)
    text = done("decode", "--program", image.hex())
    assert bytes.fromhex("".join(shown_hex(text.rpartition("digest")[0]))) == image


def test_an_image_that_breaks_a_rule_is_shown_and_rejected() -> None:
    image = programs.image(Program.flat("x", 1))
    broken = image.replace(b"\x06always", b"\x00")
    result = wire("decode", "--program", broken.hex())
    assert result.exit_code == 1
    assert "rejected: pattern[0].name: must not be empty\n" in result.stdout
    assert "format = 1" in result.stdout
    assert wire("decode", "--program", image.hex() + "00").exit_code == 1


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("hello", "neither a file nor hex: 'hello' is not hex"),
        ("000", "odd number"),
        ("0x", "'0x' is not hex"),
        ("", "nothing to decode"),
        ("# nothing", "nothing to decode"),
        ("٣٣", "is not hex"),
        ("z" * 5_000, "z...' is not hex"),
        ("00\x1b[31m", "is not hex"),
        (".", "it is a folder"),
    ],
)
def test_an_argument_that_is_no_hex(source: str, fault: str) -> None:
    assert fault in refusal("decode", source)


def test_input_that_is_no_hex(tmp_path: Path) -> None:
    assert "standard input: 'hello' is not hex" in refusal("decode", "-", given=b"hello\n")
    assert "nothing to decode" in refusal("decode", "-", given=b"")
    (tmp_path / "text").write_text("größer")
    assert "is not hex" in refusal("decode", str(tmp_path / "text"))
    (tmp_path / "large").write_bytes(bytes(MAX_BYTES + 1))
    assert "it is too long" in refusal("decode", str(tmp_path / "large"))
    os.mkfifo(tmp_path / "pipe")
    assert "nothing to decode" in refusal("decode", str(tmp_path / "pipe"))
    assert "not both" in refusal("decode", "--payload", "--program", "00")


# -- encode --------------------------------------------------------------------------------------


def test_a_message_as_a_frame_and_as_a_payload() -> None:
    assert done("encode", "suspend", "transaction=42") == SUSPEND.hex(" ") + "\n"
    assert done("encode", "SUSPEND", "Transaction=0x2A", "--payload") == "20 00 00 00 2a\n"


def test_the_header_is_what_it_is_told_to_be() -> None:
    options = ["--connection", "0x1234", "--seq", "7", "--ack", "8", "--sack", "0x3"]
    expected = Frame(Kind.DATA, 0x1234, 7, 8, 3, m.encode(m.Identify()))
    assert done("encode", "Identify", *options) == encode_frame(expected).hex(" ") + "\n"


def test_the_frames_that_carry_no_message() -> None:
    def decoded(*arguments: str) -> Frame | RejectedFrame:
        (found,) = FrameDecoder().receive_data(bytes.fromhex(done("encode", *arguments)))
        return found

    assert decoded("OPEN", "window=1") == Frame(Kind.OPEN, 1, payload=b"\0\xf0\x01")
    assert decoded("open_ack", "max_payload=64") == Frame(Kind.OPEN_ACK, 1, payload=b"\0\x40\x08")
    assert decoded("ACK", "--ack", "3") == Frame(Kind.ACK, 1, ack=3)
    assert decoded("CLOSE") == Frame(Kind.CLOSE, 1)
    assert decoded("RESET", "--connection", "65535") == Frame(Kind.RESET, 65535)


def words(message: Message) -> list[str]:
    """A message as somebody would type it."""
    found = []
    for name, _ in fields_of(type(message)):
        value = getattr(message, name)
        shown = value.hex() if isinstance(value, bytes) else value
        if isinstance(value, tuple):
            shown = ",".join(map(str, value))
        found.append(f"{name}={getattr(value, 'name', shown)}")
    return found


@given(messages())
def test_every_message_can_be_typed(message: Message) -> None:
    name = type(message).__name__
    typed = done("encode", "--payload", name, *words(message))
    assert bytes.fromhex(typed) == m.encode(message)
    (found,) = objects(done("encode", "--json", name, *words(message)))
    assert found["payload"] == m.encode(message).hex()
    assert found["content"] == name
    assert found["fields"] == json.loads(as_json(message))


@given(messages())
def test_what_is_encoded_can_be_decoded(message: Message) -> None:
    line = done("encode", type(message).__name__, *words(message))
    (found,) = objects(done("decode", "--json", "-", given=line.encode()))
    assert found["good"]
    assert found["fields"] == json.loads(as_json(message))


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["Suspnd"], "no message 'Suspnd'; did you mean Suspend?"),
        (["zzz"], "`mockpump wire explain` lists them"),
        (["Suspend"], "Suspend needs transaction=... (u32, 0..4294967295: chosen by"),
        (["Suspend", "transacton=1"], "no field 'transacton'; did you mean transaction?"),
        (["Suspend", "transaction=1", "transaction=2"], "given twice"),
        (["Suspend", "transaction"], "'transaction' is not like field=value"),
        (["Suspend", "transaction=4294967296"], "Suspend.transaction: 4294967296 is not 0.."),
        (["Suspend", "transaction=-1"], "-1 is not 0.."),
        (["Suspend", "transaction=x"], "'x' is not a number; use 0..4294967295"),
        (["Suspend", f"transaction={'9' * 5_000}"], "is not a number"),
        (["Identify", "name=1"], "Identify has no field 'name'; it has none"),
        (["ReadProgram", "slot=activ", "offset=0", "count=1"], "did you mean active?"),
        (["ReadProgram", "slot=3", "offset=0", "count=1"], "use 0 active, 1 staged, 2 pending"),
        (["CommitProgram", "transaction=1", "digest=00", "when=now"], "is not exactly 8 bytes"),
        (["CommitProgram", "transaction=1", "digest=xx"], "digest: 'xx' is not hex"),
        (["OPEN", "window=17"], "Offer.window: 17 is not 1..16"),
        (["ACK", "ack=1"], "ACK has no fields"),
        (["ACK", "--payload"], "ACK has no payload"),
        (["ACK", "--ack", "256"], "--ack: '256' is not in 0..255"),
        (["ACK", "--connection", "x"], "--connection: 'x' is not a number"),
        (["Identity", "version=1", "serial=1", "reservoir=1", "step=1", "name=\udcff"], "name"),
    ],
)
def test_words_that_are_wrong_end_in_one_line(arguments: list[str], fault: str) -> None:
    assert fault in refusal("encode", *arguments)


# -- explain -------------------------------------------------------------------------------------


def test_the_catalogue_lists_every_message() -> None:
    text = done("explain")
    for entry in CATALOGUE.values():
        assert re.search(rf"^{entry.number:#04x} +{entry.name} ", text, re.MULTILINE)
    assert {each["name"] for each in objects(done("explain", "--json"))} == {
        entry.name for entry in CATALOGUE.values()
    }


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_a_message_explained(entry: Any) -> None:
    text = done("explain", entry.name.lower())
    assert text.startswith(f"{entry.name}  {entry.number:#04x}  ")
    for name, declaration in fields_of(entry.message):
        assert f"\n  {name} " in text
        assert declaration.doc in " ".join(text.split())
    (found,) = objects(done("explain", "--json", entry.name))
    assert found["number"] == entry.number
    assert [field["name"] for field in found["fields"]] == list(entry.message.__struct_fields__)
    assert "\n".join(found["diagram"]) in text


def test_direction_number_reply_range_and_unit() -> None:
    text = done("explain", "SetClock")
    assert "SetClock  0x04  programmer to pump, answered by ClockSet\n" in text
    assert "clock         u32 at 5, size 4, 0..2147483647 s\n" in text
    assert "in answer to SetClock" in done("explain", "ClockSet")
    assert "in answer to any request" in done("explain", "Refused")
    assert "    2 suspended\n" in done("explain", "Status")


def test_what_is_no_message_explained() -> None:
    frame = done("explain", "frame")
    assert "COBS( header | payload | CRC-16 )" in frame
    assert f"the checksum being {CHECKSUM} of header and payload" in " ".join(frame.split())
    assert "version_kind" in done("explain", "reset")
    assert "max_payload" in done("explain", "offer")
    assert done("explain", "OPEN") == done("explain", "offer")
    program = done("explain", "program")
    assert all(f"\n{name}\n" in "\n" + program for name in ("Program", "DayPattern", "Segment"))
    assert len(objects(done("explain", "--json", "program"))) == 4
    for name, members in ENUMERATIONS.items():
        text = done("explain", name)
        assert all(member.name.lower() in text for member in members)
    (mode,) = objects(done("explain", "--json", "Mode"))
    assert mode["members"]["fault"] == 3


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    assert "called 'Statsu'; did you mean Status?" in refusal("explain", "Statsu")
    assert "did you mean program?" in refusal("explain", "progam")


# -- spec ----------------------------------------------------------------------------------------


def test_the_whole_reference_on_standard_output() -> None:
    text = wire("spec").stdout
    assert re.findall("<!-- generated: (.*) -->", text) == list(BLOCKS)


def test_a_document_without_an_end_is_none() -> None:
    assert "it is a device" in refusal("spec", "/dev/zero")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_document_is_stale_then_written_then_fresh(tmp_path: Path, newline: str) -> None:
    file = tmp_path / "doc.md"
    lines = ["# Höhe", "<!-- generated: offer -->", "old", "<!-- end generated -->", "end"]
    file.write_bytes(newline.join(lines).encode())
    stale = file.read_bytes()
    message = refusal("spec", "--check", str(file), code=1)
    assert f"doc.md is stale; run: mockpump wire spec {file}" in message
    assert file.read_bytes() == stale
    assert done("spec", str(file)) == ""
    assert done("spec", "--check", str(file)) == ""
    fresh = file.read_bytes().decode()
    assert "max_payload" in fresh
    assert "old" not in fresh
    assert fresh.startswith("# Höhe" + newline)
    assert fresh.endswith("end")
    assert fresh.count("\n") == fresh.count(newline)


def test_documents_that_cannot_be_written(tmp_path: Path) -> None:
    assert "no such file" in refusal("spec", str(tmp_path / "none.md"))
    assert "it is a folder" in refusal("spec", str(tmp_path))
    (tmp_path / "bytes").write_bytes(b"\xff")
    assert "not UTF-8" in refusal("spec", str(tmp_path / "bytes"))
    (tmp_path / "bad").write_text("<!-- generated: nonsense -->\n")
    assert 'bad: line 1: nothing generates "nonsense"' in refusal("spec", str(tmp_path / "bad"))
    assert "--check needs a FILE" in refusal("spec", "--check")


# -- the group -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["decode", "encode", "explain", "spec"])
def test_every_help_has_an_example_that_works(name: str) -> None:
    text = done(name, "--help")
    examples = re.findall(r"^  mockpump wire (.*)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        if name != "spec":
            first, *rest = [word.replace('"', "") for word in re.findall(r'"[^"]*"|\S+', example)]
            assert done(first, *rest) != ""


def test_encode_and_decode_in_a_pipe_as_processes() -> None:
    assert COMMAND[-1] == "mockpump"
    line = as_process("wire", "encode", "Identify")
    shown = as_process("wire", "decode", "-", text=line.out)
    assert (line.code, shown.code) == (0, 0)
    assert "frame 1 at byte 1: DATA Identify\n" in shown.out
    assert "\x1b" not in shown.out
