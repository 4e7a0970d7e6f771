"""Two traces of one line, one recorded at each end, made one.

Each end knows when it sent and when it heard, by its own clock.  What was heard at one end is found
among what was sent at the other, in three steps:

* Bytes that were sent just once and heard just once belong together.
* These tell how far apart the clocks are.  Nothing arrives before it was sent, so each direction
  bounds the difference from one side; it is taken to be in the middle of what is left.
* Then the rest follows from time and order.  Where the same bytes went several times, the last to
  arrive is the latest that can have been there by then, and so on backwards.  What arrived with
  bytes that nobody sent is one of those that would be missing between its neighbours, the most like
  it.

What the line did is not known; only that something is missing, or that bytes are others.  So a
frame counts as lost when later ones of its direction were heard, and as damaged when other bytes
came in its place.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from mockpump.emulator.trace.format import (
    MAIN_LINE,
    PROGRAMMER,
    PUMP,
    AnyLine,
    Arrived,
    Channel,
    Ends,
    Head,
    Sender,
    Sent,
)
from mockpump.emulator.trace.reading import BadTrace, Recording


def join(one: Recording, other: Recording) -> Recording:
    """The trace of both ends; `BadTrace` when these are not two traces of one line."""
    at_programmer, at_pump = _ends(one, other)
    mine, theirs = at_programmer.lines, _on_main_line(at_pump.lines, at_programmer.lines)
    there, back = _Way(mine, theirs, PUMP), _Way(theirs, mine, PROGRAMMER)
    later = _difference(there, back)
    there.match(-later)
    back.match(later)
    begins = min(0, theirs[0].t + later)
    first = _Half(_shifted(_with_losses(mine, there), -begins), back.found)
    second = _Half(_shifted(_with_losses(theirs, back), later - begins), there.found)
    return Recording(_head(at_programmer.head, at_pump.head), list(_merged(first, second)))


def _ends(one: Recording, other: Recording) -> tuple[Recording, Recording]:
    """The one recorded at the programmer, then the one recorded at the pump."""
    by_sides = {_sides(each.head): each for each in (one, other)}
    if set(by_sides) != {(True, False), (False, True)}:
        told = " and ".join(_RECORDED_AT[_sides(each.head)] for each in (one, other))
        raise BadTrace(f"these were recorded at {told}: give one of each end")
    return by_sides[True, False], by_sides[False, True]


def _sides(head: Head) -> tuple[bool, bool]:
    return head.ends.programmer is not None, head.ends.pump is not None


_RECORDED_AT = {
    (True, False): "the programmer",
    (False, True): "the pump",
    (True, True): "both ends",
    (False, False): "no end",
}


def _head(programmer: Head, pump: Head) -> Head:
    titles = dict.fromkeys(filter(None, (programmer.title, pump.title)))
    ends = Ends(programmer.ends.programmer, pump.ends.pump)
    return msgspec.structs.replace(programmer, ends=ends, title="; ".join(titles))


def _on_main_line(pumps: list[AnyLine], programmers: list[AnyLine]) -> list[AnyLine]:
    """What the pump's end recorded, with this programmer on the main line and on no other.

    A pump counts its lines as they are taken; a programmer that calls again may have another.
    """
    known = {line.bytes for line in programmers if isinstance(line, Sent | Arrived)}
    chunks = [line for line in pumps if isinstance(line, Sent | Arrived)]
    main = {line.line for line in chunks if line.bytes in known}
    # A line of somebody else that has the number of the main one.
    other = 1 + max((line.line for line in chunks), default=MAIN_LINE)
    return [_renumbered(line, main, other) for line in pumps]


def _renumbered(line: AnyLine, main: set[int], other: int) -> AnyLine:
    if not isinstance(line, Sent | Arrived | Channel):
        return line
    if line.line in main:
        return msgspec.structs.replace(line, line=MAIN_LINE)
    return msgspec.structs.replace(line, line=line.line or other)


class _Chunk(NamedTuple):
    """A chunk in a trace: its place among the lines, when, and the bytes in hexadecimal."""

    place: int
    at: int
    bytes: str


class _Way:
    """One direction of the line.  `found` is which chunk was heard: the places of both lines."""

    def __init__(self, sender: list[AnyLine], receiver: list[AnyLine], to: Sender) -> None:
        self.sent = [
            _Chunk(place, line.t, line.bytes)
            for place, line in enumerate(sender)
            if isinstance(line, Sent) and line.line == MAIN_LINE and line.by != to
        ]
        self.came = [
            _Chunk(place, line.t, line.bytes)
            for place, line in enumerate(receiver)
            if isinstance(line, Arrived) and line.line == MAIN_LINE and line.to == to
        ]
        self.found: dict[int, _Chunk] = {}
        self._sent, self._came = _by_bytes(self.sent), _by_bytes(self.came)

    def times(self) -> list[int]:
        """How much later each of those was heard that were sent once and heard once."""
        return [
            self._came[data][0].at - sent[0].at
            for data, sent in self._sent.items()
            if len(sent) == len(self._came.get(data, ())) == 1
        ]

    def match(self, ahead: int) -> None:
        """Find what was heard; the receiver's clock is so far ahead of the sender's."""
        # Others may be shorter, and so faster than any of these: half of their least time is safe.
        least = max(0, min((time - ahead for time in self.times()), default=0)) // 2
        for data, came in self._came.items():
            self._match_same(self._sent.get(data, []), came, ahead + least)
        self._match_damaged(ahead + least)

    def _match_same(self, sent: list[_Chunk], came: list[_Chunk], least: int) -> None:
        times, behind = [each.at for each in sent], len(sent)
        for heard in reversed(came):
            possible = bisect_right(times, heard.at - least)
            if possible:
                # None that is left: then one of those has come twice.
                behind = min(possible, behind) - 1 if behind else 0
                self.found[heard.place] = sent[behind]

    def _match_damaged(self, least: int) -> None:
        heard = {each.place for each in self.found.values()}
        missing = [each for each in self.sent if each.place not in heard]
        places = [each.place for each in missing]
        nexts = self._next_found()
        before = -1
        for each in self.came:
            if each.place in self.found:
                before = self.found[each.place].place
                continue
            inside = missing[bisect_right(places, before) : bisect_right(places, nexts[each.place])]
            possible = [chunk for chunk in inside if chunk.at + least <= each.at]
            if possible:
                nearest = min(possible, key=lambda chunk: _unlikeness(chunk.bytes, each.bytes))
                self.found[each.place] = nearest
                before = nearest.place

    def _next_found(self) -> dict[int, int]:
        """Behind each that came, the place of the next that was found."""
        nexts, following = {}, self.sent[-1].place if self.sent else 0
        for each in reversed(self.came):
            nexts[each.place] = following
            if each.place in self.found:
                following = self.found[each.place].place
        return nexts

    @property
    def last_heard(self) -> int:
        """The place of the last that was sent of those that were heard."""
        return max((each.place for each in self.found.values()), default=-1)


def _by_bytes(chunks: list[_Chunk]) -> dict[str, list[_Chunk]]:
    found: dict[str, list[_Chunk]] = defaultdict(list)
    for each in chunks:
        found[each.bytes].append(each)
    return dict(found)


def _unlikeness(sent: str, came: str) -> tuple[int, int]:
    differ = sum(one != other for one, other in zip(sent, came, strict=False))
    return abs(len(sent) - len(came)), differ


def _difference(there: _Way, back: _Way) -> int:
    """How much later the pump's clock began: what is to be added to its times."""
    least = max((-time for time in there.times()), default=None)
    most = min(back.times(), default=None)
    if least is None and most is None:
        raise BadTrace("these have no frame in common: they are not of one line")
    if least is None or most is None:
        return most or least or 0
    if least > most:
        raise BadTrace("their clocks run apart: with none of them does all arrive after it is sent")
    return (least + most) // 2


def _with_losses(lines: list[AnyLine], way: _Way) -> list[AnyLine]:
    """The lines of the sender, with what was not heard marked as lost."""
    heard = {each.place for each in way.found.values()}
    lost = {each.place for each in way.sent} - heard
    return [
        msgspec.structs.replace(line, lost="loss")
        if place in lost and place < way.last_heard
        else line
        for place, line in enumerate(lines)
    ]


def _shifted(lines: list[AnyLine], later: int) -> list[AnyLine]:
    return [msgspec.structs.replace(line, t=line.t + later) for line in lines]


class _Half:
    """The lines of one end, as they are taken one by one."""

    def __init__(self, lines: list[AnyLine], found: dict[int, _Chunk]) -> None:
        self.lines, self._found = lines, found
        self.place = 0
        # The numbers of the chunks that this end has sent so far, by their places.
        self.numbers: dict[int, int] = {}

    @property
    def is_over(self) -> bool:
        """Whether none is left."""
        return self.place == len(self.lines)

    def turn(self, other: "_Half") -> tuple[int, bool]:
        """When its next line is; of two at one moment, hearing comes after sending."""
        chunk = self._found.get(self.place)
        return self.lines[self.place].t, chunk is not None and chunk.place not in other.numbers

    def take(self, other: "_Half", count: int) -> AnyLine:
        """The next line, with its chunk's number: that of the sender, or else this new one."""
        place, line = self.place, self.lines[self.place]
        self.place += 1
        number = count
        if isinstance(line, Sent):
            self.numbers[place] = count
        elif not isinstance(line, Arrived):
            return line
        elif place in self._found:
            chunk = self._found[place]
            number = other.numbers.get(chunk.place, count)
            line = msgspec.structs.replace(line, faults=_damage(chunk.bytes, line.bytes))
        return msgspec.structs.replace(line, id=number)


def _damage(sent: str, came: str) -> list[tuple[str, int, int]]:
    """From the first to the last byte that is another, where none is missing."""
    was, is_ = bytes.fromhex(sent), bytes.fromhex(came)
    if len(was) != len(is_) or was == is_:
        return []
    other = [place for place, byte in enumerate(was) if byte != is_[place]]
    return [("ber", other[0], other[-1] + 1)]


def _merged(one: _Half, other: _Half) -> Iterator[AnyLine]:
    """The lines of both in order of time, chunks numbered anew."""
    count = 1
    while not (one.is_over and other.is_over):
        is_first = other.is_over or (not one.is_over and one.turn(other) <= other.turn(one))
        line = one.take(other, count) if is_first else other.take(one, count)
        count += isinstance(line, Sent | Arrived) and line.id == count
        yield line
