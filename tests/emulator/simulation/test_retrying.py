"""Asking over a line that loses, bends and repeats: everything is done once, or it is said so."""

import copy
import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from pump_state import Line

from mockpump.emulator.channel.channel import Arrival, Channel
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.procedures import Procedure, ask, read_log
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.pairing import draw_keys, paired_with
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.simulation.retrying import PumpUnreachable, RetryingProgrammer
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.messages import LogKind
from mockpump.protocol.messages.base import Access
from mockpump.protocol.units import WHOLE

LINES = st.builds(
    Impairments,
    delay=st.sampled_from([0, 10_000]),
    loss=st.sampled_from([0, WHOLE // 10, WHOLE // 3]),
    ber=st.sampled_from([0, 10**6]),
    duplicate=st.sampled_from([0, WHOLE // 5]),
    reorder=st.sampled_from([0, WHOLE // 5]),
    garbage=st.sampled_from([0, WHOLE // 5]),
)


def clinician(line: Impairments, seed: int = 0) -> RetryingProgrammer:
    keys = draw_keys(random.Random(1).randbytes)
    memory = RamMemory()
    initialize(memory, PumpConfig(pairing=paired_with(keys)))
    world = World(Pump(memory), seed=seed, speed=0, channel=Channel(line, seed))
    return RetryingProgrammer(world, lambda _: keys[Access.CLINICIAN])


@given(LINES, st.integers(0, 50), st.lists(st.booleans(), max_size=5))
def test_what_was_done_was_done_once(
    line: Impairments, seed: int, drop_replies: list[bool]
) -> None:
    it = clinician(line, seed)
    known: list[m.Message] = []
    for number, lose in enumerate(drop_replies):
        try:
            it.reach()
        except PumpUnreachable:
            continue
        it.world.drop_replies = lose
        heard = list(it.change(lambda asked=number: ask(m.SetClock(asked, asked))))  # type: ignore[misc]
        it.world.drop_replies = False
        if heard[-1].reply is not None:
            known.append(heard[-1].reply)
    entries = it.world.pump.memory.log(1, 1_000).entries
    done = [each.second for each in entries if each.kind is LogKind.CLOCK_SET]
    assert len(done) == len(set(done)) <= len(drop_replies)
    assert len(known) <= len(done)
    assert {each.clock for each in known if isinstance(each, m.ClockSet)} <= set(done)


@given(LINES, st.integers(0, 20))
def test_what_is_read_is_the_log_or_it_is_out_of_reach(line: Impairments, seed: int) -> None:
    it = clinician(line, seed)
    try:
        read = it.read(read_log)
    except PumpUnreachable:
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
    it.world.drop_replies = True
    texts = [heard.text for heard in it.change(lambda: ask(m.Suspend(1)))]
    assert texts[0].startswith("no reply")
    assert texts[-1] == "the pump reports it done; not resent"


def test_a_lost_request_is_sent_again() -> None:
    it = clinician(Impairments())
    it.reach()
    it.world.impair(Impairments(loss=WHOLE))
    heard = it.change(lambda: ask(m.Suspend(1)))
    assert next(heard).text.startswith("no reply")
    it.world.impair(Impairments())
    rest = list(heard)
    assert any("the pump never received it" in each.text for each in rest)
    assert isinstance(rest[-1].reply, m.Suspended)


def test_who_misheard_the_opening_calls_again() -> None:
    """A damaged frame whose checksum fits by accident may be another message, before any seal."""
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


# -- whatever becomes of the pump while nobody hears it -------------------------------------------


def pump_with(serial: int) -> Pump:
    keys = draw_keys(random.Random(1).randbytes)
    memory = RamMemory()
    initialize(memory, PumpConfig(PumpIdentity(serial), pairing=paired_with(keys)))
    return Pump(memory)


class Address:
    """Where the clinician calls: its pump, or whoever has taken that one's place."""

    def __init__(self, it: RetryingProgrammer) -> None:
        self.it = it
        self.pump = it.world.pump
        # As it was before anything was asked, to be put in its place some day.
        self.copy = copy.deepcopy(it.world.pump.memory)
        self.number = 0

    def put(self, pump: Pump) -> None:
        self.it.world.port.forget_peer()
        self.it.world.server.pump = pump
        self.it.world.port.reboot(pump)

    def others(self, count: int) -> None:
        """This many changes by somebody else."""
        line = Line(self.pump)
        line.peer.access = Access.CLINICIAN
        line.next_transaction = self.number
        for _ in range(count):
            line.ask(m.SetTemporary(line.fresh(), 100, 60))
        self.number = line.next_transaction

    def becomes(self, what: str) -> None:
        if what.isdigit():
            self.others(int(what))
        elif what == "restarted":
            self.pump = Pump(self.pump.memory)
            self.put(self.pump)
        elif what == "another":
            self.put(pump_with(2))
        elif what == "older copy":
            self.put(Pump(copy.deepcopy(self.copy)))
        else:
            self.put(self.pump)

    def times_done(self, figure: int) -> int:
        entries = self.pump.memory.log(1, 1_000).entries
        return sum(each.kind is LogKind.CLOCK_SET and each.second == figure for each in entries)


WHAT = st.lists(
    st.sampled_from(["1", "30", "63", "64", "130", "restarted", "another", "older copy", "back"]),
    max_size=3,
)


@given(
    st.lists(st.tuples(st.sampled_from(["fine", "reply", "request"]), WHAT), max_size=4),
    st.booleans(),
)
def test_it_is_right_about_what_it_says_whoever_answers(
    changes: list[tuple[str, list[str]]], in_session: bool
) -> None:
    """Done is done by its own pump, once; what never came was not; else it says that it cannot."""
    it = clinician(Impairments())
    if not in_session:
        it = RetryingProgrammer(World(new_pump(), speed=0, channel=Channel(Impairments(), 0)), None)
    address = Address(it)
    address.others(5)
    for number, (lost, becomes) in enumerate(changes, start=1):
        address.becomes("back")
        it.world.hang_up()
        it.reach()
        reply = change_and_lose(address, number, lost, becomes)
        if isinstance(reply, m.ClockSet):
            assert reply.clock == number
            assert address.times_done(number) == 1
        assert address.times_done(number) <= 1
        assert reply is not None or becomes


def change_and_lose(
    address: Address, figure: int, lost: str, becomes: list[str]
) -> m.Message | None:
    """Have the clock set, with a loss on the way; the reply, if it was to be had."""
    world, reply = address.it.world, None
    world.drop_replies = lost == "reply"
    world.impair(Impairments(loss=WHOLE if lost == "request" else 0))
    for heard in address.it.change(partial(_set_clock, 2**31 + figure, figure)):
        if heard.text.startswith("no reply"):
            world.drop_replies = False
            world.impair(Impairments())
            for what in becomes:
                address.becomes(what)
        elif heard.text.startswith("the pump never received it"):
            assert address.times_done(figure) == 0
        reply = heard.reply
    world.drop_replies = False
    world.impair(Impairments())
    return reply


def _set_clock(transaction: int, figure: int) -> Procedure[m.ClockSet]:
    return ask(m.SetClock(transaction, figure))


@pytest.mark.parametrize("what", ["another", "older copy", "64"])
@pytest.mark.parametrize("lost", ["reply", "request"])
def test_what_nobody_can_tell_it_does_not_say(what: str, lost: str) -> None:
    it = clinician(Impairments())
    address = Address(it)
    address.others(1)
    it.reach()
    it.world.drop_replies = lost == "reply"
    if lost == "request":
        it.world.impair(Impairments(loss=WHOLE))
    heard = it.change(lambda: ask(m.SetClock(2**31, 7)))
    assert next(heard).text.startswith("no reply")
    it.world.impair(Impairments())
    address.becomes(what)
    texts = [each.text for each in heard]
    assert any("may or may not be done" in text or "not known" in text for text in texts)
    assert address.times_done(7) == (lost == "reply")
