"""A channel: two ways for bytes, each with its impairments, in virtual time and by seed.

Sans-IO: bytes and the time go in, arrivals come out, and chance is a seed.  What happens to a chunk
depends on the seed, on which transmission it is and on the line time, never on what was drawn
before (`mockpump.emulator.channel.fate`); all in integers, so that it is the same everywhere.

A way carries chunks in the order in which they were given to it, as a serial line does; only what
is reordered on purpose arrives out of turn.
"""

import heapq
from enum import Enum
from typing import NamedTuple

import msgspec

from mockpump.emulator.channel.fate import (
    SPARED,
    WORD,
    BadStretches,
    Chance,
    Fate,
    Fates,
    Gaps,
    Place,
    Places,
    Stage,
    below,
    only_frame,
    stretches,
    threshold,
)
from mockpump.emulator.channel.impairments import Impairments
from mockpump.protocol.framing import Kind
from mockpump.protocol.session import claimed_name
from mockpump.protocol.units import WHOLE, BitPlace, Burst


class FaultKind(Enum):
    """What can be done to bytes under way."""

    LOSS = "loss"
    BER = "ber"
    BURST = "burst"
    TRUNCATE = "truncate"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    GARBAGE = "garbage"
    OUTAGE = "outage"
    CUT = "cut"
    OVERFLOW = "overflow"
    DROP = "drop"
    FLIP = "flip"
    SCENARIO = "scenario"


class Layer(Enum):
    """What caught it: the layer in which it ended; or nothing, being harmless, or not seen."""

    FRAME = "frame"
    CRC = "crc"
    LINK = "link"
    SESSION = "session"
    MESSAGE = "message"
    TIMEOUT = "timeout"
    HARMLESS = "harmless"
    UNDETECTED = "undetected"


class Fault(msgspec.Struct):
    """One fault.  `at` is the line time in microseconds; `caught` is None while nobody knows."""

    kind: FaultKind
    from_programmer: bool
    at: int
    caught: Layer | None = None


_BITS_A_BYTE = 10  # one start bit, eight data bits, one stop bit
_MOST_GARBAGE = 32
# How much later than its turn a chunk arrives that is reordered, if no other comes after it.
_OUT_OF_TURN = 30_000
# What may be under way in one direction; a line that is given more loses it.
MOST_UNDER_WAY = 1_000_000
# The least power of two that is no less than that.
_CHUNK_BITS = MOST_UNDER_WAY.bit_length()
# On a line without a rate bytes take no time; a bursty one then turns bad and good as at this rate.
_USUAL_BAUD = 9_600


def duration(size: int, baud: int) -> int:
    """How long this many bytes occupy a line, in microseconds, rounded up; baud 0: no time."""
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


class FaultSpan(NamedTuple):
    """Where in a chunk a fault is: from byte `start` to before byte `end`."""

    fault: Fault
    start: int
    end: int


class Arrival(NamedTuple):
    """A chunk that has come through.  `at` is the line time of its last byte, in microseconds.

    `number` counts arrivals, `chunk` the chunks that were given to the line, both from 1.
    """

    at: int
    number: int
    from_programmer: bool
    data: bytes
    spans: tuple[FaultSpan, ...]
    chunk: int = 0


class Channel:
    """Both ways of a line.

    `faults` are all there were so far, in order; `chunks` is how many were given to it.  `fates`
    are those of `seed`, unless they are given.
    """

    def __init__(
        self, impairments: Impairments | None = None, seed: int = 0, fates: Fates | None = None
    ) -> None:
        self.seed = seed
        self.fates = fates or Fates(seed)
        self.faults: list[Fault] = []
        self._places = Places()
        self._directions = {way: _Direction(self, way) for way in (True, False)}
        self._under_way: list[Arrival] = []
        self._count = 0
        self.chunks = 0
        self.impairments = impairments or Impairments()

    @property
    def impairments(self) -> Impairments:
        """What is wrong with it now."""
        return self._impairments

    @impairments.setter
    def impairments(self, impairments: Impairments) -> None:
        self._impairments = impairments
        # The messages of which the next one is to be lost.
        self._to_drop = list(impairments.drop_message)
        odds = _Odds.of(impairments)
        for way in self._directions.values():
            way.impair(impairments, odds)

    def pass_by(self) -> int:
        """A chunk has gone past this line, or was kept from it: it counts too.  Its number."""
        self.chunks += 1
        return self.chunks

    def send(self, from_programmer: bool, data: bytes, now: int) -> Fault | None:
        """A side gives a chunk to the line; the fault that swallows it, if one does."""
        self.chunks += 1
        place = self._places.place(from_programmer, data)
        return self._directions[from_programmer].send(place, data, now)

    def arrivals(self, now: int) -> list[Arrival]:
        """What has arrived by now, in order."""
        found = []
        while self._under_way and self._under_way[0].at <= now:
            arrival = heapq.heappop(self._under_way)
            self._directions[arrival.from_programmer].bytes_in_flight -= len(arrival.data)
            found.append(arrival)
        return found

    def next_deadline(self) -> int | None:
        """When `arrivals` will give something; None when nothing is under way."""
        return self._under_way[0].at if self._under_way else None

    def is_to_drop(self, data: bytes) -> bool:
        """Whether the present chunk is one that is to be lost on purpose."""
        return self.chunks in self._impairments.drop or self._drops_message(data)

    def _drops_message(self, data: bytes) -> bool:
        frame = only_frame(data)
        name = claimed_name(frame.payload) if frame and frame.kind is Kind.DATA else ""
        if name not in self._to_drop:
            return False
        self._to_drop.remove(name)
        return True

    def heal(self) -> None:
        """From now on nothing goes wrong on it any more."""
        present = self.impairments
        self.impairments = Impairments(baud=present.baud, delay=present.delay)

    def carry(
        self, at: int, from_programmer: bool, data: bytes, spans: tuple[FaultSpan, ...]
    ) -> None:
        """Have a chunk arrive; called by `_Direction`."""
        self._count += 1
        arrival = Arrival(at, self._count, from_programmer, data, spans, self.chunks)
        heapq.heappush(self._under_way, arrival)


class _Odds(NamedTuple):
    """The impairments of a chunk as thresholds: a word below one of them is a hit.

    `bits` are the gaps between bytes of which a bit is damaged, if any is.
    """

    loss: int
    truncate: int
    duplicate: int
    reorder: int
    garbage: int
    bits: Gaps | None
    by_chance: bool

    @classmethod
    def of(cls, line: Impairments) -> "_Odds":
        shares = (line.loss, line.truncate, line.duplicate, line.reorder, line.garbage)
        # That none of the eight bits of a byte is damaged.
        none = (WHOLE - line.ber) ** 8 * WORD // WHOLE**8
        bits = Gaps(none, _CHUNK_BITS) if line.ber else None
        loss, truncate, duplicate, reorder, garbage = map(threshold, shares)
        by_chance = any((*shares, line.ber, line.jitter))
        return cls(loss, truncate, duplicate, reorder, garbage, bits, by_chance)


class _Direction:
    """One direction: when its line is free again, and what is wrong with it."""

    def __init__(self, channel: Channel, from_programmer: bool) -> None:
        self._channel = channel
        self._from_programmer = from_programmer
        self._free_at = 0
        self._last_at = 0
        self.bytes_in_flight = 0

    def impair(self, line: Impairments, odds: _Odds) -> None:
        """From now on this is wrong with it."""
        self._line, self._odds = line, odds
        self._stretches = self._bad_stretches(line.burst) if line.burst else None

    def _bad_stretches(self, burst: Burst) -> BadStretches:
        name = f"burst/{'programmer' if self._from_programmer else 'pump'}"
        return BadStretches(burst, Chance(self._channel.seed, name))

    def send(self, place: Place, data: bytes, now: int) -> Fault | None:
        """Bend, lose and delay a chunk as its fate and the line say; what it was lost to."""
        odds, line = self._odds, self._line
        fate = self._channel.fates.fate(place) if odds.by_chance else SPARED
        lost = self._lost(fate, data, now)
        # What is lost on the way has been on the line all the same.
        start = max(now, self._free_at)
        self._free_at = start + duration(len(data), line.baud)
        if lost is not None:
            return self._note(lost, now)
        data, spans = self._bent(place, fate, data, now, start)
        at = self._free_at + line.delay + below(line.jitter + 1, fate.jitter)
        if fate.reorder < odds.reorder:
            spans += (FaultSpan(self._note(FaultKind.REORDER, now), 0, len(data)),)
            self._carry(max(at, self._last_at) + _OUT_OF_TURN, data, spans)
            return None
        self._last_at = max(at, self._last_at)
        self._carry(self._last_at, data, spans)
        if fate.duplicate < odds.duplicate:
            span = FaultSpan(self._note(FaultKind.DUPLICATE, now), 0, len(data))
            self._carry(self._last_at, data, (span,))
        return None

    def _carry(self, at: int, data: bytes, spans: tuple[FaultSpan, ...]) -> None:
        self.bytes_in_flight += len(data)
        self._channel.carry(at, self._from_programmer, data, spans)

    def _lost(self, fate: Fate, data: bytes, now: int) -> FaultKind | None:
        """Why a chunk does not arrive at all; None when it does."""
        line = self._line
        if (line.drop or line.drop_message) and self._channel.is_to_drop(data):
            return FaultKind.DROP
        if line.cut is not None and now >= line.cut:
            return FaultKind.CUT
        for outage in line.outage:
            if outage.begin <= now < outage.begin + outage.span:
                return FaultKind.OUTAGE
        if self.bytes_in_flight + len(data) > MOST_UNDER_WAY:
            return FaultKind.OVERFLOW
        return FaultKind.LOSS if fate.loss < self._odds.loss else None

    def _bent(
        self, place: Place, fate: Fate, data: bytes, now: int, start: int
    ) -> tuple[bytes, tuple[FaultSpan, ...]]:
        spans: list[FaultSpan] = []
        if fate.truncate < self._odds.truncate:
            data = data[: below(len(data), fate.length)]
            spans.append(FaultSpan(self._note(FaultKind.TRUNCATE, now), len(data), len(data)))
        for place_in_line in self._line.flip:
            data, spans = self._flip(place_in_line, data, spans, now)
        bits = self._odds.bits
        if bits is not None and not bits.passes(len(data), fate.bits):
            data, bent = self._bit_errors(place, fate, data, bits)
            spans += [FaultSpan(self._note(FaultKind.BER, now), at, at + 1) for at in bent]
        if self._stretches is not None:
            data, hit = self._bursts(place, data, self._stretches, start)
            spans += [FaultSpan(self._note(FaultKind.BURST, now), *each) for each in hit]
        if fate.garbage < self._odds.garbage:
            garbage = self._garbage(place)
            size = len(garbage)
            data = garbage + data
            spans = [each._replace(start=each.start + size, end=each.end + size) for each in spans]
            spans.append(FaultSpan(self._note(FaultKind.GARBAGE, now), 0, size))
        return data, tuple(spans)

    def _flip(
        self, bit: BitPlace, data: bytes, spans: list[FaultSpan], now: int
    ) -> tuple[bytes, list[FaultSpan]]:
        """Flip a bit on purpose, if it is one of this chunk."""
        if bit.frame != self._channel.chunks or bit.byte > len(data):
            return data, spans
        at, damaged = bit.byte - 1, bytearray(data)
        damaged[at] ^= 1 << bit.bit
        return bytes(damaged), [*spans, FaultSpan(self._note(FaultKind.FLIP, now), at, at + 1)]

    def _bit_errors(
        self, place: Place, fate: Fate, data: bytes, bits: Gaps
    ) -> tuple[bytes, list[int]]:
        """Flip single bits; what has become of the bytes, and where.  A byte is damaged once at
        most.

        One word finds the first byte that is damaged; then each has words of its own, for which of
        its bits it is and for where the next one is.
        """
        places: list[int] = []
        bent, at = bytearray(data), bits.gap(fate.bits)
        while at < len(data):
            bit, gap, *_ = self._channel.fates.words(place, Stage.BITS, len(places))
            bent[at] ^= 1 << below(8, bit)
            places.append(at)
            at += 1 + bits.gap(gap)
        return bytes(bent), places

    def _bursts(
        self, place: Place, data: bytes, line: BadStretches, start: int
    ) -> tuple[bytes, list[tuple[int, int]]]:
        """Bend bytes while the line is bad; where: from the first to the last of each stretch."""
        slot = start * (self._line.baud or _USUAL_BAUD) // (_BITS_A_BYTE * 1_000_000)
        bent, found = bytearray(data), list[tuple[int, int]]()
        for first, end in stretches([line.bad(slot + at) for at in range(len(data))]):
            hit = []
            for at in range(first, end):
                word, other, *_ = self._channel.fates.words(place, Stage.BURST, at)
                if word < line.hits:
                    bent[at] ^= 1 + below(255, other)
                    hit.append(at)
            found += [(hit[0], hit[-1] + 1)] if hit else []
        return bytes(bent), found

    def _garbage(self, place: Place) -> bytes:
        drawn = self._channel.fates.block(place, Stage.GARBAGE, 0)
        return drawn[1 : 2 + drawn[0] % _MOST_GARBAGE]

    def _note(self, kind: FaultKind, now: int) -> Fault:
        fault = Fault(kind, self._from_programmer, now)
        self._channel.faults.append(fault)
        return fault
