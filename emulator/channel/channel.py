"""A channel: two ways for bytes, each with its impairments, in virtual time and by seed.

Sans-IO: bytes and the time go in, arrivals come out, and chance is a seed.  Every impairment of
every way draws from a stream of its own, so that adding one does not change what the others do.
Only `getrandbits` and integers are used: the same seed gives the same bytes everywhere.

A way carries chunks in the order in which they were given to it, as a serial line does; only what
is reordered on purpose arrives out of turn.
"""

import heapq
import random
from typing import NamedTuple

from mockpump.emulator.channel.faults import Fault, FaultKind
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.channel.quantities import WHOLE

_BITS_A_BYTE = 10  # one start bit, eight data bits, one stop bit
_MOST_GARBAGE = 32
# How much later than its turn a chunk arrives that is reordered, if no other comes after it.
_OUT_OF_TURN = 30_000
# What may be under way in one direction; a line that is given more loses it.
MOST_UNDER_WAY = 1_000_000


def duration(size: int, baud: int) -> int:
    """How long so many bytes occupy a line, in microseconds, rounded up; baud 0: no time."""
    return -(-size * _BITS_A_BYTE * 1_000_000 // baud) if baud else 0


def frames_of(data: bytes) -> list[bytes]:
    """Frames that were sent together, one by one: where one ends and the next begins, zeros meet.

    On a line they come through one after the other, and what befalls one need not befall the next.
    """
    head, *rest = data.split(b"\0\0")
    return [head] if not rest else _parted([head, *rest])


def _parted(pieces: list[bytes]) -> list[bytes]:
    last = len(pieces) - 1
    return [
        b"\0" * (place > 0) + piece + b"\0" * (place < last) for place, piece in enumerate(pieces)
    ]


class Mark(NamedTuple):
    """Where in a chunk a fault is: from byte `start` to before byte `end`."""

    fault: Fault
    start: int
    end: int


class Arrival(NamedTuple):
    """A chunk that has come through.  `at` is the line time of its last byte, in microseconds."""

    at: int
    number: int
    from_programmer: bool
    data: bytes
    marks: tuple[Mark, ...]


class Channel:
    """Both ways of a line.  `faults` are all there were so far, in order."""

    def __init__(self, impairments: Impairments | None = None, seed: int = 0) -> None:
        self.impairments = impairments or Impairments()
        self.faults: list[Fault] = []
        self._ways = {way: _Way(self, way, seed) for way in (True, False)}
        self._under_way: list[Arrival] = []
        self._count = 0

    def send(self, from_programmer: bool, data: bytes, now: int) -> Fault | None:
        """A side gives a chunk to the line; the fault that swallows it, if one does."""
        return self._ways[from_programmer].send(data, now)

    def arrivals(self, now: int) -> list[Arrival]:
        """What has arrived by now, in order."""
        found = []
        while self._under_way and self._under_way[0].at <= now:
            arrival = heapq.heappop(self._under_way)
            self._ways[arrival.from_programmer].load -= len(arrival.data)
            found.append(arrival)
        return found

    def next_deadline(self) -> int | None:
        """When `arrivals` will give something; None when nothing is under way."""
        return self._under_way[0].at if self._under_way else None

    def mend(self) -> None:
        """From now on nothing goes wrong on it any more."""
        clean = self.impairments
        self.impairments = Impairments(baud=clean.baud, delay=clean.delay)

    def carry(self, at: int, from_programmer: bool, data: bytes, marks: tuple[Mark, ...]) -> None:
        """Have a chunk arrive; for the ways."""
        self._count += 1
        heapq.heappush(self._under_way, Arrival(at, self._count, from_programmer, data, marks))


class _Way:
    """One direction: when its line is free again, and the streams of chance of its impairments."""

    def __init__(self, channel: Channel, from_programmer: bool, seed: int) -> None:
        self._channel = channel
        self._from_programmer = from_programmer
        self._seed = f"{seed}/{'programmer' if from_programmer else 'pump'}"
        self._chances: dict[str, random.Random] = {}
        self._free_at = 0
        self._last_at = 0
        self._bad = False
        self.load = 0

    def send(self, data: bytes, now: int) -> Fault | None:
        """Bend, lose and delay a chunk as the impairments say; what it was lost to."""
        lost = self._lost(len(data), now)
        # What is lost on the way has been on the line all the same.
        start = max(now, self._free_at)
        self._free_at = start + duration(len(data), self._channel.impairments.baud)
        if lost is not None:
            return self._note(lost, now)
        data, marks = self._bent(data, now)
        at = self._free_at + self._channel.impairments.delay + self._jitter()
        if self._hit("reorder"):
            marks += (Mark(self._note(FaultKind.REORDER, now), 0, len(data)),)
            self._carry(max(at, self._last_at) + _OUT_OF_TURN, data, marks)
            return None
        self._last_at = max(at, self._last_at)
        self._carry(self._last_at, data, marks)
        if self._hit("duplicate"):
            mark = Mark(self._note(FaultKind.DUPLICATE, now), 0, len(data))
            self._carry(self._last_at, data, (mark,))
        return None

    def _carry(self, at: int, data: bytes, marks: tuple[Mark, ...]) -> None:
        self.load += len(data)
        self._channel.carry(at, self._from_programmer, data, marks)

    def _lost(self, size: int, now: int) -> FaultKind | None:
        """Why a chunk does not arrive at all; None when it does."""
        impairments = self._channel.impairments
        if impairments.cut is not None and now >= impairments.cut:
            return FaultKind.CUT
        if any(each.begin <= now < each.begin + each.span for each in impairments.outage):
            return FaultKind.OUTAGE
        if self.load + size > MOST_UNDER_WAY:
            return FaultKind.OVERFLOW
        return FaultKind.LOSS if self._hit("loss") else None

    def _bent(self, data: bytes, now: int) -> tuple[bytes, tuple[Mark, ...]]:
        marks: list[Mark] = []
        if self._hit("truncate"):
            data = data[: self._draw("truncate", len(data))]
            marks.append(Mark(self._note(FaultKind.TRUNCATE, now), len(data), len(data)))
        bent = bytearray(data)
        for kind, places in ((FaultKind.BER, self._bit_errors), (FaultKind.BURST, self._bursts)):
            for start, end in places(bent):
                marks.append(Mark(self._note(kind, now), start, end))
        if self._hit("garbage"):
            size = 1 + self._draw("garbage", _MOST_GARBAGE)
            bent[:0] = bytes(self._draw("garbage", 256) for _ in range(size))
            marks = [each._replace(start=each.start + size, end=each.end + size) for each in marks]
            marks.append(Mark(self._note(FaultKind.GARBAGE, now), 0, size))
        return bytes(bent), tuple(marks)

    def _bit_errors(self, data: bytearray) -> list[tuple[int, int]]:
        """Bend single bits; the places.  A byte is bent at most once."""
        rate = self._channel.impairments.ber
        if not rate:
            return []
        chance = self._chance("ber")
        # The chance that any of the eight bits of a byte is bent, exactly.
        least = (WHOLE**8 - (WHOLE - rate) ** 8) * 2**32 // WHOLE**8
        hit = [at for at in range(len(data)) if chance.getrandbits(32) < least]
        for at in hit:
            data[at] ^= 1 << chance.getrandbits(3)
        return [(at, at + 1) for at in hit]

    def _bursts(self, data: bytearray) -> list[tuple[int, int]]:
        """Bend bytes while the line is bad; from the first to the last of each stretch."""
        burst = self._channel.impairments.burst
        if burst is None:
            return []
        chance, stretches, bent = self._chance("burst"), [], list[int]()
        for at in range(len(data)):
            if _strikes(chance, burst.leave if self._bad else burst.enter):
                self._bad = not self._bad
                stretches.append(bent)
                bent = []
            if self._bad and _strikes(chance, burst.hit):
                data[at] ^= 1 + chance.getrandbits(48) * 255 // 2**48
                bent.append(at)
        return [(each[0], each[-1] + 1) for each in [*stretches, bent] if each]

    def _jitter(self) -> int:
        most = self._channel.impairments.jitter
        return self._draw("jitter", most + 1) if most else 0

    # -- chance ----------------------------------------------------------------------------------

    def _chance(self, name: str) -> random.Random:
        found = self._chances.get(name)
        if found is None:
            found = self._chances[name] = random.Random(f"{self._seed}/{name}")
        return found

    def _hit(self, name: str) -> bool:
        """Whether an impairment strikes; one that is not there draws nothing."""
        rate: int = getattr(self._channel.impairments, name)
        return bool(rate) and _strikes(self._chance(name), rate)

    def _draw(self, name: str, below: int) -> int:
        """A number from 0 to before `below`, which must be small beside 2**48."""
        return self._chance(name).getrandbits(48) * below >> 48

    def _note(self, kind: FaultKind, now: int) -> Fault:
        fault = Fault(kind, self._from_programmer, now)
        self._channel.faults.append(fault)
        return fault


def _strikes(chance: random.Random, rate: int) -> bool:
    """Whether something with that chance, in parts per billion, happens this time."""
    return chance.getrandbits(32) * WHOLE < rate << 32
