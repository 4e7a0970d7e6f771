"""A solution of exercise 11: an attacker with a good memory, and no key."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.memory.interface import Change
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.pairing import draw_keys, paired_with
from mockpump.emulator.pump.pump import Pump
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, encode_frame
from mockpump.protocol.link.link import Link
from mockpump.protocol.link.types import PayloadReceived, Role
from mockpump.protocol.messages.base import Access, Message
from mockpump.protocol.session import SEAL_SIZE, BadTag, OldCounter, Opener, Sealer, SessionKeys

KEYS = draw_keys(random.Random(1).randbytes)


FACTORY = RamMemory()
initialize(FACTORY, PumpConfig(pairing=paired_with(KEYS)))


def paired_pump() -> Pump:
    memory = RamMemory()
    # What is in the memory of a new pump, put into another: quicker than to make one.
    memory.record(Change(FACTORY.state() or b"", None, {0: FACTORY.image(0)}))
    return Pump(memory)


class Line:
    """A connection to a pump, by its payloads; whoever has no key can say things here, too."""

    def __init__(self, port: Endpoint, connection: int) -> None:
        self.port, self.link, self.frames = port, Link(Role.INITIATOR), FrameDecoder()
        self.link.open(connection, 0)
        self.carry()

    def say(self, payload: bytes) -> bytes:
        """Put a payload on the line, in a good frame with the right numbers; the pump's answer."""
        self.link.send(payload, 0)
        (answer,) = self.carry()
        return answer

    def carry(self) -> list[bytes]:
        """Carry frames to and fro until nothing moves; what came back in them."""
        answers = []
        while frames := self.link.frames_to_send(0):
            self.port.receive_data(b"".join(map(encode_frame, frames)), 0)
            for found in self.frames.receive_data(self.port.data_to_send(0)):
                if isinstance(found, Frame):
                    self.link.receive_frame(found, 0)
            while (event := self.link.next_event()) is not None:
                if isinstance(event, PayloadReceived):
                    answers.append(event.payload)
        return answers


class Clinician:
    """Somebody with a key, and with a session; `heard` is what went over the line, both ways."""

    def __init__(self, line: Line, nonce: bytes = bytes(16)) -> None:
        self.line = line
        self.heard: list[bytes] = []
        identity = m.decode(self.say(m.encode(m.Identify())))
        assert isinstance(identity, m.Identity)
        hello = m.Hello(1, 1, Access.CLINICIAN, nonce)
        welcome = m.decode(self.say(m.encode(hello)))
        assert isinstance(welcome, m.Welcome)
        keys = SessionKeys(KEYS[Access.CLINICIAN].secret, identity, hello, welcome)
        self.say(m.encode(m.Prove(keys.prove)))
        self.sealer, self.opener = Sealer(keys.requests), Opener(keys.replies)

    def say(self, payload: bytes) -> bytes:
        answer = self.line.say(payload)
        self.heard += [payload, answer]
        return answer

    def ask(self, request: Message) -> Message:
        """The pump's reply to a request."""
        return self.open(self.say(self.sealer.seal(m.encode(request))))

    def open(self, answer: bytes) -> Message:
        """What the pump has said."""
        return m.decode(self.opener.open(answer))


# Whatever is as good as any other is small, so that what fails is made small quickly.
KEY = st.sampled_from([bytes(32), b"k" * 32])
NONCE = st.sampled_from([bytes(16), b"n" * 16])
BODIES = st.lists(st.binary(max_size=3), min_size=1, max_size=5)
REQUESTS: st.SearchStrategy[Message] = st.sampled_from(
    [m.GetStatus(), m.Suspend(1), m.Resume(2), m.SetClock(3, 99), m.Suspend(4), m.Resume(5)]
)
# What the attacker makes of a payload that it has heard, and a number to do it with.
TRICKS: dict[str, Callable[[bytes, int], bytes]] = {
    "again": lambda payload, _: payload,
    "without its seal": lambda payload, _: payload[SEAL_SIZE:],
    "cut": lambda payload, number: payload[: number % len(payload)],
    "changed": lambda payload, number: flipped(payload, number % (8 * len(payload))),
}
# Which trick, with what of all that was heard (0: the latest), and that number.
ATTACKS = st.tuples(st.sampled_from(sorted(TRICKS)), st.integers(0, 3), st.integers(0, 200))


def flipped(payload: bytes, bit: int) -> bytes:
    number = int.from_bytes(payload, "big") ^ 1 << (8 * len(payload) - 1 - bit)
    return number.to_bytes(len(payload), "big")


def new_port() -> Endpoint:
    return Endpoint(paired_pump(), draw=random.Random(2).randbytes)


def expect_closed(opener: Opener, payload: bytes) -> None:
    with pytest.raises((BadTag, OldCounter)):
        opener.open(payload)


@given(KEY, BODIES, st.lists(st.integers(0, 4), max_size=10))
def test_each_is_opened_once_and_never_after_a_later_one(
    key: bytes, bodies: list[bytes], order: list[int]
) -> None:
    sealer, opener, newest = Sealer(key), Opener(key), -1
    payloads = [sealer.seal(body) for body in bodies]
    for place in (each % len(bodies) for each in order):
        if place > newest:
            assert opener.open(payloads[place]) == bodies[place]
            newest = place
        else:
            expect_closed(opener, payloads[place])


@given(KEY, st.binary(max_size=3), st.data())
def test_a_changed_bit_is_seen_and_does_no_harm(
    key: bytes, body: bytes, data: st.DataObject
) -> None:
    payload, opener = Sealer(key).seal(body), Opener(key)
    # Whoever changes the first byte only says that it is not sealed.
    expect_closed(opener, flipped(payload, data.draw(st.integers(8, 8 * len(payload) - 1))))
    assert opener.open(payload) == body


@given(KEY, st.binary(max_size=3), st.data())
def test_a_part_is_nothing(key: bytes, body: bytes, data: st.DataObject) -> None:
    payload, opener = Sealer(key).seal(body), Opener(key)
    expect_closed(opener, payload[: data.draw(st.integers(0, len(payload) - 1))])
    assert opener.open(payload) == body


@given(NONCE, NONCE, BODIES)
def test_nobody_takes_their_own_voice_for_the_other(
    mine: bytes, theirs: bytes, bodies: list[bytes]
) -> None:
    hello, welcome = m.Hello(1, 1, Access.CLINICIAN, mine), m.Welcome(1, 1001, theirs, 0)
    identity = m.Identity(1, 1001, 1, 1, "")
    keys = SessionKeys(KEYS[Access.CLINICIAN].secret, identity, hello, welcome)
    for out, back in ((keys.requests, keys.replies), (keys.replies, keys.requests)):
        for body in bodies:
            expect_closed(Opener(back), Sealer(out).seal(body))


@given(st.lists(st.tuples(REQUESTS, ATTACKS), min_size=1, max_size=4))
def test_in_a_session_an_attacker_is_told_no(
    deeds: list[tuple[Message, tuple[str, int, int]]],
) -> None:
    port = new_port()
    clinician = Clinician(Line(port, 1))
    for request, (trick, back, number) in deeds:
        reply = clinician.ask(request)
        assert not isinstance(reply, m.Refused) or reply.reason in OF_THE_PUMP
        before = port.pump.report()
        heard = clinician.heard[-1 - back % len(clinician.heard)]
        answer = clinician.line.say(TRICKS[trick](heard, number))
        assert isinstance(clinician.open(answer), m.Refused)
        assert port.pump.report() == before


# What a request of the clinician's own may be refused for.
OF_THE_PUMP = (m.Reason.WRONG_MODE, m.Reason.TRANSACTION_REUSED)


@given(st.lists(REQUESTS, max_size=4))
def test_what_was_said_yesterday_is_nothing_today(requests: list[Message]) -> None:
    port = new_port()
    clinician = Clinician(Line(port, 1))
    for request in requests:
        clinician.ask(request)
    before, line = port.pump.report(), Line(port, 2)
    _, greeting, *others = clinician.heard[::2]
    assert isinstance(m.decode(line.say(greeting)), m.Welcome)
    assert all(isinstance(m.decode(line.say(each)), m.Refused) for each in others)
    assert port.pump.report() == before
