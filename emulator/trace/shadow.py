"""Shadows: both links of a line once more, fed with what a trace says.

A link is a pure machine: the same frames at the same microseconds give the same state, and the same
frames to send.  So windows, timers and round trips need not be recorded: a shadow has them.  And it
proves the trace: whatever a shadow would send must be in it, and nothing else, at the very
microsecond.  Where that is not so the trace has a hole; from there on that side is `blind`, until
its next connection.

The order at one instant is that of every runner: what arrives, then what is due, then what goes
out.  What a payload is shows when its frame is first sent.  That it waits already, behind a full
window, matters before: where nothing waits, all that was sent later proves a loss (RFC 5827).  So a
trace says how many wait, and a shadow takes them from what is sent later.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mockpump.emulator.trace.format import (
    MAIN_LINE,
    PROGRAMMER,
    PUMP,
    RIVAL,
    SIDES,
    AnyLine,
    Ends,
    Sender,
    Sent,
)
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, RejectedFrame, encode_frame
from mockpump.protocol.link.arq import ahead
from mockpump.protocol.link.link import Link
from mockpump.protocol.link.states import State
from mockpump.protocol.link.types import (
    FrameDropped,
    LinkClosed,
    LinkEvent,
    LinkOpened,
    LinkSettings,
    LinkSnapshot,
    PayloadReceived,
    Role,
)

_ROLES: dict[Sender, Role] = {
    PROGRAMMER: Role.INITIATOR,
    RIVAL: Role.INITIATOR,
    PUMP: Role.ACCEPTOR,
}


class Verdict(NamedTuple):
    """What a receiver made of what arrived: a word of `VERDICTS`, and more of it."""

    word: str
    detail: str = ""


# What a verdict can be.
VERDICTS = {
    "rejected": "no frame: the checksum or the framing stops it",
    "dropped": "a frame of no use",
    "closed": "it ends the connection",
    "opened": "it opens the connection",
    "kept": "ahead of a gap, and kept",
    "delivered": "handed up, in order",
    "taken": "an acknowledgement",
    "heard": "by an end that was not recorded",
}


class Hole(NamedTuple):
    """Where a trace and a shadow part: the time, whose side, and what only one of them has."""

    at: int
    side: str
    missing: tuple[str, ...]


class _Payload(NamedTuple):
    """A payload that goes out for the first time."""

    connection: int
    seq: int
    data: bytes


class LinkShadow:
    """One side of one line."""

    def __init__(
        self,
        side: Sender,
        settings: LinkSettings | None,
        to_come: Iterable[_Payload] = (),
        exact: bool = True,
    ) -> None:
        self.side = side
        self.settings = settings
        self.link = Link(_ROLES[side], settings)
        # Whether it can be held against its trace, to the frame and the microsecond.
        self.exact = exact and settings is not None
        self.blind = not self.exact
        self.holes: list[Hole] = []
        self._decoder = FrameDecoder()
        # What is still to go out for the first time in each connection: number and payload.
        self._to_come = defaultdict[int, deque[tuple[int, bytes]]](deque)
        for connection, seq, payload in to_come:
            self._to_come[connection].append((seq, payload))

    def restart(self) -> None:
        """Its device has started anew."""
        self.link = Link(self.link.role, self.settings)
        self._decoder = FrameDecoder()

    def arrived(self, data: bytes, now: int) -> list[tuple[Frame | RejectedFrame, Verdict]]:
        """Bytes come in; what was in them, and what the link made of that."""
        return [(found, self._take(found, now)) for found in self._decoder.receive_data(data)]

    def _take(self, found: Frame | RejectedFrame, now: int) -> Verdict:
        if isinstance(found, RejectedFrame):
            return Verdict("rejected", found.reason.value)
        self.link.receive_frame(found, now)
        return _verdict(found, self._events())

    def _events(self) -> list[LinkEvent]:
        events = list(self.link.events)
        self.link.events.clear()
        return events

    def let_pass(self, now: int) -> Iterator[int]:
        """Everything that was due before now happens, each thing in its time, which is given.

        What it would have sent is a hole.
        """
        while (due := self.link.next_deadline()) is not None and due < now:
            self.finish(due)
            yield due

    def finish(self, now: int) -> None:
        """Nothing more goes out at this instant: what the link would send now is a hole."""
        self.link.handle_timer(now)
        self._events()
        out = self.link.frames_to_send(now)
        if out:
            self._hole(now, out)

    def sent(self, frames: list[Frame], now: int) -> None:
        """The side has sent these together; the shadow must send just these."""
        self.link.handle_timer(now)
        for frame in frames:
            self._call(frame, now)
            if frame.kind is Kind.DATA:
                self._note_gone(frame)
        self._events()
        mine = self.link.frames_to_send(now)
        if [encode_frame(each) for each in mine] != [encode_frame(each) for each in frames]:
            self._hole(now, frames)

    def _call(self, frame: Frame, now: int) -> None:
        """What the device must have asked of its link for this frame to go out."""
        link = self.link
        if frame.kind is Kind.OPEN and (
            link.state is State.IDLE or frame.connection != link.connection
        ):
            if link.state is not State.IDLE:
                link.abort(now)
                link.frames_to_send(now)
            link.open(frame.connection, now)
            self._sees_again()
        elif frame.kind is Kind.OPEN_ACK:
            self._sees_again()
        elif link.state is not State.OPEN or frame.connection != link.connection:
            return
        elif frame.kind is Kind.DATA:
            self._queue(frame, now)
        elif frame.kind is Kind.CLOSE:
            link.close(now)
        elif frame.kind is Kind.RESET:
            link.abort(now)

    def _queue(self, frame: Frame, now: int) -> None:
        """Have a payload sent, unless it went before or waits already."""
        if ahead(frame.seq, self.link.snapshot().next_seq) == self.link.waiting:
            self.link.send(frame.payload, now)

    def _note_gone(self, frame: Frame) -> None:
        """A payload is not to come any more, when it goes for the first time."""
        to_come = self._to_come[frame.connection]
        if to_come and to_come[0] == (frame.seq, frame.payload):
            to_come.popleft()

    def wait(self, payloads: int, now: int) -> None:
        """This many payloads wait now."""
        link = self.link
        mine = self._to_come[link.connection]
        for place in range(link.waiting, payloads if link.state is State.OPEN else 0):
            # One that never goes out may be any.
            link.send(mine[place][1] if place < len(mine) else b"", now)

    def _sees_again(self) -> None:
        self.blind = not self.exact

    def _hole(self, now: int, frames: list[Frame]) -> None:
        if not self.blind:
            self.holes.append(Hole(now, self.side, tuple(map(name_of, frames))))
            self.blind = True


def _payload(frame: Frame) -> _Payload:
    return _Payload(frame.connection, frame.seq, frame.payload)


def name_of(frame: Frame) -> str:
    """A frame in a word or two: its kind, and its number if it has one."""
    return f"{frame.kind.name} {frame.seq}" if frame.kind is Kind.DATA else frame.kind.name


def _verdict(frame: Frame, events: list[LinkEvent]) -> Verdict:
    for event in events:
        if isinstance(event, FrameDropped):
            return Verdict("dropped", event.reason.value)
    closed = next((each for each in events if isinstance(each, LinkClosed)), None)
    if any(isinstance(event, LinkOpened) for event in events):
        return Verdict("opened", "in place of the one before" if closed else "")
    if closed is not None:
        return Verdict("closed", closed.reason.value)
    if frame.kind is not Kind.DATA:
        return Verdict("taken")
    released = sum(isinstance(event, PayloadReceived) for event in events) - 1
    if released < 0:
        return Verdict("kept")
    return Verdict("delivered", f"with {released} kept before" if released else "")


def _payloads(recorded: Iterable[AnyLine]) -> dict[Sender, list[_Payload]]:
    """The payloads that each side has sent, as each went for the first time."""
    found: dict[Sender, list[_Payload]] = {side: [] for side in SIDES}
    seen: dict[tuple[Sender, int, int], bytes] = {}
    for line in recorded:
        if not isinstance(line, Sent) or line.line != MAIN_LINE or line.by not in found:
            continue
        for frame in frames_in(bytes.fromhex(line.bytes)):
            if frame.kind is Kind.DATA:
                key = line.by, frame.connection, frame.seq
                if seen.get(key) != frame.payload:
                    seen[key] = frame.payload
                    found[line.by].append(_payload(frame))
    return found


def frames_in(data: bytes) -> list[Frame]:
    """The whole frames in a chunk."""
    return [each for each in FrameDecoder().receive_data(data) if isinstance(each, Frame)]


class LinkState(NamedTuple):
    """Where one side's link on the main line stands from `at` on.

    `order` is the number of the line after which it stands so.  What is sent together changes it
    once, with the first; what a timer changes comes after the last line before.
    """

    at: int
    order: int
    side: Sender
    link: LinkSnapshot
    blind: bool


class Shadow:
    """Both sides of the main line, and of each line beside it.

    `states` is where the links of the main line stand, whenever that has changed.
    """

    def __init__(self, ends: Ends, recorded: Iterable[AnyLine] = (), *, exact: bool = True) -> None:
        to_come = _payloads(recorded)
        self._sides: dict[tuple[int, Sender], LinkShadow] = {
            (MAIN_LINE, PROGRAMMER): LinkShadow(
                PROGRAMMER, ends.programmer, to_come[PROGRAMMER], exact
            ),
            (MAIN_LINE, PUMP): LinkShadow(PUMP, ends.pump, to_come[PUMP], exact),
        }
        self.states: list[LinkState] = []
        self._main: list[LinkShadow] = list(self._sides.values())
        self._last: dict[LinkShadow, tuple[LinkSnapshot, bool]] = {}
        # The time, and the number of the last line that has changed anything.
        self._now = self._order = 0
        # What a side has given to its line at this instant, not yet looked at.
        self._going_out: tuple[LinkShadow, list[Frame]] | None = None
        for each in self._main:
            self._look(each)

    @property
    def holes(self) -> list[Hole]:
        """Where the trace is not what the links would have done, in order of time."""
        return sorted(hole for side in self._sides.values() for hole in side.holes)

    def before(self, side: Sender) -> LinkSnapshot | None:
        """Where a side's link on the main line stands, as far as the lines were taken."""
        link, blind = self._last[self._sides[MAIN_LINE, side]]
        return None if blind else link

    def sent(self, line: int, by: Sender, frames: list[Frame], now: int, order: int) -> None:
        """A side has given frames to a line; `order` is the number of the line that says so."""
        side = self._side(line, by)
        self._until(now)
        if side is None:
            return
        if self._going_out is None or self._going_out[0] is not side:
            self._take(order)
            self._going_out = side, []
        self._going_out[1].extend(frames)

    def arrived(
        self, line: int, to: Sender, data: bytes, now: int, order: int
    ) -> list[tuple[Frame | RejectedFrame, Verdict]]:
        """Bytes have come to a side; what was in them, and what happened to each."""
        self._until(now)
        self._take(order)
        side = self._side(line, to)
        if side is None:
            return [(found, Verdict("heard")) for found in FrameDecoder().receive_data(data)]
        taken = side.arrived(data, now)
        self._look(side)
        return taken

    def waiting(self, by: Sender, payloads: int, now: int, order: int) -> None:
        """This many payloads of a side wait behind its window."""
        self._until(now)
        self._take(order)
        self._sides[MAIN_LINE, by].wait(payloads, now)

    def restarted(self, now: int, order: int) -> None:
        """The pump has started anew."""
        self._until(now)
        self._take(order)
        pump = self._sides[MAIN_LINE, PUMP]
        pump.restart()
        self._look(pump)

    def finish(self, now: int) -> None:
        """The trace has ended at this moment; what this instant was still to bring is not in it."""
        self._until(now)
        self._flush()
        self.states.sort(key=lambda state: (state.at, state.order))

    def _side(self, line: int, side: Sender) -> LinkShadow | None:
        if side not in _ROLES:
            return None
        if (line, side) not in self._sides:
            # Whoever calls there has what links have if nobody says otherwise.
            self._sides[line, side] = LinkShadow(side, LinkSettings())
        return self._sides[line, side]

    def _until(self, now: int) -> None:
        """Time goes on; on a line beside the main one nothing happens by itself."""
        was = self._now
        if now <= was:
            return
        self._flush()
        for side in self._main:
            if not side.blind:
                side.finish(was)
                self._look(side)
                for due in side.let_pass(now):
                    self._now = due
                    self._look(side)
                self._now = was
        self._now = now

    def _take(self, order: int) -> None:
        """A line that may change something is next: what went out before it has gone."""
        self._flush()
        self._order = order

    def _flush(self) -> None:
        if self._going_out is not None:
            side, frames = self._going_out
            self._going_out = None
            side.sent(frames, self._now)
            self._look(side)

    def _look(self, side: LinkShadow) -> None:
        """Note where a side stands, when something may have changed that."""
        if side not in self._main:
            return
        now = side.link.snapshot(), side.blind
        if now != self._last.get(side):
            self._last[side] = now
            self.states.append(LinkState(self._now, self._order, side.side, *now))
