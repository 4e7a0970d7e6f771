"""Child processes for the rows that need one: bounded in time, and always reaped.

Every child ends when its standard input does, so that none outlives us whatever becomes of us; a
child of ours arms an alarm as well.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 20.0
_LONGEST_LIFE = 300


class ChildError(Exception):
    """A child that did not start, or did not say where it is."""


@contextlib.contextmanager
def child(*arguments: str) -> Iterator[tuple[int, str]]:
    """`python` with these arguments; yields its process id and the first line that it prints."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process.pid, _first_line(process)
        finally:
            _end(process)


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
    line = process.stdout.readline().strip() if ready else ""
    if not line:
        process.kill()
        complaint = process.stderr.read().strip().splitlines()
        raise ChildError(complaint[-1] if complaint else "the child said nothing")
    return line


def _end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def raw_pty() -> tuple[int, str]:
    """In a child of ours: a pty that alters no byte; its master, and the path of its slave."""
    master, slave = os.openpty()
    tty.setraw(slave)
    return master, os.ttyname(slave)


def announce(line: str) -> None:
    """In a child of ours: say where it is, then live as long as the parent, and not for ever."""
    signal.alarm(_LONGEST_LIFE)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    print(line, flush=True)


def _die_with_parent() -> None:
    # Not `read` of the buffered stream: a thread that holds its lock would upset the exit.
    while os.read(0, 4096):
        pass
    os._exit(0)
