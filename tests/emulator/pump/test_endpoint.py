"""A line into the pump: any bytes are survived and counted, and an answer reaches who asked."""

import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pump_state import REQUESTS, give, state_of, state_of_caller

from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.codec import codec_for
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.framing import MAX_ENCODED, Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.link.types import LinkOpened, LinkSettings, Offer, Role
from mockpump.protocol.messages import Mode, Reason
from mockpump.protocol.messages.base import CATALOGUE, Entry, Message
from mockpump.protocol.program import DayPattern, Program, Segment
from mockpump.protocol.strategies import message, requests

OFFER = codec_for(Offer).encode(Offer(240, 8))
LONG = programs.image(
    Program(
        1, "long", (0,) * 7, (DayPattern("d", tuple(Segment(s, s) for s in range(0, 480, 10))),), ()
    )
)


class Client:
    """The other end of a port's line: a bare connection, driven by hand."""

    def __init__(
        self, port: Endpoint, settings: LinkSettings | None = None, connection: int = 1
    ) -> None:
        self.port = port
        self.connection = Connection(Role.INITIATOR, settings)
        self.connection.open(connection, 0)
        self.heard: list[Any] = []
        self.exchange()

    def exchange(self) -> None:
        """Carry bytes to and fro until nothing moves."""
        while True:
            out = self.connection.data_to_send(0)
            self.port.receive_data(out, 0)
            back = self.port.data_to_send(0)
            self.connection.receive_data(back, 0)
            self.heard += iter(self.connection.next_event, None)
            if not out and not back:
                return

    def ask(self, request: Message) -> Any:
        self.connection.send(request, 0)
        self.exchange()
        event = self.heard[-1]
        assert isinstance(event, MessageReceived)
        return event.message

    @property
    def messages(self) -> list[Message]:
        return [event.message for event in self.heard if isinstance(event, MessageReceived)]


def raw(*messages: bytes, connection: int = 1, first: int = 0) -> bytes:
    """Payloads as DATA frames in order, all in one go."""
    return b"".join(
        encode_frame(Frame(Kind.DATA, connection, (first + place) & 0xFF, payload=payload))
        for place, payload in enumerate(messages)
    )


def opening(connection: int = 1) -> bytes:
    return encode_frame(Frame(Kind.OPEN, connection, payload=OFFER))


def said(port: Endpoint) -> Iterator[tuple[int, Message]]:
    """What a port sends now: the connection and the message of each DATA frame."""
    for frame in FrameDecoder().receive_data(port.data_to_send(0)):
        assert isinstance(frame, Frame)
        if frame.kind is Kind.DATA:
            yield frame.connection, m.decode(frame.payload)


def chunks(data: bytes, sizes: list[int]) -> Iterable[bytes]:
    for size in sizes:
        yield data[:size]
        data = data[size:]
    yield data


# -- anything may come ---------------------------------------------------------------------------

FRAMES = st.builds(
    lambda *parts: encode_frame(Frame(*parts)),
    st.sampled_from(Kind),
    st.sampled_from([1, 2, 65_535]),
    st.integers(0, 20),
    st.integers(0, 255),
    st.integers(0, 65_535),
    st.one_of(st.binary(max_size=20), st.just(OFFER), requests().map(m.encode)),
)
RUBBISH = st.lists(
    st.binary(max_size=60) | FRAMES | st.builds(bytes.__mul__, st.binary(), st.integers(0, 99)),
    max_size=8,
).map(b"".join)
SIZES = st.lists(st.integers(0, 80), max_size=12)


@given(RUBBISH, SIZES)
def test_whatever_comes_a_good_programmer_is_served_afterwards(
    rubbish: bytes, sizes: list[int]
) -> None:
    port, now = Endpoint(new_pump()), 0
    for chunk in chunks(rubbish, sizes):
        port.receive_data(chunk, now)
        now += 100_000
        port.handle_timer(now)
        port.data_to_send(now)
    # The first zero of the next frame ends what is left; a fresh id ends what was open.
    decoder = FrameDecoder()
    decoder.receive_data(rubbish + b"\x00")
    client = Client(port, connection=3)
    status = client.ask(m.GetStatus())
    assert (status.rejected, status.dropped) == (decoder.rejected, decoder.discarded)


@given(st.binary(min_size=1, max_size=50).map(lambda data: data.replace(b"\x00", b"\x01")))
def test_garbage_is_counted_to_the_byte(garbage: bytes) -> None:
    port = Endpoint(new_pump())
    client = Client(port)
    port.receive_data(garbage, 0)
    port.receive_data(b"\x00", 0)
    status = client.ask(m.GetStatus())
    assert (status.rejected, status.dropped) == (1, len(garbage))


def test_garbage_without_an_end_is_counted_while_it_comes() -> None:
    port = Endpoint(new_pump())
    for _ in range(1_000):
        port.receive_data(b"\x55" * 100, 0)
    assert len(port.connection._decoder._partial) <= MAX_ENCODED
    status = Client(port).ask(m.GetStatus())
    assert (status.rejected, status.dropped) == (1, 100_000)


@example(b"", 0)
@given(st.binary(max_size=30), st.sampled_from(sorted(CATALOGUE)) | st.integers(0, 255))
def test_every_payload_gets_one_answer(rest: bytes, number: int) -> None:
    port = Endpoint(new_pump())
    port.receive_data(opening() + raw(bytes((number,)) + rest), 0)
    ((_, reply),) = said(port)
    entry = CATALOGUE.get(number)
    if number == 0:  # the mark of what is sealed, and no session is going on
        assert isinstance(reply, m.Refused)
        assert reply.reason is Reason.NO_SESSION
    elif entry is None:
        assert reply == m.Refused(number, Reason.UNKNOWN_MESSAGE, 0, 0, 0)
    elif isinstance(reply, m.Refused):
        assert reply.request == number
    else:
        assert type(reply) is entry.reply


@given(st.sampled_from([e for e in CATALOGUE.values() if e.message not in REQUESTS]), st.data())
def test_what_only_a_pump_may_say_is_no_request(entry: Entry, data: st.DataObject) -> None:
    port = Endpoint(new_pump())
    port.receive_data(opening() + raw(m.encode(data.draw(message(entry.message)))[:240]), 0)
    ((_, reply),) = said(port)
    assert reply == m.Refused(entry.number, Reason.NOT_A_REQUEST, 0, 0, 0)  # cut or whole


def test_an_empty_and_a_malformed_payload_are_refused() -> None:
    port = Endpoint(new_pump())
    port.receive_data(opening() + raw(b"", bytes((0x30, 0, 1, 0x51, 0x81))), 0)
    assert [message for _, message in said(port)] == [
        m.Refused(0, Reason.UNKNOWN_MESSAGE, 0, 0, 0),
        m.Refused(0x30, Reason.MALFORMED, 1, 0, 0),
    ]


# -- too much ------------------------------------------------------------------------------------


def test_who_does_not_wait_for_answers_is_cut_off() -> None:
    port = Endpoint(new_pump())
    flood = [m.encode(m.SetClock(place, place)) for place in range(200)]
    port.receive_data(opening() + raw(*flood), 0)
    assert not port.connection.is_open
    assert port.peer == Peer()
    # What could not be answered was not done.
    assert port.pump.delivery.clock == port.connection.link.settings.backlog - 1
    frames = FrameDecoder().receive_data(port.data_to_send(0))
    assert Frame(Kind.RESET, 1) in frames
    assert Client(port, connection=2).ask(m.GetClock()).clock == 63


def test_a_flood_takes_no_memory() -> None:
    port = Endpoint(new_pump())
    status = m.encode(m.GetStatus())
    tracemalloc.start()
    try:
        for connection in range(90):
            port.receive_data(opening(connection), 0)
            port.receive_data(raw(*[status] * 100, connection=connection), 0)
            if connection == 20:
                early = tracemalloc.get_traced_memory()[0]
        assert tracemalloc.get_traced_memory()[0] - early < 16_384
    finally:
        tracemalloc.stop()


def test_a_caller_that_waits_may_ask_for_ever() -> None:
    client = Client(Endpoint(new_pump()))
    for _ in range(300):
        client.ask(m.GetStatus())
    assert client.connection.is_open


# -- connections come and go -----------------------------------------------------------------------


def leave_traces(client: Client) -> None:
    pump = client.port.pump
    client.ask(m.BeginProgram(len(LONG), programs.digest(LONG), pump.digest))
    client.ask(m.WriteProgram(0, LONG[:100]))
    client.ask(m.Subscribe(60))
    client.port.pump_advanced(True)


def lose_by_close(client: Client) -> None:
    client.connection.close(0)
    client.exchange()


def lose_by_reset(client: Client) -> None:
    client.connection.abort(0)
    client.exchange()


def lose_by_silence(client: Client) -> None:
    client.port.handle_timer(60_000_000)


def lose_to_another(client: Client) -> None:
    Client(client.port, connection=2)


@pytest.mark.parametrize("lose", [lose_by_close, lose_by_reset, lose_by_silence, lose_to_another])
def test_staging_and_subscription_end_with_the_connection(lose: Callable[[Client], None]) -> None:
    client = Client(Endpoint(new_pump()))
    before = state_of(client.port.pump)
    leave_traces(client)
    assert client.port.peer.staging.data == LONG[:100]
    assert client.port.next_report() == 60
    lose(client)
    fresh = Peer(largest_payload=client.port.peer.largest_payload)
    assert state_of_caller(client.port.peer) == state_of_caller(fresh)
    assert client.port.next_report() is None
    assert state_of(client.port.pump) == before


def test_an_answer_never_reaches_the_next_caller() -> None:
    port = Endpoint(new_pump())
    asked = m.encode(m.SetClock(1, 77)), m.encode(m.Identify())
    port.receive_data(opening(1) + raw(*asked, connection=1) + opening(2), 0)
    assert port.pump.delivery.clock == 77  # it was asked in order, before the end
    assert list(said(port)) == []
    port.receive_data(raw(m.encode(m.GetClock()), connection=2), 0)
    assert list(said(port)) == [(2, m.Clock(77, 0))]


def test_what_comes_with_the_new_connection_is_answered() -> None:
    port = Endpoint(new_pump())
    status = m.encode(m.GetClock())
    both = opening(1) + raw(status) + opening(2) + raw(status, connection=2)
    port.receive_data(both, 0)
    assert list(said(port)) == [(2, m.Clock(0, 0))]


def test_what_came_before_a_close_is_done() -> None:
    port = Endpoint(new_pump())
    port.receive_data(
        opening() + raw(m.encode(m.Suspend(1)), b"junk") + encode_frame(Frame(Kind.CLOSE, 1)), 0
    )
    assert port.pump.mode is Mode.SUSPENDED
    assert not port.connection.is_open


@pytest.mark.parametrize("payload", [64, 65, 240, 1_000])
def test_a_piece_of_an_image_fits_into_the_payload_agreed_on(payload: int) -> None:
    pump = new_pump()
    give(pump, programs.from_image(LONG))
    generous = LinkSettings(max_payload=1_000)
    client = Client(Endpoint(pump, generous), LinkSettings(max_payload=payload))
    (opened,) = [event for event in client.heard if isinstance(event, LinkOpened)]
    assert opened.max_payload == payload
    image = b""
    while piece := client.ask(m.ReadProgram(m.Slot.ACTIVE, len(image), 960)).data:
        assert len(piece) == min(payload - 15, len(LONG) - len(image), 960)
        image += piece
    assert image == LONG


# -- telemetry -----------------------------------------------------------------------------------


def test_a_blocked_line_gets_the_newest_report_only() -> None:
    port = Endpoint(new_pump())
    port.receive_data(opening() + raw(m.encode(m.Subscribe(1))), 0)
    assert [type(message) for _, message in said(port)] == [m.Subscribed]
    for second in range(1, 100):
        port.pump.advance(second)
        port.pump_advanced(False)
        list(said(port))  # nothing is ever acknowledged: the window fills
    assert port.connection.link.unacknowledged == 8
    assert port.peer.pending == port.pump.report()
    assert not port.connection.link.ready
    port.receive_data(encode_frame(Frame(Kind.ACK, 1, ack=8)), 0)
    assert [message.elapsed for _, message in said(port)] == [99]  # type: ignore[attr-defined]
    assert port.peer.pending is None


def test_a_report_goes_out_right_behind_the_reply_that_caused_it() -> None:
    server = PumpServer(new_pump(), TimeScale(0))
    port = server.attach()
    server.receive_data(port, opening() + raw(m.encode(m.Subscribe(10))), 0)
    list(said(port))
    server.receive_data(port, raw(m.encode(m.Suspend(1)), first=1), 0)
    assert [type(message) for _, message in said(port)] == [m.Suspended, m.Telemetry]


def test_only_what_is_due_or_new_is_reported() -> None:
    port = Endpoint(new_pump())
    port.pump_advanced(True)
    assert port.peer.pending is None  # nobody has subscribed
    port.receive_data(opening() + raw(m.encode(m.Subscribe(10))), 0)
    port.pump.advance(9)
    port.pump_advanced(False)
    assert port.peer.pending is None
    port.pump_advanced(True)
    assert port.peer.pending == port.pump.report()
    assert port.next_report() == 10
    port.pump.advance(35)
    port.pump_advanced(False)
    assert port.next_report() == 40


def test_to_end_a_subscription_drops_what_waits() -> None:
    client = Client(Endpoint(new_pump()))
    client.ask(m.Subscribe(10))
    client.port.pump.advance(10)
    client.port.pump_advanced(False)
    assert client.ask(m.Subscribe(0)) == m.Subscribed(0)
    assert m.Telemetry not in map(type, client.messages)


def test_the_port_has_the_deadlines_of_its_link() -> None:
    client = Client(Endpoint(new_pump()))
    port = client.port
    assert port.next_deadline() == LinkSettings().keepalive
    port.handle_timer(5_000_000)
    assert port.data_to_send(5_000_000)
    port.handle_timer(16_000_000)
    assert not port.connection.is_open
    assert port.next_deadline() is None
