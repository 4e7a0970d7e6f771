"""Goodput: how much of an emulated line's byte rate the download of a whole event log keeps.

All of it in virtual time, through both devices and a session: a thousand entries, in pieces as
long as a payload of 1,000 bytes takes.  What counts is the payload that is delivered, from the
first request to the last reply, over all downloads of a case; their seeds are 0, 1, 2, ... and
decide which bits are damaged.
"""

from copy import deepcopy
from typing import NamedTuple

import pytest
from binomial import bounds
from paired import KEYS, paired_pump, payloads_in

from mockpump.emulator.channel.channel import Channel, frames_of
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.memory.interface import Change
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.procedures import read_log
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.framing import MAX_PAYLOAD, OVERHEAD
from mockpump.protocol.link.types import MAX_WINDOW, LinkSettings, LinkStatistics
from mockpump.protocol.log import LOG_ENTRIES, LogEntry
from mockpump.protocol.units import WHOLE

BAUD = 115_200
ROUND_TRIP = 100_000
# A whole payload as it stands on the line: COBS adds four, the delimiters are two.
ON_THE_LINE = MAX_PAYLOAD + OVERHEAD + 6


class Download(NamedTuple):
    """What one took: bytes of payload, in microseconds, and what the pump's link has counted.

    `sizes` are those of the frames that the pump has sent, as they stand on the line.
    """

    payload: int
    took: int
    sender: LinkStatistics
    sizes: list[int]


def full_log() -> RamMemory:
    """The memory of a paired pump that has filled its log."""
    memory = paired_pump().memory
    entries = (LogEntry(n, n, m.LogKind.CLOCK_SET, n, n) for n in range(LOG_ENTRIES))
    memory.record(Change(memory.state() or b"", entries=tuple(entries)))
    assert isinstance(memory, RamMemory)
    return memory


FULL = full_log()


def ber_of(percent: int) -> int:
    """The bit error rate that hits that share of whole frames, in parts per billion."""
    share: float = (1 - percent / 100) ** (1 / (8 * ON_THE_LINE))
    return round((1 - share) * WHOLE)


def download(line: Impairments, window: int, seed: int, max_payload: int = MAX_PAYLOAD) -> Download:
    settings = LinkSettings(max_payload=max_payload, window=window)
    good = Channel(Impairments(baud=line.baud, delay=line.delay), seed)
    world = World(Pump(deepcopy(FULL)), seed=seed, speed=0, channel=good, settings=settings)
    world.call(lambda _: KEYS[m.Access.OBSERVER])
    world.impair(line)
    said: set[bytes] = set()
    sizes: list[int] = []

    def listen(from_programmer: bool, data: bytes) -> None:
        if not from_programmer:
            said.update(payloads_in(data))
            sizes.extend(map(len, frames_of(data)))

    world.taps.append(listen)
    began = world.now
    assert len(world.run(read_log()).entries) == LOG_ENTRIES
    # Sealed payloads differ: one that is sent again counts once.
    payload = sum(map(len, said))
    return Download(payload, world.now - began, world.port.connection.link.statistics, sizes)


def goodput(downloads: list[Download], baud: int = BAUD) -> float:
    """Payload delivered, as a share of what the line would have carried in the same time."""
    payload, took = (sum(each[n] for each in downloads) for n in (0, 1))
    # A byte takes ten bits on a serial line.
    return payload * 10_000_000 / (took * baud)


@pytest.mark.parametrize(
    ("percent", "round_trip", "window", "seeds", "least"),
    [
        (0, 0, 8, 1, 0.95),
        (1, 0, 8, 30, 0.93),
        (5, 0, 8, 40, 0.88),
        (0, ROUND_TRIP, 5, 1, 0.85),
        (1, ROUND_TRIP, 5, 30, 0.85 * 0.99),
        # The log is short, so two round trips at its beginning weigh much, and the margin is small:
        # 0.809 of the first 240 downloads, 0.811 of 480.
        (5, ROUND_TRIP, 5, 240, 0.85 * 0.95),
    ],
)
def test_goodput(percent: int, round_trip: int, window: int, seeds: int, least: float) -> None:
    line = Impairments(baud=BAUD, ber=ber_of(percent), delay=round_trip // 2)
    downloads = [download(line, window, seed) for seed in range(seeds)]
    assert least <= goodput(downloads) < 1
    sizes = [size for each in downloads for size in each.sizes]
    again = sum(each.sender.retransmissions for each in downloads)
    # As many frames were hit as was asked for, and hardly any goes again that was not.
    good = 1 - line.ber / WHOLE
    hits = sum(1 - good ** (8 * size) for size in sizes)
    assert again in bounds(len(sizes), hits / len(sizes))


@pytest.mark.parametrize("window", [1, 2, 8, MAX_WINDOW])
@pytest.mark.parametrize(("baud", "delay"), [(57_600, 0), (BAUD, 0), (BAUD, ROUND_TRIP // 2)])
def test_on_a_good_line_nothing_is_sent_twice(baud: int, delay: int, window: int) -> None:
    """A line full of frames is not taken for a bad one, at a pace without any deviation either."""
    sender = download(Impairments(baud=baud, delay=delay), window, 0).sender
    assert (sender.retransmissions, sender.timeouts) == (0, 0)


@pytest.mark.parametrize("window", [1, 2, 8, MAX_WINDOW])
@pytest.mark.parametrize(("payload", "least"), [(240, 0.83), (MAX_PAYLOAD, 0.93)])
@pytest.mark.parametrize("baud", [2_400, 9_600, 38_400])
def test_a_slow_line_is_not_taken_for_a_bad_one(
    baud: int, payload: int, least: float, window: int
) -> None:
    """One frame takes up to four seconds, a window a minute, where 26 bytes were quick before."""
    done = download(Impairments(baud=baud), window, 0, payload)
    assert goodput([done], baud) >= least
    assert done.sender.retransmissions <= 1


def test_stop_and_wait_pays_for_the_way() -> None:
    """What makes a window worth its trouble; and that the measure can come out low."""
    assert goodput([download(Impairments(baud=BAUD, delay=ROUND_TRIP // 2), 1, 0)]) < 0.5
