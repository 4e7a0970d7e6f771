"""Fuzzing the whole pump: any bytes at any pace, and it still answers, and no fluid is lost.

Checked for every input, after each step: requests move no fluid; time takes out of the reservoir
exactly what was delivered, at the rate that ruled; buffers and what goes out stay bounded; every
byte that goes out is a good frame, with a message in it that a pump may say.  And at the end a
fresh peer, on the same line and on another, is told who the pump is.
"""

from shaping import Step, steps

from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.protocol import messages as m
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.framing import MAX_ENCODED, Frame, FrameDecoder, Kind
from mockpump.protocol.link.types import LinkOpened, Role
from mockpump.protocol.log import chain
from mockpump.protocol.messages import MAX_IMAGE
from mockpump.protocol.messages.base import Direction, Message, entry_of

# An hour of pump time a second, so that a script's waits are worth something.
SPEED = 3_600
# Twice a window, and the answers to frames that belong nowhere.
_MOST_FRAMES = 40
# One more than the ids that a link remembers: one of them must do.
_FRESH = range(0x7E57, 0x7E57 + 9)
_PATIENCE = 8
_WHOLE_LOG = 2**32


def check(data: bytes) -> None:
    """Raise AssertionError when the pump breaks one of its promises on this input."""
    server = PumpServer(new_pump(), TimeScale(SPEED))
    port, line, now = server.attach(), FrameDecoder(), 0
    for step in steps(data):
        now = _take(server, port, step, now)
        _check_sent(line, port.data_to_send(now))
        _check_bounds(port)
        _check_deadline(server, now)
    _pass_time(server, now)
    _check_log(server)
    for each in (port, server.attach()):
        assert _identified(server, each, now) == server.pump.describe()


def _take(server: PumpServer, port: Endpoint, step: Step, now: int) -> int:
    """Bytes come, or time passes; the line time afterwards."""
    if isinstance(step, int):
        now += step
        _pass_time(server, now)
        return now
    server.advance(now)
    delivery = server.pump.delivery
    due, delivered, filling = delivery.due, delivery.delivered, delivery.filling
    left = delivery.reservoir
    server.receive_data(port, step, now)
    delivery = server.pump.delivery
    assert (delivery.due, delivery.delivered) == (due, delivered), "a request has moved fluid"
    if delivery.filling is filling:
        assert delivery.reservoir == left, "fluid has gone, or come from nowhere"
    return now


def _pass_time(server: PumpServer, now: int) -> None:
    delivery = server.pump.delivery
    begin, rate, edge = delivery.elapsed, delivery.rate, delivery.next_edge()
    due, delivered, left = delivery.due, delivery.delivered, delivery.reservoir
    server.handle_timer(now)
    assert delivery.reservoir + delivery.delivered == left + delivered, "fluid is lost"
    assert 0 <= delivery.reservoir <= left
    assert 0 <= delivery.due - delivery.delivered * 3_600 == delivery.remainder
    if edge is None or delivery.elapsed <= edge:
        assert delivery.due - due == rate * (delivery.elapsed - begin), "not what the rate says"
    assert server.pump.catheter.arrived(delivery.due) <= delivery.due


def _check_bounds(port: Endpoint) -> None:
    assert port.connection.next_event() is None
    assert len(port.connection._decoder._partial) <= MAX_ENCODED
    assert port.connection.room >= 0
    assert len(port.peer.staging.data) <= MAX_IMAGE


def _check_deadline(server: PumpServer, now: int) -> None:
    """With all done that is due, the next thing lies ahead, or the pump would never rest."""
    server.handle_timer(now)
    for port in server.endpoints:
        port.data_to_send(now)
    deadline = server.next_deadline(now)
    assert deadline is None or deadline > now, "a deadline that has passed stays"


def _check_sent(line: FrameDecoder, sent: bytes) -> None:
    found = line.receive_data(sent)
    assert len(found) <= _MOST_FRAMES
    for frame in found:
        assert isinstance(frame, Frame), "the pump has sent what is not a frame"
        if frame.kind is Kind.DATA:
            said = m.decode(frame.payload)
            assert entry_of(type(said)).direction is not Direction.REQUEST
    assert not line._partial


def _check_log(server: PumpServer) -> None:
    page = server.pump.memory.log(1, _WHOLE_LOG)
    assert len(page.entries) == page.newest + 1 - page.first
    assert chain(page.before, page.entries) == page.newest_chain


def _identified(server: PumpServer, port: Endpoint, now: int) -> Message | None:
    """What a fresh peer is told when asking who is there; None when nothing."""
    for connection in _FRESH:
        peer = Connection(Role.INITIATOR)
        peer.open(connection, now)
        caller_asked = False
        for _ in range(_PATIENCE):
            server.receive_data(port, peer.data_to_send(now), now)
            peer.receive_data(port.data_to_send(now), now)
            while (event := peer.next_event()) is not None:
                if isinstance(event, LinkOpened):
                    peer.send(m.Identify(), now)
                    caller_asked = True
                elif isinstance(event, MessageReceived):
                    return event.message
        assert not caller_asked, "a pump that was called does not answer"
    return None
