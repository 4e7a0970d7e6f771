"""A pump in a process of its own, for as long as a `with` lasts, and not a moment longer.

The child ends when its standard input does, so it cannot outlive us, whatever becomes of us.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from types import TracebackType

from mockpump.emulator.transports.errors import PortError

_PATIENCE = 3.0
_STARTING_PATIENCE = 20.0


class PumpProcess:
    """`mockpump pump run --stage` as a child.  `port` is where it is, `pid` which process."""

    def __init__(self, *options: str) -> None:
        # -P: a learner's own click.py or serial.py in the current folder is not ours to import.
        command = [sys.executable, "-P", "-m", "mockpump"]
        command += ["pump", "run", "--stage", "--json", *options]
        # A file, not a pipe: nobody reads along, and a pipe that is full would stop the child.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  closed with the child
        # A session of its own: Ctrl-C is ours to handle, and the child ends in good order after it.
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
        )
        self.pid = self._child.pid
        with contextlib.ExitStack() as unless_announced:
            unless_announced.callback(self.close)
            self.port = self._announced()
            unless_announced.pop_all()

    def _announced(self) -> str:
        try:
            return str(json.loads(self._first_line())["port"])
        except (ValueError, KeyError):
            raise self._failed("did not start") from None

    def _first_line(self) -> bytes:
        """What the child says first; nothing when it ends, or takes too long."""
        assert self._child.stdout is not None
        descriptor, line = self._child.stdout.fileno(), b""
        poll, last = select.poll(), time.monotonic() + _STARTING_PATIENCE
        poll.register(descriptor, select.POLLIN)
        while not line.endswith(b"\n") and poll.poll(max(last - time.monotonic(), 0) * 1000):
            data = os.read(descriptor, 4_096)
            if not data:
                break
            line += data
        return line

    def _failed(self, how: str) -> PortError:
        """The error, with the last thing that the child has complained of."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_PATIENCE)
        waits = self._child.poll() is None
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        said = next((each.strip() for each in reversed(lines) if each.strip()), "")
        reason = "it says nothing" if waits else said.removeprefix("mockpump: ")
        return PortError(f"the pump process {how}{': ' * bool(reason)}{reason}")

    def direct(self, line: str) -> None:
        """Tell the pump how its time is to pass, such as `go 3600 for 86400`."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(f"{line}\n".encode())
            self._child.stdin.flush()
        except OSError:
            raise self._failed("has ended") from None

    def close(self) -> None:
        """End the child: by the end of its input, and by force if it does not listen."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self._child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._complaints.close()

    def __enter__(self) -> "PumpProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
