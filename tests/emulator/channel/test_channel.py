"""The channel: what is wrong is noted, all else is untouched; the same seed, the same bytes."""

import re
import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise

import msgspec
import pytest
from binomial import bounds
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.channel.channel import (
    MOST_UNDER_WAY,
    Arrival,
    Channel,
    FaultKind,
    duration,
    frames_of,
)
from mockpump.emulator.channel.impairments import Impairments, read_impairments
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.messages.base import Message
from mockpump.protocol.strategies import frames
from mockpump.protocol.units import WHOLE, BadQuantity, BitPlace, Burst, Outage

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
BITS = st.builds(BitPlace, st.integers(1, 9), st.integers(1, 40), st.integers(0, 7))
ON_PURPOSE = {
    "drop": st.lists(st.integers(1, 9), max_size=3).map(tuple),
    "flip": st.lists(BITS, max_size=3).map(tuple),
    "drop_message": st.sampled_from([(), ("Status", "Suspend")]),
}


@st.composite
def impairments(draw: st.DrawFn) -> Impairments:
    """Anything that can be wrong with a line, by chance and on purpose."""
    purpose = {name: draw(each) for name, each in ON_PURPOSE.items()}
    return msgspec.structs.replace(draw(IMPAIRMENTS), **purpose)


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
    assert line.is_clean
    arrived = carry(line, chunks)
    for way in (True, False):
        sent = chunks[0 if way else 1 :: 2]
        assert [each.data for each in arrived if each.from_programmer is way] == sent
    assert all(not each.spans for each in arrived)
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
EXPECTED = "2a4edc036a61f284 319"


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


@given(impairments(), CHUNKS)
def test_every_difference_has_been_noted(line: Impairments, chunks: list[bytes]) -> None:
    """Bytes that did not arrive as they were sent are marked, or their loss is."""
    channel = Channel(line)
    whole = []
    for number, chunk in enumerate(chunks):
        if channel.send(True, chunk, number * 1_000) is None:
            whole.append(chunk)
    arrived = channel.arrivals(FOR_EVER)
    untouched = [each.data for each in arrived if not each.spans]
    assert set(untouched) <= set(whole)
    noted = {id(mark.fault) for each in arrived for mark in each.spans}
    lost = len(chunks) - len(whole)
    # One that did nothing is none, but for what bends bits on its way to being lost.
    assert len(channel.faults) == len(noted) + lost
    assert all(0 <= m.start <= m.end <= len(e.data) for e in arrived for m in e.spans)


OF_A_CHUNK = ("loss", "truncate", "duplicate", "reorder", "garbage", "ber")


@given(
    IMPAIRMENTS,
    st.fixed_dictionaries({}, optional=dict.fromkeys(OF_A_CHUNK, SHARES)),
    st.lists(st.binary(max_size=40), max_size=20),
)
def test_one_impairment_does_not_change_what_the_others_do(
    line: Impairments, changed: dict[str, int], chunks: list[bytes]
) -> None:
    """Chunk by chunk, as far as there is something left for the others to do."""
    line = msgspec.structs.replace(line, baud=0, outage=(), cut=None)
    other = msgspec.structs.replace(line, **changed)
    for one, two in zip(befell(line, chunks), befell(other, chunks), strict=True):
        hidden = set(changed)
        if "loss" in one or "loss" in two:
            hidden |= {*OF_A_CHUNK, "burst"} - {"loss"}
        if "reorder" in one or "reorder" in two:
            hidden.add("duplicate")
        if ("truncate" in one or "truncate" in two) and "truncate" in changed:
            hidden |= {"ber", "burst"}
        assert {kind: where for kind, where in one.items() if kind not in hidden} == {
            kind: where for kind, where in two.items() if kind not in hidden
        }


@given(IMPAIRMENTS, st.lists(st.binary(max_size=40), max_size=20), st.sampled_from(OF_A_CHUNK))
def test_a_higher_share_hits_what_a_lower_one_hits(
    line: Impairments, chunks: list[bytes], name: str
) -> None:
    line = msgspec.structs.replace(line, loss=0, truncate=0, reorder=0, outage=(), cut=None)
    rarely = msgspec.structs.replace(line, **{name: WHOLE // 100})
    often = msgspec.structs.replace(line, **{name: WHOLE // 4})
    for one, two in zip(befell(rarely, chunks), befell(often, chunks), strict=True):
        assert name not in one or name in two


def befell(line: Impairments, chunks: list[bytes]) -> list[dict[str, list[tuple[int, int]]]]:
    """What each chunk has met, and where, counted without the garbage before it."""
    channel, told = Channel(line, 3), []
    for number, chunk in enumerate(chunks):
        lost = channel.send(True, chunk, number * 100_000)
        met: dict[str, list[tuple[int, int]]] = {} if lost is None else {lost.kind.value: []}
        for arrival in channel.arrivals(FOR_EVER):
            spans = {mark.fault.kind: mark for mark in arrival.spans}
            before = spans[FaultKind.GARBAGE].end if FaultKind.GARBAGE in spans else 0
            for mark in arrival.spans:
                at = 0 if mark.fault.kind in WHOLE_CHUNK else before
                where = (0, 0) if mark.fault.kind in AS_LONG else (mark.start - at, mark.end - at)
                met.setdefault(mark.fault.kind.value, []).append(where)
        told.append(met)
    return told


WHOLE_CHUNK = (FaultKind.GARBAGE, FaultKind.DUPLICATE, FaultKind.REORDER)
# These are as long as the chunk is by then.
AS_LONG = (FaultKind.DUPLICATE, FaultKind.REORDER)


def send_all(line: Impairments, chunks: list[bytes], seed: int = 3) -> Channel:
    channel = Channel(line, seed)
    for number, chunk in enumerate(chunks):
        channel.send(True, chunk, number)
    return channel


@pytest.mark.parametrize("name", ["loss", "truncate", "duplicate", "reorder", "garbage"])
@pytest.mark.parametrize("percent", [1, 20, 75])
def test_a_share_is_what_it_says(name: str, percent: int) -> None:
    line = Impairments(**{name: WHOLE * percent // 100})
    assert len(send_all(line, [b"x"] * 5_000).faults) in bounds(5_000, percent / 100)


@pytest.mark.parametrize("ber", [1e-4, 1e-3, 0.1])
def test_a_bit_is_bent_as_often_as_it_says(ber: float) -> None:
    """Counted are bytes, of which a bit at most is damaged; each of the eight as often."""
    channel = send_all(Impairments(ber=int(ber * WHOLE)), [bytes(1_000)] * 100)
    assert len(channel.faults) in bounds(100_000, 1 - (1 - ber) ** 8)
    bent = Counter(byte for each in channel.arrivals(FOR_EVER) for byte in each.data if byte)
    assert set(bent) <= {1 << bit for bit in range(8)}
    assert all(count in bounds(bent.total(), 1 / 8) for count in bent.values())
    assert bent.total() == len(channel.faults)


def test_every_bit_may_be_bent() -> None:
    channel = send_all(Impairments(ber=WHOLE), [bytes(10)])
    assert len(channel.faults) == 10


def test_garbage_is_as_often_of_each_length() -> None:
    found = send_all(Impairments(garbage=WHOLE), [b"x"] * 3_200).arrivals(FOR_EVER)
    sizes = Counter(each.spans[0].end for each in found)
    assert set(sizes) == set(range(1, 33))
    assert all(count in bounds(3_200, 1 / 32) for count in sizes.values())
    assert len({each.data for each in found}) > 3_000


def test_what_is_left_of_a_chunk_is_as_often_of_each_length() -> None:
    found = send_all(Impairments(truncate=WHOLE), [b"x" * 10] * 1_000).arrivals(FOR_EVER)
    sizes = Counter(len(each.data) for each in found)
    assert set(sizes) == set(range(10))
    assert all(count in bounds(1_000, 1 / 10) for count in sizes.values())


def test_jitter_is_as_often_of_each_length() -> None:
    channel = Channel(Impairments(jitter=9), 1)
    for number in range(1_000):
        channel.send(True, b"x", number * 10)
    late = Counter(each.at % 10 for each in channel.arrivals(FOR_EVER))
    assert set(late) == set(range(10))
    assert all(count in bounds(1_000, 1 / 10) for count in late.values())


@pytest.mark.parametrize("baud", [0, 9_600])
def test_bad_stretches_bend_as_often_and_as_long_as_they_say(baud: int) -> None:
    """The bytes of a chunk are slots one after the other, and so are those of the next one."""
    burst = Burst(WHOLE // 100, WHOLE // 5, WHOLE)
    # As long as a thousand bytes take at that rate.
    channel = Channel(Impairments(burst=burst, baud=baud), 5)
    for number in range(100):
        channel.send(True, bytes(1_000), number * duration(1_000, 9_600))
    line = [bool(byte) for each in channel.arrivals(FOR_EVER) for byte in each.data]
    turned_bad = sum(two and not one for one, two in pairwise(line))
    turned_good = sum(one and not two for one, two in pairwise(line))
    assert turned_bad in bounds(line.count(False), 0.01)
    assert turned_good in bounds(line.count(True), 0.2)


def test_a_bad_stretch_is_a_matter_of_line_time() -> None:
    """Whatever was sent before: at the same time there is the same line."""
    line = Impairments(burst=Burst(WHOLE // 20, WHOLE // 20, WHOLE))

    def bad(channel: Channel, now: int) -> list[bool]:
        channel.send(True, bytes(50), now)
        (arrival,) = channel.arrivals(FOR_EVER)
        return [bool(byte) for byte in arrival.data]

    one, other = Channel(line, 1), Channel(line, 1)
    bad(other, 0)
    told = [bad(one, now) for now in range(0, 10**7, 10**6)]
    assert told == [bad(other, now) for now in range(0, 10**7, 10**6)]
    assert len({tuple(each) for each in told}) > 5


def hit(name: str, from_programmer: bool) -> set[int]:
    """Which of a thousand chunks an impairment hits that hits every other one."""
    channel, found = Channel(Impairments(**{name: WHOLE // 2}), 4), set()
    for number in range(1_000):
        before = len(channel.faults)
        channel.send(from_programmer, b"x", number)
        found |= {number} if len(channel.faults) > before else set()
    return found


def test_impairments_know_nothing_of_each_other() -> None:
    """What one hits, another hits as often as anything else; in both directions."""
    names = ("loss", "truncate", "duplicate", "reorder", "garbage")
    hits = [hit(name, way) for name in names for way in (True, False)]
    for one, other in combinations(hits, 2):
        assert len(one & other) in bounds(1_000, 1 / 4)


@given(st.integers(-(10**6), 10**6))
def test_another_seed_gives_other_fates(seed: int) -> None:
    half = Impairments(loss=WHOLE // 2)
    chunks = [b"x"] * 64
    runs = [
        [fault.at for fault in send_all(half, chunks, each).faults] for each in (seed, seed + 1)
    ]
    assert runs[0] != runs[1]


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
    channel.heal()
    assert channel.send(True, b"x", 0) is None
    assert channel.next_deadline() == 7


@given(st.lists(frames(), max_size=5))
def test_frames_that_are_sent_together_are_taken_one_by_one(several: list[object]) -> None:
    encoded = [encode_frame(each) for each in several]  # type: ignore[arg-type]
    assert frames_of(b"".join(encoded)) == (encoded or [b""])


@given(st.binary(max_size=60))
def test_taking_bytes_apart_loses_none(data: bytes) -> None:
    assert b"".join(frames_of(data)) == data


# -- faults on purpose ----------------------------------------------------------------------------


def numbered(count: int) -> list[bytes]:
    """Frames of one side, each unlike the others."""
    return [
        encode_frame(Frame(Kind.DATA, 7, seq, payload=bytes([seq] * 9))) for seq in range(count)
    ]


@given(st.sets(st.integers(1, 20)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_just_the_frames_that_are_named_are_dropped(drop: set[int], ways: list[bool]) -> None:
    line = Channel(Impairments(drop=tuple(sorted(drop))))
    lost = [
        line.send(way, frame, 0) is not None
        for way, frame in zip(ways, numbered(len(ways)), strict=True)
    ]
    assert lost == [number in drop for number in range(1, len(ways) + 1)]


@given(st.integers(1, 6), st.integers(1, 30), st.integers(0, 7))
def test_just_the_bit_that_is_named_is_flipped(frame: int, byte: int, bit: int) -> None:
    line = Channel(read_impairments({"flip": [f"{frame}:{byte}.{bit}"]}))
    sent = numbered(6)
    for data in sent:
        line.send(True, data, 0)
    came = [arrival.data for arrival in line.arrivals(0)]
    for number, (was, is_) in enumerate(zip(sent, came, strict=True), start=1):
        hit = number == frame and byte <= len(was)
        expected = {(byte - 1, 1 << bit)} if hit else set()
        pairs = enumerate(zip(was, is_, strict=True))
        assert {(at, a ^ b) for at, (a, b) in pairs if a != b} == expected


def test_the_next_message_of_a_name_is_dropped_and_its_repetition_is_not() -> None:
    def message(seq: int, what: Message) -> bytes:
        return encode_frame(Frame(Kind.DATA, 7, seq, payload=m.encode(what)))

    line = Channel(read_impairments({"drop_message": ["suspend"]}))
    said = [message(0, m.GetStatus()), message(1, m.Suspend(5)), message(1, m.Suspend(5))]
    assert [line.send(True, each, 0) is not None for each in said] == [False, True, False]
    line.impairments = read_impairments({"drop_message": ["Suspend"]})
    assert line.send(True, said[1], 0) is not None


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"drop": ["0"]}, "drop: invalid frame number '0': use 3"),
        ({"flip": ["5:27"]}, "flip: invalid bit '5:27': use FRAME:BYTE.BIT, as in 5:27.3"),
        ({"flip": ["5:0.3"]}, "flip: invalid bit '5:0.3'"),
        ({"flip": ["5:1.8"]}, "flip: invalid bit '5:1.8'"),
        ({"drop_message": ["BolusStartd"]}, "did you mean 'BolusStarted'?"),
    ],
)
def test_a_fault_on_purpose_that_cannot_be(given_: dict[str, object], said: str) -> None:
    with pytest.raises(BadQuantity, match=re.escape(said)):
        read_impairments(given_)


def test_what_passes_a_line_by_counts_too() -> None:
    line = Channel(Impairments(drop=(2,)))
    assert line.pass_by() == 1
    assert line.send(True, numbered(1)[0], 0) is not None
