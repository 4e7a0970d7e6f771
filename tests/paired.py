"""A paired pump and a programmer with its keys, on a line in memory that a test can meddle with."""

import random
from collections.abc import Callable
from typing import Any

from mockpump.emulator.memory.interface import Memory
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.handshake import FindKey, open_session
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.programmer.programmer import Connected, Failed, Finished, Programmer
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.pairing import Keys, draw_keys, paired_with
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, Kind
from mockpump.protocol.keys import PairingKey
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import LogKind
from mockpump.protocol.messages.base import Message

KEYS: Keys = draw_keys(random.Random(1).randbytes)
OTHER_KEYS: Keys = draw_keys(random.Random(2).randbytes)
MILLISECOND = 1_000
# How a test sees, and may change, what goes by: from whom it comes, and the bytes.
Tap = Callable[[bool, bytes], bytes]


def paired_pump(keys: Keys = KEYS, serial: int = 1001, memory: Memory | None = None) -> Pump:
    memory = memory or RamMemory()
    initialize(memory, PumpConfig(PumpIdentity(serial), pairing=paired_with(keys)))
    return Pump(memory)


class Line:
    """One line into a server; time moves a millisecond with every exchange."""

    def __init__(self, server: PumpServer, tap: Tap | None = None, seed: int = 3) -> None:
        self.server = server
        self.port = server.attach()
        self.programmer = Programmer()
        self.tap: Tap = tap or (lambda _, data: data)
        self.random = random.Random(seed)
        self.now = 0
        self.events: list[Any] = []
        # Every event there ever was.
        self.history: list[Any] = []

    def exchange(self, rounds: int = 20) -> None:
        """Carry bytes to and fro until nothing moves."""
        for _ in range(rounds):
            self.now += MILLISECOND
            out = self.programmer.data_to_send(self.now)
            if out:
                self.to_pump(self.tap(True, out))
            back = self.port.data_to_send(self.now)
            if back:
                self.to_programmer(self.tap(False, back))
            if not out and not back:
                return

    def to_pump(self, data: bytes) -> None:
        self.server.receive_data(self.port, data, self.now)

    def to_programmer(self, data: bytes) -> None:
        self.programmer.receive_data(data, self.now)
        self.take_events()

    def take_events(self) -> None:
        found = list(iter(self.programmer.next_event, None))
        self.events += found
        self.history += found

    def wait(self, microseconds: int) -> None:
        """Let line time pass, doing what is due on the way."""
        end = self.now + microseconds
        while True:
            due = self.programmer.next_deadline(), self.server.next_deadline(self.now)
            following = min([each for each in due if each is not None] + [end])
            self.now = max(self.now, following)
            if self.now >= end:
                return
            self.programmer.handle_timer(self.now)
            self.take_events()
            self.server.handle_timer(self.now)
            self.exchange()

    def connect(self, find_key: FindKey | None = None, take_over: bool = False) -> Any:
        """Connect, with a session if there is a key to find; the event that came of it."""
        nonce = self.random.randbytes(m.NONCE_SIZE)
        opening = open_session(find_key, nonce, take_over=take_over) if find_key else None
        self.programmer.connect(self.random.randrange(2**16), self.now, opening)
        self.exchange()
        return next(e for e in reversed(self.events) if isinstance(e, Connected | Failed))

    def prove(self, key: PairingKey, take_over: bool = False) -> Any:
        return self.connect(lambda _: key, take_over)

    def ask(self, request: Message) -> Any:
        """The reply, or the error that came of asking."""
        self.events.clear()
        self.programmer.start(ask(request), self.now)
        self.exchange()
        (event,) = (each for each in self.events if isinstance(each, Finished | Failed))
        return event.result if isinstance(event, Finished) else event.error

    def hang_up(self) -> None:
        self.programmer.disconnect(self.now)
        self.exchange()


def line(pump: Pump | None = None, tap: Tap | None = None, speed: int = 0) -> Line:
    server = PumpServer(pump or paired_pump(), TimeScale(speed), random.Random(4).randbytes)
    return Line(server, tap)


def log_of(pump: Pump) -> list[LogEntry]:
    """The whole log of a pump, oldest first."""
    return list(pump.memory.log(1, 1_000).entries)


def logged(pump: Pump, kind: LogKind) -> list[tuple[int, int]]:
    """The figures of every entry of a kind."""
    return [(each.first, each.second) for each in log_of(pump) if each.kind is kind]


def payloads_in(data: bytes) -> list[bytes]:
    """What the DATA frames in some bytes carry."""
    found = FrameDecoder().receive_data(data)
    return [each.payload for each in found if isinstance(each, Frame) and each.kind is Kind.DATA]
