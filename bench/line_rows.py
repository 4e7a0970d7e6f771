"""Frames out of a stream, and requests through two whole connections, all in memory.

The split-based loop is what one writes in ten lines: split at the zeros, undo COBS and, in a second
version, check the CRC.  It knows no header, bounds nothing and says nothing about what it could not
read.
"""

import random
from binascii import crc_hqx
from collections.abc import Callable

from cobs import cobs

from bench.codec_rows import STATUS
from bench.pairs import Effort, Work, calls, race
from bench.table import Contest, Finding
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.programmer.programmer import Finished, Programmer
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.protocol import messages as m
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame
from mockpump.protocol.link.types import Role
from mockpump.protocol.session import Opener, Sealer

_PAYLOAD = 64
_CHUNK = 64
_FRAMES = 400
# Line time that one way over an imagined line takes, in microseconds.
_TRIP = 40


def deframe(effort: Effort) -> list[Finding]:
    """A stream of 64-byte payloads, in 64-byte chunks."""
    chunks = _stream()
    works: dict[str, Work] = {
        "ours": calls(_ours, chunks),
        "split loop": calls(_split_loop, chunks),
        "split loop + CRC": calls(_split_loop_with_crc, chunks),
    }
    contest = Contest(race(works, effort), "deframe", "ours", "B/s", _PAYLOAD * _FRAMES)
    return [
        contest.at_least("split loop + CRC", 0.6),
        contest.beside("split loop"),
        contest.floor(40e6),
    ]


def _stream() -> list[bytes]:
    source = random.Random(1)
    frames = (
        Frame(Kind.DATA, 0x1234, k & 255, k & 255, 0, source.randbytes(_PAYLOAD))
        for k in range(_FRAMES)
    )
    stream = b"".join(map(encode_frame, frames))
    return [stream[at : at + _CHUNK] for at in range(0, len(stream), _CHUNK)]


def _ours(chunks: list[bytes]) -> None:
    decoder = FrameDecoder()
    found = 0
    for chunk in chunks:
        found += len(decoder.receive_data(chunk))
    assert found == _FRAMES


def _split_loop(chunks: list[bytes]) -> None:
    partial = b""
    found = 0
    for chunk in chunks:
        *pieces, partial = (partial + chunk).split(b"\0")
        for piece in pieces:
            if piece:
                cobs.decode(piece)
                found += 1
    assert found == _FRAMES


def _split_loop_with_crc(chunks: list[bytes]) -> None:
    partial = b""
    found = 0
    for chunk in chunks:
        *pieces, partial = (partial + chunk).split(b"\0")
        for piece in pieces:
            if piece and crc_hqx(cobs.decode(piece), 0xFFFF) == 0x1D0F:
                found += 1
    assert found == _FRAMES


def connections(effort: Effort) -> list[Finding]:
    """Request and reply, through two connections; then through the two whole devices."""
    works = {
        "connections": _two_connections(),
        "frame + codec": calls(_frame_and_codec, None),
        "devices": _two_devices(),
        "seal": _seal_and_open(),
    }
    timed = race(works, effort)
    case = Contest(timed, "request and reply", "connections", "/s")
    devices = Contest(timed, "  between devices", "devices", "/s")
    sealed = Contest(timed, "seal and open", "seal")
    return [
        case.floor(20_000),
        case.beside("frame + codec"),
        devices.beside("frame + codec"),
        sealed.ceiling(15e-6),
    ]


def _frame_and_codec(_: None) -> None:
    """The bare minimum for orientation: no link, no connection."""
    for message in (m.GetStatus(), STATUS):
        data = encode_frame(Frame(Kind.DATA, 1, payload=m.encode(message)))
        for found in FrameDecoder().receive_data(data):
            m.decode(found.payload)  # type: ignore[union-attr]


def _seal_and_open() -> Work:
    """What a session adds to each message, both sides together."""
    sealer, opener = Sealer(bytes(32)), Opener(bytes(32))
    message = m.encode(STATUS)

    def work(count: int) -> None:
        for _ in range(count):
            opener.open(sealer.seal(message))

    return work


def _two_connections() -> Work:
    programmer, pump = Connection(Role.INITIATOR), Connection(Role.ACCEPTOR)
    programmer.open(1, 0)
    pump.receive_data(programmer.data_to_send(0), 0)
    programmer.receive_data(pump.data_to_send(0), 0)
    while programmer.next_event() or pump.next_event():
        pass
    now = 0

    def carry(sender: Connection, receiver: Connection, message: m.Message) -> None:
        sender.send(message, now)
        receiver.receive_data(sender.data_to_send(now), now)
        event = receiver.next_event()
        assert isinstance(event, MessageReceived)
        receiver.next_event()
        receiver.next_deadline()

    def work(count: int) -> None:
        nonlocal now
        request = m.GetStatus()
        for _ in range(count):
            carry(programmer, pump, request)
            now += _TRIP
            carry(pump, programmer, STATUS)
            now += _TRIP

    return work


def _two_devices() -> Work:
    server = PumpServer(new_pump(), TimeScale(1))
    port = server.attach()
    programmer = Programmer()
    now = 0

    def exchange(until: Callable[[], object]) -> None:
        nonlocal now
        while not until():
            if data := programmer.data_to_send(now):
                server.receive_data(port, data, now)
            now += _TRIP
            if data := port.data_to_send(now):
                programmer.receive_data(data, now)
            now += _TRIP

    def work(count: int) -> None:
        for _ in range(count):
            programmer.start(ask(m.GetStatus()), now)
            exchange(lambda: isinstance(programmer.next_event(), Finished))

    programmer.connect(1, now)
    exchange(lambda: programmer.next_event() is not None)
    return work
