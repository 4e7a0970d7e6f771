"""The programmer on a port: every kind of port, and every way a port can let it down.

A port that goes leaves one of two things behind: nothing was changed, or nobody knows.  The tests
take the line away exactly between a commit and its reply, on either side of the pump's doing it.
"""

import itertools
import os
import signal
import threading
from collections.abc import Callable

import pytest
from outside import NEW_PROGRAM, PATIENCE, messages_in, pump_thread, silent_pty

from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.programmer.errors import ConnectionLost, OutcomeUnknown
from mockpump.emulator.programmer.procedures import ask, read_program, set_program
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder
from mockpump.protocol.link.types import LinkSettings

IMPATIENT = LinkSettings(open_tries=1, initial_timeout=100_000, min_timeout=1)


# -- every kind of port ---------------------------------------------------------------------------


def set_a_program(url: str) -> None:
    with SerialProgrammer(url) as programmer:
        terms = programmer.connect(5)
        before = programmer.run(read_program())
        programmer.run(set_program(NEW_PROGRAM, before.digest, 1, terms.max_payload))
        assert programmer.run(read_program()).program == NEW_PROGRAM
        programmer.run(ask(m.Subscribe(1)))
        reports = programmer.watch()
        assert [next(reports).elapsed for _ in range(2)]


def test_over_a_pty() -> None:
    with PumpProcess("--speed", "3600") as pump:
        set_a_program(pump.port)
        set_a_program_is_known(pump.port)


def set_a_program_is_known(url: str) -> None:
    with SerialProgrammer(url) as programmer:
        programmer.connect(6)
        assert programmer.run(read_program()).program == NEW_PROGRAM


def test_over_tcp_by_either_name() -> None:
    with PumpProcess("--tcp", "0", "--speed", "3600") as pump:
        assert pump.port.startswith("socket://127.0.0.1:")
        set_a_program(pump.port)
        place = pump.port.removeprefix("socket://")
        for url in (f"tcp:{place}", f"tcp://{place}", f"tcp:{place.rpartition(':')[2]}"):
            set_a_program_is_known(url)


def test_over_a_port_without_a_descriptor() -> None:
    set_a_program("mockpump://demo?speed=3600")


def test_telemetry_that_comes_during_a_procedure_is_kept_for_watch() -> None:
    with SerialProgrammer("mockpump://demo?speed=1000000") as programmer:
        programmer.connect(5)
        programmer.run(ask(m.Subscribe(1)))
        while not programmer._telemetry:
            programmer.run(ask(m.GetStatus()))
        assert next(programmer.watch()).elapsed


def test_a_tap_sees_what_goes_either_way() -> None:
    seen: dict[bool, bytes] = {True: b"", False: b""}

    def tap(sent: bool, data: bytes) -> None:
        seen[sent] += data

    with SerialProgrammer("mockpump://demo", tap=tap) as programmer:
        programmer.connect(5)
        programmer.run(ask(m.Identify()))
    for sent in (True, False):
        assert all(isinstance(each, Frame) for each in FrameDecoder().receive_data(seen[sent]))
        assert seen[sent]


# -- nobody, or somebody else, behind the port ----------------------------------------------------


def test_nobody_answers() -> None:
    before = line_now()
    with silent_pty() as (_, path), SerialProgrammer(path, IMPATIENT) as programmer:
        with pytest.raises(ConnectionLost, match="nobody answered") as caught:
            programmer.connect(1)
        assert caught.value.__notes__ == [f"is a pump running at {path}, or is the line too bad?"]
    assert line_now() - before < PATIENCE * 100_000


def test_a_peer_that_speaks_something_else() -> None:
    with silent_pty() as (master, path), SerialProgrammer(path, IMPATIENT) as programmer:
        os.write(master, bytes(range(256)) * 8)
        with pytest.raises(ConnectionLost) as caught:
            programmer.connect(1)
        assert caught.value.__notes__ == ["2,048 bytes came in, but no answer of a pump"]


def test_an_echo_is_no_pump() -> None:
    with (
        SerialProgrammer("loop://", IMPATIENT) as programmer,
        pytest.raises(ConnectionLost, match="nobody answered"),
    ):
        programmer.connect(1)


# -- a line that goes away ------------------------------------------------------------------------


def kill_on(kind: type[m.Message], pump: PumpProcess) -> Callable[[bool, bytes], None]:
    """A tap that kills the pump's process just before a message of that type goes out."""

    def tap(sent: bool, data: bytes) -> None:
        if sent and any(isinstance(each, kind) for each in messages_in(data)):
            os.kill(pump.pid, signal.SIGKILL)
            pump._child.wait(PATIENCE)

    return tap


def attempt(url: str, tap: Callable[[bool, bytes], None] | None = None) -> None:
    with SerialProgrammer(url, tap=tap) as programmer:
        terms = programmer.connect(5)
        before = programmer.run(read_program())
        programmer.run(set_program(NEW_PROGRAM, before.digest, 4711, terms.max_payload))


@pytest.mark.parametrize("where", [(), ("--tcp", "0")])
def test_a_pump_killed_in_the_middle_of_a_transfer(where: tuple[str, ...]) -> None:
    with PumpProcess(*where) as pump, pytest.raises(PortError, match="has closed"):
        attempt(pump.port, kill_on(m.WriteProgram, pump))


@pytest.mark.parametrize("where", [(), ("--tcp", "0")])
def test_a_pump_killed_at_the_commit(where: tuple[str, ...]) -> None:
    with PumpProcess(*where) as pump, pytest.raises(OutcomeUnknown) as caught:
        attempt(pump.port, kill_on(m.CommitProgram, pump))
    assert caught.value.transaction == 4711
    assert "4711" in str(caught.value)
    assert "has closed" in caught.value.__notes__[0]


@pytest.mark.parametrize("done", [True, False])
def test_between_commit_and_reply_nobody_knows(done: bool) -> None:
    with pump_thread(m.CommitProgram, carry_out=done) as pump:
        old = pump.pump.digest
        with pytest.raises(OutcomeUnknown, match="transaction 4711"):
            attempt(pump.path)
        assert (pump.pump.digest != old) is done


@pytest.mark.parametrize("at", [m.BeginProgram, m.WriteProgram])
def test_before_the_commit_the_old_program_stays(at: type[m.Message]) -> None:
    with pump_thread(at) as pump:
        old = pump.pump.digest
        with pytest.raises(PortError, match="has closed"):
            attempt(pump.path)
        assert pump.pump.digest == old


def test_a_line_that_goes_while_watching() -> None:
    with PumpProcess("--speed", "60") as pump, SerialProgrammer(pump.port) as programmer:
        programmer.connect(1)
        programmer.run(ask(m.Subscribe(1)))
        reports = programmer.watch()
        next(reports)
        pump.close()
        with pytest.raises(PortError, match="has closed"):
            list(itertools.islice(reports, 1000))


def test_a_pump_that_hangs_up_while_watched_is_a_lost_connection() -> None:
    with SerialProgrammer("mockpump://demo") as programmer:
        programmer.connect(1)
        programmer._port._serial._line.connection.abort(line_now())  # type: ignore[attr-defined]
        with pytest.raises(ConnectionLost):
            next(programmer.watch())


def test_a_port_closed_under_it_by_another_thread_is_a_port_error() -> None:
    with SerialProgrammer("loop://") as programmer:
        threading.Timer(0.01, programmer._port._serial.close).start()
        with pytest.raises((PortError, ConnectionLost)):
            programmer.connect(1)


# -- Ctrl-C ---------------------------------------------------------------------------------------


def interrupted(message: m.Message) -> KeyboardInterrupt:
    """Ask, and be interrupted while the answer is awaited."""
    with SerialProgrammer("mockpump://demo") as programmer:
        programmer.connect(1)
        receive, calls = programmer._port.receive, iter([True])

        def interrupt(timeout: float | None) -> bytes:
            if next(calls, False):
                raise KeyboardInterrupt
            return receive(timeout)

        programmer._port.receive = interrupt  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt) as caught:
            programmer.run(ask(message))
        return caught.value


def test_an_interrupt_between_command_and_reply_says_what_is_not_known() -> None:
    (note,) = interrupted(m.Suspend(99)).__notes__
    assert "outcome unknown" in note
    assert "transaction 99" in note


def test_an_interrupt_while_reading_has_nothing_to_say() -> None:
    assert not hasattr(interrupted(m.GetStatus()), "__notes__")


def test_an_interrupt_while_hanging_up_leaves_no_port_open() -> None:
    def interrupt(_: float | None) -> bytes:
        raise KeyboardInterrupt

    programmer = SerialProgrammer("mockpump://demo")
    programmer.connect(1)
    assert isinstance(programmer.run(ask(m.Suspend(99))), m.Suspended)
    programmer._port.receive = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        programmer.close()
    assert not programmer._port._serial.is_open
