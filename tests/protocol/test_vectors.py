"""The golden vectors: TIDE/1 as data, for whoever writes it in another language.

The files were made without the project's code.  Here the project is held against them, and the
frames once more against the plain byte stuffing and checksum of `independent.py`.
"""

import hashlib
import json
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest
from independent import crc16, stuff, unstuff

from mockpump.emulator.programmer.errors import LogBroken
from mockpump.emulator.programmer.procedures import read_log
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.framing import (
    Frame,
    FrameDecoder,
    Kind,
    RejectedFrame,
    RejectReason,
    encode_body,
    encode_frame,
)
from mockpump.protocol.keys import BadKey, PairingKey, parse_key
from mockpump.protocol.log import (
    ENTRY_SIZE,
    GENESIS,
    LogEntry,
    chain,
    encode_entry,
    entries_of,
)
from mockpump.protocol.messages import Access, Hello, Identity, LogKind, LogPiece, ReadLog, Welcome
from mockpump.protocol.messages.base import CATALOGUE, Message, decode, encode, entry_named
from mockpump.protocol.program import (
    DayPattern,
    Program,
    ProgramError,
    RampStep,
    Segment,
    digest,
    from_image,
    image,
)
from mockpump.protocol.session import (
    SCHEDULE,
    BadTag,
    OldCounter,
    Opener,
    Sealer,
    SessionKeys,
    expand,
    extract,
    transcript,
)

FOLDER = Path(__file__).parents[2] / "tests" / "vectors"
FILES = {
    name: json.loads((FOLDER / f"{name}.json").read_text("ascii"))
    for name in ("frames", "log", "messages", "programs", "session")
}


def each(file: str, part: str) -> pytest.MarkDecorator:
    """One test for each vector of a part of a file."""
    vectors = FILES[file][part]
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


def hexed(name: str, vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector[name])


@pytest.mark.parametrize("name", FILES)
def test_each_file_says_how_to_read_it(name: str) -> None:
    about = " ".join(FILES[name]["_about"])
    assert "made-up" in about
    for part in FILES[name].keys() - {"_about"}:
        assert f"{part}" in about
        assert FILES[name][part]


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_file_is_left_out(path: Path) -> None:
    assert path.stem in FILES


# -- frames --------------------------------------------------------------------------------------


def frame_of(stated: dict[str, Any]) -> Frame:
    payload = bytes.fromhex(stated["payload"])
    numbers = (stated[name] for name in ("connection", "seq", "ack", "sack"))
    return Frame(Kind[stated["kind"]], *numbers, payload)


def found_in(line: bytes, size: int) -> tuple[list[Frame | RejectReason], int]:
    """What a decoder finds in chunks of a size, reasons in the place of rejections."""
    decoder = FrameDecoder()
    found = [
        one.reason if isinstance(one, RejectedFrame) else one
        for at in range(0, len(line), size)
        for one in decoder.receive_data(line[at : at + size])
    ]
    return found, decoder.discarded


@each("frames", "valid")
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_frame(vector: dict[str, Any], size: int) -> None:
    frame, line = frame_of(vector["frame"]), hexed("line", vector)
    assert encode_body(frame) == hexed("body", vector)
    assert encode_frame(frame) == line
    assert found_in(line, size) == ([frame], 0)


@each("frames", "valid")
def test_a_frame_without_the_projects_code(vector: dict[str, Any]) -> None:
    body, line = hexed("body", vector), hexed("line", vector)
    assert line == b"\0" + stuff(body) + b"\0"
    assert unstuff(line[1:-1]) == body
    assert crc16(body[:-2]) == int.from_bytes(body[-2:], "big")
    assert body[7:-2] == bytes.fromhex(vector["frame"]["payload"])


@each("frames", "malformed")
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_malformed_frame(vector: dict[str, Any], size: int) -> None:
    found, discarded = found_in(hexed("line", vector), size)
    assert found == [RejectReason[vector["reason"]]]
    assert discarded == vector["discarded"] == len(hexed("line", vector)) - 2


@each("frames", "streams")
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_stream(vector: dict[str, Any], size: int) -> None:
    expected = [
        RejectReason[one] if isinstance(one, str) else frame_of(one) for one in vector["found"]
    ]
    assert found_in(hexed("stream", vector), size) == (expected, vector["discarded"])


def test_the_frames_cover_every_kind_and_every_reason() -> None:
    assert {one["frame"]["kind"] for one in FILES["frames"]["valid"]} == set(Kind.__members__)
    reasons = {one["reason"] for one in FILES["frames"]["malformed"]}
    assert reasons == set(RejectReason.__members__)


# -- messages ------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A field as the vectors write it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, Enum) else value


def plain_fields(message: Message) -> dict[str, Any]:
    return {name: plain(value) for name, value in msgspec.structs.asdict(message).items()}


@each("messages", "valid")
def test_a_message(vector: dict[str, Any]) -> None:
    payload = hexed("payload", vector)
    message = decode(payload)
    assert type(message).__name__ == vector["message"]
    assert plain_fields(message) == vector["fields"]
    assert list(plain_fields(message)) == list(vector["fields"])
    assert encode(message) == payload


@each("messages", "malformed")
def test_a_malformed_message(vector: dict[str, Any]) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(hexed("payload", vector))
    error = caught.value
    assert (error.message, error.field, error.name) == (
        vector["message"],
        vector["field"],
        vector["field_name"],
    )


def test_the_messages_cover_the_catalogue() -> None:
    stated = {one["message"] for one in FILES["messages"]["valid"]}
    assert stated == {entry.name for entry in CATALOGUE.values()}
    for one in FILES["messages"]["valid"]:
        entry = entry_named(one["message"])
        assert entry is not None
        assert hexed("payload", one)[0] == entry.number


# -- the log -------------------------------------------------------------------------------------


@each("log", "entries")
def test_a_log_entry(vector: dict[str, Any]) -> None:
    stated, raw = vector["entry"], hexed("bytes", vector)
    entry = LogEntry(**{**stated, "kind": LogKind[stated["kind"]]})
    assert encode_entry(entry) == raw
    assert entries_of(raw) == [entry]
    before = hexed("before", vector)
    assert chain(before, [entry]) == hexed("after", vector)
    assert hashlib.sha256(before + raw).digest()[:8] == hexed("after", vector)


def test_the_log_entries_are_one_log_of_every_kind() -> None:
    stated = FILES["log"]["entries"]
    chains = [hexed("before", stated[0]), *(hexed("after", one) for one in stated)]
    assert chains[0] == GENESIS
    assert [hexed("before", one) for one in stated] == chains[:-1]
    assert {one["entry"]["kind"] for one in stated} == set(LogKind.__members__)
    assert all(len(hexed("bytes", one)) == ENTRY_SIZE for one in stated)


@each("log", "malformed")
def test_malformed_log_entries(vector: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        entries_of(hexed("bytes", vector))


def piece_of(stated: dict[str, Any]) -> LogPiece:
    raw = (hexed(name, stated) for name in ("before", "newest_chain", "entries"))
    return LogPiece(stated["first"], stated["newest"], *raw)


def verified(pieces: list[LogPiece]) -> bool:
    """Whether a programmer that is given these pieces, each when it asks for it, finds it whole."""
    procedure = read_log(pieces[0].first)
    beginning = {piece.first: piece for piece in pieces}
    asked = next(procedure)
    try:
        while beginning:
            if isinstance(asked, ReadLog):
                asked = procedure.send(beginning.pop(asked.first))
            else:
                # Pieces of other sizes than it took for granted: it will ask again.
                nothing = LogPiece(0, pieces[-1].newest, bytes(8), bytes(8), b"")
                asked = procedure.send([beginning.pop(each.first, nothing) for each in asked])
    except StopIteration as end:
        # What was the newest when the reading began is its end.
        return len(end.value.entries) == pieces[0].newest + 1 - pieces[0].first
    except LogBroken:
        return False
    raise AssertionError("it asks for more")


@each("log", "reads")
def test_a_log_that_is_read(vector: dict[str, Any]) -> None:
    assert verified([piece_of(one) for one in vector["pieces"]]) is vector["holds"]


# -- programs ------------------------------------------------------------------------------------


def program_of(stated: dict[str, Any]) -> Program:
    patterns = tuple(
        DayPattern(one["name"], tuple(Segment(*segment) for segment in one["segments"]))
        for one in stated["patterns"]
    )
    ramp = tuple(RampStep(*step) for step in stated["ramp"])
    return Program(stated["format"], stated["name"], tuple(stated["week"]), patterns, ramp)


@each("programs", "valid")
def test_a_program(vector: dict[str, Any]) -> None:
    program, raw = program_of(vector["program"]), hexed("image", vector)
    assert image(program) == raw
    assert from_image(raw) == program
    assert digest(raw) == hexed("digest", vector) == hashlib.sha256(raw).digest()[:8]


@each("programs", "malformed")
def test_a_malformed_program(vector: dict[str, Any]) -> None:
    with pytest.raises((DecodeError, ProgramError)) as caught:
        from_image(hexed("image", vector))
    error = caught.value
    if vector["fault"] == "rule":
        assert isinstance(error, ProgramError)
        assert error.key == vector["key"]
    else:
        assert isinstance(error, DecodeError)
        assert (error.field, error.name) == (vector["field"], vector["field_name"])


# -- the session ---------------------------------------------------------------------------------


def key_of(vector: dict[str, Any]) -> tuple[str, bytes]:
    key = parse_key(vector["text"])
    return key.access.name, key.secret


@each("session", "keys")
def test_a_pairing_key(vector: dict[str, Any]) -> None:
    assert PairingKey(Access[vector["access"]], hexed("secret", vector)).text == vector["text"]
    assert key_of(vector) == (vector["access"], hexed("secret", vector))


@each("session", "spellings")
def test_a_pairing_key_in_another_spelling(vector: dict[str, Any]) -> None:
    assert key_of(vector) == (vector["access"], hexed("secret", vector))


@each("session", "no_keys")
def test_no_pairing_key(vector: dict[str, Any]) -> None:
    with pytest.raises(BadKey):
        parse_key(vector["text"])


@each("session", "hkdf")
def test_the_key_derivation_of_the_rfc(vector: dict[str, Any]) -> None:
    secret = extract(hexed("salt", vector), hexed("key", vector))
    assert secret == hexed("secret", vector)
    assert expand(secret, hexed("info", vector), vector["size"]) == hexed("expanded", vector)


@each("session", "handshakes")
def test_a_handshake(vector: dict[str, Any]) -> None:
    said = (decode(hexed(name, vector)) for name in ("identity", "hello", "welcome"))
    identity, hello, welcome = said
    assert isinstance(identity, Identity)
    assert isinstance(hello, Hello)
    assert isinstance(welcome, Welcome)
    assert transcript(identity, hello, welcome) == hexed("transcript", vector)
    keys = SessionKeys(hexed("pairing_key", vector), identity, hello, welcome)
    for name in SCHEDULE:
        assert getattr(keys, name) == hexed(name, vector)


@each("session", "sealed")
def test_a_sealed_payload(vector: dict[str, Any]) -> None:
    sealer = Sealer(hexed("key", vector))
    sealer._counter = vector["counter"]
    assert sealer.seal(hexed("message", vector)) == hexed("payload", vector)


def test_payloads_that_come_one_after_the_other() -> None:
    openings = FILES["session"]["openings"]
    opener = Opener(hexed("key", openings[0]))
    for vector in openings:
        assert vector["key"] == openings[0]["key"]
        assert verdict(opener, hexed("payload", vector)) == vector["verdict"], vector["name"]


def verdict(opener: Opener, payload: bytes) -> str:
    try:
        opener.open(payload)
    except BadTag:
        return "BAD_TAG"
    except OldCounter:
        return "OLD_COUNTER"
    return "OPENED"
