"""Two ends on one line, in virtual time.

The idea: a heap holds what is under way, and time jumps to whatever comes next: an arrival or a
deadline.  Nothing sleeps, and there is no clock.  Two `Link`s exchange frames, two `Connection`s
bytes.  What the line does to each frame stands in a drawn plan of `FrameFate`s; a frame that the
plan does not reach arrives whole, so that a line is good again when its plan is used up.

Each time a deadline comes it is also checked for honesty: when an end has done what was due and has
handed over its frames, its next deadline lies ahead, or it would keep its caller busy for ever.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, cycle, repeat
from typing import Any, NamedTuple

from cobs import cobs

from mockpump.emulator.drive import earliest
from mockpump.emulator.simulation.pair_trace import PairTrace
from mockpump.emulator.trace.format import Ends
from mockpump.emulator.trace.reading import Undecoded
from mockpump.protocol.connection import Connection
from mockpump.protocol.errors import InternalError, LocalProtocolError
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.link.link import Link
from mockpump.protocol.link.states import State
from mockpump.protocol.link.types import (
    CloseReason,
    LinkClosed,
    LinkSettings,
    PayloadReceived,
    Role,
)

SECOND = 1_000_000
_LATENCY = 5_000


class FrameFate(NamedTuple):
    """What happens to a frame: it arrives once for each delay, with these bits of it flipped.

    Delays are in microseconds, beyond what the line takes anyway; none: the frame is lost.
    """

    delays: tuple[int, ...] = (0,)
    flipped: tuple[int, ...] = ()


GOOD = FrameFate()


class _FrameEnd:
    """A `Link` as an end of a line: what travels is frames."""

    def __init__(self, link: Link) -> None:
        self.it = link

    def pieces(self, now: int) -> Sequence[Frame]:
        return self.it.frames_to_send(now)

    def damaged(self, frame: Frame, bits: Iterable[int]) -> Frame | None:
        return None  # The checksum would have caught it.

    def receive(self, frame: Frame, now: int) -> None:
        self.it.receive_frame(frame, now)


class _ByteEnd:
    """A `Connection` as an end of a line: what travels is the bytes of one frame at a time."""

    def __init__(self, connection: Connection, chunking: Sequence[int]) -> None:
        self.it = connection
        self._sizes = cycle(chunking) if chunking else repeat(1 << 20)

    def pieces(self, now: int) -> Sequence[bytes]:
        return [piece for piece in self.it.data_to_send(now).split(b"\x00") if piece]

    def damaged(self, piece: bytes, bits: Iterable[int]) -> bytes | None:
        body = bytearray(cobs.decode(piece))
        for bit in bits:
            body[bit // 8] ^= 1 << bit % 8
        encoded: bytes = cobs.encode(bytes(body))
        return encoded

    def receive(self, piece: bytes, now: int) -> None:
        data = b"\x00" + piece + b"\x00"
        while data:
            size = next(self._sizes)
            self.it.receive_data(data[:size], now)
            data = data[size:]


class _UnderWay(NamedTuple):
    """What is on the line, as it will arrive and as it was sent; `chunk` is its number there."""

    to: int
    piece: Any
    sent: Any = None
    chunk: int = 0


class LinkPair:
    """Two ends and the line between them; end 0 initiates, end 1 accepts.

    `events` holds what each end has reported, `frames` what each has sent as (time, frame).
    `watch(side, event)` is called as an event is reported.  What a `traced` pair does is kept, to
    be looked at (`mockpump.view`).
    """

    def __init__(
        self,
        plan: Iterable[FrameFate] = (),
        *,
        make: type[Link] | type[Connection] = Link,
        settings: LinkSettings | tuple[LinkSettings, LinkSettings] | None = None,
        chunking: Sequence[int] = (),
        latency: int = _LATENCY,
        traced: bool = False,
    ) -> None:
        self.now = 0
        self.latency = latency
        self.plan: Iterator[FrameFate] = iter(plan)
        self.watch: Callable[[int, Any], None] = lambda side, event: None
        self.events: tuple[list[Any], list[Any]] = ([], [])
        self.frames: tuple[list[tuple[int, Frame]], list[tuple[int, Frame]]] = ([], [])
        self._make, self._chunking = make, chunking
        self._settings = settings if isinstance(settings, tuple) else (settings, settings)
        self._on_line: list[tuple[int, int, _UnderWay]] = []
        self._order = 0
        self._ends = [self._end(0), self._end(1)]
        settings_of = [link.settings for link in self.links]
        self._trace = PairTrace(Ends(*settings_of)) if traced else None

    def _end(self, side: int) -> Any:
        role = (Role.INITIATOR, Role.ACCEPTOR)[side]
        it = self._make(role, self._settings[side])
        return _FrameEnd(it) if isinstance(it, Link) else _ByteEnd(it, self._chunking)

    @property
    def ends(self) -> tuple[Any, Any]:
        """The two links or connections."""
        return self._ends[0].it, self._ends[1].it

    @property
    def links(self) -> tuple[Link, Link]:
        """The two links, wherever they are."""
        left, right = self.ends
        return (left, right) if isinstance(left, Link) else (left.link, right.link)

    def recording(self, title: str = "") -> Undecoded:
        """What has happened so far; `LocalProtocolError` unless the pair is `traced`."""
        if self._trace is None:
            raise LocalProtocolError("nothing was recorded: make it with traced=True")
        return self._trace.recording(title)

    def reboot(self, side: int) -> None:
        """An end forgets everything."""
        self._ends[side] = self._end(side)

    def spoil(self, plan: Iterable[FrameFate]) -> None:
        """Plan what happens to the next frames, behind what is planned already."""
        self.plan = chain(self.plan, plan)

    def heal(self) -> None:
        """The line is good from now on."""
        self.plan = iter(())

    def open(self, connection: int = 7) -> "LinkPair":
        """Open a connection over a good line, whatever the plan; it begins to hold afterwards."""
        plan, self.plan = self.plan, iter(())
        self.ends[0].open(connection, self.now)
        self.run(2 * self.latency)
        self.plan = plan
        return self

    def flush(self) -> None:
        """Put what the ends have to say on the line, and take note of what they report."""
        for side, end in enumerate(self._ends):
            for piece in end.pieces(self.now):
                self._put(side, piece)
            while (event := end.it.next_event()) is not None:
                self.events[side].append(event)
                self.watch(side, event)
        if self._trace is not None:
            left, right = self.links
            self._trace.waiting(self.now, (left.waiting, right.waiting))

    def put(self, to: int, piece: Any, delay: int = 0) -> None:
        """Have a frame (for a link) or the bytes of one (for a connection) arrive at an end."""
        self._put_on_line(_UnderWay(to, piece), delay)

    def _put_on_line(self, under_way: "_UnderWay", delay: int) -> None:
        self._order += 1
        heapq.heappush(self._on_line, (self.now + self.latency + delay, self._order, under_way))

    def _put(self, side: int, piece: Any) -> None:
        self.frames[side].append((self.now, _frame(piece)))
        fate = next(self.plan, GOOD)
        arrives = self._ends[side].damaged(piece, fate.flipped) if fate.flipped else piece
        delays = fate.delays if arrives is not None else ()
        chunk = 0
        if self._trace is not None:
            chunk = self._trace.sent(self.now, side, _on_the_line(piece), lost=not delays)
        for delay in delays:
            self._put_on_line(_UnderWay(1 - side, arrives, piece, chunk), delay)

    def _next(self) -> int | None:
        arrival = self._on_line[0][0] if self._on_line else None
        return earliest(arrival, *(end.it.next_deadline() for end in self._ends))

    def run(self, span: int) -> "LinkPair":
        """Let this many microseconds pass."""
        return self.run_until(lambda: False, span)

    def run_until(self, done: Callable[[], bool], span: int) -> "LinkPair":
        """Let time pass until something is the case, at most this many microseconds."""
        end = self.now + span
        self.flush()
        while not done():
            due = self._next()
            if due is None or due > end:
                self.now = end
                break
            self.now = due
            self._turn()
        return self

    def step(self, times: int) -> None:
        """Let this many more things happen."""
        self.flush()
        for _ in range(times):
            due = self._next()
            if due is None:
                break
            self.now = due
            self._turn()

    def _turn(self) -> None:
        """What is due at this moment: one arrival, or the timers."""
        if self._on_line and self._on_line[0][0] <= self.now:
            _, _, under_way = heapq.heappop(self._on_line)
            self._arrive(under_way)
            self.flush()
            return
        due = [end.it for end in self._ends if self._is_due(end.it)]
        for it in due:
            it.handle_timer(self.now)
        self.flush()
        if any(map(self._is_due, due)):
            raise InternalError("due for ever: its caller would never rest")

    def _arrive(self, it: "_UnderWay") -> None:
        if self._trace is not None:
            sent, came = _on_the_line(it.sent or it.piece), _on_the_line(it.piece)
            self._trace.arrived(self.now, it.to, it.chunk, sent, came)
        self._ends[it.to].receive(it.piece, self.now)

    def _is_due(self, it: Any) -> bool:
        deadline = it.next_deadline()
        return deadline is not None and deadline <= self.now

    def of(self, side: int, *kinds: type) -> list[Any]:
        """What an end has reported of these kinds of events."""
        return [event for event in self.events[side] if isinstance(event, kinds)]

    def payloads(self, side: int) -> list[bytes]:
        """What a link has delivered."""
        return [event.payload for event in self.of(side, PayloadReceived)]

    def closed(self, side: int) -> list[CloseReason]:
        """Why connections have ended on a side."""
        return [event.reason for event in self.of(side, LinkClosed)]

    def kinds(self, side: int) -> list[Kind]:
        """The frames that a side has sent."""
        return [frame.kind for _, frame in self.frames[side]]

    @property
    def states(self) -> list[State]:
        """Where both links stand."""
        return [link.state for link in self.links]

    @property
    def still(self) -> bool:
        """Whether both sides know that all they have sent was delivered."""
        return all(link.unacknowledged == 0 for link in self.links)


def _on_the_line(piece: Any) -> bytes:
    return encode_frame(piece) if isinstance(piece, Frame) else b"\x00" + piece + b"\x00"


def _frame(piece: Any) -> Frame:
    if isinstance(piece, Frame):
        return piece
    (found,) = FrameDecoder().receive_data(b"\x00" + piece + b"\x00")
    if not isinstance(found, Frame):
        raise InternalError("a link has sent what is not a frame")
    return found
