"""Exercise 11: nothing that was on the line is carried out again."""

import random

from hypothesis import given
from hypothesis import strategies as st

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
from mockpump.protocol.session import Opener, Sealer, SessionKeys

KEYS = draw_keys(random.Random(1).randbytes)


def paired_pump() -> Pump:
    memory = RamMemory()
    initialize(memory, PumpConfig(pairing=paired_with(KEYS)))
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


@given(st.binary(min_size=16, max_size=16), st.integers(0, 10**6))
def test_a_clinician_is_listened_to(nonce: bytes, clock: int) -> None:
    """A worked property: what is said in a session is done."""
    pump = paired_pump()
    clinician = Clinician(Line(Endpoint(pump, draw=random.Random(2).randbytes), 1), nonce)
    assert isinstance(clinician.ask(m.SetClock(1, clock)), m.ClockSet)
    assert pump.report().clock == clock


# Yours.  Somebody without a key has `heard` it all, and says things on the same `Line` or another.
# `Sealer` and `Opener` can also be asked without any pump; that is quick.
