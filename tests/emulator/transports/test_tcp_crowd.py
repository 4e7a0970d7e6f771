"""Five hundred bad clients beside a good one: it is served all the while, and nothing is used up.

The pump is a process of its own, so that its memory and its descriptors can be counted.  The crowd
is drawn by seed.  Nothing sleeps: the good client's requests are what time is measured by.
"""

import contextlib
import resource
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from outside import PATIENCE, program_file

from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.tcp import TcpBounds
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.program import DayPattern, Program, Segment

pytestmark = pytest.mark.end_to_end

CROWD = 500
AT_ONCE = 20
# pyserial takes 0.3 s to close a socket, so there are few of these.
CROWD_TO_A_NEWCOMER = 5 * AT_ONCE
# Those who ask and do not read make room, or are hung up on, so a newcomer comes in soon.  What
# counts is how much the pump has done between two tries, and not how long it took.
TRIES = 4
TURNS = 4 * TcpBounds().waiting // TcpBounds().chunk
# What the good client waits for an answer at the most, in seconds, on a busy machine too.
LONGEST_WAIT = 1.0
# What the pump may grow by: twice what may wait on all its lines, something for the allocator,
# and what it keeps of each of the crowd in the lobby.
MOST_GROWTH = 2 * TcpBounds().clients * TcpBounds().waiting + 2**20 + CROWD * 16 * 1_024
# Those that are being refused have a descriptor for some turns of the loop.
MOST_DESCRIPTORS = TcpBounds().clients + TcpBounds().lobby + 100
# So that reading it takes long answers.
LONG = Program(
    1, "long", (0,) * 7, (DayPattern("d", tuple(Segment(n, n) for n in range(0, 480, 10))),), ()
)
_BEHIND = 40
_A_FLOOD = 64 * 1_024
_OPEN = encode_frame(Frame(Kind.OPEN, 9, payload=b"\x00\xf0\x08"))


# -- the crowd ------------------------------------------------------------------------------------


def silence(_: Random) -> bytes:
    return b""


def garbage(source: Random) -> bytes:
    """Noise, one endless frame, or as many tiny ones as there can be."""
    made = (source.randbytes, lambda size: b"\x55" * size, lambda size: b"\x01\x00" * (size // 2))
    return source.choice(made)(_A_FLOOD)


def half_a_frame(source: Random) -> bytes:
    return _OPEN[: source.randrange(1, len(_OPEN) - 1)]


def a_greeting(_: Random) -> bytes:
    return _OPEN


def questions(_: Random) -> bytes:
    """Question after question, each answer acknowledged unread, a little after it was given.

    The noise keeps the questions from coming faster than answers may be queued.
    """
    return _OPEN + _asked_often()


@cache
def _asked_often() -> bytes:
    asked, noise = m.encode(m.ReadProgram(m.Slot.ACTIVE, 0, 200)), b"\x55" * 400
    acks = ((n, max(n - _BEHIND, 0)) for n in range(6_000))
    frames = (Frame(Kind.DATA, 9, n & 0xFF, ack & 0xFF, payload=asked) for n, ack in acks)
    return b"".join(encode_frame(frame) + noise for frame in frames)


BAD: dict[str, Callable[[Random], bytes]] = {
    "silent": silence,
    "garbage": garbage,
    "half a frame": half_a_frame,
    "never reads": questions,
    "opens, then silence": a_greeting,
    "resets": a_greeting,
}


class Bad:
    """One bad client.  `push` sends what the pump takes of what it has to say."""

    def __init__(self, kind: str, address: tuple[str, int], source: Random) -> None:
        self._end = socket.socket()
        self._end.settimeout(PATIENCE)
        if kind == "never reads":
            self._end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self._end.connect(address)
        self._end.setblocking(False)
        self._unsaid = BAD[kind](source)
        self.push()
        if kind == "resets":
            self._end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._end.close()
            self._unsaid = b""

    def push(self) -> None:
        """Send some, unless the pump has hung up."""
        if self._unsaid:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self._unsaid = self._unsaid[self._end.send(self._unsaid) :]

    def close(self) -> None:
        self._end.close()


# -- what happens to the good one -----------------------------------------------------------------


class Ordeal(NamedTuple):
    """What the good client saw, and what it cost the pump."""

    waits: list[float]
    newcomers: int
    most_descriptors: int
    descriptors_left: int
    growth: int
    kinds: Counter[str]


def descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def memory(pid: int, which: str) -> int:
    """Resident bytes: VmRSS now, or VmHWM at the most so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) * 1_024


def ordeal(pump: PumpProcess, seed: int, crowd: int = CROWD) -> Ordeal:
    """A crowd comes, some at a time; after each lot the good one, and a newcomer, ask something."""
    source, kinds, waits, newcomers = Random(seed), Counter[str](), list[float](), 0
    with SerialProgrammer(pump.port) as good, contextlib.ExitStack() as all_bad:
        good.connect(1)
        waits.append(asked(good))
        before, had, most = memory(pump.pid, "VmRSS"), descriptors(pump.pid), 0
        bad = list[Bad]()
        while len(bad) < crowd:
            for _ in range(AT_ONCE):
                kind = source.choice(list(BAD))
                kinds[kind] += 1
                bad.append(Bad(kind, address_of(pump), source))
                all_bad.callback(bad[-1].close)
            for each in bad:
                each.push()
            waits.append(asked(good))
            most = max(most, descriptors(pump.pid) - had)
            if len(bad) % CROWD_TO_A_NEWCOMER == 0:
                newcomers += is_served(pump, partial(go_on, good, bad))
        all_bad.close()
        settle(lambda: waits.append(asked(good)), lambda: descriptors(pump.pid) <= had)
        left = descriptors(pump.pid) - had
    growth = memory(pump.pid, "VmHWM") - before
    return Ordeal(waits, newcomers, most, left, growth, kinds)


def address_of(pump: PumpProcess) -> tuple[str, int]:
    parts = urlsplit(pump.port)
    return str(parts.hostname), int(parts.port or 0)


def go_on(good: SerialProgrammer, bad: list[Bad]) -> None:
    """Let the pump take from everybody until whoever does not read can no longer be sent anything.

    Each answer to the good one is a turn of the loop, in which it takes a chunk from each.
    """
    for _ in range(TURNS):
        for each in bad:
            each.push()
        asked(good)


def is_served(pump: PumpProcess, otherwise: Callable[[], None]) -> bool:
    """Whether a good client that comes now gets an answer, if it tries a few times.

    All places may be taken for a moment by those who ask and do not read: they have one until what
    they leave unread fills what the system keeps for a client.
    """
    for _ in range(TRIES):
        with contextlib.suppress(PortError), SerialProgrammer(pump.port) as newcomer:
            newcomer.connect(2)
            return isinstance(newcomer.run(ask(m.Identify())), m.Identity)
        otherwise()
    return False


def asked(programmer: SerialProgrammer) -> float:
    """Ask for a status; how long that took, in seconds."""
    begun = time.monotonic()
    programmer.run(ask(m.GetStatus()))
    return time.monotonic() - begun


def settle(turn: Callable[[], None], settled: Callable[[], bool]) -> None:
    """Go on until it is so, for a bounded time."""
    last = time.monotonic() + 5
    while not settled() and time.monotonic() < last:
        turn()


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Room for a descriptor for each of the crowd."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(2 * CROWD, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_a_crowd_of_bad_clients_keeps_nobody_from_the_pump(tmp_path: Path) -> None:
    with PumpProcess("--tcp", "0", "--program", program_file(tmp_path, LONG)) as pump:
        seen = ordeal(pump, seed=4)
    assert sum(seen.kinds.values()) == CROWD
    assert set(seen.kinds) == set(BAD)
    assert max(seen.waits) < LONGEST_WAIT
    assert seen.newcomers == CROWD // CROWD_TO_A_NEWCOMER
    assert seen.most_descriptors <= MOST_DESCRIPTORS
    assert seen.descriptors_left == 0
    assert seen.growth <= MOST_GROWTH


def test_a_pump_that_runs_out_of_descriptors_serves_those_that_it_has() -> None:
    with PumpProcess("--tcp", "0") as pump, SerialProgrammer(pump.port) as good:
        good.connect(1)
        highest = max(int(each.name) for each in Path(f"/proc/{pump.pid}/fd").iterdir())
        resource.prlimit(pump.pid, resource.RLIMIT_NOFILE, (highest + 1, highest + 1))
        with contextlib.ExitStack() as crowd:
            for _ in range(AT_ONCE):
                crowd.callback(Bad("silent", address_of(pump), Random(0)).close)
                asked(good)
        asked(good)
