"""What the tests of the doors to the outside share: the command, a pump at a pty, open files."""

import contextlib
import io
import os
import random
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import strategies as st

from mockpump.cli.main import main
from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.emulator.transports.clock import line_now
from mockpump.protocol import messages as m
from mockpump.protocol.framing import Frame, FrameDecoder, Kind
from mockpump.protocol.program import Program
from mockpump.protocol.program_toml import dumps
from mockpump.protocol.session import split_seal

PATIENCE = 20
NEW_PROGRAM = Program.flat("evening", 30_000)
# The command, as a process; with -P no file of the current folder is taken for a module.
COMMAND = [sys.executable, "-P", "-m", "mockpump"]


# Text that others have written, with what a terminal acts on in it.
FOREIGN_TEXT = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\x07\r\n\t\x7f\u202e\u2066\ufeff\ud800")
)


class Screen(io.StringIO):
    """What says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line on stderr; more than one fails the test."""
        assert self.err.endswith("\n"), self
        assert self.err.count("\n") == 1, self
        return self.err.strip()


Command = Callable[..., Ended]


def in_process(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`mockpump ARGS...` inside this process, with its exit code and its output."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["mockpump", *arguments])
        code: object = None
        try:
            main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ended(int(str(code or 0)), out, err)

    return run


def as_process(*arguments: str, text: str = "", environment: dict[str, str] | None = None) -> Ended:
    """`mockpump ARGS...` as a process of its own."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def wait_readable(descriptor: int, patience: float = PATIENCE) -> bool:
    """Whether something comes in time."""
    return bool(select.select((descriptor,), (), (), patience)[0])


def program_file(folder: Path, program: Program = NEW_PROGRAM) -> str:
    """A file that holds the program."""
    file = folder / "program.toml"
    file.write_text(dumps(program))
    return str(file)


def messages_in(data: bytes, decoder: FrameDecoder | None = None) -> list[m.Message]:
    """The messages that end in these bytes, sealed or not."""
    found = (decoder or FrameDecoder()).receive_data(data)
    frames = (each for each in found if isinstance(each, Frame))
    return [m.decode(split_seal(frame.payload)[1]) for frame in frames if frame.kind is Kind.DATA]


@contextlib.contextmanager
def silent_pty() -> Iterator[tuple[int, str]]:
    """A pty with nobody behind it: the master and the path of the slave."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    for descriptor in (slave, master):
        with contextlib.suppress(OSError):
            os.close(descriptor)


class PumpThread:
    """A pump at a pty, served by a thread of the test, that can vanish at a chosen moment.

    With `vanish_at`, the line closes when a message of that type has come: after it was carried out
    when `carry_out`, and in any case before its reply.  With `stay`, only the connection is gone
    then, and `then` says which pump may be called again: this one, unless it says another.
    `received` are the messages that came.  `pump` is the one that is served, in place of a fresh
    one; its nonces are no secret.
    """

    def __init__(
        self,
        vanish_at: type[m.Message] | None = None,
        carry_out: bool = True,
        stay: bool = False,
        pump: Pump | None = None,
        then: Callable[[Pump], Pump] = lambda pump: pump,
    ) -> None:
        self.pump = pump or new_pump()
        self._then = then
        self.received: list[m.Message] = []
        self._vanish_at = vanish_at
        self._carry_out = carry_out
        self._stay = stay
        self._decoder = FrameDecoder()
        time_scale = TimeScale(now=line_now(), elapsed=self.pump.elapsed)
        self._station = PumpServer(self.pump, time_scale, random.Random(1).randbytes)
        self._line = self._station.attach()
        self._master, self._slave = os.openpty()
        self.path = os.ttyname(self._slave)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.closing(self):
            while True:
                now = line_now()
                deadline = self._station.next_deadline(now)
                timeout = None if deadline is None else max(deadline - now, 0) / 1e6
                ready, _, _ = select.select((self._master, self._stop_read), (), (), timeout)
                if self._stop_read in ready:
                    return
                if ready and self._take(os.read(self._master, 65_536)):
                    return
                self._station.handle_timer(line_now())
                os.write(self._master, self._line.data_to_send(line_now()))

    def _take(self, data: bytes) -> bool:
        """Take bytes from the line; whether this was the moment to vanish."""
        came = messages_in(data, self._decoder)
        self.received += came
        vanishes = any(type(each) is self._vanish_at for each in came)
        if not vanishes or self._carry_out:
            self._station.receive_data(self._line, data, line_now())
        if vanishes and self._stay:
            self._line.forget_peer()
            self._station.pump = self._then(self.pump)
            self._line.reboot(self._station.pump)
            self._vanish_at = None
            return False
        return vanishes

    def close(self) -> None:
        """Take the line away.

        The slave stays open: or else the number of the pty would be free, and another process of
        the tests might get it, with its pump at the path where this one is called again.
        """
        os.close(self._master)

    def stop(self) -> None:
        """End the thread, whatever it is doing."""
        os.write(self._stop_write, b"x")
        self._thread.join(PATIENCE)
        for descriptor in (self._slave, self._stop_read, self._stop_write):
            os.close(descriptor)


@contextlib.contextmanager
def pump_thread(
    vanish_at: type[m.Message] | None = None,
    carry_out: bool = True,
    stay: bool = False,
    pump: Pump | None = None,
    then: Callable[[Pump], Pump] = lambda pump: pump,
) -> Iterator[PumpThread]:
    """A pump at a pty for as long as a `with` lasts."""
    served = PumpThread(vanish_at, carry_out, stay, pump, then)
    try:
        yield served
    finally:
        served.stop()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is only waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
