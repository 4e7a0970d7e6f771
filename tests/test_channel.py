"""The channel: what is wrong is noted, all else is untouched; the same seed, the same bytes."""

import subprocess
import sys
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.channel.channel import (
    MOST_UNDER_WAY,
    Arrival,
    Channel,
    duration,
    frames_of,
)
from mockpump.emulator.channel.faults import FaultKind
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.channel.quantities import WHOLE, Burst, Outage
from mockpump.protocol.framing import encode_frame
from mockpump.protocol.strategies import frames

FOR_EVER = 10**12
CHUNKS = st.lists(st.binary(min_size=1, max_size=40), max_size=20)
SHARES = st.sampled_from([0, 0, WHOLE // 100, WHOLE // 4, WHOLE])
IMPAIRMENTS = st.builds(
    Impairments,
    baud=st.sampled_from([0, 300, 115_200]),
    delay=st.integers(0, 100_000),
    jitter=st.integers(0, 50_000),
    loss=SHARES,
    ber=st.sampled_from([0, 0, 10**5, 10**7]),
    burst=st.none() | st.just(Burst(WHOLE // 50, WHOLE // 5, WHOLE // 2)),
    truncate=SHARES,
    duplicate=SHARES,
    reorder=SHARES,
    garbage=SHARES,
    outage=st.just(()) | st.just((Outage(1_000, 5_000),)),
    cut=st.none() | st.integers(0, 20_000),
)


def carry(impairments: Impairments, chunks: list[bytes], seed: int = 0) -> list[Arrival]:
    """What comes of chunks that are sent a millisecond apart, in turns from either side."""
    channel = Channel(impairments, seed)
    for number, chunk in enumerate(chunks):
        channel.send(number % 2 == 0, chunk, number * 1_000)
    return channel.arrivals(FOR_EVER)


@given(CHUNKS, st.integers(0, 10**6), st.integers(0, 10**5), st.sampled_from([0, 300, 9_600]))
def test_a_harmless_line_brings_everything_in_order(
    chunks: list[bytes], delay: int, jitter: int, baud: int
) -> None:
    line = Impairments(delay=delay, jitter=jitter, baud=baud)
    assert line.harmless
    arrived = carry(line, chunks)
    for way in (True, False):
        sent = chunks[0 if way else 1 :: 2]
        assert [each.data for each in arrived if each.from_programmer is way] == sent
    assert all(not each.marks for each in arrived)
    assert all(one.at <= two.at for one, two in pairwise(arrived))


@given(st.binary(min_size=1, max_size=40), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_chunk_is_under_way_as_long_as_its_bytes_take(data: bytes, delay: int, baud: int) -> None:
    (arrival,) = carry(Impairments(delay=delay, baud=baud), [data])
    assert arrival.at == duration(len(data), baud) + delay
    assert duration(len(data), baud) * baud >= len(data) * 10_000_000


@given(IMPAIRMENTS, CHUNKS, st.integers(0, 5))
def test_the_same_seed_gives_the_same_bytes(
    line: Impairments, chunks: list[bytes], seed: int
) -> None:
    assert carry(line, chunks, seed) == carry(line, chunks, seed)


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    """Whatever its hashes are salted with; and these bytes on every machine and version."""
    told = {run_apart(salt) for salt in ("0", "1", "random")}
    assert told == {EXPECTED}


PROGRAM = """
import hashlib
from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.impairments import read_impairments
line = dict(loss="5%", ber="1e-3", burst="1%,20%,50%", truncate="5%", duplicate="5%",
            reorder="5%", garbage="5%", jitter="20ms", baud=9600)
channel = Channel(read_impairments(line), 7)
for number in range(500):
    channel.send(number % 2 == 0, bytes(range(number % 60 + 1)), number * 1000)
told = [(each.at, each.from_programmer, each.data) for each in channel.arrivals(10**12)]
print(hashlib.sha256(repr(told).encode()).hexdigest()[:16], len(channel.faults))
"""
EXPECTED = "2a469ac8f17853ff 368"


def run_apart(salt: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONHASHSEED": salt, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


@given(IMPAIRMENTS, CHUNKS)
def test_every_difference_has_been_noted(line: Impairments, chunks: list[bytes]) -> None:
    """Bytes that did not arrive as they were sent are marked, or their loss is."""
    channel = Channel(line)
    whole = []
    for number, chunk in enumerate(chunks):
        if channel.send(True, chunk, number * 1_000) is None:
            whole.append(chunk)
    arrived = channel.arrivals(FOR_EVER)
    untouched = [each.data for each in arrived if not each.marks]
    assert set(untouched) <= set(whole)
    noted = {id(mark.fault) for each in arrived for mark in each.marks}
    lost = len(chunks) - len(whole)
    # One that did nothing is none, but for what bends bits on its way to being lost.
    assert len(channel.faults) == len(noted) + lost
    assert all(0 <= m.start <= m.end <= len(e.data) for e in arrived for m in e.marks)


@given(CHUNKS)
def test_one_impairment_does_not_change_what_the_others_do(chunks: list[bytes]) -> None:
    one = Impairments(loss=WHOLE // 4)
    both = Impairments(loss=WHOLE // 4, garbage=WHOLE // 4, ber=10**6)
    lost = [
        [each.kind for each in run.faults if each.kind is FaultKind.LOSS]
        for run in (send_all(one, chunks), send_all(both, chunks))
    ]
    assert lost[0] == lost[1]


def send_all(line: Impairments, chunks: list[bytes]) -> Channel:
    channel = Channel(line, 3)
    for number, chunk in enumerate(chunks):
        channel.send(True, chunk, number)
    return channel


def test_a_share_is_about_what_it_says() -> None:
    channel = send_all(Impairments(loss=WHOLE // 20), [b"x"] * 10_000)
    assert 400 < len(channel.faults) < 600
    bits = send_all(Impairments(ber=WHOLE // 1_000), [bytes(100)] * 100)
    assert 50 < len(bits.faults) < 110


def test_silence_and_the_end() -> None:
    line = Impairments(outage=(Outage(2_000, 3_000), Outage(8_000, 1_000)), cut=10_000)
    channel = Channel(line)
    fate = [channel.send(True, b"x", now) for now in range(0, 12_000, 1_000)]
    kinds = [None if each is None else each.kind.value for each in fate]
    assert kinds == [None, None, *["outage"] * 3, None, None, None, "outage", None, "cut", "cut"]


def test_what_is_reordered_comes_after_the_next() -> None:
    channel = Channel(Impairments(reorder=WHOLE))
    channel.send(True, b"one", 0)
    channel.impairments = Impairments()
    channel.send(True, b"two", 1_000)
    assert [each.data for each in channel.arrivals(FOR_EVER)] == [b"two", b"one"]


def test_what_is_given_to_a_full_line_is_lost_and_noted() -> None:
    channel = Channel(Impairments(baud=300))
    fates = [channel.send(True, bytes(100_000), 0) for _ in range(12)]
    kinds = {fate.kind for fate in fates if fate is not None}
    assert kinds == {FaultKind.OVERFLOW}
    assert sum(fate is None for fate in fates) == MOST_UNDER_WAY // 100_000
    # What has arrived makes room again.
    channel.arrivals(FOR_EVER)
    assert channel.send(True, b"x", 0) is None


def test_a_mended_line_is_good() -> None:
    channel = Channel(Impairments(loss=WHOLE, delay=7))
    assert channel.send(True, b"x", 0) is not None
    channel.mend()
    assert channel.send(True, b"x", 0) is None
    assert channel.next_deadline() == 7


@given(st.lists(frames(), max_size=5))
def test_frames_that_are_sent_together_are_taken_one_by_one(several: list[object]) -> None:
    encoded = [encode_frame(each) for each in several]  # type: ignore[arg-type]
    assert frames_of(b"".join(encoded)) == (encoded or [b""])


@given(st.binary(max_size=60))
def test_taking_bytes_apart_loses_none(data: bytes) -> None:
    assert b"".join(frames_of(data)) == data
