"""The programmer's side of the greeting: the right pump, the right key, or no question asked."""

import pytest
from msgspec.structs import replace
from paired import KEYS, Line, line, payloads_in

from mockpump.emulator.programmer.errors import (
    NotPaired,
    OtherPump,
    PumpUnproven,
    RequestRefused,
    SessionRefused,
)
from mockpump.emulator.programmer.handshake import meet_pump, open_session
from mockpump.emulator.programmer.known_pump import KnownPump, PumpMet
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.programmer.programmer import Connected, Failed
from mockpump.protocol import messages as m
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.keys import PairingKey
from mockpump.protocol.messages import Reason
from mockpump.protocol.messages.base import Access, Message
from mockpump.protocol.session import SessionKeys, is_sealed

CLINICIAN = KEYS[Access.CLINICIAN]
IDENTITY = m.Identity(1, 1001, 20_000_000, 10, "mock pump")
NONCE = bytes(16)


def answered(*changes: tuple[type[Message], dict[str, object]]) -> object:
    """Run the opening against a pump by hand that changes some of its replies; what came of it."""
    changed = dict(changes)
    procedure = open_session(lambda identity: CLINICIAN, NONCE)
    assert next(procedure) == m.Identify()
    hello = procedure.send(IDENTITY)
    assert hello == m.Hello(1, 1, Access.CLINICIAN, NONCE)
    welcome = replace(m.Welcome(1, 1001, NONCE, 0), **changed.get(m.Welcome, {}))
    prove = procedure.send(welcome)
    keys = SessionKeys(CLINICIAN.secret, IDENTITY, hello, welcome)
    assert prove == m.Prove(keys.prove)
    try:
        procedure.send(replace(m.Proven(keys.proven), **changed.get(m.Proven, {})))
    except StopIteration as end:
        return end.value
    raise AssertionError("it asks for more")


def test_both_have_proved_it() -> None:
    opened = answered()
    assert opened.identity == IDENTITY  # type: ignore[attr-defined]
    assert opened.access is Access.CLINICIAN  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change",
    [
        (m.Welcome, {"serial": 1002}),
        (m.Welcome, {"version": 2}),
        (m.Proven, {"proof": bytes(16)}),
    ],
)
def test_a_pump_that_does_not_prove_itself(change: tuple[type[Message], dict[str, object]]) -> None:
    with pytest.raises(PumpUnproven):
        answered(change)


def test_the_count_of_the_greeting_is_kept() -> None:
    assert answered((m.Welcome, {"outcomes": 12})).outcomes == 12  # type: ignore[attr-defined]


def test_another_pump_than_the_known_one_is_asked_for_no_session() -> None:
    known = KnownPump(met=PumpMet(replace(IDENTITY, serial=7)))
    procedure = open_session(lambda identity: CLINICIAN, NONCE, known)
    assert next(procedure) == m.Identify()
    with pytest.raises(OtherPump, match="answers, not pump 7"):
        procedure.send(IDENTITY)


def test_a_known_pump_is_one_that_has_proved_itself() -> None:
    it, known = line(), KnownPump()
    opening = open_session(lambda _: PairingKey(Access.CLINICIAN, bytes(20)), NONCE, known)
    it.programmer.connect(1, 0, opening)
    it.exchange()
    assert known.met is None
    it.hang_up()
    it.programmer.connect(2, it.now, open_session(lambda _: CLINICIAN, NONCE, known))
    it.exchange()
    assert known.met == PumpMet(it.server.pump.describe(), 0)


def test_an_older_copy_has_proved_itself_in_vain() -> None:
    it = line()
    known = KnownPump(met=PumpMet(it.server.pump.describe(), 1))
    it.programmer.connect(1, 0, open_session(lambda _: CLINICIAN, NONCE, known))
    it.exchange()
    (failed,) = (each for each in it.history if isinstance(each, Failed))
    assert isinstance(failed.error, OtherPump)
    assert "older copy" in str(failed.error)


def met_by_hand(known: KnownPump, *replies: m.Message | RequestRefused) -> PumpMet:
    procedure = meet_pump(known)
    next(procedure)
    try:
        for reply in replies:
            refused = isinstance(reply, RequestRefused)
            procedure.throw(reply) if refused else procedure.send(reply)
    except StopIteration as end:
        met: PumpMet = end.value
        return met
    raise AssertionError("it asks for more")


def test_without_a_session_who_is_there_is_asked_all_the_same() -> None:
    known = KnownPump()
    assert met_by_hand(known, IDENTITY) == PumpMet(IDENTITY) == known.met
    with pytest.raises(OtherPump):
        met_by_hand(known, replace(IDENTITY, serial=7))


def test_a_pump_that_will_be_changed_is_asked_for_its_count() -> None:
    status = m.Status(m.Mode.RUNNING, 0, 0, 1, 2, 3, 4, 100, 0, 0, 0, 5)
    assert met_by_hand(KnownPump(count=True), IDENTITY, status) == PumpMet(IDENTITY, 5)
    no = RequestRefused(m.GetStatus(), m.Refused(2, Reason.UNKNOWN_MESSAGE, 0, 0, 0))
    assert met_by_hand(KnownPump(count=True), IDENTITY, no) == PumpMet(IDENTITY)


def test_without_a_key_nothing_is_asked_but_who_it_is() -> None:
    it = line()
    asked: list[bytes] = []
    it.tap = lambda sent, data: (asked.extend(payloads_in(data) if sent else ()), data)[1]
    event = it.connect(lambda identity: None)
    assert isinstance(event, Failed)
    assert isinstance(event.error, NotPaired)
    assert event.error.identity.serial == 1001
    assert asked == [m.encode(m.Identify())]


def test_a_refusal_says_why() -> None:
    it = line()
    event = it.prove(PairingKey(Access.CLINICIAN, bytes(20)))
    assert isinstance(event, Failed)
    assert isinstance(event.error, SessionRefused)
    assert event.error.refused.reason is Reason.WRONG_PROOF
    assert "wrong proof" in str(event.error)


def test_only_after_it_may_a_procedure_start() -> None:
    it = line()
    it.programmer.connect(1, 0, open_session(lambda _: CLINICIAN, NONCE))
    with pytest.raises(LocalProtocolError):
        it.programmer.start(ask(m.GetStatus()), 0)
    it.exchange()
    assert isinstance(it.history[-1], Connected)
    assert isinstance(it.ask(m.GetStatus()), m.Status)


def test_after_it_everything_is_sealed_in_both_directions() -> None:
    it = line()
    said: list[tuple[bool, bytes]] = []
    it.prove(CLINICIAN)
    it.tap = lambda sent, data: (said.extend((sent, p) for p in payloads_in(data)), data)[1]
    assert isinstance(it.ask(m.GetStatus()), m.Status)
    assert isinstance(it.ask(m.CancelBolus(1)), RequestRefused)
    assert [sent for sent, _ in said] == [True, False, True, False]
    assert all(is_sealed(payload) for _, payload in said)


def test_a_session_leaves_less_room_for_a_message() -> None:
    it, other = line(), line()
    sealed, clear = it.prove(CLINICIAN), other.connect()
    assert clear.max_payload - sealed.max_payload == 13
    assert it.port.peer.largest_payload == sealed.max_payload


def test_it_ends_with_the_connection() -> None:
    it = line()
    it.prove(CLINICIAN)
    it.hang_up()
    assert not it.programmer.connection.is_sealed
    assert isinstance(it.connect(), Connected)
    error = it.ask(m.GetStatus())
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.NO_SESSION


def test_a_line_that_goes_silent_in_between_is_a_lost_connection() -> None:
    it = line()
    it.programmer.connect(1, 0, open_session(lambda _: CLINICIAN, NONCE))
    left = [4]

    def tap(sent: bool, data: bytes) -> bytes:
        left[0] -= 1
        return data if left[0] >= 0 else b""

    it.tap = tap
    it.exchange()
    it.wait(60_000_000)
    kinds = [type(each).__name__ for each in it.history]
    assert kinds == ["Failed", "Disconnected"]


def test_the_line_is_a_helper_that_is_itself_right() -> None:
    """Without a tap nothing is lost: hundreds of requests go through."""
    it: Line = line()
    it.prove(CLINICIAN)
    assert all(isinstance(it.ask(m.GetStatus()), m.Status) for _ in range(300))
