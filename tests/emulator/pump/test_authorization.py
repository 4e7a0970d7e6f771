"""Who is not allowed to is refused: told why, logged, and nothing else happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from paired import KEYS, Line, line, log_of, logged, paired_pump

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.errors import RequestRefused
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import COMMANDS, handle
from mockpump.emulator.pump.strangers import NOBODY
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.messages import LogKind, Reason
from mockpump.protocol.messages.base import Access, Message, entry_of
from mockpump.protocol.session import Sealer, SessionKeys
from mockpump.protocol.strategies import message

GUARDED = [each for each in COMMANDS if entry_of(each).needs is not None]
CLINICIANS = [each for each in GUARDED if entry_of(each).needs is Access.CLINICIAN]


def truth(pump: Pump) -> bytes:
    """All that the pump is, but its log."""
    return bytes(replace(pump._state(), strangers=NOBODY))


@given(st.sampled_from(GUARDED).flatmap(message))
def test_without_a_session_nothing_is_answered(request: Message) -> None:
    pump = paired_pump()
    before = truth(pump)
    reply = handle(pump, request, Peer(largest_payload=240))
    assert reply == m.Refused(entry_of(type(request)).number, Reason.NO_SESSION, 0, 0, 0)
    assert truth(pump) == before
    assert logged(pump, LogKind.TURNED_AWAY) == [(Reason.NO_SESSION, 1)]


@given(st.sampled_from(CLINICIANS).flatmap(message))
def test_an_observer_changes_nothing(request: Message) -> None:
    pump = paired_pump()
    before = truth(pump)
    peer = Peer(largest_payload=240, access=Access.OBSERVER)
    reply = handle(pump, request, peer)
    assert reply == m.Refused(entry_of(type(request)).number, Reason.FORBIDDEN, 0, 0, 0)
    assert truth(pump) == before
    assert logged(pump, LogKind.TURNED_AWAY) == [(Reason.FORBIDDEN, 1)]


@pytest.mark.parametrize("request_type", GUARDED)
def test_an_open_pump_asks_nobody(request_type: type[Message]) -> None:
    pump = new_pump()
    peer = Peer(largest_payload=240)
    assert entry_of(request_type).needs is not None
    assert isinstance(handle(pump, m.GetStatus(), peer), m.Status)
    assert isinstance(handle(pump, m.Suspend(1), peer), m.Suspended)
    assert not logged(pump, LogKind.TURNED_AWAY)


def test_identify_takes_no_session() -> None:
    reply = handle(paired_pump(), m.Identify(), Peer(largest_payload=240))
    assert isinstance(reply, m.Identity)


def clinician() -> Line:
    it = line()
    it.prove(KEYS[Access.CLINICIAN])
    return it


def say(it: Line, payload: bytes) -> m.Refused:
    """Put a payload on the line as the next frame of the connection; what the pump answers."""
    link = it.programmer.connection.link
    link.send(payload, it.now)
    answers: list[bytes] = []
    it.tap = lambda sent, data: data if sent else answers.append(data) or b""
    it.exchange(2)
    (answer,) = answers
    frames = it.programmer.connection
    frames.receive_data(answer, it.now)
    (event,) = (each for each in iter(frames.next_event, None))
    assert event.sealed
    return event.message


@pytest.mark.parametrize("payload", [b"\x02", m.encode(m.Suspend(7)), b"", b"\x55", b"\x20"])
def test_what_is_not_sealed_in_a_session_is_turned_away(payload: bytes) -> None:
    it = clinician()
    number = payload[0] if payload else 0
    assert say(it, payload) == m.Refused(number, Reason.BAD_TAG, 0, 0, 0)
    assert logged(it.server.pump, LogKind.TURNED_AWAY) == [(Reason.BAD_TAG, 1)]
    assert it.server.pump.mode is m.Mode.RUNNING


def test_a_sealed_payload_without_a_session_is_turned_away() -> None:
    it = line()
    it.connect()
    it.programmer.connection.link.send(Sealer(bytes(32)).seal(m.encode(m.Suspend(7))), it.now)
    it.exchange()
    assert logged(it.server.pump, LogKind.TURNED_AWAY) == [(Reason.NO_SESSION, 1)]


def test_a_reply_turned_back_at_the_pump_is_no_request() -> None:
    """Reflection: the other direction has another key."""
    it = clinician()
    peer = it.port.peer
    assert peer.keys is not None
    reflected = Sealer(peer.keys.replies).seal(m.encode(m.Suspend(7)))
    assert say(it, reflected).reason is Reason.BAD_TAG
    assert it.server.pump.mode is m.Mode.RUNNING


def test_the_same_sealed_payload_again_is_turned_away() -> None:
    it = clinician()
    peer = it.port.peer
    assert peer.keys is not None
    # As the programmer will seal its first; the attacker has it on the line again.
    payload = Sealer(peer.keys.requests).seal(m.encode(m.Suspend(7)))
    assert isinstance(it.ask(m.Suspend(7)), m.Suspended)
    assert say(it, payload).reason is Reason.OLD_COUNTER
    assert logged(it.server.pump, LogKind.TURNED_AWAY) == [(Reason.OLD_COUNTER, 1)]


def test_a_cut_tag_is_turned_away() -> None:
    it = clinician()
    keys = it.port.peer.keys
    assert isinstance(keys, SessionKeys)
    sealed = Sealer(keys.requests).seal(m.encode(m.Suspend(7)))
    assert say(it, sealed[:9]).reason is Reason.BAD_TAG
    assert it.server.pump.mode is m.Mode.RUNNING


def test_a_memory_that_cannot_log_it_refuses_all_the_same() -> None:
    memory = FaultyMemory(RamMemory())
    pump = paired_pump(memory=memory)
    memory.fail_writes = True
    reply = handle(pump, m.Suspend(1), Peer(largest_payload=240))
    assert isinstance(reply, m.Refused)
    assert reply.reason is Reason.MEMORY_FAILED
    memory.fail_writes = False
    assert not logged(pump, LogKind.SUSPENDED)
    # It was counted all the same, and the next of them tries no write.
    reply = handle(pump, m.Suspend(1), Peer(largest_payload=240))
    assert reply == m.Refused(0x20, Reason.NO_SESSION, 0, 0, 0)
    assert len(log_of(pump)) == 1
    pump.shut_down()
    assert logged(pump, LogKind.TURNED_AWAY) == [(Reason.NO_SESSION, 2)]


def test_a_refusal_leaves_the_session_as_it_is() -> None:
    it = line()
    it.prove(KEYS[Access.OBSERVER])
    assert isinstance(it.ask(m.Suspend(1)), RequestRefused)
    assert isinstance(it.ask(m.GetStatus()), m.Status)
    assert [each.kind for each in log_of(it.server.pump)] == [
        LogKind.MADE,
        LogKind.SESSION_STARTED,
        LogKind.TURNED_AWAY,
    ]


def test_the_frame_that_carries_it_may_be_anybodys() -> None:
    """A frame with the right numbers and a right checksum, and a stranger's message in it."""
    it = clinician()
    link = it.programmer.connection.link
    stranger = Frame(Kind.DATA, link.connection, 5, payload=m.encode(m.Suspend(7)))
    for seq in range(256):
        it.to_pump(encode_frame(replace(stranger, seq=seq)))
    assert it.server.pump.mode is m.Mode.RUNNING
    assert {reason for reason, _ in logged(it.server.pump, LogKind.TURNED_AWAY)} == {Reason.BAD_TAG}
