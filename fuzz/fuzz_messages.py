"""Fuzzing the message decoder: the fast codec and construct agree, and nothing has two spellings.

Checked for every input: both codecs take it or both turn it down; what is taken is the same value;
encoding it gives the very same bytes, and decoding those the same value.  Program images and log
entries, which travel inside messages, are held to the same.
"""

from collections.abc import Callable
from typing import Any

from shaping import payload

from mockpump.protocol import construct_codec as reference
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.log import encode_entry, entries_of
from mockpump.protocol.messages.base import CATALOGUE
from mockpump.protocol.program import ProgramError


def check(data: bytes) -> None:
    """Raise AssertionError when the decoder breaks one of its promises on this input."""
    raw = payload(data)
    _check_message(raw)
    _check_round_trip(raw, programs.from_image, programs.image)
    _check_round_trip(raw, entries_of, lambda entries: b"".join(map(encode_entry, entries)))


def _check_message(raw: bytes) -> None:
    slow = _by_reference(raw)
    try:
        message = m.decode(raw)
    except DecodeError:
        assert slow is None, "only construct takes it"
        return
    assert message == slow, "construct reads another value, or none"
    assert m.encode(message) == raw, "two spellings of one message"
    assert m.decode(m.encode(message)) == message
    assert raw[1:] == reference.encode(type(message), message)


def _by_reference(raw: bytes) -> Any:
    """The message as construct reads it; None when it is none."""
    entry = CATALOGUE.get(raw[0]) if raw else None
    if entry is None:
        return None
    try:
        return reference.decode(entry.message, raw[1:])
    except DecodeError:
        return None


def _check_round_trip(
    raw: bytes, decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]
) -> None:
    try:
        value = decode(raw)
    except (DecodeError, ProgramError):
        return
    assert encode(value) == raw, "two spellings of one value"
    assert decode(encode(value)) == value
