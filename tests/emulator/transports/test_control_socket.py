"""The control socket, in this process: whatever is said to it, one line comes back."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from outside import PATIENCE

from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.transports import control_socket as control
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.emulator.transports.control_socket import ControlSocket, NoControl, socket_path, tell
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol.messages import Alarm

EXPECTED = "expected: inject NAME or clear NAME"


def with_control(test: Callable[[PumpRunner, Path], Awaitable[None]], memory: Path) -> None:
    """Run a coroutine with a pump that listens beside its memory file."""

    async def run() -> None:
        runner = PumpRunner(PumpServer(new_pump()))
        async with ControlSocket(runner, memory):
            await asyncio.wait_for(test(runner, memory), PATIENCE)
        runner.close()

    asyncio.run(run())


async def said(memory: Path, line: bytes) -> str:
    """What a client is answered, until the pump hangs up."""
    reader, writer = await asyncio.open_unix_connection(str(socket_path(memory)))
    writer.write(line)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


def shown(runner: PumpRunner) -> set[Alarm]:
    return set(map(Alarm, runner.server.pump.panel.shown))


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "a.pump"


def test_a_fault_is_injected_and_cleared(memory: Path) -> None:
    async def test(runner: PumpRunner, memory: Path) -> None:
        assert await said(memory, b"inject stall\n") == "done\n"
        assert shown(runner) == {Alarm.STALLED}
        assert await said(memory, b"  clear stall \r\n") == "done\n"
        assert await said(memory, b"inject low-battery\n") == "done\n"
        assert Alarm.LOW_BATTERY in shown(runner)

    with_control(test, memory)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"inject\n",
        b"inject nonsense\n",
        b"inject stall now\n",
        b"break stall\n",
        b"INJECT stall\n",
        b"\xff\xfe\n",
        b"inject stall\x00\n",
        b"inject " + b"x" * 100 + b"\n",
        b"x" * 10_000 + b"\n",
        b"x" * 10_000,
    ],
)
def test_a_bad_request_says_what_is_expected(memory: Path, line: bytes) -> None:
    async def test(runner: PumpRunner, memory: Path) -> None:
        before = runner.server.pump.report()
        assert await said(memory, line) == f"{EXPECTED}\n"
        assert runner.server.pump.report() == before
        assert await said(memory, b"inject stall\n") == "done\n"

    with_control(test, memory)


def test_only_the_first_line_counts(memory: Path) -> None:
    async def test(runner: PumpRunner, memory: Path) -> None:
        assert await said(memory, b"inject stall\ninject low-battery\n") == "done\n"
        assert shown(runner) == {Alarm.STALLED}

    with_control(test, memory)


def test_what_the_pump_refuses_is_said_in_its_words(memory: Path) -> None:
    async def test(runner: PumpRunner, memory: Path) -> None:
        answer = await said(memory, b"inject memory\n")
        assert answer not in ("done\n", f"{EXPECTED}\n")
        assert answer.count("\n") == 1

    with_control(test, memory)


def test_a_client_that_says_nothing_is_not_waited_for(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_PATIENCE", 0.01)

    async def test(_: PumpRunner, memory: Path) -> None:
        assert await said(memory, b"inject stall") == f"{EXPECTED}\n"

    with_control(test, memory)


def test_a_slow_client_keeps_no_other_waiting(memory: Path) -> None:
    async def test(runner: PumpRunner, memory: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(str(socket_path(memory)))
        writer.write(b"inject ")
        assert await said(memory, b"inject low-battery\n") == "done\n"
        assert Alarm.STALLED not in shown(runner)
        writer.write(b"stall\n")
        assert await reader.read() == b"done\n"
        assert shown(runner) == {Alarm.LOW_BATTERY, Alarm.STALLED}
        writer.close()

    with_control(test, memory)


def test_a_client_that_leaves_before_its_answer_harms_nobody(memory: Path) -> None:
    failures: list[object] = []

    async def test(runner: PumpRunner, memory: Path) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        for _ in range(20):
            end = socket.socket(socket.AF_UNIX)
            end.connect(str(socket_path(memory)))
            end.sendall(b"inject stall\n")
            end.close()
        while not shown(runner):
            await asyncio.sleep(0)
        assert await said(memory, b"clear stall\n") == "done\n"

    with_control(test, memory)
    assert failures == []


# -- the file -------------------------------------------------------------------------------------


def test_the_socket_is_the_owners_alone_and_ends_with_the_pump(memory: Path) -> None:
    mask = os.umask(0)

    async def test(_: PumpRunner, memory: Path) -> None:
        mode = socket_path(memory).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert os.umask(0) == 0

    try:
        with_control(test, memory)
    finally:
        os.umask(mask)
    assert not socket_path(memory).exists()


def test_a_stale_socket_is_replaced(memory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(socket_path(memory)))
    assert socket_path(memory).is_socket()
    with pytest.raises(PortError, match=r"no running pump at .*: connection refused"):
        tell(memory, "inject stall")

    async def test(_: PumpRunner, memory: Path) -> None:
        assert await said(memory, b"inject stall\n") == "done\n"

    with_control(test, memory)


def test_a_socket_that_is_gone_already_is_no_trouble(memory: Path) -> None:
    async def test(_: PumpRunner, memory: Path) -> None:
        socket_path(memory).unlink()

    with_control(test, memory)
    assert not socket_path(memory).exists()


@pytest.mark.parametrize("folder", ["nowhere", "x" * 120])
def test_a_place_that_cannot_be_had_is_one_line(tmp_path: Path, folder: str) -> None:
    mask = os.umask(0o022)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(PortError, match="cannot make") as caught:
        with_control(_never, tmp_path / folder / "a.pump")
    assert "\n" not in str(caught.value)
    assert os.umask(mask) == 0o022
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def _never(runner: PumpRunner, memory: Path) -> None:
    raise AssertionError("the socket was made all the same")


# -- the other end --------------------------------------------------------------------------------


def test_tell_says_it_and_says_why_not(memory: Path) -> None:
    async def test(runner: PumpRunner, memory: Path) -> None:
        await asyncio.to_thread(tell, memory, "inject stall")
        assert shown(runner) == {Alarm.STALLED}
        with pytest.raises(PortError, match=f"the pump did not: {EXPECTED}"):
            await asyncio.to_thread(tell, memory, "inject nonsense")

    with_control(test, memory)


def test_tell_finds_no_pump(memory: Path) -> None:
    with pytest.raises(PortError, match=r"no running pump at .*: no such file or directory"):
        tell(memory, "inject stall")


def test_a_pump_that_hangs_up_did_not_do_it(memory: Path) -> None:
    async def test() -> None:
        async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with await asyncio.start_unix_server(hang_up, str(socket_path(memory))):
            with pytest.raises(PortError, match=r"it hung up|no running pump"):
                await asyncio.to_thread(tell, memory, "inject stall")

    asyncio.run(test())


def test_a_pump_that_does_not_answer_is_not_waited_for(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_PATIENCE", 0.01)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(socket_path(memory)))
        listener.listen()
        with pytest.raises(PortError, match="timed out"):
            tell(memory, "inject stall")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_socket_is_left_alone(memory: Path, kind: str) -> None:
    path = socket_path(memory)
    path.mkdir() if kind == "folder" else path.write_text("precious", "utf-8")

    async def test(runner: PumpRunner, memory: Path) -> None:
        raise AssertionError("it should not have come to this")

    with pytest.raises(PortError, match="something else has that name"):
        with_control(test, memory)
    assert path.exists()


# -- names -----------------------------------------------------------------------------------------


def deep(tmp_path: Path, length: int) -> Path:
    """A memory in a folder so deep that its socket's path has about that many bytes."""
    folder = tmp_path
    while len(str(folder)) < length - 60:
        folder = folder / ("x" * 50)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "a.pump"


@pytest.mark.parametrize("length", [160, 250, 900])
def test_a_pump_in_a_deep_folder_is_reached_where_that_can_be(tmp_path: Path, length: int) -> None:
    memory = deep(tmp_path, length)

    async def test(runner: PumpRunner, memory: Path) -> None:
        await asyncio.to_thread(tell, memory, "inject stall")
        assert shown(runner) == {Alarm.STALLED}

    can_be = control._FOLDERS.is_dir()
    with contextlib.nullcontext() if can_be else pytest.raises(NoControl):
        with_control(test, memory)
    assert list(memory.parent.iterdir()) == []


def test_where_open_folders_have_no_names_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_FOLDERS", tmp_path / "nowhere")
    with pytest.raises(NoControl, match="too long a name for a socket"):
        tell(deep(tmp_path, 250), "inject stall")


def test_a_name_too_long_for_any_socket_is_said_to_be_one(tmp_path: Path) -> None:
    memory = tmp_path / ("x" * 200)

    async def test(runner: PumpRunner, memory: Path) -> None:
        raise AssertionError

    with pytest.raises(NoControl, match="too long a name for a socket"):
        with_control(test, memory)
    with pytest.raises(PortError, match="too long a name for a socket"):
        tell(memory, "inject stall")


def test_a_pump_is_reached_by_any_name_of_its_memory(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "a.pump", tmp_path / "link.pump"
    real.parent.mkdir()
    real.touch()
    link.symlink_to(real)

    async def test(runner: PumpRunner, memory: Path) -> None:
        await asyncio.to_thread(tell, real, "inject stall")
        await asyncio.to_thread(tell, link, "inject low-battery")
        assert shown(runner) == {Alarm.STALLED, Alarm.LOW_BATTERY}

    with_control(test, link)


def test_the_socket_of_another_pump_is_not_removed(memory: Path) -> None:
    """The files were made anew while their pump ran, and another pump runs at the new ones."""

    async def run() -> None:
        first, second = (PumpRunner(PumpServer(new_pump())) for _ in range(2))
        one = ControlSocket(first, memory)
        await one.__aenter__()
        socket_path(memory).unlink()
        async with ControlSocket(second, memory):
            await one.__aexit__()
            await asyncio.to_thread(tell, memory, "inject stall")
        assert shown(second) == {Alarm.STALLED}
        assert not socket_path(memory).exists()

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


@pytest.mark.parametrize("length", [0, 250])
def test_a_pump_runs_without_control_where_another_answers(tmp_path: Path, length: int) -> None:
    """The memory and its lock were made anew while its pump ran, and its socket was not."""
    memory = deep(tmp_path, length)

    async def test(first: PumpRunner, memory: Path) -> None:
        second = PumpRunner(PumpServer(new_pump()))
        with pytest.raises(NoControl, match=r"another pump answers at .*/a\.pump\.control"):
            await ControlSocket(second, memory).__aenter__()
        await asyncio.to_thread(tell, memory, "inject stall")
        assert (shown(first), shown(second)) == ({Alarm.STALLED}, set())

    with_control(test, memory)


def test_a_pump_too_busy_to_answer_is_no_dead_one(memory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as waiting:
        listener.bind(str(socket_path(memory)))
        listener.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                end = waiting.enter_context(socket.socket(socket.AF_UNIX))
                end.setblocking(False)
                end.connect(str(socket_path(memory)))
        with pytest.raises(NoControl, match="another pump answers"):
            with_control(_never, memory)
        assert socket_path(memory).exists()


def test_a_socket_that_cannot_be_removed_is_told_and_stops_nothing(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    async def run() -> str:
        control = ControlSocket(PumpRunner(PumpServer(new_pump())), memory)
        async with control:
            monkeypatch.setattr(Path, "unlink", refuse)
        return control.error

    assert asyncio.run(run()) == f"cannot remove {socket_path(memory)}: permission denied"
