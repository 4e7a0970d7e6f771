"""The pump's side of the greeting: who gets in, who does not, and what is remembered of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from paired import KEYS, OTHER_KEYS, Line, line, logged, paired_pump, payloads_in

from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.errors import RequestRefused, SessionRefused
from mockpump.emulator.programmer.programmer import Connected, Failed
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.pairing import LOCKED_FOR, MOST_FAILURES, Pairing
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, encode_frame
from mockpump.protocol.keys import PairingKey, parse_key
from mockpump.protocol.messages import Alarm, LogKind, Reason
from mockpump.protocol.messages.base import Access
from mockpump.protocol.session import Sealer, SessionKeys

IDENTITY = paired_pump().describe()

CLINICIAN, WRONG = KEYS[Access.CLINICIAN], OTHER_KEYS[Access.CLINICIAN]


def refusal(event: object) -> Reason:
    """Why a connection did not come to a session."""
    assert isinstance(event, Failed)
    assert isinstance(event.error, SessionRefused)
    return event.error.refused.reason


def guess(it: Line, key: PairingKey) -> object:
    it.events.clear()
    event = it.prove(key)
    it.hang_up()
    return event


@pytest.mark.parametrize("access", Access)
def test_the_right_key_gets_in(access: Access) -> None:
    it = line()
    event = it.prove(KEYS[access])
    assert isinstance(event, Connected)
    assert event.access is access
    assert event.identity is not None
    assert event.identity.serial == 1001
    assert logged(it.server.pump, LogKind.SESSION_STARTED) == [(access, 1)]
    assert isinstance(it.ask(m.GetStatus()), m.Status)


def test_a_wrong_key_does_not() -> None:
    it = line()
    assert refusal(it.prove(WRONG)) is Reason.WRONG_PROOF
    assert logged(it.server.pump, LogKind.PROOF_FAILED) == [(Access.CLINICIAN, 1)]
    assert isinstance(it.ask(m.GetStatus()), RequestRefused)


@pytest.mark.parametrize("access", Access)
def test_the_key_of_one_access_does_not_prove_the_other(access: Access) -> None:
    other = next(each for each in Access if each is not access)
    it = line()
    assert refusal(it.prove(PairingKey(other, KEYS[access].secret))) is Reason.WRONG_PROOF


def test_a_proof_for_another_pump_is_none() -> None:
    """Two pumps with the very same key still are two: who each is belongs to the greeting."""
    hello, welcome = m.Hello(1, 1, Access.CLINICIAN, bytes(16)), m.Welcome(1, 1001, bytes(16), 0)
    others = (replace(IDENTITY, serial=1002), replace(IDENTITY, name="another"), IDENTITY)
    proofs = {SessionKeys(CLINICIAN.secret, each, hello, welcome).prove for each in others}
    assert len(proofs) == 3
    it = line(paired_pump(OTHER_KEYS, 1002))
    assert refusal(it.prove(CLINICIAN)) is Reason.WRONG_PROOF


# -- the greeting --


def greeted(it: Line, **changes: object) -> tuple[m.Hello, m.Welcome]:
    it.connect()
    hello = replace(m.Hello(1, 1, Access.CLINICIAN, bytes(16)), **changes)
    return hello, it.ask(hello)


def test_a_downgrade_in_between_makes_the_proof_wrong() -> None:
    """Somebody changes the offered versions on the way: the two sides no longer heard the same."""
    it = line()
    sent, welcome = greeted(it, lowest=1, highest=1)
    meant = replace(sent, highest=255)
    error = it.ask(m.Prove(SessionKeys(CLINICIAN.secret, IDENTITY, meant, welcome).prove))
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.WRONG_PROOF


@given(st.integers(2, 255), st.integers(1, 255))
def test_a_version_that_nobody_speaks_is_refused(lowest: int, highest: int) -> None:
    it = line()
    _, error = greeted(it, lowest=lowest, highest=highest)
    assert isinstance(error, RequestRefused)
    assert error.refused == m.Refused(0x08, Reason.WRONG_VERSION, 2, highest, 1)


def test_every_greeting_has_its_own_nonce() -> None:
    it = line()
    welcomes = [greeted(it)[1]]
    welcomes += [it.ask(m.Hello(1, 1, Access.OBSERVER, bytes(16))) for _ in range(5)]
    assert len({each.nonce for each in welcomes}) == 6


def test_one_greeting_is_good_for_one_proof() -> None:
    it = line()
    hello, welcome = greeted(it)
    assert isinstance(it.ask(m.Prove(bytes(16))), RequestRefused)
    error = it.ask(m.Prove(SessionKeys(CLINICIAN.secret, IDENTITY, hello, welcome).prove))
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.OUT_OF_ORDER
    assert len(logged(it.server.pump, LogKind.PROOF_FAILED)) == 1


def proof_for(hello: m.Hello, welcome: m.Welcome) -> m.Prove:
    return m.Prove(SessionKeys(CLINICIAN.secret, IDENTITY, hello, welcome).prove)


def test_a_refused_hello_uses_no_greeting_up() -> None:
    it = line()
    hello, welcome = greeted(it)
    for other in (replace(hello, lowest=2, highest=9), replace(hello, lowest=9, highest=1)):
        error = it.ask(other)
        assert isinstance(error, RequestRefused)
        assert error.refused.reason is Reason.WRONG_VERSION
    assert isinstance(it.ask(proof_for(hello, welcome)), m.Proven)


@pytest.mark.parametrize("first", [True, False])
def test_a_second_hello_takes_the_place_of_the_first(first: bool) -> None:
    it = line()
    greetings = [greeted(it)]
    again = replace(greetings[0][0], nonce=b"again, and again")
    greetings.append((again, it.ask(again)))
    reply = it.ask(proof_for(*greetings[0 if first else 1]))
    if first:
        assert isinstance(reply, RequestRefused)
        assert reply.refused.reason is Reason.WRONG_PROOF
    else:
        assert isinstance(reply, m.Proven)


def test_a_proof_without_a_greeting_is_no_wrong_one() -> None:
    it = line()
    it.connect()
    for _ in range(MOST_FAILURES + 1):
        error = it.ask(m.Prove(bytes(16)))
        assert isinstance(error, RequestRefused)
        assert error.refused.reason is Reason.OUT_OF_ORDER
    assert it.server.pump.pairing.failures == 0


@pytest.mark.parametrize(
    "said", [{"name": "Mock pump"}, {"reservoir": 1}, {"step": 11}, {"version": 2}]
)
def test_who_the_pump_is_is_proved_with_its_key(said: dict[str, object]) -> None:
    """Somebody in between changes what it says of itself: the programmer's proof does not fit."""
    it = line()

    def forge(sent: bool, data: bytes) -> bytes:
        if sent:
            return data
        out = b""
        for frame in FrameDecoder().receive_data(data):
            assert isinstance(frame, Frame)
            payload = frame.payload
            if payload[:1] == b"\x81":
                payload = m.encode(replace(IDENTITY, **said))
            out += encode_frame(replace(frame, payload=payload))
        return out

    it.tap = forge
    assert refusal(it.prove(CLINICIAN)) is Reason.WRONG_PROOF


@pytest.mark.parametrize("raw", [True, False])
def test_the_bytes_of_the_key_are_what_counts_not_its_text(raw: bool) -> None:
    it = line()
    hello, welcome = greeted(it)
    key = parse_key(CLINICIAN.text)
    assert len(key.secret) == 20
    counted = key.secret if raw else key.text.encode()
    reply = it.ask(m.Prove(SessionKeys(counted, IDENTITY, hello, welcome).prove))
    assert isinstance(reply, m.Proven if raw else RequestRefused)


def test_yesterdays_proof_is_none_today() -> None:
    it = line()
    hello, welcome = greeted(it)
    proof = m.Prove(SessionKeys(CLINICIAN.secret, IDENTITY, hello, welcome).prove)
    assert isinstance(it.ask(proof), m.Proven)
    it = Line(it.server, seed=9)
    it.server.detach(it.server.endpoints[0])
    assert isinstance(greeted(it)[1], m.Welcome)
    error = it.ask(proof)
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.WRONG_PROOF


@pytest.mark.parametrize(
    "request_",
    [
        m.Hello(1, 1, Access.OBSERVER, bytes(16)),
        m.Hello(1, 1, Access.CLINICIAN, bytes(16), 1),
        m.Prove(bytes(16)),
    ],
)
def test_in_a_session_there_is_no_other(request_: m.Hello | m.Prove) -> None:
    it = line()
    it.prove(CLINICIAN)
    error = it.ask(request_)
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.OUT_OF_ORDER
    assert isinstance(it.ask(m.GetStatus()), m.Status)


# -- one at a time --


def test_a_second_programmer_is_told_that_the_pump_is_busy() -> None:
    first = line()
    first.prove(CLINICIAN)
    second = Line(first.server, seed=8)
    assert refusal(second.prove(CLINICIAN)) is Reason.BUSY
    assert isinstance(first.ask(m.GetStatus()), m.Status)
    assert not logged(first.server.pump, LogKind.PROOF_FAILED)


def test_a_proof_that_comes_while_another_is_served_uses_no_greeting_up() -> None:
    second = line()
    hello, welcome = greeted(second)
    first = Line(second.server, seed=8)
    first.now = second.now
    first.prove(CLINICIAN)
    second.now = first.now
    error = second.ask(proof_for(hello, welcome))
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.BUSY
    first.now = second.now
    first.hang_up()
    second.now = first.now
    assert isinstance(second.ask(proof_for(hello, welcome)), m.Proven)


@pytest.mark.parametrize("end", ["hang up", "detach", "another call", "reboot"])
def test_when_the_first_has_gone_the_second_gets_in(end: str) -> None:
    first = line()
    first.prove(CLINICIAN)
    second = Line(first.server, seed=8)
    if end == "hang up":
        first.hang_up()
    elif end == "detach":
        first.server.detach(first.port)
    elif end == "reboot":
        first.server.reboot(first.now)
    else:
        first.programmer = second.programmer.__class__()
        first.connect()
    second.now = first.now
    assert isinstance(second.prove(CLINICIAN), Connected)


# -- the lock --


def test_a_sixth_guess_is_not_looked_at() -> None:
    it = line()
    for _ in range(MOST_FAILURES):
        assert refusal(guess(it, WRONG)) is Reason.WRONG_PROOF
    assert refusal(guess(it, WRONG)) is Reason.PAIRING_LOCKED
    # Not even the right one.
    event = guess(it, CLINICIAN)
    assert refusal(event) is Reason.PAIRING_LOCKED
    assert event.error.refused.figure == LOCKED_FOR  # type: ignore[attr-defined]
    pump = it.server.pump
    # The first is written at once, the others are counted until something is done.
    assert logged(pump, LogKind.PROOF_FAILED) == [(Access.CLINICIAN, 1)]
    assert pump.journal.strangers.count(LogKind.PROOF_FAILED) == MOST_FAILURES - 1
    assert logged(pump, LogKind.ALARM_RAISED) == [(Alarm.PAIRING_LOCKED, 1)]
    assert pump.mode is m.Mode.RUNNING


def locked() -> Line:
    it = line()
    for _ in range(MOST_FAILURES):
        guess(it, WRONG)
    return it


def test_cutting_the_power_gives_nobody_another_guess() -> None:
    it = line()
    for _ in range(MOST_FAILURES - 1):
        guess(it, WRONG)
    it.server.reboot(it.now)
    assert refusal(guess(it, WRONG)) is Reason.WRONG_PROOF
    it.server.reboot(it.now)
    assert refusal(guess(it, CLINICIAN)) is Reason.PAIRING_LOCKED
    assert it.server.pump.panel.present(Alarm.PAIRING_LOCKED)


def test_a_right_proof_sets_the_count_back() -> None:
    it = line()
    for _ in range(3):
        for _ in range(MOST_FAILURES - 1):
            assert refusal(guess(it, WRONG)) is Reason.WRONG_PROOF
        assert isinstance(guess(it, KEYS[Access.OBSERVER]), Connected)


def test_new_keys_lift_the_lock_and_the_old_ones_prove_nothing() -> None:
    it = locked()
    it.server.do(lambda pump: pump.change(lambda: operations.pair(pump, OTHER_KEYS)), it.now)
    assert logged(it.server.pump, LogKind.PAIRED) == [(0, 0)]
    assert isinstance(guess(it, WRONG), Connected)
    assert refusal(guess(it, CLINICIAN)) is Reason.WRONG_PROOF


# -- pumps without keys --


def test_an_open_pump_has_nothing_to_prove() -> None:
    assert refusal(line(new_pump()).prove(CLINICIAN)) is Reason.NOT_PAIRED


def test_what_is_sealed_to_an_open_pump_is_turned_away() -> None:
    """It has no session to open it with, though it would answer the same in the clear."""
    it = line(new_pump())
    it.connect()
    heard: list[bytes] = []
    it.tap = lambda sent, data: (heard.append(data) if not sent else None) or data
    it.programmer.connection.link.send(Sealer(bytes(32)).seal(m.encode(m.Suspend(7))), it.now)
    it.exchange()
    replies = [m.decode(each) for data in heard for each in payloads_in(data)]
    assert replies == [m.Refused(0x20, Reason.NO_SESSION, 0, 0, 0)]
    assert it.server.pump.mode is m.Mode.RUNNING
    assert logged(it.server.pump, LogKind.TURNED_AWAY) == [(Reason.NO_SESSION, 1)]


def test_a_pump_from_before_there_were_keys_lets_nobody_in() -> None:
    memory = RamMemory()
    initialize(memory, PumpConfig(pairing=Pairing()))
    it = line(Pump(memory))
    assert refusal(it.prove(CLINICIAN)) is Reason.NOT_PAIRED
    assert isinstance(it.ask(m.GetStatus()), RequestRefused)
    assert isinstance(it.ask(m.Identify()), m.Identity)


def test_a_pump_without_a_source_of_nonces_lets_nobody_in() -> None:
    assert refusal(Line(PumpServer(paired_pump())).prove(CLINICIAN)) is Reason.NOT_PAIRED


def test_the_keys_are_in_no_repr() -> None:
    pump = paired_pump()
    shown = repr(pump._state()) + repr(pump.pairing)
    for key in KEYS.values():
        assert repr(key.secret) not in shown
        assert key.secret.hex() not in shown
