"""Invariants: what must be so in every run, whatever is done to the line and to the pump.

Each is a name, a sentence and a check that yields what is wrong.  They look at the truth (the pump
and its memory), at the belief (the programmer), and at what the programmer has said on the line;
nothing that somebody else has put there counts as asked for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from mockpump.emulator.channel.channel import MOST_UNDER_WAY, duration
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.pump.faults import CLOCK_JUMP
from mockpump.emulator.pump.limits import most_in_24_hours
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.strangers import MOST_BETWEEN, is_strangers
from mockpump.emulator.schedule import CLOCK_CYCLE, DAY
from mockpump.emulator.simulation.errors import ExpectationFailed
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.emulator.simulation.runner import ScenarioRunner
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.framing import MAX_ENCODED, Frame, FrameDecoder, Kind
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.log import LOG_ENTRIES, LogEntry, chain
from mockpump.protocol.messages import MAX_IMAGE, LogKind
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import UNITS_PER_NL
from mockpump.protocol.session import split_seal

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
        # The most that the pump has ever said that it had moved, in nL.
        self.told = 0
        self._decoders = {True: FrameDecoder(), False: FrameDecoder()}
        world.taps.append(self._hear)

    def _hear(self, from_programmer: bool, data: bytes) -> None:
        take = self._take_asked if from_programmer else self._take_told
        for found in self._decoders[from_programmer].receive_data(data):
            if isinstance(found, Frame) and found.kind is Kind.DATA:
                take(m.decode(split_seal(found.payload)[1]))

    def _take_told(self, said: Message) -> None:
        if isinstance(said, m.Status | m.Telemetry):
            self.told = max(self.told, said.delivered)

    def _take_asked(self, said: Message) -> None:
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


def _exactly_once(watched: Watched) -> Iterator[str]:
    asked = Counter(_LEAVES.get(type(each)) for each in watched.asked.values())
    entries = watched.world.pump.memory.log(1, LOG_ENTRIES).entries
    clocks = {each.clock for each in watched.asked.values() if isinstance(each, m.SetClock)}
    done = Counter(LogKind(each.kind) for each in entries if not _jumped(each, clocks))
    for kind in _LEAVES.values():
        if done[kind] > asked[kind]:
            yield f"{kind.name.lower()} {done[kind]} times, asked for {asked[kind]} times"


def _jumped(entry: LogEntry, asked: set[int]) -> bool:
    """Whether an entry is of a clock that jumped by itself, a fault, and not one that was set."""
    jumps = entry.second == (entry.first + CLOCK_JUMP) % CLOCK_CYCLE
    return entry.kind is LogKind.CLOCK_SET and jumps and entry.second not in asked


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
    pump = watched.world.pump
    d, most = pump.delivery, most_in_24_hours(pump.delivery.limits)
    # The pump counts what it may have moved before a power cut; only what it has is too much.
    if d.last_day > most and (given := d.last_day - _feared(pump)) > most:
        yield f"{given} units within 24 h, at most {most}"
    if d.rate > d.limits.rate:
        yield f"{d.rate} nL/h, at most {d.limits.rate}"


def _feared(pump: Pump) -> int:
    """What it has counted in the last 24 h because nobody knows, in units: its log says so."""
    page = pump.memory.log(1, LOG_ENTRIES)
    restarts = [each for each in page.entries if each.kind is LogKind.RESTARTED]
    recent = [each for each in restarts if each.elapsed > pump.elapsed - DAY]
    if page.first > 1 and page.entries[0].elapsed > pump.elapsed - DAY:
        # Entries of the last 24 h are folded away: it may have been anything.
        return pump.delivery.last_day
    return sum(each.second for each in recent) * UNITS_PER_NL


def _atomic(watched: Watched) -> Iterator[str]:
    image = watched.world.pump.image
    if not image:
        # A pump that never had a program.
        return
    try:
        programs.from_image(image)
    except (DecodeError, programs.ProgramError) as error:
        yield f"the active image is not a program: {error}"
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
    belief = watched.world.programmer.belief
    # After a power cut the pump itself knows of less than it had moved, and told.
    if (belief.delivered or 0) > watched.told:
        yield f"{belief.delivered} nL believed, {watched.told} nL told"
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
    if len(port.peer.staging.data) > MAX_IMAGE:
        yield f"{len(port.peer.staging.data)} bytes staged"


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("exactly-once", "what was asked for once is done at most once", _exactly_once),
    Invariant("authorised", "nothing is done that the clinician did not ask for", _authorised),
    Invariant("conserved", "fluid is neither made nor lost", _conserved),
    Invariant("limits", "no limit is exceeded by what was really given", _limited),
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
    slow = world.channel.impairments
    world.channel.heal()
    world.wait(_PATIENCE)
    end = world.now + _more_patience(slow, world.programmer.connection.link.settings)
    while world.now < end and not _settled(world):
        world.wait(min(_PATIENCE, end - world.now))
    connection = world.programmer.connection
    if connection.is_open and connection.link.unacknowledged:
        yield f"{SETTLES}: {connection.link.unacknowledged} payloads are still not acknowledged"
    if world.channel.next_deadline() is not None and not connection.is_open:
        yield f"{SETTLES}: there are bytes on the line, and nobody is connected"


def _settled(world: World) -> bool:
    connection = world.programmer.connection
    if connection.is_open:
        return not connection.link.unacknowledged
    return world.channel.next_deadline() is None


def _more_patience(line: Impairments, settings: LinkSettings) -> int:
    """How long a line may take that is good and slow, in microseconds.

    A window of the longest frames goes to and fro as often as a link tries; and what is on the line
    when nobody is connected any more must come off it.
    """
    frame = duration(MAX_ENCODED, line.baud) + line.delay + line.jitter
    rounds = settings.tries * (settings.window + 1)
    return 2 * rounds * frame + duration(MOST_UNDER_WAY, line.baud)


class InvariantBroken(ExpectationFailed):
    """What must be so in every run is not: its name, and the figures."""


def checked(runner: ScenarioRunner) -> Iterator[NarrationLine]:
    """Tell a scenario; after each line of it, and when the line is good again, look at the
    invariants.

    `InvariantBroken` for the first that does not hold; whatever the telling itself fails with.
    """
    watch = Watched(runner.world)
    for told in runner.tell():
        yield told
        hold(watch.broken())
    hold(unsettled(runner.world))
    hold(watch.broken())


def hold(faults: Iterable[str]) -> None:
    """`InvariantBroken` for the first of these faults, if there is one."""
    for fault in faults:
        raise InvariantBroken(fault)
