"""Gathering: one chunk for each frame, however the reads fall; what is not a frame goes through."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.gathering import Gatherer
from mockpump.emulator.channel.impairments import Impairments
from mockpump.protocol.framing import MAX_ENCODED, Frame, Kind, encode_frame
from mockpump.protocol.strategies import frames
from mockpump.protocol.units import WHOLE


def gathered(reads: list[bytes]) -> list[bytes]:
    """What comes of these reads, and of the silence after them."""
    gatherer = Gatherer()
    chunks = [chunk for read in reads for chunk in gatherer.receive_data(read)]
    return chunks + gatherer.flush()


def split(data: bytes, places: list[int]) -> list[bytes]:
    """The same bytes, read in pieces that begin at these places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


@given(st.lists(frames(), max_size=4), st.lists(st.integers(0, 10_000), max_size=12))
def test_each_frame_is_a_chunk_however_it_is_read(several: list[Frame], places: list[int]) -> None:
    encoded = [encode_frame(each) for each in several]
    whole = b"".join(encoded)
    assert gathered(split(whole, places)) == encoded
    assert gathered([whole[at : at + 1] for at in range(len(whole))]) == encoded


@given(st.lists(frames(), max_size=6), st.lists(st.integers(0, 10_000)), st.integers(0, 5))
def test_what_becomes_of_frames_does_not_depend_on_how_they_are_read(
    several: list[Frame], places: list[int], seed: int
) -> None:
    line = Impairments(loss=WHOLE // 4, ber=10**6, truncate=WHOLE // 4, garbage=WHOLE // 4)
    whole = b"".join(map(encode_frame, several))
    runs = []
    for reads in ([whole], split(whole, places)):
        channel = Channel(line, seed)
        for chunk in gathered(reads):
            channel.send(True, chunk, 0)
        runs.append((channel.faults, channel.arrivals(0)))
    assert runs[0] == runs[1]


@given(st.lists(st.sampled_from([b"\0", b"\0\0", b"a", b"bc"]), max_size=12))
def test_no_byte_is_lost_and_the_order_is_kept(reads: list[bytes]) -> None:
    assert b"".join(gathered(reads)) == b"".join(reads)


@given(st.binary(min_size=1, max_size=30).map(lambda data: data.replace(b"\0", b"\1")))
def test_what_is_no_frame_goes_through_as_it_is_read(text: bytes) -> None:
    gatherer = Gatherer()
    assert gatherer.receive_data(text) == [text]
    assert not gatherer.waiting
    # Where a frame has ended, too.
    frame = encode_frame(Frame(Kind.ACK, 1))
    assert gatherer.receive_data(frame + text) == [frame, text]
    assert not gatherer.waiting


def test_the_beginning_of_a_frame_waits_until_it_is_flushed() -> None:
    gatherer = Gatherer()
    frame = encode_frame(Frame(Kind.DATA, 1, payload=b"hello"))
    assert gatherer.receive_data(frame[:5]) == []
    assert gatherer.waiting
    assert gatherer.flush() == [frame[:5]]
    assert not gatherer.waiting
    assert gatherer.flush() == []


def test_what_is_too_long_to_be_a_frame_does_not_wait() -> None:
    gatherer = Gatherer()
    begun = b"\0" + b"x" * MAX_ENCODED
    assert gatherer.receive_data(begun) == []
    assert gatherer.receive_data(b"x") == [begun + b"x"]
    assert not gatherer.waiting
    assert gathered([bytes(5 * MAX_ENCODED)]) == [bytes(5 * MAX_ENCODED)]
    assert gatherer.receive_data(bytes(5 * MAX_ENCODED)) == [bytes(5 * MAX_ENCODED)]
