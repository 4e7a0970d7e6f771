"""The fuzz targets as properties: they hold on seeds and on drawn bytes, and each can fail."""

from collections.abc import Callable

import fuzz_frames
import fuzz_messages
import fuzz_pump
import pytest
import shaping
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.messages.base import CATALOGUE, Direction
from mockpump.protocol.strategies import line_bytes

Check = Callable[[bytes], None]
CHECKS = {"frames": fuzz_frames.check, "messages": fuzz_messages.check, "pump": fuzz_pump.check}
each_target = pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)

REQUESTS = [e.message for e in CATALOGUE.values() if e.direction is Direction.REQUEST]
FRAME = encode_frame(Frame(Kind.OPEN, 1, payload=b"\x00\xf0\x08"))
SEEDS = {
    "nothing": b"",
    "one byte": b"\x00",
    "zeros": bytes(100),
    "a message and a byte too many": b"\x00\x01\x00",
    "a frame": b"\x00" + FRAME,
    "a frame byte by byte, twice": b"\x00" + FRAME * 2,
    "without an end": b"\x06" + b"\x55" * 3_000,
    "every op": b"\x01" + bytes(range(256)) * 4,
    "requests and waits": b"\x01" + b"".join(bytes((1, n, 7, 9, 6, 3)) for n in range(64)),
}


@each_target
@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_the_promises_hold_on_the_seeds(check: Check, seed: bytes) -> None:
    check(seed)


@each_target
@given(data=st.binary(max_size=400))
def test_the_promises_hold_on_drawn_bytes(check: Check, data: bytes) -> None:
    check(data)


@each_target
@given(data=line_bytes())
def test_the_promises_hold_on_what_a_line_carries(check: Check, data: bytes) -> None:
    check(b"\x06" + data)


# -- the shaping ----------------------------------------------------------------------------------


def test_an_even_input_is_taken_as_it_is() -> None:
    assert b"".join(shaping.line(b"\x06" + FRAME)) == FRAME
    assert shaping.line(b"\x00abc") == [b"a", b"b", b"c"]
    assert shaping.payload(b"\x00abc") == b"abc"


@given(st.binary(max_size=300))
def test_an_odd_input_is_a_script_that_ends(data: bytes) -> None:
    steps = shaping.steps(b"\x01" + data)
    assert len(steps) <= len(data) + 1
    assert steps[0] == FRAME
    assert all(step in shaping.WAITS for step in steps if isinstance(step, int))


def test_a_script_gives_the_pump_a_program() -> None:
    rates = b"\x00\x64\x00\xc8"
    fuzz_pump.check(b"\x01\x07" + rates + bytes(5))
    (_, transfer) = shaping.steps(b"\x01\x07" + rates + bytes(5))
    server = PumpServer(new_pump())
    port = server.attach()
    for step in (FRAME, transfer):
        assert isinstance(step, bytes)
        server.receive_data(port, step, 0)
    assert server.pump.delivery.rate == 100


def test_a_script_reaches_every_request() -> None:
    """Without the shaping hardly a frame would have a good checksum."""
    said = set()
    for number in range(len(REQUESTS)):
        (_, frame) = shaping.steps(bytes((1, 1, number)) + bytes(60))[:2]
        assert isinstance(frame, bytes)
        (found,) = FrameDecoder().receive_data(frame)
        assert isinstance(found, Frame)
        said.add(type(m.decode(found.payload)))
    assert said == set(REQUESTS)


@given(st.binary(min_size=1, max_size=100))
def test_a_good_message_is_good_until_it_is_bent(data: bytes) -> None:
    good = shaping.payload(b"\x01" + data[:1] + b"\x00" + data[1:])
    assert m.encode(m.decode(good)) == good


# -- each is able to fail -------------------------------------------------------------------------


def fails(check: Check) -> None:
    """One of the seeds shows the fault."""
    with pytest.raises(AssertionError):
        _check_all(check)


def _check_all(check: Check) -> None:
    for seed in SEEDS.values():
        check(seed)


def test_a_decoder_that_keeps_everything_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FrameDecoder, "_bound_partial", lambda self, found: None)
    fails(fuzz_frames.check)
    fails(fuzz_pump.check)


def test_a_codec_that_takes_a_byte_too_many_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = m.decode
    monkeypatch.setattr(m, "decode", lambda raw: strict(raw.rstrip(b"\0")))
    fails(fuzz_messages.check)


def test_a_pump_that_loses_fluid_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Delivery.reservoir.fget
    assert honest is not None
    leak = property(lambda self: honest(self) - self.elapsed // 3_600)
    monkeypatch.setattr(Delivery, "reservoir", leak)
    fails(fuzz_pump.check)


def test_a_pump_that_never_rests_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoint, "next_deadline", lambda self: 0)
    fails(fuzz_pump.check)


def test_a_pump_that_no_longer_answers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoint, "_hear", lambda self, said, now, over: None)
    fails(fuzz_pump.check)
