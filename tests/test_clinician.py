"""Asking over a line that loses, bends and repeats: everything is done once, or it is said so."""

import random

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from mockpump.emulator.channel.channel import Arrival, Channel
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.channel.quantities import WHOLE
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.procedures import ask, read_log
from mockpump.emulator.pump.device import Pump
from mockpump.emulator.pump.making import Making, make
from mockpump.emulator.pump.pairing import draw_keys, paired_with
from mockpump.emulator.world.clinician import Clinician, OutOfReach
from mockpump.emulator.world.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.catalogue import Access
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.messages import LogKind

LINES = st.builds(
    Impairments,
    delay=st.sampled_from([0, 10_000]),
    loss=st.sampled_from([0, WHOLE // 10, WHOLE // 3]),
    ber=st.sampled_from([0, 10**6]),
    duplicate=st.sampled_from([0, WHOLE // 5]),
    reorder=st.sampled_from([0, WHOLE // 5]),
    garbage=st.sampled_from([0, WHOLE // 5]),
)


def clinician(line: Impairments, seed: int = 0) -> Clinician:
    keys = draw_keys(random.Random(1).randbytes)
    memory = RamMemory()
    make(memory, Making(pairing=paired_with(keys)))
    world = World(Pump(memory), seed=seed, speed=0, channel=Channel(line, seed))
    return Clinician(world, lambda _: keys[Access.CLINICIAN])


@given(LINES, st.integers(0, 50), st.lists(st.booleans(), max_size=5))
def test_what_was_done_was_done_once(line: Impairments, seed: int, deaf: list[bool]) -> None:
    it = clinician(line, seed)
    known: list[m.Message] = []
    for number, lose in enumerate(deaf):
        try:
            it.reach()
        except OutOfReach:
            continue
        it.world.deaf = lose
        heard = list(it.change(lambda asked=number: ask(m.SetClock(asked, asked))))  # type: ignore[misc]
        it.world.deaf = False
        if heard[-1].reply is not None:
            known.append(heard[-1].reply)
    entries = it.world.pump.memory.log(1, 1_000).entries
    done = [each.second for each in entries if each.kind is LogKind.CLOCK_SET]
    assert len(done) == len(set(done)) <= len(deaf)
    assert len(known) <= len(done)
    assert {each.clock for each in known if isinstance(each, m.ClockSet)} <= set(done)


@given(LINES, st.integers(0, 20))
def test_what_is_read_is_the_log_or_it_is_out_of_reach(line: Impairments, seed: int) -> None:
    it = clinician(line, seed)
    try:
        read = it.read(read_log)
    except OutOfReach:
        return
    entries = it.world.pump.memory.log(1, 1_000).entries
    assert list(read.entries) == list(entries[: len(read.entries)])


def test_a_dead_line_is_out_of_reach_in_bounded_time() -> None:
    it = clinician(Impairments(loss=WHOLE))
    (heard,) = it.change(lambda: ask(m.Suspend(1)))
    assert heard.reply is None
    assert "out of reach" in heard.text
    assert it.world.now < 60_000_000


def test_a_lost_reply_is_asked_for_and_the_request_is_not_sent_again() -> None:
    it = clinician(Impairments())
    it.reach()
    it.world.deaf = True
    texts = [heard.text for heard in it.change(lambda: ask(m.Suspend(1)))]
    assert texts[0].startswith("nothing is heard")
    assert texts[-1] == "it is known to be done: the request is not sent a second time"


def test_a_lost_request_is_sent_again() -> None:
    it = clinician(Impairments())
    it.reach()
    it.world.impair(Impairments(loss=WHOLE))
    heard = it.change(lambda: ask(m.Suspend(1)))
    assert next(heard).text.startswith("nothing is heard")
    it.world.impair(Impairments())
    rest = list(heard)
    assert any("it has never come" in each.text for each in rest)
    assert isinstance(rest[-1].reply, m.Suspended)


def test_who_misheard_the_opening_calls_again() -> None:
    """A bent frame whose checksum fits by accident may be another message, before any seal."""
    it = clinician(Impairments(delay=1_000))
    world, misheard = it.world, []
    arrive, decoder = world._arrive, FrameDecoder()

    def mishear(arrival: Arrival) -> None:
        (frame,) = decoder.receive_data(arrival.data) if not arrival.from_programmer else (None,)
        if isinstance(frame, Frame) and frame.kind is Kind.DATA and not misheard:
            misheard.append(frame)
            other = structs.replace(frame, payload=m.encode(m.Suspended(1)))
            arrival = arrival._replace(data=encode_frame(other))
        arrive(arrival)

    world._arrive = mishear  # type: ignore[method-assign]
    it.reach()
    assert len(misheard) == 1
    assert world.programmer.connection.is_open
    assert len(list(it.change(lambda: ask(m.Suspend(1))))) == 1
