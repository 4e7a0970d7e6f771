"""A world in virtual time: a pump, a programmer and the channel between them.

No thread and no sleep: time jumps from event to event.  The same seed gives the same bytes, because
nothing else is random or tells the time.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

from mockpump.emulator.channel.attribution import FaultAttribution
from mockpump.emulator.channel.channel import Arrival, Channel, Fault, FaultKind, frames_of
from mockpump.emulator.channel.fate import Stream
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.drive import Driven, drive, earliest, turn
from mockpump.emulator.programmer.client import PumpClient
from mockpump.emulator.programmer.handshake import FindKey, meet_pump, open_session
from mockpump.emulator.programmer.known_pump import KnownPump
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.programmer.programmer import (
    Connected,
    Disconnected,
    Opening,
    Programmer,
    ProgrammerEvent,
    TelemetryReceived,
    result_of,
)
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.pairing import Draw, keys_of
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.time_scale import MAX_SPEED, TimeScale
from mockpump.emulator.trace.format import (
    MAIN_LINE,
    PROGRAMMER,
    PUMP,
    SOMEBODY,
    Ends,
    Sender,
    head_of,
)
from mockpump.emulator.trace.reading import Undecoded
from mockpump.emulator.trace.writer import TraceWriter
from mockpump.protocol import messages as m
from mockpump.protocol.errors import InternalError, LocalProtocolError, MockpumpError
from mockpump.protocol.link.types import LinkSettings

ATTACKER = "attacker"


# Each kind of thing of each side has a stream of its own under the world's seed, and each draw is a
# function of the seed, the stream and its number.  So a call more by one side, or a guess more by
# an attacker, gives nobody else another number.
class Draws:
    """Everything that is drawn under one seed.  `who` is one of the sides above."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, Stream] = {}

    def connection(self, who: str) -> int:
        """The id of a side's next connection."""
        return int.from_bytes(self._next(who, "connection", 2))

    def transaction(self, who: str) -> int:
        """The number of a side's next change."""
        return int.from_bytes(self._next(who, "transaction", 4))

    def nonce(self, who: str) -> bytes:
        """A side's next nonce."""
        return self._next(who, "nonce", m.NONCE_SIZE)

    def source(self, who: str, what: str) -> Draw:
        """Where a side has anything else from: called with a size, it gives this many bytes."""
        return lambda size: self._next(who, what, size)

    def _next(self, who: str, what: str, size: int) -> bytes:
        name = f"{who}/{what}"
        if name not in self._streams:
            self._streams[name] = Stream(self._seed, name)
        return self._streams[name].randbytes(size)


T = TypeVar("T")

# How long a byte is under way on a line of which nothing was said, in microseconds.
_LATENCY = 1_000


def _name(procedure: Procedure[Any]) -> str:
    """What a procedure is called: a generator has the name of its function."""
    return str(getattr(procedure, "__name__", "procedure"))


class World:
    """Two devices and the line between them.  `now` is line time in microseconds.

    To its programmer it is the line (`mockpump.emulator.drive`), with a pump at its other end.

    `tap`, when given, sees every chunk as it is sent: the time, whether the programmer sent it,
    and the bytes.  What a `traced` world does is kept, to be looked at (`mockpump.view`).
    """

    def __init__(
        self,
        pump: Pump | None = None,
        *,
        seed: int = 0,
        speed: int | None = 1,
        channel: Channel | None = None,
        settings: LinkSettings | None = None,
        tap: Callable[[int, bool, bytes], None] | None = None,
        traced: bool = False,
    ) -> None:
        self.now = 0
        self.draws = Draws(seed)
        nonces = self.draws.source(PUMP, "nonce")
        self.server = PumpServer(pump or new_pump(), TimeScale(speed), nonces)
        self.port = self.server.attach(settings)
        self.programmer = Programmer(settings)
        self.telemetry: list[m.Telemetry] = []
        self.channel = channel or Channel(Impairments(delay=_LATENCY), seed)
        self.attribution = FaultAttribution()
        # On a line on which nothing goes wrong there is nothing to find out.
        self._watched = not self.channel.impairments.is_clean
        self._tap = tap
        # What writes down all that happens; None: nobody wants to know.
        self.trace: TraceWriter | None = None
        self._second_lines = 0
        # Whoever listens on the line: whether the programmer said it, and the bytes.
        self.taps: list[Callable[[bool, bytes], None]] = []
        # Whether what the pump sends is lost.
        self.drop_replies = False
        self._ends = Ends(
            self.programmer.connection.link.settings, self.port.connection.link.settings
        )
        self._lines: list[str] | None = [] if traced else None
        if self._lines is not None:
            self.record(TraceWriter(self._lines.append))

    @property
    def pump(self) -> Pump:
        """The pump: its truth, beside the programmer's belief."""
        return self.server.pump

    def connect(self, access: m.Access = m.Access.CLINICIAN) -> PumpClient:
        """Call the pump, in a session with its own key for that access if it has keys.

        `ConnectionLost` when nobody answers, `SessionRefused` while pairing is locked, `NotPaired`
        when the pump has no such key.
        """
        pairing = self.pump.pairing
        key = keys_of(pairing).get(access)
        try:
            terms = self.call(None if pairing.is_open else lambda _: key)
        except MockpumpError:
            self.hang_up()
            raise
        transaction = partial(self.draws.transaction, PROGRAMMER)
        return PumpClient(self.run, transaction, self.disconnect, terms)

    def call(
        self,
        find_key: FindKey | None = None,
        known: KnownPump | None = None,
        who: str = PROGRAMMER,
    ) -> Connected:
        """Call the pump, and open a session if there is a key to find.  `who` draws what it takes.

        With `known` no other pump will do, and who this one is is asked in any case.
        `ConnectionLost` when nobody answers; whatever `open_session` or `meet_pump` fails with.
        """
        opening: Opening | None = None
        if find_key is not None:
            opening = open_session(find_key, self.draws.nonce(who), known)
        elif known is not None:
            opening = meet_pump(known)
        with self.doing("call", who):
            self.programmer.connect(self.draws.connection(who), self.now, opening)
            terms: Connected = self._until_end()
        return terms

    def run(self, procedure: Procedure[T]) -> T:
        """Run a procedure to its end and return its result; raises what it fails with."""
        with self.doing("procedure", _name(procedure)):
            self.programmer.start(procedure, self.now)
            result: T = self._until_end()
        return result

    def hang_up(self) -> None:
        """End the connection at once, if there is one, and forget what it had to say."""
        if self.programmer.connection.is_open:
            self.programmer.connection.abort(self.now)
            self.programmer.handle_timer(self.now)
        self._take_events()

    def impair(self, impairments: Impairments) -> None:
        """From now on this is wrong with the line."""
        self.channel.impairments = impairments
        self._watched = True
        if self.trace is not None:
            self.trace.channel(self.now, impairments)

    def record(self, trace: TraceWriter) -> None:
        """From now on all that happens is written down, and what is so already."""
        self.trace = trace
        trace.channel(self.now, self.channel.impairments)
        self._turned()

    def recording(self, title: str = "") -> Undecoded:
        """What has happened so far; `LocalProtocolError` unless the world is `traced`."""
        if self._lines is None:
            raise LocalProtocolError("nothing was recorded: make it with traced=True")
        return Undecoded(head_of("virtual", self._ends, title), list(self._lines))

    def doing(self, kind: str, name: str) -> AbstractContextManager[None]:
        """The programmer, or a scenario, begins something that ends with the block."""
        if self.trace is None:
            return nullcontext()
        return self.trace.doing(lambda: self.now, kind, name)

    def tell(self, kind: str, text: str) -> None:
        """Have a line of narration written down, and what the pump is at this moment."""
        if self.trace is not None:
            self._turned()
            self.trace.told(self.now, kind, text)
            self.trace.truth(self.now, self.pump, self.port.connection.is_sealed)

    def passed(self, by: Sender, to: Sender, data: bytes, line: int = MAIN_LINE) -> None:
        """Bytes have gone past the channel, in no time, on this line or on another one."""
        for chunk in frames_of(data) if data else ():
            number = self.channel.pass_by()
            if self.trace is not None:
                self.trace.passed(self.now, number, by, to, chunk, line)

    def second_line(self) -> int:
        """The number of a line of its own into the pump, beside the main one."""
        self._second_lines += 1
        return self._second_lines

    def wait(self, microseconds: int) -> None:
        """Let this much time pass on the line."""
        end = self.now + microseconds
        while self.now < end:
            self._turn(end)
            self._take_events()

    def inject(self, data: bytes) -> bytes:
        """Somebody puts bytes on the pump's end of the line, and hears what it says to that."""
        self.passed(SOMEBODY, PUMP, data)
        self.server.receive_data(self.port, data, self.now)
        self._turned()
        back = self.port.data_to_send(self.now)
        self.passed(PUMP, SOMEBODY, back)
        return back

    def disconnect(self) -> None:
        """End the connection in good order; nothing when there is none."""
        if self.programmer.connection.is_open:
            self.programmer.disconnect(self.now)
            self._until(self._is_over)

    def set_speed(self, speed: int | None, run: int | None = None) -> None:
        """Let pump time pass at another speed, at most for this many seconds."""
        self.server.set_speed(speed, self.now, run)

    def run_until(self, elapsed: int) -> None:
        """Let time pass until the pump is `elapsed` seconds old.

        `LocalProtocolError` when its pace never brings it there; at `MAX_SPEED` that is also when
        nobody is subscribed to its telemetry.
        """
        while self.pump.elapsed < elapsed:
            if not self.server.comes_to(elapsed):
                raise LocalProtocolError(f"at this pace the pump never is {elapsed} s old")
            self._turn(self.server.time_scale.due(elapsed))
            self._take_events()
        if self.trace is not None:
            self.trace.truth(self.now, self.pump, self.port.connection.is_sealed)

    def _until_end(self) -> Any:
        return result_of(self._until(self._take))

    def _until(self, wanted: Callable[[ProgrammerEvent], bool]) -> ProgrammerEvent:
        machine: Driven[ProgrammerEvent] = self.programmer
        event = drive(machine, self, wanted)
        # What came with it is seen as well.
        self._take_events()
        return event

    def _take_events(self) -> None:
        while (event := self.programmer.next_event()) is not None:
            self._take(event)

    def _is_over(self, event: ProgrammerEvent) -> bool:
        self._take(event)
        return isinstance(event, Disconnected)

    def _take(self, event: ProgrammerEvent) -> bool:
        """Take note of an event; whether what was begun has ended with it."""
        if self.trace is not None:
            self.trace.happened(self.now, event)
        if isinstance(event, TelemetryReceived):
            self.telemetry.append(event.telemetry)
            return False
        return True

    # -- one turn --------------------------------------------------------------------------------

    def _turn(self, last: int | None) -> None:
        turn(self.programmer, self, last)

    def exchange(self, data: bytes, until: int | None) -> Iterable[bytes]:
        """Be the programmer's line for a turn: jump to the next thing that happens; what came."""
        # What was done to the pump by hand since the last turn was done now.
        self._turned()
        self._ship(True, data)
        self._ship(False, self.port.data_to_send(self.now))
        self._note_waiting()
        times = until, self.port.next_deadline(), self.channel.next_deadline()
        return self._let_arrive() if self._live_alone(earliest(*times)) else ()

    def _let_arrive(self) -> Iterator[bytes]:
        """What has come by now arrives: the pump takes its bytes, the programmer's are yielded."""
        for place, arrival in enumerate(self.channel.arrivals(self.now)):
            if place:
                self._note_waiting()
            self._arrive(arrival)
            if not arrival.from_programmer:
                yield arrival.data
            self._turned()
        self.server.handle_timer(self.now)
        self._turned()

    def _live_alone(self, quiet_until: int | None) -> bool:
        """Let the pump live on as long as the line is quiet; whether that has come to an end.

        Most that happens to a pump is that it writes down how far it has come: no line has to be
        looked after for that.
        """
        pump = self.pump
        while (stop := self.server.next_stop(self.now)) is not None:
            if quiet_until is not None and quiet_until <= stop:
                break
            self.now = max(self.now, stop)
            self.server.advance(self.now)
            self._turned()
            # A line that has something to carry, or a pump that has started anew, ends the quiet.
            if self.pump is not pump or not self.server.lines_idle:
                return False
            if self.server.time_scale.speed is MAX_SPEED:
                # How far it is to leap is for whoever lets it live to say.
                return False
        if quiet_until is None:
            raise InternalError("a world in which nothing will ever happen")
        self.now = max(self.now, quiet_until)
        return True

    def _note_waiting(self) -> None:
        if self.trace is not None:
            self.trace.waiting(self.now, PROGRAMMER, self.programmer.connection.link.waiting)
            self.trace.waiting(self.now, PUMP, self.port.connection.link.waiting)

    def _turned(self) -> None:
        if self.trace is not None:
            self.trace.turned(self.now, self.programmer, self.pump, self.port)

    def _withhold(self, data: bytes) -> None:
        """What the pump sends is lost before it comes to the line, because a scenario says so."""
        self._watched = True
        for chunk in frames_of(data):
            fault = Fault(FaultKind.SCENARIO, False, self.now)
            self.attribution.sent(False, chunk, fault)
            number = self.channel.pass_by()
            if self.trace is not None:
                self.trace.sent(self.now, number, PUMP, chunk, fault)

    def _ship(self, from_programmer: bool, data: bytes) -> None:
        if not data:
            return
        if self.drop_replies and not from_programmer:
            self._withhold(data)
            return
        if self._tap is not None:
            self._tap(self.now, from_programmer, data)
        for listen in self.taps:
            listen(from_programmer, data)
        for chunk in frames_of(data):
            lost = self.channel.send(from_programmer, chunk, self.now)
            if self._watched:
                self.attribution.sent(from_programmer, chunk, lost)
            if self.trace is not None:
                by: Sender = PROGRAMMER if from_programmer else PUMP
                self.trace.sent(self.now, self.channel.chunks, by, chunk, lost)

    def _arrive(self, arrival: Arrival) -> None:
        if self._watched:
            self.attribution.arrived(arrival)
        if self.trace is not None:
            self.trace.arrived(arrival)
        if arrival.from_programmer:
            self.server.receive_data(self.port, arrival.data, arrival.at)
