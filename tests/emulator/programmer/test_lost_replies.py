"""What a command says in the end is so: in virtual time, over lines that hold bytes back.

The command's own way of asking again, with lines in memory: each call gets a line of its own, as
over TCP; at some message it loses what comes back, or holds what is sent, and goes silent or
closes; meanwhile others change the pump, it is restarted, another one takes its place, and what was
held arrives when it likes.
"""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import paired
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pump_state import Line

from mockpump.cli.programmer import recovery as programmer_recovery
from mockpump.cli.programmer.recovery import change_pump
from mockpump.cli.programmer.session import Options, Session
from mockpump.emulator.memory.interface import LogPage
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.errors import OutcomeUnknown, RequestRefused
from mockpump.emulator.programmer.handshake import meet_pump, open_session
from mockpump.emulator.programmer.known_pump import KnownPump
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.emulator.programmer.programmer import (
    Connected,
    Disconnected,
    Failed,
    Finished,
    result_of,
)
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.emulator.transports.loss import fail_pending
from mockpump.protocol import messages as m
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import LogKind
from mockpump.protocol.messages.base import Access

SECOND = 1_000_000
KEY = paired.KEYS[Access.CLINICIAN]
FIGURE = 77
REQUEST = m.SetClock(2**31, FIGURE)


class Fate(NamedTuple):
    """What happens to a line.

    From the programmer's message number `at` on nothing comes back, and if `holds` nothing arrives
    either; if it `closes`, the programmer is told.  `before` happens before it is called.
    """

    before: tuple[str, ...] = ()
    at: int = 1_000
    holds: bool = False
    closes: bool = False


class CallLine(paired.Line):
    """A line of one call."""

    def __init__(self, server: PumpServer, fate: Fate, now: int) -> None:
        super().__init__(server, self.pass_on)
        self.now, self.fate = now, fate
        self.sent = 0
        self.held: list[bytes] = []

    @property
    def lost(self) -> bool:
        return self.sent >= self.fate.at

    def pass_on(self, sent: bool, data: bytes) -> bytes:
        if not sent:
            return b"" if self.lost else data
        self.sent += len(paired.payloads_in(data))
        if self.lost and self.fate.holds:
            self.held.append(data)
            return b""
        return data

    def until_end(self) -> Any:
        """As the device on a serial port does it: to the end, or until the line closes."""
        while True:
            self.exchange()
            for event in self.events:
                if isinstance(event, Connected | Disconnected | Finished | Failed):
                    self.events.clear()
                    return result_of(event)
            if self.lost and self.fate.closes:
                raise fail_pending(self.programmer, "it has closed", self.now)
            self.wait(SECOND)

    def run(self, procedure: Procedure[Any]) -> Any:
        self.programmer.start(procedure, self.now)
        return self.until_end()


def pump_with(serial: int, in_session: bool) -> Pump:
    if in_session:
        return paired.paired_pump(serial=serial)
    memory = RamMemory()
    initialize(memory, PumpConfig(PumpIdentity(serial)))
    return Pump(memory)


class Address:
    """Where a command calls, and what happens there between its calls."""

    def __init__(self, fates: list[Fate], *, in_session: bool) -> None:
        self.in_session = in_session
        self.fates = iter(fates)
        self.pump, other = (pump_with(serial, in_session) for serial in (1001, 1002))
        self.mine, self.other = (self.server(each) for each in (self.pump, other))
        self.answers = self.mine
        self.lines: list[CallLine] = []
        self.now = 0
        self.number = 0

    def server(self, pump: Pump) -> PumpServer:
        return PumpServer(pump, TimeScale(0), paired.line().random.randbytes)

    @contextlib.contextmanager
    def connected(self, options: Options) -> Iterator[Session]:
        """In place of the command's own."""
        fate = next(self.fates, Fate())
        for what in fate.before:
            self.becomes(what)
        line = CallLine(self.answers, fate, self.now)
        line.random.seed(len(self.lines))
        self.lines.append(line)
        opening: Any = meet_pump(options.pump)
        if self.in_session:
            nonce = line.random.randbytes(m.NONCE_SIZE)
            opening = open_session(lambda _: KEY, nonce, options.pump)
        line.programmer.connect(line.random.randrange(2**16), line.now, opening)
        try:
            terms = line.until_end()
            yield Session(line, terms)  # type: ignore[arg-type]
        finally:
            if not line.lost:
                line.hang_up()
            self.now = line.now

    def becomes(self, what: str) -> None:
        if what.isdigit():
            self.others(int(what))
        elif what == "restarted":
            self.mine.reboot(self.now)
            self.pump = self.mine.pump
        elif what == "released":
            self.release()
        else:
            self.answers = self.other if what == "another" else self.mine

    def others(self, count: int) -> None:
        """This many changes by others, a quarter of a second each."""
        self.pass_time(count * SECOND // 4)
        line = Line(self.pump)
        line.peer.access = Access.CLINICIAN
        line.next_transaction = self.number
        for _ in range(count):
            line.ask(m.SetTemporary(line.fresh(), 100, 60))
        self.number = line.next_transaction

    def pass_time(self, microseconds: int) -> None:
        end = self.now + microseconds
        for server in (self.mine, self.other):
            while (due := server.next_deadline(self.now)) is not None and due <= end:
                self.now = max(due, self.now)
                server.handle_timer(self.now)
                for port in server.endpoints:
                    port.data_to_send(self.now)
        self.now = end

    def release(self) -> None:
        for line in self.lines:
            held, line.held = b"".join(line.held), []
            line.server.receive_data(line.port, held, self.now)

    def times_done(self) -> int:
        entries = self.pump.memory.log(1, 1_000).entries
        return sum(each.kind is LogKind.CLOCK_SET and each.second == FIGURE for each in entries)


def ask_at(address: Address) -> object:
    """What the command says in the end: a reply, or its error."""
    pump = KnownPump()
    options = Options("x", None, False, None, None, not address.in_session, pump)  # type: ignore[arg-type]
    sleeping = SimpleNamespace(sleep=lambda seconds: address.pass_time(int(seconds * SECOND)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programmer_recovery, "connected", address.connected)
        patch.setattr(programmer_recovery, "time", sleeping)
        try:
            return change_pump(options, REQUEST)
        except MockpumpError as error:
            return error


BETWEEN = st.lists(
    st.sampled_from(["1", "30", "63", "64", "130", "restarted", "another", "back", "released"]),
    max_size=3,
).map(tuple)
FATES = st.builds(Fate, BETWEEN, st.integers(1, 8), st.booleans(), st.booleans())


@settings(max_examples=4 * settings.default.max_examples)
@given(st.lists(FATES, max_size=4), st.booleans())
def test_what_it_says_is_so(fates: list[Fate], in_session: bool) -> None:
    """Of the pump that it met first; the other one is not touched."""
    first = [fate._replace(before=()) for fate in fates[:1]]
    address = Address(first + fates[1:], in_session=in_session)
    untouched = address.other.pump.memory.log(1, 9)
    said = ask_at(address)
    done = address.times_done()
    address.release()
    address.pass_time(40 * SECOND)
    assert address.times_done() <= 1
    if isinstance(said, m.ClockSet):
        assert done == address.times_done() == 1
    elif "nothing was changed" in str(getattr(said, "__notes__", "")):
        assert address.times_done() == 0
    else:
        assert isinstance(said, OutcomeUnknown | RequestRefused), said
    assert all(each.kind is LogKind.SESSION_STARTED for each in entries_since(address, untouched))
    assert address.other.pump.outcomes == 0


def entries_since(address: Address, page: LogPage) -> tuple[LogEntry, ...]:
    return address.other.pump.memory.log(page.newest + 1, 99).entries


def test_the_property_sees_all_that_can_come_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Done at once, learnt, sent once more, waited for, never arrived, forgotten, another pump."""
    lost, held = Fate(at=4), Fate(at=4, holds=True)
    seen = [
        (ask_at(Address([], in_session=True)), ""),
        (ask_at(Address([lost], in_session=True)), "asking until it ends"),
        (ask_at(Address([Fate(at=3, holds=True, closes=True)], in_session=False)), "once more"),
    ]
    for said, _ in seen:
        assert isinstance(said, m.ClockSet)
    never = ask_at(Address([held], in_session=True))
    assert "nothing was changed" in str(getattr(never, "__notes__", ""))
    for before in (("130",), ("another",)):
        unknown = ask_at(Address([lost, Fate(before)], in_session=True))
        assert isinstance(unknown, OutcomeUnknown)
    told = capsys.readouterr().err
    assert all(text in told for _, text in seen)
