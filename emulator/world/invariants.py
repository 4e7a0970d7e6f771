"""Invariants: what must be so in every run, whatever is done to the line and to the pump.

Each is a name, a sentence and a check that yields what is wrong.  They look at the truth (the pump
and its memory), at the belief (the programmer), and at what the programmer has said on the line;
nothing that somebody else has put there counts as asked for.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mockpump.emulator.memory.interface import LOG_ENTRIES
from mockpump.emulator.pump.limits import most_in_24_hours
from mockpump.emulator.pump.strangers import MOST_BETWEEN, is_strangers
from mockpump.emulator.world.world import World
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.catalogue import Message
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.framing import MAX_ENCODED, Frame, FrameDecoder, Kind
from mockpump.protocol.log import chain
from mockpump.protocol.markdown import code, table
from mockpump.protocol.messages import MAX_IMAGE, LogKind
from mockpump.protocol.session import look_into

# The requests of which each leaves one entry when it is carried out.
_LEAVES: dict[type[Message], LogKind] = {
    m.SetClock: LogKind.CLOCK_SET,
    m.Suspend: LogKind.SUSPENDED,
    m.Resume: LogKind.RESUMED,
    m.StartBolus: LogKind.BOLUS_STARTED,
    m.SetTemporary: LogKind.TEMPORARY_STARTED,
    m.Refill: LogKind.REFILLED,
    m.MoveRamp: LogKind.RAMP_MOVED,
    m.SetLimits: LogKind.LIMITS_SET,
    m.AcknowledgeAlarm: LogKind.ALARM_ACKNOWLEDGED,
}


class Watched:
    """A world, and what its programmer has asked for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: dict[int, Message] = {}
        self.digests = {world.pump.digest}
        self._decoder = FrameDecoder()
        world.ears.append(self._hear)

    def _hear(self, from_programmer: bool, data: bytes) -> None:
        if not from_programmer:
            return
        for found in self._decoder.receive_data(data):
            if isinstance(found, Frame) and found.kind is Kind.DATA:
                self._take(m.decode(look_into(found.payload)[1]))

    def _take(self, said: Message) -> None:
        transaction = getattr(said, "transaction", None)
        if transaction is not None:
            self.asked[transaction] = said
        if isinstance(said, m.BeginProgram):
            self.digests.add(said.digest)

    def broken(self) -> Iterator[str]:
        """What is not as it must be: the name of the invariant, and the figures."""
        for invariant in INVARIANTS:
            for fault in invariant.check(self):
                yield f"{invariant.name}: {fault}"


class Invariant(NamedTuple):
    """One of them."""

    name: str
    sentence: str
    check: Callable[[Watched], Iterator[str]]


def _entries(watched: Watched) -> Counter[LogKind]:
    page = watched.world.pump.memory.log(1, LOG_ENTRIES)
    return Counter(LogKind(each.kind) for each in page.entries)


def _exactly_once(watched: Watched) -> Iterator[str]:
    asked = Counter(_LEAVES.get(type(each)) for each in watched.asked.values())
    done = _entries(watched)
    for kind in _LEAVES.values():
        if done[kind] > asked[kind]:
            yield f"{kind.name.lower()} {done[kind]} times, asked for {asked[kind]} times"


def _authorised(watched: Watched) -> Iterator[str]:
    memory = watched.world.pump.memory
    for transaction, request in watched.asked.items():
        outcome = memory.outcome(transaction)
        if outcome is not None and outcome.request != m.encode(request):
            yield f"transaction {transaction} is not what was asked"


def _conserved(watched: Watched) -> Iterator[str]:
    pump = watched.world.pump
    d = pump.delivery
    if d.filling.volume != d.reservoir + d.delivered - d.filling.delivered:
        yield f"{d.filling.volume} nL filled in, {d.reservoir} nL left, {d.delivered} nL moved"
    if d.reservoir < 0 or pump.catheter.arrived(d.due) > d.due:
        yield f"{d.reservoir} nL left, {pump.catheter.arrived(d.due)} of {d.due} units arrived"


def _limited(watched: Watched) -> Iterator[str]:
    d = watched.world.pump.delivery
    if d.last_day > most_in_24_hours(d.limits):
        yield f"{d.last_day} units within 24 h, at most {most_in_24_hours(d.limits)}"
    if d.rate > d.limits.rate:
        yield f"{d.rate} nL/h, at most {d.limits.rate}"


def _atomic(watched: Watched) -> Iterator[str]:
    image = watched.world.pump.image
    try:
        programs.from_image(image)
    except (DecodeError, programs.ProgramError) as error:
        yield f"the active image is no program: {error}"
    if programs.digest(image) not in watched.digests:
        yield "the active program is none that was ever sent"


def _chained(watched: Watched) -> Iterator[str]:
    page = watched.world.pump.memory.log(1, LOG_ENTRIES)
    if chain(page.before, page.entries) != page.newest_chain:
        yield "the chain does not fit the log"


def _unwashed(watched: Watched) -> Iterator[str]:
    run = 0
    for each in watched.world.pump.memory.log(1, LOG_ENTRIES).entries:
        run = run + 1 if is_strangers(each.kind, each.first) else 0
        if run > MOST_BETWEEN:
            yield f"{run} entries of strangers in a row, at most {MOST_BETWEEN}"


def _believed(watched: Watched) -> Iterator[str]:
    belief, pump = watched.world.programmer.belief, watched.world.pump
    if (belief.delivered or 0) > pump.delivery.delivered:
        yield f"{belief.delivered} nL believed, {pump.delivery.delivered} nL moved"
    if belief.program is not None and belief.program not in watched.digests:
        yield "a program is believed active that was never sent"


def _bounded(watched: Watched) -> Iterator[str]:
    port = watched.world.port
    for connection in (port.connection, watched.world.programmer.connection):
        held = len(connection._decoder._partial)
        waiting = connection.link.unacknowledged
        settings = connection.link.settings
        if held > MAX_ENCODED or waiting > settings.backlog + settings.window:
            yield f"{held} bytes of a frame, {waiting} payloads"
    if len(port.caller.staging.data) > MAX_IMAGE:
        yield f"{len(port.caller.staging.data)} bytes staged"


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("exactly-once", "what was asked for once is done at most once", _exactly_once),
    Invariant("authorised", "nothing is done that the clinician did not ask for", _authorised),
    Invariant("conserved", "fluid is neither made nor lost", _conserved),
    Invariant("limits", "no limit is ever exceeded", _limited),
    Invariant("atomic", "the active program is wholly one that was sent", _atomic),
    Invariant("chain", "the log fits its own chain", _chained),
    Invariant("log", "strangers do not push out of the log what was done", _unwashed),
    Invariant("belief", "the programmer believes no more than it was told", _believed),
    Invariant("bounded", "no buffer grows beyond its bound", _bounded),
)
SETTLES = "settles"
# Every name with its sentence; the last is asked once, when a run is over.
SENTENCES = {
    **{each.name: each.sentence for each in INVARIANTS},
    SETTLES: "when the line is good again, what is under way comes to its end",
}
_PATIENCE = 60_000_000


def unsettled(world: World) -> Iterator[str]:
    """With a line that is good again, what is under way comes to its end: else, what does not."""
    world.channel.mend()
    world.wait(_PATIENCE)
    connection = world.programmer.connection
    if connection.is_open and connection.link.unacknowledged:
        yield f"{SETTLES}: {connection.link.unacknowledged} payloads are still not acknowledged"
    if world.channel.next_deadline() is not None and not connection.is_open:
        yield f"{SETTLES}: there are bytes on the line, and nobody is connected"


def table_of_invariants() -> str:
    """All of them, for the documents."""
    rows = [(code(name), sentence) for name, sentence in SENTENCES.items()]
    return table(["invariant", "what must be so"], rows)


BLOCKS: dict[str, Callable[[], str]] = {"invariants": table_of_invariants}
