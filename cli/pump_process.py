"""A pump in a process of its own, for as long as a `with` lasts, and not a moment longer.

The child ends when its standard input does, so it cannot outlive us, whatever becomes of us.
"""

import contextlib
import json
import subprocess
import sys
from types import TracebackType

from mockpump.emulator.transports.errors import PortError

_PATIENCE = 3.0


class PumpProcess:
    """`mockpump pump run --stage` as a child.  `port` is where it is, `pid` which process."""

    def __init__(self, *options: str) -> None:
        # -P: a learner's own click.py or serial.py in the current folder is not ours to import.
        command = [sys.executable, "-P", "-m", "mockpump"]
        command += ["pump", "run", "--stage", "--json", *options]
        # A session of its own: Ctrl-C is ours to handle, and the child ends in good order after it.
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pid = self._child.pid
        with contextlib.ExitStack() as unless_announced:
            unless_announced.callback(self.close)
            self.port = self._announced()
            unless_announced.pop_all()

    def _announced(self) -> str:
        assert self._child.stdout is not None
        try:
            return str(json.loads(self._child.stdout.readline())["port"])
        except (ValueError, KeyError):
            raise PortError("the pump process did not start") from None

    def direct(self, line: str) -> None:
        """Tell the pump how its time is to go by, such as `go 3600 for 86400`."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(f"{line}\n".encode())
            self._child.stdin.flush()
        except OSError:
            raise PortError("the pump process has ended") from None

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

    def __enter__(self) -> "PumpProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
