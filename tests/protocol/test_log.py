"""The event log's entries keep their bytes, and its chain shows every change to any of them."""

import hashlib
import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from memories import ENTRIES, entry

from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.log import (
    ENTRY_SIZE,
    GENESIS,
    LogEntry,
    chain,
    encode_entry,
    entries_of,
)
from mockpump.protocol.messages import CHAIN_SIZE, LogKind

LOGS = st.lists(ENTRIES, max_size=6)
LINKS = st.binary(min_size=CHAIN_SIZE, max_size=CHAIN_SIZE)


@given(LOGS)
def test_entries_come_back_from_their_bytes(entries: list[LogEntry]) -> None:
    data = b"".join(map(encode_entry, entries))
    assert len(data) == len(entries) * ENTRY_SIZE
    assert entries_of(data) == entries


@given(ENTRIES)
def test_an_entry_is_five_big_endian_figures(each: LogEntry) -> None:
    written = struct.pack(">IIBII", each.elapsed, each.clock, each.kind, each.first, each.second)
    assert encode_entry(each) == written


@given(LOGS, st.binary(min_size=1, max_size=ENTRY_SIZE - 1))
def test_a_part_of_an_entry_is_refused(entries: list[LogEntry], part: bytes) -> None:
    with pytest.raises(DecodeError, match="no whole entries of 17"):
        entries_of(b"".join(map(encode_entry, entries)) + part)


@given(st.integers(max(LogKind) + 1, 255))
def test_an_unknown_kind_is_refused(kind: int) -> None:
    data = bytearray(encode_entry(entry(1)))
    data[8] = kind
    with pytest.raises(DecodeError, match="kind"):
        entries_of(bytes(data))


@pytest.mark.parametrize("field", ["elapsed", "clock", "first", "second"])
@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_figure_out_of_range_is_refused(field: str, value: int) -> None:
    figures = {"elapsed": 0, "clock": 0, "first": 0, "second": 0, field: value}
    with pytest.raises(LocalProtocolError, match=field):
        chain(GENESIS, [LogEntry(kind=LogKind.MADE, **figures)])


@given(LINKS, LOGS)
def test_a_link_is_the_digest_of_the_one_before_and_the_entry(
    link: bytes, entries: list[LogEntry]
) -> None:
    expected = link
    for each in entries:
        expected = hashlib.sha256(expected + encode_entry(each)).digest()[:8]
    assert chain(link, entries) == expected


def test_the_chain_of_a_known_log() -> None:
    # Worked out with `printf ... | sha256sum | cut -c1-16`.
    made = LogEntry(0, 28_800, LogKind.MADE, 1001, 0)
    started = LogEntry(60, 28_860, LogKind.BOLUS_STARTED, 500_000, 600)
    assert chain(GENESIS, []) == bytes(8)
    assert chain(GENESIS, [made]).hex() == "2c8a291de190f38b"
    assert chain(GENESIS, [made, started]).hex() == "af23cfe8178f0339"


@given(LINKS, LOGS, LOGS)
def test_a_chain_goes_on_where_it_was_left(
    link: bytes, before: list[LogEntry], after: list[LogEntry]
) -> None:
    assert chain(chain(link, before), after) == chain(link, before + after)


@given(LOGS, LOGS)
def test_another_log_has_another_chain(one: list[LogEntry], other: list[LogEntry]) -> None:
    assume(one != other)
    assert chain(GENESIS, one) != chain(GENESIS, other)


@given(st.lists(ENTRIES, min_size=1, max_size=6), ENTRIES, st.data())
def test_every_way_to_tamper_shows(
    entries: list[LogEntry], new: LogEntry, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    before, after = entries[:place], entries[place + 1 :]
    assume(new != entries[place])
    ways = {
        "changed": [*before, new, *after],
        "left out": before + after,
        "put in": [*before, new, *entries[place:]],
        "twice": [*before, entries[place], *entries[place:]],
        "moved to the end": [*before, *after, entries[place]],
    }
    for way, tampered in ways.items():
        assert (chain(GENESIS, tampered) == chain(GENESIS, entries)) == (tampered == entries), way
