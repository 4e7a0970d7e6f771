"""Garbage on the line, of any length and chunking: the pump goes on, and counts what it refused."""

import asyncio
import contextlib
import os
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outside import PATIENCE, Command, in_process, pump_thread, wait_readable

from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.emulator.transports.pty import PtyLine
from mockpump.protocol import messages as m
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.link.types import Role


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


def status_after(garbage: list[bytes]) -> m.Status:
    """The status that a pump gives to a peer who comes after the garbage."""
    server = PumpServer(new_pump())
    line = server.attach()
    for chunk in garbage:
        server.receive_data(line, chunk, 0)
        line.data_to_send(0)
    peer = Connection(Role.INITIATOR)
    # The first delimiter ends whatever was begun.
    peer.open(60_000, 0)
    answers: list[m.Status] = []
    server.receive_data(line, b"\x00", 0)
    for _ in range(4):
        server.receive_data(line, peer.data_to_send(0), 0)
        peer.receive_data(line.data_to_send(0), 0)
        while (event := peer.next_event()) is not None:
            if isinstance(event, MessageReceived) and isinstance(event.message, m.Status):
                answers.append(event.message)
        if peer.is_open and not answers and not peer.link.unacknowledged:
            peer.send(m.GetStatus(), 0)
    return answers[0]


@given(st.lists(st.binary(max_size=3000), max_size=8))
def test_any_garbage_in_any_chunks_leaves_a_pump_that_answers(garbage: list[bytes]) -> None:
    status = status_after(garbage)
    assert status.mode is m.Mode.RUNNING
    assert status.dropped <= sum(map(len, garbage))


@given(st.binary(min_size=1, max_size=400).filter(lambda data: data.strip(b"\x00") != b""))
@settings(max_examples=50)
def test_what_was_turned_down_is_counted_however_it_was_chunked(data: bytes) -> None:
    whole = status_after([data])
    assert whole == status_after([bytes([each]) for each in data])
    assert whole.rejected >= 1
    assert whole.dropped >= 1


def test_ten_megabytes_without_a_delimiter_cost_nothing() -> None:
    server = PumpServer(new_pump())
    line = server.attach()
    chunk = b"\xaa" * 65_536
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(160):
        server.receive_data(line, chunk, 0)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 16_384
    assert peak - before < 400_000
    assert line.connection.statistics.bytes_discarded >= 160 * 65_536 - 2048


def test_whole_frames_that_mean_nothing_cost_nothing() -> None:
    """Calls, answers to nobody, and data of no connection: good frames, all of them."""
    source = random.Random(5)
    kinds = list(Kind)
    server = PumpServer(new_pump())
    line = server.attach()
    for _ in range(3000):
        frame = Frame(
            source.choice(kinds),
            source.randrange(2**16),
            source.randrange(256),
            source.randrange(256),
            source.randrange(2**16),
            source.randbytes(source.randrange(20)),
        )
        server.receive_data(line, encode_frame(frame), 0)
        assert len(line.data_to_send(0)) < 1000
    assert server.pump.mode is m.Mode.RUNNING


@pytest.mark.end_to_end
def test_garbage_on_a_real_line_is_counted_and_shown_in_the_status(command: Command) -> None:
    source = random.Random(7)
    with PumpProcess() as pump:
        descriptor = os.open(pump.port, os.O_RDWR | os.O_NOCTTY)
        for size in (1, 7, 1000, 4000, 1, 30_000):
            data = source.randbytes(size)
            while data:
                data = data[os.write(descriptor, data) :]
        os.write(descriptor, b"\x00")
        os.close(descriptor)
        in_words = command("programmer", "--port", pump.port, "status")
        assert in_words.code == 0
        assert "turned down" in in_words.out
        with SerialProgrammer(pump.port) as programmer:
            programmer.connect(1)
            status: m.Status = programmer.run(ask(m.GetStatus()))
        assert status.rejected > 10
        assert 30_000 < status.dropped < 36_000


def test_garbage_in_the_middle_of_a_visit_is_survived_by_both() -> None:
    with pump_thread() as pump, SerialProgrammer(pump.path) as programmer:
        programmer.connect(1)
        other = os.open(pump.path, os.O_WRONLY | os.O_NOCTTY)
        os.write(other, bytes(range(1, 256)) * 3 + b"\x00")
        os.write(pump._master, b"noise" * 100 + b"\x00")
        os.close(other)
        status: m.Status = programmer.run(ask(m.GetStatus()))
        assert status.rejected >= 1
        assert programmer.programmer.connection.statistics.frames_rejected >= 1


def test_a_flood_through_a_pty_does_not_grow_the_pump() -> None:
    """A peer who only writes: the answers it never reads are bounded too."""

    async def run() -> None:
        runner = PumpRunner(PumpServer(new_pump()))
        line = PtyLine(runner)
        slave = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        opening = bytes.fromhex("00f008")
        for number in range(8000):
            await flood(slave, encode_frame(Frame(Kind.OPEN, number, payload=opening)))
        assert len(line._waiting) <= 65_536
        assert wait_readable(slave)
        os.close(slave)
        line.close()
        runner.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


async def flood(descriptor: int, data: bytes) -> None:
    """Write, giving the loop a turn for every piece the line takes or does not take."""
    while data:
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(descriptor, data) :]
        await asyncio.sleep(0)
