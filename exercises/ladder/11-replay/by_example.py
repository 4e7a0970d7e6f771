"""Exercise 11 as one would write it without properties: right, and caught nothing."""

import random

import pytest

from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.pairing import draw_keys, paired_with
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.protocol import messages as m
from mockpump.protocol.messages.base import Access, Message
from mockpump.protocol.session import BadTag, OldCounter, Opener, Sealer, SessionKeys

KEYS = draw_keys(random.Random(1).randbytes)


@pytest.fixture
def pump() -> Pump:
    memory = RamMemory()
    initialize(memory, PumpConfig(pairing=paired_with(KEYS)))
    return Pump(memory)


def begin_handshake(pump: Pump, peer: Peer, nonce: bytes) -> SessionKeys:
    hello = m.Hello(1, 1, Access.CLINICIAN, nonce)
    welcome = handle(pump, hello, peer)
    assert isinstance(welcome, m.Welcome)
    secret = KEYS[Access.CLINICIAN].secret
    return SessionKeys(secret, pump.describe(), hello, welcome)


def reason(reply: Message) -> m.Reason | None:
    return reply.reason if isinstance(reply, m.Refused) else None


def test_what_is_sealed_is_opened() -> None:
    sealer, opener = Sealer(bytes(32)), Opener(bytes(32))
    for body in (b"one", b"two", b""):
        assert opener.open(sealer.seal(body)) == body


def test_an_old_one_is_not_opened_again() -> None:
    sealer, opener = Sealer(bytes(32)), Opener(bytes(32))
    one, two = sealer.seal(b"one"), sealer.seal(b"two")
    assert opener.open(one) == b"one"
    assert opener.open(two) == b"two"
    with pytest.raises(OldCounter):
        opener.open(one)


def test_one_may_be_left_out() -> None:
    sealer, opener = Sealer(bytes(32)), Opener(bytes(32))
    sealer.seal(b"one")
    assert opener.open(sealer.seal(b"two")) == b"two"


def test_a_changed_message_is_not_opened() -> None:
    payload = bytearray(Sealer(bytes(32)).seal(b"one"))
    payload[-1] ^= 1
    with pytest.raises(BadTag):
        Opener(bytes(32)).open(bytes(payload))


@pytest.mark.parametrize("size", [10, 13, 15])
def test_a_part_is_not_opened(size: int) -> None:
    with pytest.raises(BadTag):
        Opener(bytes(32)).open(Sealer(bytes(32)).seal(b"one")[:size])


def test_another_key_opens_nothing() -> None:
    with pytest.raises(BadTag):
        Opener(b"k" * 32).open(Sealer(bytes(32)).seal(b"one"))


def test_a_right_proof(pump: Pump) -> None:
    peer = Peer(largest_payload=240, draw=random.Random(2).randbytes)
    keys = begin_handshake(pump, peer, bytes(16))
    assert handle(pump, m.Prove(keys.prove), peer) == m.Proven(keys.proven)
    assert isinstance(handle(pump, m.Suspend(1), peer, sealed=True), m.Suspended)


def test_a_proof_of_yesterday(pump: Pump) -> None:
    peer = Peer(largest_payload=240, draw=random.Random(2).randbytes)
    yesterday = begin_handshake(pump, peer, bytes(16))
    begin_handshake(pump, peer, b"n" * 16)
    assert reason(handle(pump, m.Prove(yesterday.prove), peer)) is m.Reason.WRONG_PROOF


def test_nothing_without_a_session(pump: Pump) -> None:
    peer = Peer(largest_payload=240)
    assert reason(handle(pump, m.Suspend(1), peer)) is m.Reason.NO_SESSION
    assert pump.mode is m.Mode.RUNNING
