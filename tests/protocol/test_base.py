"""The catalogue gives each message one number, one codec and, to a request, one reply."""

from itertools import product
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.fields import u8
from mockpump.protocol.messages import GetStatus, Refused, Status
from mockpump.protocol.messages import base as catalogue
from mockpump.protocol.messages.base import (
    CATALOGUE,
    Direction,
    Message,
    decode,
    encode,
    entry_named,
    entry_of,
)
from mockpump.protocol.strategies import messages

ENTRIES = list(CATALOGUE.values())
REQUESTS = [entry for entry in ENTRIES if entry.direction is Direction.REQUEST]
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
each_request = pytest.mark.parametrize("entry", REQUESTS, ids=[entry.name for entry in REQUESTS])


class Stranger(Message, frozen=True, gc=False):
    """A message that nobody has entered."""

    number: Annotated[int, u8("", "any")]


def test_numbers_names_and_classes_are_unique() -> None:
    assert [entry.number for entry in ENTRIES] == list(CATALOGUE)
    assert len({entry.name.lower() for entry in ENTRIES}) == len(ENTRIES)
    assert len({entry.message for entry in ENTRIES}) == len(ENTRIES)


@each_entry
def test_the_number_tells_the_direction(entry: catalogue.Entry) -> None:
    if entry.number >= 0x80:
        assert entry.direction is Direction.REPLY
    elif entry.number >= 0x60:
        assert entry.direction is Direction.EVENT
    else:
        assert entry.direction is Direction.REQUEST
        assert entry.number > 0


@each_request
def test_a_request_has_exactly_one_reply_and_its_number_is_128_more(
    entry: catalogue.Entry,
) -> None:
    assert entry.reply is not None
    answer = entry_of(entry.reply)
    assert answer.direction is Direction.REPLY
    assert answer.number == entry.number | 0x80


def test_only_a_request_has_a_reply_and_no_reply_answers_two() -> None:
    assert all(entry.reply is None for entry in ENTRIES if entry not in REQUESTS)
    answers = [entry.reply for entry in REQUESTS]
    assert len(set(answers)) == len(answers)
    replies = {entry.message for entry in ENTRIES if entry.direction is Direction.REPLY}
    assert replies - set(answers) == {Refused}


@each_entry
def test_an_entry_is_found_by_class_and_by_name_in_any_case(entry: catalogue.Entry) -> None:
    assert entry_of(entry.message) is entry
    for name in (entry.name, entry.name.lower(), entry.name.upper()):
        assert entry_named(name) is entry


def test_what_is_not_there_is_not_found() -> None:
    assert entry_named("Stranger") is None
    assert entry_named("") is None
    with pytest.raises(KeyError):
        entry_of(Stranger)


@given(messages())
def test_the_first_byte_is_the_number(message: Message) -> None:
    payload = encode(message)
    assert payload[0] == entry_of(type(message)).number
    assert decode(payload) == message
    assert type(decode(payload)) is type(message)


@given(st.binary(max_size=64))
def test_any_payload_is_a_message_or_a_decode_error(payload: bytes) -> None:
    fault = None
    try:
        message = decode(payload)
    except DecodeError as error:
        fault = error
    if fault is None:
        assert encode(message) == payload
    else:
        known = payload and payload[0] in CATALOGUE
        assert fault.message == (CATALOGUE[payload[0]].name if known else "")


def test_an_empty_payload_is_no_message() -> None:
    with pytest.raises(DecodeError, match=r"^empty payload$") as caught:
        decode(b"")
    assert (caught.value.message, caught.value.field) == ("", 0)


def test_an_unknown_number_is_named() -> None:
    for number, rest in product(set(range(256)) - set(CATALOGUE), (b"", b"abc")):
        with pytest.raises(DecodeError, match=f"^no message has number {number}$") as caught:
            decode(bytes([number]) + rest)
        assert (caught.value.message, caught.value.field) == ("", 0)


@pytest.mark.parametrize("stranger", [Stranger(1), None, b"\x02", Status], ids=repr)
def test_what_is_not_in_the_catalogue_is_not_encoded(stranger: object) -> None:
    with pytest.raises(LocalProtocolError, match="is not in the catalogue"):
        encode(stranger)  # type: ignore[arg-type]


def test_two_messages_cannot_share_a_number() -> None:
    before = dict(CATALOGUE)
    with pytest.raises(ValueError, match="Stranger and GetStatus share 0x02"):
        catalogue.reply(0x02)(Stranger)
    assert before == CATALOGUE
    assert decode(b"\x02") == GetStatus()
    with pytest.raises(LocalProtocolError):
        encode(Stranger(1))


@pytest.mark.parametrize(
    ("declare", "direction", "answer"),
    [
        (catalogue.request(0x5E, Status, None), Direction.REQUEST, Status),
        (catalogue.reply(0xFE), Direction.REPLY, None),
        (catalogue.event(0x7E), Direction.EVENT, None),
    ],
    ids=lambda each: each.name.lower() if isinstance(each, Direction) else "",
)
def test_declaring_a_message_enters_it(
    monkeypatch: pytest.MonkeyPatch,
    declare: object,
    direction: Direction,
    answer: type[Message] | None,
) -> None:
    for table in ("CATALOGUE", "_BY_TYPE", "_ENCODERS"):
        monkeypatch.setattr(catalogue, table, dict(getattr(catalogue, table)))
    monkeypatch.setattr(catalogue, "_DECODERS", list(catalogue._DECODERS))
    assert callable(declare)
    assert declare(Stranger) is Stranger
    entry = catalogue.entry_of(Stranger)
    assert (entry.direction, entry.reply, entry.name) == (direction, answer, "Stranger")
    assert catalogue.encode(Stranger(9)) == bytes([entry.number, 9])
    assert catalogue.decode(bytes([entry.number, 9])) == Stranger(9)
