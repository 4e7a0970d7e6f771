"""A strategy draws everything that is allowed and nothing that is not."""

from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from sample_records import MESSAGES, Colour, Everything, Nothing, Pair, Wide

from mockpump.protocol import strategies
from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Record, fields_of, u8
from mockpump.protocol.framing import (
    MAX_ENCODED,
    MAX_PAYLOAD,
    Frame,
    FrameDecoder,
    Kind,
    RejectedFrame,
    RejectReason,
    encode_frame,
)
from mockpump.protocol.link.types import Offer
from mockpump.protocol.messages import decode, encode
from mockpump.protocol.messages.base import Direction, Message, entry_of
from mockpump.protocol.program import MAX_RATE, Program, check, image
from mockpump.protocol.strategies import (
    chunked,
    frames,
    garbage,
    line_bytes,
    message,
    messages,
    patterns,
    printable,
    programs,
    ramps,
    records,
    requests,
)

SEARCH = settings(
    max_examples=2_000,
    phases=[Phase.generate],  # the first that is found will do; it need not be the simplest
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def seen(strategy: Any, condition: Any) -> Any:
    """A value of the strategy that meets a condition; `NoSuchExample` fails the test."""
    return find(strategy, condition, settings=SEARCH)


@given(records(Everything))
def test_a_record_keeps_its_ranges(value: Everything) -> None:
    assert 1 <= value.small <= 200
    assert 0 <= value.big < 2**64
    assert -(2**63) <= value.signed < 2**63
    assert isinstance(value.colour, Colour)
    assert value.word.isprintable()
    assert len(value.word.encode()) <= 7
    assert len(value.blob) <= 9
    assert len(value.key) == 4
    assert all(1 <= each <= 500 for each in value.triple)
    assert len(value.triple) == 3
    assert 1 <= len(value.pairs) <= 4
    assert all(2 <= pair.left <= 9 and -5 <= pair.right <= 5 for pair in value.pairs)
    assert len(value.wide) <= 3
    assert len(value.named) <= 2


@pytest.mark.parametrize(("name", "least", "most"), [("small", 1, 200), ("last", 0, 1000)])
def test_both_ends_of_a_range_are_drawn(name: str, least: int, most: int) -> None:
    assert getattr(seen(records(Everything), lambda v: getattr(v, name) == least), name) == least
    assert getattr(seen(records(Everything), lambda v: getattr(v, name) == most), name) == most


@pytest.mark.parametrize(
    "condition",
    [
        lambda value: len(value.word.encode()) > len(value.word),
        lambda value: len(value.word.encode()) == 7,
        lambda value: value.word == "",
        lambda value: len(value.blob) == 9,
        lambda value: len(value.pairs) == 4,
        lambda value: value.wide == () and value.named == (),
        lambda value: len(value.named) == 2,
        lambda value: value.colour is Colour.BLUE,
    ],
)
def test_what_a_record_may_hold_is_drawn(condition: Any) -> None:
    assert condition(seen(records(Everything), condition))


def test_a_record_without_fields_is_drawn() -> None:
    assert seen(records(Nothing), lambda _: True) == Nothing()


def test_a_record_with_an_undeclared_field_cannot_be_drawn() -> None:
    class Forgetful(Record, frozen=True):
        good: Annotated[int, u8("", "fine")]
        bare: int

    with pytest.raises(TypeError, match=r"Forgetful\.bare"):
        records(Forgetful)


@pytest.mark.parametrize("cls", MESSAGES)
@settings(max_examples=10)
@given(data=st.data())
def test_a_message_of_each_class_is_drawn(cls: type[Message], data: DataObject) -> None:
    value = data.draw(message(cls))
    assert type(value) is cls
    assert decode(encode(value)) == value


@pytest.mark.parametrize("cls", MESSAGES)
def test_every_class_comes_among_messages(cls: type[Message]) -> None:
    assert type(seen(messages(), lambda value: type(value) is cls)) is cls


@pytest.mark.parametrize("stranger", [Pair, Wide, Message, Program])
def test_what_is_not_in_the_catalogue_is_no_message(stranger: Any) -> None:
    with pytest.raises(LookupError, match=f"{stranger.__name__} is not in the catalogue"):
        message(stranger)


@pytest.mark.parametrize("direction", Direction)
@given(data=st.data())
def test_messages_of_one_direction(direction: Direction, data: DataObject) -> None:
    assert entry_of(type(data.draw(messages(direction)))).direction is direction


@given(requests())
def test_a_request_is_a_request(value: Message) -> None:
    assert entry_of(type(value)).direction is Direction.REQUEST


@given(frames())
def test_a_frame_is_sound_and_its_payload_suits_its_kind(frame: Frame) -> None:
    assert FrameDecoder().receive_data(encode_frame(frame)) == [frame]
    if frame.kind in {Kind.OPEN, Kind.OPEN_ACK}:
        offer = codec_for(Offer).decode(frame.payload)
        assert 64 <= offer.max_payload <= MAX_PAYLOAD
        assert (frame.seq, frame.ack, frame.sack) == (0, 0, 0)
    elif frame.kind is not Kind.DATA:
        assert (frame.seq, frame.payload) == (0, b"")


@pytest.mark.parametrize("kind", Kind)
def test_a_frame_of_each_kind_is_drawn(kind: Kind) -> None:
    assert seen(frames(), lambda frame: frame.kind is kind).kind is kind


@pytest.mark.parametrize("direction", Direction)
def test_frames_carry_messages(direction: Direction) -> None:
    def carries(frame: Frame) -> bool:
        try:
            said = decode(frame.payload)
        except DecodeError:
            return False
        return frame.kind is Kind.DATA and entry_of(type(said)).direction is direction

    assert carries(seen(frames(), carries))


@pytest.mark.parametrize(
    "reason", [RejectReason.TOO_LONG, RejectReason.BAD_COBS, RejectReason.SHORT]
)
def test_garbage_is_turned_down_in_many_ways(reason: RejectReason) -> None:
    raw = seen(garbage(), lambda raw: reason in reasons(raw))
    assert reason in reasons(raw)


def test_garbage_bends_frames() -> None:
    assert RejectReason.BAD_CRC in reasons(
        seen(garbage(), lambda raw: RejectReason.BAD_CRC in reasons(raw))
    )


def reasons(raw: bytes) -> list[RejectReason]:
    found = FrameDecoder().receive_data(raw + b"\0")
    return [each.reason for each in found if isinstance(each, RejectedFrame)]


def test_a_line_carries_frames_and_rubbish() -> None:
    def mixed(line: bytes) -> bool:
        found = {type(each) for each in FrameDecoder().receive_data(line)}
        return found == {Frame, RejectedFrame}

    assert mixed(seen(line_bytes(), mixed))
    assert seen(line_bytes(), lambda line: line == b"") == b""


@given(line_bytes(max_pieces=1))
def test_one_piece_is_no_longer_than_the_longest(line: bytes) -> None:
    assert len(line) <= 2 * MAX_ENCODED


@given(st.binary(max_size=60), st.data())
def test_chunks_joined_are_the_bytes_again(raw: bytes, data: DataObject) -> None:
    assert b"".join(data.draw(chunked(raw))) == raw


@pytest.mark.parametrize(
    "condition",
    [
        lambda chunks: [len(chunk) for chunk in chunks] == [1] * 9,
        lambda chunks: chunks == [b"123456789"],
        lambda chunks: b"" in chunks and len(chunks) > 2,
        lambda chunks: len(chunks) == 3 and all(len(chunk) > 1 for chunk in chunks),
    ],
    ids=["singly", "whole", "with empty ones", "in pieces"],
)
def test_the_ways_of_cutting(condition: Any) -> None:
    assert condition(seen(chunked(b"123456789"), condition))


@given(programs())
def test_a_program_breaks_no_rule(program: Program) -> None:
    check(program)
    assert codec_for(Program).decode(image(program)) == program


@given(programs(max_patterns=1, max_segments=2, max_steps=1))
def test_a_program_can_be_kept_small(program: Program) -> None:
    assert len(program.patterns) == 1
    assert len(program.patterns[0].segments) <= 2
    assert len(program.ramp) <= 1


@given(patterns(max_segments=3), ramps(max_steps=2), printable(5, minimum=1))
def test_the_parts_of_a_program(pattern: Any, ramp: Any, name: str) -> None:
    starts = [segment.start for segment in pattern.segments]
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    assert len(starts) <= 3
    assert all(segment.rate <= MAX_RATE for segment in pattern.segments)
    days = [step.after for step in ramp]
    assert days == sorted(set(days))
    assert len(days) <= 2
    assert name.isprintable()
    assert len(name.encode()) <= 5


def test_every_public_strategy_is_documented() -> None:
    public = [
        each
        for name, each in vars(strategies).items()
        if callable(each)
        and not name.startswith("_")
        and getattr(each, "__module__", "") == strategies.__name__
    ]
    assert len(public) >= 12
    for each in public:
        assert each.__doc__, each
    assert fields_of(Nothing) == ()
