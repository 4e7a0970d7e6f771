"""The attribution watches the line from outside; what it says is what the devices themselves
report.

It has to decode for itself, because a live cable lies between programs that it cannot ask.  Here
both ends are ours: every event of their connections is noted, and held against the attribution.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from test_attribution import on
from test_channel import IMPAIRMENTS

from mockpump.emulator.channel.attribution import FaultAttribution
from mockpump.emulator.channel.channel import Arrival, Channel, Layer
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.programmer.errors import ConnectionLost, OutcomeUnknown
from mockpump.emulator.programmer.procedures import ask, read_log
from mockpump.emulator.simulation.world import World
from mockpump.protocol import messages as m
from mockpump.protocol.connection import Connection, ConnectionEvent
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, RejectedFrame, RejectReason
from mockpump.protocol.link.types import DropReason, FrameDropped, LinkEvent, LinkSettings, Role
from mockpump.protocol.units import WHOLE

SEEDS = st.integers(0, 1_000)


@contextmanager
def noted() -> Iterator[list[tuple[Role, ConnectionEvent]]]:
    """Every event that a connection reports meanwhile, and whose it was."""
    events: list[tuple[Role, ConnectionEvent]] = []
    read = Connection._read

    def note(connection: Connection, said: LinkEvent) -> ConnectionEvent:
        event = read(connection, said)
        events.append((connection.link.role, event))
        return event

    with patch.object(Connection, "_read", note):
        yield events


@contextmanager
def checked(seen: list[tuple[Role, RejectedFrame]]) -> Iterator[None]:
    """What the attribution's taps find to be no frame, and at whose end."""
    take = FaultAttribution.arrived

    def note(attribution: FaultAttribution, arrival: Arrival) -> None:
        role = Role.ACCEPTOR if arrival.from_programmer else Role.INITIATOR
        decoder = attribution._receivers[arrival.from_programmer]._decoder
        receive_data = FrameDecoder.receive_data

        def look(self: FrameDecoder, data: bytes) -> list[Frame | RejectedFrame]:
            found = receive_data(self, data)
            if self is decoder:
                seen.extend((role, each) for each in found if isinstance(each, RejectedFrame))
            return found

        with patch.object(FrameDecoder, "receive_data", look):
            take(attribution, arrival)

    with patch.object(FaultAttribution, "arrived", note):
        yield


def impaired(line: Impairments, seed: int) -> World:
    """A world whose line goes wrong once the connection is there; requests, and a log."""
    good = Channel(Impairments(delay=1_000), seed)
    world = World(channel=good, seed=seed, speed=0, settings=LinkSettings(max_payload=64))
    world.connect()
    for number in range(18):
        world.run(ask(m.SetClock(number, number)))
    world.impair(line)
    # Once in a thousand lines whose every tenth frame is lost, one side falls silent for good.
    with suppress(OutcomeUnknown, ConnectionLost):
        for number in range(18, 24):
            world.run(ask(m.SetClock(number, number)))
        # In pieces of one entry: several frames are under way.
        world.run(read_log())
    world.impair(Impairments(delay=1_000))
    world.wait(5_000_000)
    return world


@given(IMPAIRMENTS, st.integers(0, 3))
def test_what_the_attribution_saw_rejected_the_devices_rejected(
    line: Impairments, seed: int
) -> None:
    """Frame by frame, with the reason; and without a rejection neither layer caught anything."""
    seen: list[tuple[Role, RejectedFrame]] = []
    with noted() as events, checked(seen):
        world = on(line, seed)
    told = [(role, event) for role, event in events if isinstance(event, RejectedFrame)]
    assert Counter(told) == Counter(seen)
    caught = {fault.caught for fault in world.channel.faults}
    reasons = {event.reason for _, event in told}
    assert (Layer.CRC in caught) <= (RejectReason.BAD_CRC in reasons)
    assert (Layer.FRAME in caught) <= bool(reasons - {RejectReason.BAD_CRC})


@given(SEEDS)
def test_every_frame_that_comes_twice_is_one_that_a_link_has_dropped(seed: int) -> None:
    with noted() as events:
        world = impaired(Impairments(delay=1_000, duplicate=WHOLE // 4), seed)
    dropped = [event for _, event in events if isinstance(event, FrameDropped)]
    assert {event.reason for event in dropped} <= {DropReason.DUPLICATE}
    assert all(event.frame.kind is Kind.DATA for event in dropped)
    table = world.attribution.table().get("duplicate", {"link": 0})
    assert table["link"] == len(dropped)


@given(SEEDS)
def test_all_garbage_is_something_that_a_device_has_rejected(seed: int) -> None:
    """At most one fault a frame on this line, so that they can be counted against each other."""
    with noted() as events:
        world = impaired(Impairments(delay=1_000, garbage=WHOLE // 4), seed)
    rejected = Counter(
        event.reason is RejectReason.BAD_CRC
        for _, event in events
        if isinstance(event, RejectedFrame)
    )
    table = world.attribution.table().get("garbage", {"crc": 0, "frame": 0})
    # Garbage with a zero in it falls into several pieces: the first says what caught it.
    assert table["crc"] <= rejected[True]
    assert table["frame"] <= rejected[False]
    assert bool(table["crc"] + table["frame"]) == bool(rejected.total())


@given(SEEDS)
def test_every_lost_frame_that_was_made_good_is_one_that_a_device_has_sent_again(seed: int) -> None:
    """And a timer has made good no more than it has sent again."""
    world = impaired(Impairments(delay=1_000, loss=WHOLE // 10), seed)
    sides = (world.programmer.connection.link.statistics, world.port.connection.link.statistics)
    table = world.attribution.table().get("loss", {"link": 0, "timeout": 0})
    assert table["link"] + table["timeout"] <= sum(each.retransmissions for each in sides)
    assert table["timeout"] <= sum(each.timeouts for each in sides)
