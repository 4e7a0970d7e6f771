"""What caught each fault: told from the frames on both ends, whole worlds included."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_channel import IMPAIRMENTS

from mockpump.emulator.channel.attribution import FaultAttribution
from mockpump.emulator.channel.channel import Arrival, Channel, Fault, FaultKind, FaultSpan, Layer
from mockpump.emulator.channel.impairments import Impairments, read_impairments
from mockpump.emulator.programmer.errors import ProgrammerError
from mockpump.emulator.programmer.procedures import ask, read_log
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.session import Sealer

STATUS = m.encode(m.GetStatus())


def data(seq: int = 0, payload: bytes = STATUS) -> bytes:
    return encode_frame(Frame(Kind.DATA, 1, seq, payload=payload))


def arrival(
    attribution: FaultAttribution,
    chunk: bytes,
    *faults: tuple[FaultKind, int, int],
    number: int = 0,
) -> list[Fault]:
    """A chunk that comes to the pump with faults at these places."""
    spans = tuple(FaultSpan(Fault(kind, True, 0), start, end) for kind, start, end in faults)
    attribution.arrived(Arrival(0, number, True, chunk, spans))
    return [mark.fault for mark in spans]


def bend(chunk: bytes, at: int) -> bytes:
    return chunk[:at] + bytes((chunk[at] ^ 0x10,)) + chunk[at + 1 :]


def test_a_bent_byte_is_caught_by_the_checksum() -> None:
    chunk = bend(data(), 4)
    (fault,) = arrival(FaultAttribution(), chunk, (FaultKind.BER, 4, 5))
    assert fault.caught is Layer.CRC


def test_a_bent_length_is_caught_by_the_frame() -> None:
    chunk = bend(data(), 1)
    (fault,) = arrival(FaultAttribution(), chunk, (FaultKind.BER, 1, 2))
    assert fault.caught is Layer.FRAME


def test_garbage_before_a_frame_is_caught_and_the_frame_is_good() -> None:
    (fault,) = arrival(FaultAttribution(), b"\x05\x07" + data(), (FaultKind.GARBAGE, 0, 2))
    assert fault.caught in (Layer.FRAME, Layer.CRC)


def test_a_cut_frame_is_caught_with_what_follows_it() -> None:
    attribution = FaultAttribution()
    (fault,) = arrival(attribution, data()[:6], (FaultKind.TRUNCATE, 6, 6))
    assert fault.caught is None
    arrival(attribution, data(1))
    assert fault.caught in (Layer.FRAME, Layer.CRC)


@pytest.mark.parametrize("kind", [FaultKind.DUPLICATE, FaultKind.REORDER])
def test_what_comes_twice_or_out_of_turn_is_for_the_link(kind: FaultKind) -> None:
    chunk = data()
    (fault,) = arrival(FaultAttribution(), chunk, (kind, 0, len(chunk)))
    assert fault.caught is Layer.LINK
    bare = encode_frame(Frame(Kind.ACK, 1))
    (fault,) = arrival(FaultAttribution(), bare, (kind, 0, len(bare)))
    assert fault.caught is Layer.HARMLESS


@pytest.mark.parametrize(
    ("payload", "layer"),
    [
        (Sealer(bytes(32)).seal(STATUS), Layer.SESSION),
        (b"\x55", Layer.MESSAGE),
        (STATUS, Layer.UNDETECTED),
    ],
)
def test_a_bent_frame_with_a_checksum_that_fits(payload: bytes, layer: Layer) -> None:
    (fault,) = arrival(FaultAttribution(), data(payload=payload), (FaultKind.BER, 12, 13))
    assert fault.caught is layer


def test_garbage_that_ends_in_front_of_a_good_frame_does_no_harm() -> None:
    chunk = b"\0" + data(payload=STATUS)
    (fault,) = arrival(FaultAttribution(), chunk, (FaultKind.GARBAGE, 0, 1))
    assert fault.caught is Layer.HARMLESS


# -- what is swallowed -----------------------------------------------------------------------------


def lose(attribution: FaultAttribution, chunk: bytes) -> Fault:
    fault = Fault(FaultKind.LOSS, True, 0)
    attribution.sent(True, chunk, fault)
    return fault


def test_a_lost_frame_that_is_sent_again_because_nothing_came() -> None:
    attribution = FaultAttribution()
    fault = lose(attribution, data(0))
    attribution.sent(True, data(1), None)
    assert fault.caught is None
    attribution.sent(True, data(0), None)
    assert fault.caught is Layer.TIMEOUT


def test_a_lost_frame_that_is_sent_again_because_the_other_side_showed_the_gap() -> None:
    attribution = FaultAttribution()
    fault = lose(attribution, data(0))
    attribution.sent(True, data(1), None)
    shown = encode_frame(Frame(Kind.ACK, 1, ack=0, sack=1))
    attribution.arrived(Arrival(0, 0, False, shown, ()))
    attribution.sent(True, data(0), None)
    assert fault.caught is Layer.LINK


def test_a_lost_acknowledgement_is_made_good_by_the_next() -> None:
    attribution = FaultAttribution()
    lose(attribution, encode_frame(Frame(Kind.ACK, 1)))
    assert attribution.table() == {
        "loss": {layer.value: int(layer is Layer.HARMLESS) for layer in Layer}
    }


def test_a_lost_frame_that_is_never_sent_again_was_given_up() -> None:
    attribution = FaultAttribution()
    lose(attribution, data())
    assert attribution.table()["loss"]["timeout"] == 1


# -- worlds ----------------------------------------------------------------------------------------


def on(line: Impairments, seed: int) -> World:
    """A few requests and a log over that line."""
    world = World(channel=Channel(line, seed), seed=seed, speed=0)
    for number in range(3):
        try:
            world.connect()
            for each in (m.GetStatus(), m.SetClock(number, number), m.GetDetails()):
                world.run(ask(each))
            world.run(read_log())
            world.disconnect()
        except ProgrammerError:
            continue
    return world


@given(IMPAIRMENTS, st.integers(0, 3))
def test_every_fault_is_in_the_table_once(line: Impairments, seed: int) -> None:
    world = on(line, seed)
    table = world.attribution.table()
    counted = {kind: sum(layers.values()) for kind, layers in table.items()}
    under_way = {id(mark.fault) for each in world.channel.arrivals(10**12) for mark in each.spans}
    made = [each for each in world.channel.faults if id(each) not in under_way]
    assert counted == {
        kind.value: sum(each.kind is kind for each in made)
        for kind in FaultKind
        if any(each.kind is kind for each in made)
    }


def test_on_a_bad_line_most_layers_have_something_to_do() -> None:
    line = read_impairments(
        {"loss": "10%", "ber": "1e-3", "duplicate": "10%", "reorder": "10%", "garbage": "10%"}
    )
    told: dict[str, int] = {}
    for seed in range(10):
        for layers in on(line, random.Random(seed).randrange(1_000)).attribution.table().values():
            for layer, count in layers.items():
                told[layer] = told.get(layer, 0) + count
    assert all(told[each] for each in ("frame", "crc", "link", "timeout", "harmless"))
