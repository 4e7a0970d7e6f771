"""Taking over a session: on request only, after its proof, logged, and the evicted told why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from paired import KEYS, OTHER_KEYS, Line, line, logged, paired_pump, payloads_in

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.errors import OutcomeUnknown, SessionRefused, SessionTaken
from mockpump.emulator.programmer.handshake import open_session
from mockpump.emulator.programmer.procedures import Procedure, ask
from mockpump.emulator.programmer.programmer import (
    Connected,
    Disconnected,
    Failed,
    TelemetryReceived,
    result_of,
)
from mockpump.emulator.pump.pump import Pump
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.messages import LogKind, Mode, Reason, SessionEnd
from mockpump.protocol.messages.base import Access

SECOND = 1_000_000
CLINICIAN, OBSERVER = KEYS[Access.CLINICIAN], KEYS[Access.OBSERVER]
TAKEN = "another clinician has taken over the session"


def two(access: Access = Access.CLINICIAN, pump: Pump | None = None) -> tuple[Line, Line]:
    """Somebody with a session, and somebody else on another line of the same pump."""
    first = line(pump)
    assert isinstance(first.prove(KEYS[access]), Connected)
    second = Line(first.server, seed=8)
    second.now = first.now
    return first, second


def taken(first: Line, second: Line) -> None:
    assert isinstance(second.prove(CLINICIAN, take_over=True), Connected)
    first.now = second.now
    first.events.clear()


def why(event: object) -> Reason:
    assert isinstance(event, Failed)
    assert isinstance(event.error, SessionRefused)
    return event.error.refused.reason


@pytest.mark.parametrize("access", Access)
def test_a_clinician_takes_the_session_over_and_the_evicted_is_told(access: Access) -> None:
    first, second = two(access)
    taken(first, second)
    first.exchange()
    assert first.events == [Disconnected(first.events[-1].reason, SessionEnd.TAKEN_OVER)]
    with pytest.raises(SessionTaken, match=TAKEN):
        result_of(first.events[-1])
    assert not first.programmer.connection.is_open
    assert isinstance(second.ask(m.Suspend(1)), m.Suspended)
    pump = second.server.pump
    assert logged(pump, LogKind.TAKEN_OVER) == [(access, 0)]
    kinds = [each.kind for each in pump.memory.log(1, 99).entries]
    assert kinds[-3:] == [LogKind.TAKEN_OVER, LogKind.SESSION_STARTED, LogKind.SUSPENDED]


def test_it_is_told_too_to_whoever_hears_of_it_together_with_the_proof() -> None:
    """The bytes wait on the line until the session has been taken over again."""
    first = line(paired_pump())
    late = bytearray()
    first.tap = lambda from_programmer, data: data if from_programmer else late_after_proof(data)

    def late_after_proof(data: bytes) -> bytes:
        if late or first.server.pump.serving is not None:
            late.extend(data)
            return b""
        return data

    opening = open_session(lambda _: CLINICIAN, bytes(16))
    first.programmer.connect(7, first.now, opening)
    first.exchange()
    second = Line(first.server, seed=8)
    second.now = first.now
    assert isinstance(second.prove(CLINICIAN, take_over=True), Connected)
    first.now = second.now
    late.extend(first.port.data_to_send(first.now))
    first.to_programmer(bytes(late))
    first.tap = lambda _, data: data
    first.exchange()
    with pytest.raises(SessionTaken, match=TAKEN):
        result_of(first.events[-1])


def test_a_procedure_that_goes_on_after_an_eviction_asks_nobody() -> None:
    first, second = two()

    def stubborn() -> Procedure[None]:
        try:
            yield m.GetStatus()
        except SessionTaken:
            yield m.Suspend(1)

    first.programmer.start(stubborn(), first.now)
    taken(first, second)
    first.exchange()
    (failed,) = [each for each in first.events if isinstance(each, Failed)]
    assert isinstance(failed.error, SessionTaken)


def test_whoever_asks_after_that_is_told_why_until_they_call_again() -> None:
    first, second = two()
    taken(first, second)
    first.exchange()
    with pytest.raises(SessionTaken, match=TAKEN):
        first.programmer.start(ask(m.GetStatus()), first.now)
    second.now = first.now
    second.hang_up()
    first.now = second.now
    assert isinstance(first.prove(CLINICIAN), Connected)
    assert isinstance(first.ask(m.GetStatus()), m.Status)


def test_whoever_leaves_in_the_same_breath_has_ended_the_old_session_all_the_same() -> None:
    """Else the old one would go on beside whoever comes next: two sessions at a time."""
    first, second = two()
    held = bytearray()

    def hold(from_programmer: bool, data: bytes) -> bytes:
        if from_programmer and any(each[:1] == b"\x09" for each in payloads_in(data)):
            held.extend(data)
        return b"" if held and from_programmer else data

    second.tap = hold
    second.programmer.connect(
        77, second.now, open_session(lambda _: CLINICIAN, bytes(16), take_over=True)
    )
    second.exchange()
    second.programmer.connection.abort(second.now)
    second.to_pump(bytes(held) + second.programmer.data_to_send(second.now))
    assert logged(first.server.pump, LogKind.TAKEN_OVER)
    assert first.server.pump.serving is None
    first.now = second.now
    first.exchange()
    assert first.port.peer.keys is None
    with pytest.raises(SessionTaken):
        first.ask(m.Suspend(1))
    assert first.server.pump.mode is Mode.RUNNING


def test_unasked_nobody_is_evicted() -> None:
    first, second = two()
    assert why(second.prove(CLINICIAN)) is Reason.BUSY
    assert isinstance(first.ask(m.GetStatus()), m.Status)


@pytest.mark.parametrize("access", Access)
def test_an_observer_never_displaces_anybody(access: Access) -> None:
    first, second = two(access)
    assert why(second.prove(OBSERVER, take_over=True)) is Reason.BUSY
    assert isinstance(first.ask(m.GetStatus()), m.Status)
    assert not logged(first.server.pump, LogKind.TAKEN_OVER)


def test_a_wrong_proof_evicts_nobody_and_counts() -> None:
    first, second = two()
    assert why(second.prove(OTHER_KEYS[Access.CLINICIAN], take_over=True)) is Reason.WRONG_PROOF
    assert isinstance(first.ask(m.GetStatus()), m.Status)
    assert second.server.pump.pairing.failures == 1


def test_where_nobody_has_a_session_it_just_opens_one() -> None:
    it = line()
    assert isinstance(it.prove(CLINICIAN, take_over=True), Connected)
    assert not logged(it.server.pump, LogKind.TAKEN_OVER)


def test_a_greeting_alone_evicts_nobody() -> None:
    first, second = two()
    second.connect()
    welcome = second.ask(m.Hello(1, 1, Access.CLINICIAN, bytes(16), 1))
    assert isinstance(welcome, m.Welcome)
    assert isinstance(first.ask(m.Suspend(1)), m.Suspended)


def wishing(data: bytes) -> bytes:
    """The same bytes, but every `Hello` among them asks to take over."""
    out = b""
    for frame in FrameDecoder().receive_data(data):
        assert isinstance(frame, Frame)
        if frame.kind is Kind.DATA and frame.payload[:1] == b"\x08":
            assert frame.payload[-1] == 0
            out += encode_frame(replace(frame, payload=frame.payload[:-1] + b"\x01"))
        else:
            out += encode_frame(frame)
    return out


def test_the_wish_is_part_of_what_is_proved() -> None:
    """Somebody in between cannot make a take-over of a greeting that asked for none."""
    first, second = two()
    second.tap = lambda sent, data: wishing(data) if sent else data
    assert why(second.prove(CLINICIAN)) is Reason.WRONG_PROOF
    assert isinstance(first.ask(m.GetStatus()), m.Status)


# -- what ends with the session --


def test_what_was_staged_and_subscribed_to_ends_with_it() -> None:
    first, second = two()
    first.ask(m.Subscribe(1))
    first.ask(m.BeginProgram(40, bytes(8), first.server.pump.digest))
    taken(first, second)
    assert first.port.peer.interval == 0
    assert first.port.peer.staging.length == 0
    second.server.do(lambda pump: pump.advance(1_000) and None, second.now)
    first.exchange()
    assert not [each for each in first.events if isinstance(each, TelemetryReceived)]
    assert second.server.pump.elapsed == 1_000


def test_nothing_said_in_the_old_session_is_carried_out_any_more() -> None:
    """It is under way when the session is taken over, and comes after that."""
    first, second = two()
    first.programmer.start(ask(m.Suspend(7)), first.now)
    said = first.programmer.data_to_send(first.now)
    taken(first, second)
    first.to_pump(said)
    first.exchange()
    pump = second.server.pump
    assert pump.mode is Mode.RUNNING
    assert pump.memory.outcome(7) is None
    assert not logged(pump, LogKind.TURNED_AWAY)
    (failed, ended) = first.events
    # What the programmer cannot know, it does not say it knows.
    assert isinstance(failed.error, OutcomeUnknown)
    assert failed.error.transaction == 7
    assert failed.error.__notes__ == [TAKEN]
    assert ended.ended is SessionEnd.TAKEN_OVER


def test_what_only_reads_ends_with_the_reason() -> None:
    first, second = two()
    first.programmer.start(ask(m.GetStatus()), first.now)
    first.programmer.data_to_send(first.now)
    taken(first, second)
    first.exchange()
    failed = first.events[0]
    assert isinstance(failed.error, SessionTaken)
    assert str(failed.error) == TAKEN


def test_whoever_keeps_the_line_alive_from_in_between_has_nothing_of_it() -> None:
    """The evicted hears nothing, and somebody acknowledges for them: the session is over anyway."""
    first, second = two()
    taken(first, second)
    keys = first.port.peer.keys
    assert keys is None
    assert second.server.pump.serving is second.port.peer
    # Nobody answers on the old line: it is given up like any other.
    for _ in range(60):
        second.wait(SECOND)
    assert not first.port.connection.is_open


def test_the_evicted_may_take_it_back() -> None:
    first, second = two()
    taken(first, second)
    first.exchange()
    second_again = first.prove(CLINICIAN, take_over=True)
    assert isinstance(second_again, Connected)
    second.now = first.now
    second.events.clear()
    second.exchange()
    assert second.events[-1].ended is SessionEnd.TAKEN_OVER
    assert len(logged(first.server.pump, LogKind.TAKEN_OVER)) == 2


def test_a_line_that_takes_nothing_more_is_hung_up_on() -> None:
    first, second = two()
    port = first.port
    # Its replies are not taken off the line: nothing more can be queued.
    while port.connection.room:
        port.connection.send(m.ProgramAborted(), first.now)
    taken(first, second)
    assert not port.connection.is_open
    first.exchange()
    assert any(isinstance(each, Disconnected) for each in first.events)


def test_a_take_over_that_cannot_be_recorded_evicts_nobody() -> None:
    memory = FaultyMemory(RamMemory())
    first, second = two(pump=paired_pump(memory=memory))
    memory.fail_writes = True
    assert why(second.prove(CLINICIAN, take_over=True)) is Reason.MEMORY_FAILED
    assert isinstance(first.ask(m.GetStatus()), m.Status)


# -- the programmer believes nobody else --


def test_without_a_session_nobody_can_say_that_it_has_ended() -> None:
    it = line()
    it.connect()
    it.events.clear()
    it.port.connection.send(m.SessionEnded(SessionEnd.TAKEN_OVER), it.now)
    it.exchange()
    assert it.events == []
    assert it.programmer.connection.is_open


def test_in_a_session_only_the_pump_can() -> None:
    first, _ = two()
    first.port.connection.link.send(m.encode(m.SessionEnded(SessionEnd.TAKEN_OVER)), first.now)
    first.events.clear()
    first.exchange()
    assert first.events == []
    assert isinstance(first.ask(m.GetStatus()), m.Status)


# -- any order of things --

DEEDS = ("call", "take over", "ask", "hang up", "carry")


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(DEEDS)), max_size=25))
def test_at_most_one_has_the_session_and_it_is_who_proved_last(
    deeds: list[tuple[int, str]],
) -> None:
    """Three clinicians; whatever they do in whatever order, the pump serves one of them at most."""
    first = line()
    lines = [first, *(Line(first.server, seed=seed) for seed in (8, 9))]
    now, transaction, holder = 0, 0, None
    for which, deed in deeds:
        it = lines[which]
        it.now = now
        if deed in ("call", "take over") and not it.programmer.connection.is_open:
            event = it.prove(CLINICIAN, take_over=deed == "take over")
            assert isinstance(event, Connected) is (deed == "take over" or holder is None)
            holder = it if isinstance(event, Connected) else holder
        elif deed == "ask" and it.programmer.connection.is_open and not it.programmer.busy:
            transaction += 1
            reply = it.ask(m.SetClock(transaction, transaction))
            assert isinstance(reply, m.ClockSet) is (it is holder)
        elif deed == "hang up" and it.programmer.connection.is_open:
            it.hang_up()
            holder = None if it is holder else holder
        it.exchange()
        now = it.now
        serving = first.server.pump.serving
        assert serving is (None if holder is None else holder.port.peer)
    done = logged(first.server.pump, LogKind.CLOCK_SET)
    assert len(done) == len(set(done))
