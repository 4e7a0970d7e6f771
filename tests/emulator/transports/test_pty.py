"""The pty as a line: raw, lasting, quiet when nobody is there, and its stable name only ever ours.

Nothing here sleeps: a test waits for a descriptor or for the loop to have had its turn.
"""

import asyncio
import fcntl
import os
import select
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from outside import PATIENCE, wait_readable

from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.transports import pty as pty_line
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.emulator.transports.errors import PortError
from mockpump.emulator.transports.pty import PtyLine
from mockpump.protocol.framing import Frame, FrameDecoder, Kind, encode_frame

ALL_BYTES = bytes(range(256))


class Recorder:
    """Stands where the runner does, and keeps what comes."""

    def __init__(self) -> None:
        self.received = bytearray()

    def attach(self, write: Callable[[bytes], None], settings: object = None) -> object:
        self.write = write
        return self

    def detach(self, port: object) -> None:
        pass

    def data_received(self, port: object, data: bytes) -> None:
        self.received += data


def with_line(
    test: Callable[[PtyLine, Recorder], Awaitable[None]], link: Path | None = None
) -> None:
    """Run a coroutine with a line whose pump only records."""

    async def run() -> None:
        recorder = Recorder()
        line = PtyLine(recorder, link)  # type: ignore[arg-type]
        try:
            await asyncio.wait_for(test(line, recorder), PATIENCE)
        finally:
            line.close()

    asyncio.run(run())


async def until(true: Callable[[], bool]) -> None:
    """Let the loop turn until something holds; the test's deadline bounds it."""
    while not true():
        await asyncio.sleep(0)


def open_slave(line: PtyLine) -> int:
    return os.open(line.path, os.O_RDWR | os.O_NOCTTY)


def read_exactly(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size and wait_readable(descriptor, 2):
        data += os.read(descriptor, size - len(data))
    return data


def test_every_byte_value_travels_both_ways_unchanged() -> None:
    async def test(line: PtyLine, pump: Recorder) -> None:
        slave = open_slave(line)
        os.write(slave, ALL_BYTES)
        await until(lambda: len(pump.received) >= 256)
        assert pump.received == ALL_BYTES
        pump.write(ALL_BYTES)
        assert read_exactly(slave, 256) == ALL_BYTES
        os.close(slave)

    with_line(test)


def test_nothing_is_echoed_to_the_pump() -> None:
    async def test(line: PtyLine, pump: Recorder) -> None:
        pump.write(b"report\n")
        slave = open_slave(line)
        os.write(slave, b"!")
        await until(lambda: bool(pump.received))
        assert pump.received == b"!"
        os.close(slave)

    with_line(test)


def test_the_other_side_may_close_and_reopen_as_often_as_it_likes() -> None:
    async def test(line: PtyLine, pump: Recorder) -> None:
        for number in range(100):
            slave = open_slave(line)
            os.write(slave, bytes([number]))
            await until(lambda wanted=number + 1: len(pump.received) == wanted)  # type: ignore[misc]
            os.close(slave)
        assert pump.received == bytes(range(100))

    with_line(test)


def test_a_closed_slave_leaves_nothing_to_do() -> None:
    """Without a slave of its own the master would poll a hang-up for ever: a busy loop."""

    async def test(line: PtyLine, pump: Recorder) -> None:
        os.close(open_slave(line))
        poll = select.poll()
        poll.register(line._master, select.POLLIN | select.POLLHUP | select.POLLERR)
        assert poll.poll(0) == []

    with_line(test)


def test_only_the_owner_may_open_it() -> None:
    async def test(line: PtyLine, pump: Recorder) -> None:
        assert stat.S_IMODE(Path(line.path).stat().st_mode) == 0o600

    with_line(test)


def test_a_reader_who_never_reads_costs_a_bounded_amount() -> None:
    async def test(line: PtyLine, pump: Recorder) -> None:
        slave = open_slave(line)
        for _ in range(200):
            pump.write(bytes(10_000))
        assert len(line._waiting) <= pty_line._MAX_WAITING
        read = 0
        while wait_readable(slave, 0):
            read += len(os.read(slave, 65_536))
            await asyncio.sleep(0)
        assert 0 < read <= pty_line._MAX_WAITING + 65_536
        os.close(slave)

    with_line(test)


def test_what_waited_goes_out_in_order() -> None:
    wanted = ALL_BYTES * 200

    async def test(line: PtyLine, pump: Recorder) -> None:
        slave = open_slave(line)
        pump.write(wanted)
        pump.write(b"end")
        read = b""
        while len(read) < len(wanted) + 3:
            if wait_readable(slave, 0):
                read += os.read(slave, 65_536)
            await asyncio.sleep(0)
        assert read == wanted + b"end"
        os.close(slave)

    with_line(test)


def test_a_real_pump_answers_every_new_caller() -> None:
    async def run() -> None:
        runner = PumpRunner(PumpServer(new_pump()))
        line = PtyLine(runner)
        for number in range(5):
            slave = open_slave(line)
            os.write(slave, encode_frame(Frame(Kind.OPEN, 100 + number, payload=b"\x00\xf0\x08")))
            await asyncio.wait_for(until(lambda fd=slave: wait_readable(fd, 0)), PATIENCE)  # type: ignore[misc]
            (answer,) = FrameDecoder().receive_data(os.read(slave, 1000))
            assert isinstance(answer, Frame)
            assert (answer.kind, answer.connection) == (Kind.OPEN_ACK, 100 + number)
            os.close(slave)
        line.close()
        runner.close()

    asyncio.run(run())


# -- the stable name ------------------------------------------------------------------------------


def test_a_link_is_made_and_taken_away_again(tmp_path: Path) -> None:
    link = tmp_path / "pump"

    async def test(line: PtyLine, pump: Recorder) -> None:
        assert line.path == str(link)
        assert str(link.readlink()) == line._device
        os.close(open_slave(line))

    with_line(test, link)
    assert not link.is_symlink()


def test_a_stale_link_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "pump"
    link.symlink_to("/dev/pts/9999999")

    async def test(line: PtyLine, pump: Recorder) -> None:
        assert str(link.readlink()) == line._device

    with_line(test, link)
    assert not link.is_symlink()


def test_a_stale_link_that_happens_to_lead_to_our_own_pty_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill the system gives the next pump the same pty, and the old link is still there."""
    link = tmp_path / "pump"
    open_pty = pty_line._open_pty

    def same_again() -> tuple[int, int]:
        master, slave = open_pty()
        link.symlink_to(os.ttyname(slave))
        return master, slave

    monkeypatch.setattr(pty_line, "_open_pty", same_again)

    async def test(line: PtyLine, pump: Recorder) -> None:
        os.close(open_slave(line))

    with_line(test, link)
    assert not link.is_symlink()


def test_two_pumps_that_race_for_a_stale_name_do_not_both_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one comes at the worst moment: the first has looked, and is about to replace."""
    link, refused = tmp_path / "pump", []
    link.symlink_to("/dev/pts/9999999")
    unlink = Path.unlink

    def meanwhile(path: Path, missing_ok: bool = False) -> None:
        monkeypatch.setattr(Path, "unlink", unlink)
        with pytest.raises(PortError) as caught:
            pty_line._make_link(link, "/dev/pts/8888888")
        refused.append(str(caught.value))
        unlink(path, missing_ok)

    monkeypatch.setattr(pty_line, "_PAUSE", 0)
    monkeypatch.setattr(Path, "unlink", meanwhile)
    assert pty_line._make_link(link, "/dev/pts/7777777") == link
    assert str(link.readlink()) == "/dev/pts/7777777"
    assert refused == [f"cannot make {link}: resource temporarily unavailable"]
    assert list(tmp_path.iterdir()) == [link]


def test_a_pump_waits_for_another_that_is_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, waited = tmp_path / "pump", []
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)

    def pause(seconds: float) -> None:
        waited.append(seconds)
        os.close(other)

    monkeypatch.setattr(pty_line.time, "sleep", pause)
    assert pty_line._make_link(link, "/dev/pts/7777777") == link
    assert waited == [pty_line._PAUSE]


def test_a_link_to_an_open_pty_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "pump"
    master, slave = os.openpty()
    link.symlink_to(os.ttyname(slave))
    with pytest.raises(PortError, match="in use"):
        with_line(_never, link)
    assert str(link.readlink()) == os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("what", ["file", "folder", "link to a file"])
def test_whatever_else_has_the_name_stays(tmp_path: Path, what: str) -> None:
    link, other = tmp_path / "pump", tmp_path / "other"
    other.write_text("mine")
    if what == "file":
        link.write_text("mine")
    elif what == "folder":
        link.mkdir()
    else:
        link.symlink_to(other)
    before = descriptors()
    with pytest.raises(PortError, match="something else has that name"):
        with_line(_never, link)
    assert link.exists()
    assert other.read_text() == "mine"
    assert descriptors() == before


def test_a_folder_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="no such file or directory"):
        with_line(_never, tmp_path / "nowhere" / "pump")


def test_a_link_that_is_no_longer_ours_stays(tmp_path: Path) -> None:
    link = tmp_path / "pump"

    async def test(line: PtyLine, pump: Recorder) -> None:
        link.unlink()
        link.symlink_to("/dev/pts/9999999")

    with_line(test, link)
    assert str(link.readlink()) == "/dev/pts/9999999"


def test_no_pty_left_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "openpty", none_left)
    with pytest.raises(PortError, match="cannot open a pty: no space left"):
        with_line(_never)


async def _never(line: PtyLine, pump: Recorder) -> None:
    raise AssertionError("the line was made all the same")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
