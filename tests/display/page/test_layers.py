"""Every byte of a frame has one place in its layers."""

import pytest

from mockpump.cli.named_runs import named_run
from mockpump.display.page.layers import Image, image_of
from mockpump.emulator.trace.model import read_run
from mockpump.emulator.trace.run import Transmission
from mockpump.protocol.framing import Frame, Kind, encode_body, encode_frame


def sent(frame: Frame | None, data: bytes) -> Transmission:
    return Transmission(
        number=1,
        order=1,
        line=0,
        sender="programmer",
        receiver="pump",
        at=0,
        begins=0,
        ends=0,
        data=data,
        frame=frame,
    )


def body_by_spans(image: Image) -> bytes:
    """The frame without its stuffing, put together from the bytes of the line."""
    line = bytes.fromhex(image.line)
    found = {}
    for span in image.spans:
        for n in range(span.size):
            place = span.line + n
            assert span.body + n not in found
            found[span.body + n] = 0 if place in image.codes else line[place - 1]
    return bytes(found[at] for at in range(len(found)))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0",
        b"\0\0\0",
        b"x",
        b"\0x\0",
        b"x" * 240,
        b"x" * 300,
        b"x" * 244 + b"\0" + b"y" * 600,
    ],
)
def test_the_bytes_of_the_line_are_those_of_the_frame(payload: bytes) -> None:
    frame = Frame(Kind.DATA, 0x1234, 1, 2, 3, payload)
    image = image_of(sent(frame, encode_frame(frame)))
    assert body_by_spans(image) == encode_body(frame)


@pytest.mark.parametrize("name", ["bad-link", "replay-attack", "day"])
def test_the_parts_of_every_frame_follow_each_other_from_end_to_end(name: str) -> None:
    for each in read_run(named_run(name, 7).recording).frames:
        image = image_of(each)
        body = body_by_spans(image)
        assert image.parts[0].begin == 0
        assert image.parts[-1].end == len(body)
        for one, other in zip(image.parts, image.parts[1:], strict=False):
            assert one.end == other.begin


def test_a_field_says_what_its_bytes_are() -> None:
    frames = read_run(named_run("bad-link", 7).recording).frames
    bolus = next(each for each in frames if each.message == "StartBolus")
    image = image_of(bolus)
    body = body_by_spans(image)
    told = {part.name: part for part in image.parts}
    volume = told["volume"]
    assert volume.value == "40,000 nL"
    assert int.from_bytes(body[volume.begin : volume.end]) == 40_000
    assert told["message"].value == "StartBolus (22)"
    assert told["version, kind"].value == "1, DATA"
    assert [part.layer for part in image.parts if part.name in ("seq", "tag", "CRC-16")] == [
        "header",
        "seal",
        "checksum",
    ]


def test_what_is_no_frame_has_a_line_and_no_layers() -> None:
    image = image_of(sent(None, b"\x00\x05hi\x00"))
    assert (image.line, image.parts, image.spans) == ("0005686900", [], [])
