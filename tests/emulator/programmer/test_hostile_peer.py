"""Whoever is at the other end, key in hand, says whatever they like: nothing raises on this side.

The peers here speak the link well, hold the right key, and know no manners above that: any message
of the catalogue or none, at any time, several in one go with the end of the connection.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paired import KEYS, Line, line, log_of, paired_pump

from mockpump.emulator.programmer.errors import ConnectionLost, ProgrammerError, SessionSpent
from mockpump.emulator.programmer.handshake import open_session
from mockpump.emulator.programmer.procedures import (
    Procedure,
    ask,
    learn_outcome,
    read_log,
    read_program,
    set_program,
)
from mockpump.emulator.programmer.programmer import Connected, Failed, Programmer
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.protocol import messages as m
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.link.types import MIN_PAYLOAD, CloseReason, LinkClosed, LinkSettings, Role
from mockpump.protocol.messages import LogKind, Mode
from mockpump.protocol.messages.base import CATALOGUE, Access, Message
from mockpump.protocol.program import Program
from mockpump.protocol.session import LAST_COUNTER, SessionKeys
from mockpump.protocol.strategies import message

KEY = KEYS[Access.CLINICIAN]
IDENTITY = paired_pump().describe()
MESSAGES = st.sampled_from([each.message for each in CATALOGUE.values()]).flatmap(message)
SECOND = 1_000_000


# -- a pump that says what it likes --


PROCEDURES: list[Callable[[], Procedure[Any]]] = [
    lambda: ask(m.GetStatus()),
    lambda: ask(m.Suspend(7)),
    lambda: learn_outcome(7),
    read_program,
    read_log,
    lambda: set_program(Program.flat("n", 9_000), bytes(8), 7, MIN_PAYLOAD),
]


class RoguePump:
    """The pump's end of a line, in a test's hands; what it says is kept back until delivered."""

    def __init__(self) -> None:
        self.peer = Connection(Role.ACCEPTOR)
        self.programmer = Programmer()
        self.kept = b""
        self.now = 0
        self.calls = 0
        self.hello: m.Hello | None = None
        self.welcome = m.Welcome(1, IDENTITY.serial, bytes(16), 0)
        self.errors: list[Exception] = []

    def call(self, with_session: bool) -> None:
        if self.programmer.connection.link.state.name == "IDLE":
            self.calls += 1
            opening = open_session(lambda _: KEY, bytes(16)) if with_session else None
            self.programmer.connect(self.calls, self.now, opening)

    def start(self, which: int) -> None:
        it = self.programmer
        if not it.busy and it.connection.is_open and it._opening is None:
            it.start(PROCEDURES[which](), self.now)

    def say(self, said: Message) -> None:
        if self.peer.room and len(m.encode(said)) <= self.peer.max_message:
            self.peer.send(said, self.now)

    def begin_handshake(self) -> None:
        """Answer a greeting as the right pump would."""
        self.peer.receive_data(self.programmer.data_to_send(self.now), self.now)
        while (event := self.peer.next_event()) is not None:
            if isinstance(event, MessageReceived):
                self._greet(event.message)

    def _greet(self, said: Message) -> None:
        if isinstance(said, m.Identify):
            self.say(IDENTITY)
        elif isinstance(said, m.Hello):
            self.hello = said
            self.say(self.welcome)
        elif isinstance(said, m.Prove) and self.hello is not None and self.peer.is_open:
            keys = SessionKeys(KEY.secret, IDENTITY, self.hello, self.welcome)
            self.say(m.Proven(keys.proven))
            if not self.peer.is_sealed:
                self.peer.begin_session(keys)

    def deliver(self) -> None:
        """What was said meanwhile comes in one go."""
        data = self.peer.data_to_send(self.now)
        self.programmer.receive_data(data, self.now)
        while (event := self.programmer.next_event()) is not None:
            if isinstance(event, Failed):
                self.errors.append(event.error)

    def wait(self, microseconds: int) -> None:
        self.now += microseconds
        self.peer.handle_timer(self.now)
        self.programmer.handle_timer(self.now)


ROGUE: list[tuple[str, st.SearchStrategy[Any]]] = [
    ("call", st.booleans()),
    ("start", st.integers(0, len(PROCEDURES) - 1)),
    ("say", MESSAGES),
    ("end", st.sampled_from(["close", "abort"])),
    ("wait", st.sampled_from([0, 20_000, SECOND, 20 * SECOND])),
    ("begin_handshake", st.none()),
    ("deliver", st.none()),
]
STEPS = st.one_of(*(st.tuples(st.just(name), given_) for name, given_ in ROGUE))


def play(steps: list[tuple[str, Any]]) -> RoguePump:
    rogue = RoguePump()
    for name, given_ in steps:
        if name == "end":
            getattr(rogue.peer, given_)(rogue.now)
        elif given_ is None:
            getattr(rogue, name)()
        else:
            getattr(rogue, name)(given_)
    return rogue


# How a session comes about; what follows happens in it.
OPENED: list[tuple[str, Any]] = [
    ("call", True),
    *[("begin_handshake", None), ("deliver", None)] * 4,
]


@given(st.booleans(), st.lists(STEPS, max_size=25))
def test_whatever_a_pump_says_a_programmer_fails_for_a_reason_of_its_own(
    in_session: bool, steps: list[tuple[str, Any]]
) -> None:
    rogue = play([*(OPENED if in_session else []), *steps])
    for error in rogue.errors:
        assert isinstance(error, ProgrammerError)


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.parametrize("after", range(1, 5))
def test_a_session_that_ends_in_one_go_with_its_greeting_is_a_lost_connection(
    end: str, after: int
) -> None:
    """Each word of the greeting, and the end of the connection behind it in the same bytes."""
    rogue = play(OPENED[: 2 * after - 1])
    rogue.begin_handshake()
    data = rogue.peer.data_to_send(rogue.now)
    getattr(rogue.peer, end)(rogue.now)
    if end == "close":
        # Closing, it waits for acknowledgements; one that does not wait says it at once.
        rogue.peer.abort(rogue.now)
    rogue.programmer.receive_data(data + rogue.peer.data_to_send(rogue.now), rogue.now)
    events = list(iter(rogue.programmer.next_event, None))
    assert not any(isinstance(each, Connected) for each in events)
    for each in events:
        assert not isinstance(each, Failed) or isinstance(each.error, ConnectionLost)
    assert not rogue.programmer.connection.is_open
    assert not rogue.programmer.busy


def test_a_reply_that_comes_in_one_go_with_the_end_is_heard() -> None:
    """What came in a session counts, though the session has ended by the time it is looked at."""
    rogue = play(OPENED)
    rogue.programmer.start(ask(m.Suspend(7)), rogue.now)
    rogue.begin_handshake()
    rogue.say(m.Suspended(Mode.SUSPENDED))
    data = rogue.peer.data_to_send(rogue.now)
    rogue.peer.abort(rogue.now)
    rogue.programmer.receive_data(data + rogue.peer.data_to_send(rogue.now), rogue.now)
    first = rogue.programmer.next_event()
    assert getattr(first, "result", None) == m.Suspended(Mode.SUSPENDED)


# -- a programmer that says what it likes --


class RogueProgrammer:
    """The programmer's end of a line into a paired pump, with a key, and in a test's hands."""

    def __init__(self, payload: int) -> None:
        self.server = PumpServer(paired_pump(), draw=random.Random(4).randbytes)
        self.port = self.server.attach()
        self.peer = Connection(Role.INITIATOR, LinkSettings(max_payload=payload))
        self.now = self.calls = 0
        self.heard: list[Message] = []

    def call(self) -> None:
        """A new connection, whatever was, and a session in it."""
        self.calls += 1
        self.peer.abort(self.now)
        self.peer.open(self.calls, self.now)
        self.carry()
        hello = m.Hello(1, 1, Access.CLINICIAN, bytes(16), 1)
        for said in (m.Identify(), hello):
            self.say(said)
            self.carry()
        identity, welcome = self.heard[-2:]
        if isinstance(identity, m.Identity) and isinstance(welcome, m.Welcome):
            keys = SessionKeys(KEY.secret, identity, hello, welcome)
            self.say(m.Prove(keys.prove))
            self.carry()
            self.peer.begin_session(keys)

    def say(self, said: Message) -> None:
        if self.peer.room and len(m.encode(said)) <= self.peer.max_message:
            self.peer.send(said, self.now)

    def payload(self, payload: bytes) -> None:
        """Something that is not a message, or a request that is not sealed."""
        if self.peer.link.room and len(payload) <= self.peer.link.max_payload:
            self.peer.link.send(payload, self.now)

    def last(self, left: int) -> None:
        """The pump's counter is near its end."""
        sealer = self.port.connection._sealer
        if sealer is not None:
            sealer._counter = LAST_COUNTER + 1 - left

    def carry(self) -> None:
        for _ in range(3):
            self.server.receive_data(self.port, self.peer.data_to_send(self.now), self.now)
            self.peer.receive_data(self.port.data_to_send(self.now), self.now)
            while (event := self.peer.next_event()) is not None:
                if isinstance(event, MessageReceived):
                    self.heard.append(event.message)

    def wait(self, microseconds: int) -> None:
        self.now += microseconds
        self.peer.handle_timer(self.now)
        self.server.handle_timer(self.now)
        self.carry()


SAYINGS: list[tuple[str, st.SearchStrategy[Any]]] = [
    ("call", st.none()),
    ("say", MESSAGES),
    ("say", MESSAGES),
    ("payload", st.binary(max_size=60)),
    ("last", st.integers(0, 2)),
    ("end", st.sampled_from(["close", "abort"])),
    ("wait", st.sampled_from([0, 20_000, SECOND, 20 * SECOND])),
    ("carry", st.none()),
]


@given(
    st.integers(MIN_PAYLOAD, 240),
    st.lists(st.one_of(*(st.tuples(st.just(name), it) for name, it in SAYINGS)), max_size=25),
)
def test_whatever_a_programmer_says_a_pump_goes_on(
    payload: int, steps: list[tuple[str, Any]]
) -> None:
    rogue = RogueProgrammer(payload)
    rogue.call()
    for name, given_ in steps:
        if name == "end":
            getattr(rogue.peer, given_)(rogue.now)
        elif given_ is None:
            getattr(rogue, name)()
        else:
            getattr(rogue, name)(given_)
    rogue.wait(60 * SECOND)
    rogue.call()
    assert isinstance(rogue.heard[-1], m.Proven)


# -- a counter at its end --


def clinician() -> Line:
    it = line()
    assert isinstance(it.prove(KEY), Connected)
    return it


def spend(connection: Connection, left: int = 0) -> None:
    sealer = connection._sealer
    assert sealer is not None
    sealer._counter = LAST_COUNTER + 1 - left


def test_a_pump_that_can_seal_no_reply_does_nothing_and_hangs_up() -> None:
    it = clinician()
    spend(it.port.connection, 1)
    assert isinstance(it.ask(m.GetStatus()), m.Status)
    error = it.ask(m.GetStatus())
    assert isinstance(error, ConnectionLost)
    assert error.reason is CloseReason.RESET
    assert it.server.pump.serving is None
    # Another session counts from the beginning.
    assert isinstance(it.prove(KEY), Connected)
    assert isinstance(it.ask(m.Suspend(1)), m.Suspended)


def test_what_it_cannot_answer_it_has_not_done() -> None:
    it = clinician()
    spend(it.port.connection)
    it.ask(m.Suspend(1))
    assert it.server.pump.mode is Mode.RUNNING
    assert it.server.pump.memory.outcome(1) is None
    assert LogKind.SUSPENDED not in [each.kind for each in log_of(it.server.pump)]


def test_a_report_that_cannot_be_sealed_ends_the_connection_too() -> None:
    it = clinician()
    it.ask(m.Subscribe(1))
    spend(it.port.connection)
    it.server.set_speed(1, it.now)
    it.wait(2 * SECOND)
    it.wait(9 * SECOND)  # and the pump lives on, with nobody to report to
    assert not it.programmer.connection.is_open
    assert it.server.pump.serving is None


@pytest.mark.parametrize("left", [0, 2])
def test_a_programmer_that_can_seal_no_request_says_so_and_hangs_up(left: int) -> None:
    it = clinician()
    spend(it.programmer.connection, left)

    def many() -> Procedure[Any]:
        return (yield [m.GetStatus()] * (left + 1))

    it.events.clear()
    it.programmer.start(many(), it.now)
    it.take_events()
    (failed,) = it.events
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, SessionSpent)
    assert "connect again" in str(failed.error)
    it.exchange()
    assert it.server.pump.serving is None
    assert isinstance(it.prove(KEY), Connected)


def test_a_link_says_why_it_ended_as_long_as_there_is_no_other() -> None:
    server = PumpServer(new_pump())
    port = server.attach()
    assert port.connection.ended is None
    peer = Connection(Role.INITIATOR)
    peer.open(1, 0)
    port.receive_data(peer.data_to_send(0), 0)
    port.connection.abort(0)
    events = list(iter(port.connection.next_event, None))
    assert LinkClosed(CloseReason.CLOSED_HERE, 0) in events
    assert port.connection.ended is CloseReason.CLOSED_HERE
