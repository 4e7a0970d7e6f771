"""Somebody owns the line: sees all of it, and puts on it whatever they like.

The property: however everything that was ever on the wire is replayed, reordered, cut, spliced and
damaged, in frames that are damaged too or newly made with right checksums and numbers, the pump
does nothing that the clinician did not ask for, and nothing twice.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from paired import KEYS, Line, line, log_of, logged, payloads_in

from mockpump.emulator.programmer.errors import OutcomeUnknown, ProgrammerError
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.programmer.programmer import Failed, Finished
from mockpump.emulator.programmer.request_batch import MOST_REPEATS
from mockpump.emulator.pump.factory import new_pump
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.messages import LogKind
from mockpump.protocol.messages.base import Access
from mockpump.protocol.session import SEAL_SIZE, Sealer

# What the log says of itself, whoever caused it.
_UNASKED = {
    LogKind.MADE,
    LogKind.SESSION_STARTED,
    LogKind.PROOF_FAILED,
    LogKind.TURNED_AWAY,
    LogKind.ALARM_RAISED,
    LogKind.ALARM_CLEARED,
    LogKind.BOLUS_ENDED,
}
SECOND = 1_000_000
# Where in what was recorded, which bit of it, how far along.
PLACES = st.integers(0, 3) | st.integers(0, 250)


class Adversary:
    """Knows every byte that was ever on the line, in both directions."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.payloads: list[bytes] = []
        # The connection there is, and the newest sequence number that each side has used in it.
        self.connection = 0
        self.newest = {True: -1, False: -1}
        self.drops = 0

    def __call__(self, sent: bool, data: bytes) -> bytes:
        self.chunks.append(data)
        self.payloads += payloads_in(data)
        for frame in FrameDecoder().receive_data(data):
            if isinstance(frame, Frame):
                self._note(sent, frame)
        if self.drops:
            self.drops -= 1
            return b""
        return data

    def _note(self, sent: bool, frame: Frame) -> None:
        if frame.kind is Kind.OPEN:
            self.connection, self.newest = frame.connection, {True: -1, False: -1}
        elif frame.kind is Kind.DATA:
            self.newest[sent] = frame.seq

    def forged(self, kind: str, at: int, other: int, to_pump: bool) -> bytes:
        """Bytes for the line, made of what was on it; the newest is number 0."""
        if not self.payloads:
            return bytes((at % 256, other % 256))
        chunk, second = (
            self.chunks[-1 - at % len(self.chunks)],
            self.chunks[other % len(self.chunks)],
        )
        if kind == "replay":
            return chunk
        if kind == "cut":
            return chunk[: other % (len(chunk) + 1)]
        if kind == "splice":
            return chunk[: at % len(chunk)] + second[other % len(second) :]
        if kind == "bend":
            return bent(chunk, other)
        return self._framed(self._payload(kind, at, other), to_pump)

    def _payload(self, kind: str, at: int, other: int) -> bytes:
        payload, second = (
            self.payloads[-1 - at % len(self.payloads)],
            self.payloads[-1 - other % len(self.payloads)],
        )
        if kind == "raised payload":
            # With the counter made larger, or it would be an old one whatever else is in it.
            return bent(bent(payload, 8), other)
        if kind == "spliced payload":
            return payload[:SEAL_SIZE] + second[SEAL_SIZE:]
        return bent(payload[SEAL_SIZE:], other) if kind == "unsealed payload" else payload

    def _framed(self, payload: bytes, to_pump: bool) -> bytes:
        """A frame with a right checksum and the very number that the other side is waiting for."""
        self.newest[to_pump] = (self.newest[to_pump] + 1) % 256
        seq, ack = self.newest[to_pump], (self.newest[not to_pump] + 1) % 256
        return encode_frame(Frame(Kind.DATA, self.connection, seq, ack, 0, payload))


# Bytes as they were, mangled: most of it ends the connection, so there is less of it.
RAW = ("replay", "cut", "splice", "bend")
# Payloads in good frames.  A bit of a transaction makes another command of one that was asked for.
FRAMED = ("same payload", "spliced payload", *["raised payload", "unsealed payload"] * 3)


def bent(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    if changed:
        changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


# The first two are never refused, so a copy of them would be carried out too.
COMMANDS: tuple[Callable[[int], Any], ...] = (
    lambda n: m.SetClock(n, n),
    lambda n: m.SetTemporary(n, n % 200, 600),
    lambda n: m.StartBolus(n, m.BolusKind.BOLUS, 1_000 + n, 60),
    m.Suspend,
    m.Resume,
    m.CancelBolus,
)
COMMAND = st.tuples(st.just("command"), st.integers(0, len(COMMANDS) - 1), st.booleans())
STEPS = st.one_of(
    COMMAND,
    COMMAND,
    st.tuples(st.sampled_from(FRAMED), PLACES, PLACES, st.booleans()),
    st.tuples(st.sampled_from(FRAMED), PLACES, PLACES, st.booleans()),
    st.tuples(st.sampled_from(FRAMED), PLACES, PLACES, st.booleans()),
    st.tuples(st.sampled_from(RAW), PLACES, PLACES, st.booleans()),
    st.one_of(
        st.tuples(st.just("drop"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.sampled_from((1, 20 * SECOND))),
    ),
)


class Clinician:
    """Asks for things over that line, each under a transaction of its own, and calls again."""

    def __init__(self, it: Line) -> None:
        self.it = it
        self.asked: list[Any] = []

    def command(self, which: int, connect: bool) -> None:
        request = COMMANDS[which](len(self.asked) + 1)
        if connect or not self.it.programmer.connection.is_open:
            self.call()
        try:
            self.it.programmer.start(ask(request), self.it.now)
        except LocalProtocolError:
            return  # No session came about; nothing was sent.
        self.asked.append(request)
        self.it.exchange()

    def call(self) -> None:
        try:
            if self.it.programmer.connection.is_open:
                self.it.programmer.disconnect(self.it.now)
                self.it.exchange()
            self.it.events.clear()
            self.it.prove(KEYS[Access.CLINICIAN])
        except (LocalProtocolError, StopIteration):
            pass  # The line is in a state in which no call can be made; another time.


LOGGED = {
    m.Suspend: LogKind.SUSPENDED,
    m.Resume: LogKind.RESUMED,
    m.StartBolus: LogKind.BOLUS_STARTED,
    m.SetClock: LogKind.CLOCK_SET,
    m.SetTemporary: LogKind.TEMPORARY_STARTED,
}


def play(steps: list[Any]) -> tuple[Line, Clinician]:
    attacker = Adversary()
    it = line(tap=attacker)
    clinician = Clinician(it)
    for step in [("command", 1, True), ("command", 0, False), *steps]:
        if step[0] == "command":
            clinician.command(step[1], step[2])
        elif step[0] == "drop":
            attacker.drops = step[1]
        elif step[0] == "wait":
            it.wait(step[1])
        else:
            data = attacker.forged(*step)
            it.to_pump(data) if step[3] else it.to_programmer(data)
            it.exchange()
    it.tap = lambda _, data: data
    it.wait(60 * SECOND)
    return it, clinician


def check(it: Line, clinician: Clinician) -> None:
    done = Counter((each.kind, each.first, each.second) for each in log_of(it.server.pump))
    asked = Counter(LOGGED.get(type(each)) for each in clinician.asked)
    for kind in set(LOGGED.values()):
        times = sum(n for (k, _, _), n in done.items() if k is kind)
        assert times <= asked[kind], f"{kind.name}: {times} done, {asked[kind]} asked"
    volumes = Counter(each.volume for each in clinician.asked if isinstance(each, m.StartBolus))
    for (kind, first, _), times in done.items():
        assert kind in _UNASKED | set(LOGGED.values())
        if kind is LogKind.BOLUS_STARTED:
            assert times <= volumes[first]


@given(st.lists(STEPS, min_size=10, max_size=30))
def test_nothing_is_done_that_the_clinician_did_not_ask_for_and_nothing_twice(
    steps: list[Any],
) -> None:
    check(*play(steps))


@given(st.lists(STEPS, min_size=10, max_size=30))
def test_what_the_programmer_was_told_the_pump_has_said(steps: list[Any]) -> None:
    """No forged reply is believed: every yes that a procedure got is an outcome in the memory."""
    it, clinician = play(steps)
    memory = it.server.pump.memory
    outcomes = [memory.outcome(request.transaction) for request in clinician.asked]
    said = [m.decode(each.reply) for each in outcomes if each is not None]
    for event in it.history:
        assert not isinstance(event, Finished) or event.result in said
        assert not isinstance(event, Failed) or isinstance(event.error, ProgrammerError)


def test_without_the_attacker_everything_is_done() -> None:
    """The property is not true because nothing happens."""
    it, clinician = play([("command", which, which == 4) for which in (2, 3, 4)])
    assert len(clinician.asked) == 5
    kinds = [each.kind for each in log_of(it.server.pump)]
    assert kinds.count(LogKind.SESSION_STARTED) == 2
    assert set(LOGGED.values()) <= set(kinds)


def test_a_forged_yes_is_not_believed() -> None:
    attacker = Adversary()
    it = line(tap=attacker)
    it.prove(KEYS[Access.CLINICIAN])
    it.programmer.start(ask(m.Suspend(1)), it.now)
    attacker.drops = 2
    it.exchange()
    for forged in (m.encode(m.Suspended(0)), Sealer(bytes(32)).seal(m.encode(m.Suspended(0)))):
        it.to_programmer(attacker._framed(forged, False))
        it.exchange()
    assert it.programmer.busy
    assert not any(isinstance(each, Finished) for each in it.history)


class Replacer:
    """Puts payloads in the place of what the programmer says, in frames with its numbers.

    What it took away it keeps, and may put in the place of what is said later.
    """

    def __init__(self, payloads: list[bytes], *, gives_back: bool) -> None:
        self.payloads = payloads
        self.gives_back = gives_back
        self.taken: list[bytes] = []
        self.active = False

    def __call__(self, sent: bool, data: bytes) -> bytes:
        found = FrameDecoder().receive_data(data)
        frames = (each for each in found if isinstance(each, Frame))
        return b"".join(encode_frame(self._put(sent, frame)) for frame in frames)

    def _put(self, sent: bool, frame: Frame) -> Frame:
        if not sent or not self.active or frame.kind is not Kind.DATA:
            return frame
        if self.payloads:
            self.taken.append(frame.payload)
            return replace(frame, payload=self.payloads.pop(0))
        if self.gives_back and self.taken:
            return replace(frame, payload=self.taken.pop(0))
        return frame


@given(st.lists(st.binary(max_size=60), max_size=MOST_REPEATS), st.booleans())
def test_a_request_that_was_replaced_is_asked_again_and_done_once(
    payloads: list[bytes], gives_back: bool
) -> None:
    replacer = Replacer(list(payloads), gives_back=gives_back)
    it = line(tap=replacer)
    it.prove(KEYS[Access.CLINICIAN])
    replacer.active = True
    assert it.ask(m.StartBolus(1, m.BolusKind.BOLUS, 1_000, 60)) == m.BolusStarted(60, 60_000)
    assert len(logged(it.server.pump, LogKind.BOLUS_STARTED)) == 1
    assert len(replacer.taken) >= len(payloads) - gives_back
    replacer.active = False
    assert isinstance(it.ask(m.GetStatus()), m.Status)


def test_what_the_pump_has_sealed_and_is_no_message_ends_the_connection() -> None:
    """Somebody else's is dropped; this is the pump's own, so no reply will come in its place."""
    it = line()
    it.prove(KEYS[Access.CLINICIAN])
    it.tap = lambda sent, data: b"" if sent else data
    it.programmer.start(ask(m.Suspend(1)), it.now)
    it.exchange()
    sealer = it.port.connection._sealer
    assert sealer is not None
    it.port.connection.link.send(Sealer(bytes(32)).seal(b"\xfe"), it.now)
    it.exchange()
    assert it.programmer.busy
    it.port.connection.link.send(sealer.seal(b"\xfe"), it.now)
    it.exchange()
    failed = it.history[-2]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, OutcomeUnknown)
    assert not it.programmer.connection.is_open


def test_what_is_replaced_every_time_is_not_known_since_somebody_has_it() -> None:
    replacer = Replacer([b"x"] * (1 + MOST_REPEATS), gives_back=False)
    it = line(tap=replacer)
    it.prove(KEYS[Access.CLINICIAN])
    replacer.active = True
    assert isinstance(it.ask(m.Suspend(1)), OutcomeUnknown)
    assert not it.programmer.connection.is_open
    assert it.server.pump.mode is m.Mode.RUNNING


def test_against_an_open_pump_the_attacker_wins() -> None:
    """The property can fail: without the session, a replayed command is carried out."""
    attacker = Adversary()
    it = line(new_pump(), attacker)
    it.connect()
    it.ask(m.Suspend(1))
    it.ask(m.Resume(2))
    seq = it.programmer.connection.link
    forged = Frame(Kind.DATA, seq.connection, 2, payload=m.encode(m.Suspend(3)))
    it.to_pump(encode_frame(forged))
    assert it.server.pump.mode is m.Mode.SUSPENDED
