"""The control socket of a running pump: where faults are injected from outside.

A Unix socket beside the pump's memory file, for its owner only.  One line in, one line out: `inject
NAME` or `clear NAME`, answered by `done` or by what was wrong with it.

The name of such a socket is short, 108 bytes at most with the zero at its end, and folders are
deep.  Where the system shows open folders as names, as Linux does, the socket has a short name
through its folder; elsewhere a pump in a deep folder has no control socket.
"""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from mockpump.emulator.memory.sqlite_lock import identity
from mockpump.emulator.pump import faults
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.emulator.transports.errors import PortError, reason_of
from mockpump.protocol.errors import MockpumpError

_LONGEST = 200
# Of a socket's name; in bytes.
_LONGEST_NAME = 103
# Where the system shows open folders, if it does.
_FOLDERS = Path("/proc/self/fd")
_PATIENCE = 5.0
_DONE = "done"
# From Python 3.13 on asyncio would remove the socket itself, by a short name that is gone by then.
_LEFT_TO_US: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
_ACTIONS = {"inject": faults.inject, "clear": faults.clear}


class NoControl(PortError):
    """There can be no control socket here."""


def socket_path(memory: Path) -> Path:
    """Where the socket of the pump with that memory is, by whatever name that is called."""
    real = Path(os.path.realpath(memory))
    return real.with_name(f"{real.name}.control")


@contextlib.contextmanager
def _short_name(path: Path) -> Iterator[str]:
    """A name for a socket that is to be at that path; `NoControl` where there is none."""
    if len(os.fsencode(path)) <= _LONGEST_NAME:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        name = _FOLDERS / str(folder) / path.name
        if len(os.fsencode(name)) > _LONGEST_NAME or not name.parent.is_dir():
            raise NoControl(f"{path} is too long a name for a socket")
        yield str(name)
    finally:
        os.close(folder)


def _is_live(path: Path) -> bool:
    """Whether somebody listens at a socket; else it is left of one who ended without a word."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end, _short_name(path) as name:
        end.setblocking(False)
        try:
            end.connect(name)
        except BlockingIOError:
            return True  # more callers wait there already than it has room for
        except ConnectionRefusedError:
            return False
    return True


class ControlSocket:
    """The pump's end, for as long as an `async with` lasts.

    `error` says in the end why the socket could not be taken away; empty when it could.
    """

    def __init__(self, runner: PumpRunner, memory: Path) -> None:
        self._runner = runner
        self._path = socket_path(memory)
        self._server: asyncio.Server | None = None
        self._made: tuple[int, int] | None = None
        self.error = ""

    async def __aenter__(self) -> "ControlSocket":
        try:
            listener = self._bound()
        except OSError as error:
            raise PortError(f"cannot make {self._path}: {reason_of(error)}") from None
        self._made = identity(self._path)
        self._server = await asyncio.start_unix_server(
            self._answer, sock=listener, limit=_LONGEST, **_LEFT_TO_US
        )
        return self

    def _bound(self) -> socket.socket:
        # Where the memory and its lock were removed and made anew, the pump of the old ones may
        # still run, so the lock does not say whose a socket is.
        with contextlib.suppress(FileNotFoundError):
            if not self._path.is_socket():
                self._path.lstat()
                raise PortError(f"cannot make {self._path}: something else has that name")
            if _is_live(self._path):
                raise NoControl(f"another pump answers at {self._path}")
            self._path.unlink()
        with _short_name(self._path) as name, contextlib.ExitStack() as unless_bound:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            unless_bound.callback(listener.close)
            mask = os.umask(0o177)
            try:
                listener.bind(name)
            finally:
                os.umask(mask)
            unless_bound.pop_all()
        return listener

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        try:
            # Another pump may run at a new file of that name: its socket is not ours to remove.
            if self._made is not None and identity(self._path) == self._made:
                self._path.unlink()
        except OSError as error:
            self.error = f"cannot remove {self._path}: {reason_of(error)}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            try:
                line = await asyncio.wait_for(reader.readline(), _PATIENCE)
            except (ValueError, TimeoutError):
                line = b""
            writer.write(f"{self._do(line.decode(errors='replace'))}\n".encode())
            await writer.drain()
        writer.close()

    def _do(self, line: str) -> str:
        verb, _, name = line.strip().partition(" ")
        try:
            action = partial(_ACTIONS[verb], fault=faults.fault_named(name))
        except KeyError:
            return "expected: inject NAME or clear NAME"
        try:
            self._runner.do(action)
        except MockpumpError as error:
            return str(error)
        return _DONE


def tell(memory: Path, line: str) -> None:
    """Say a line to the running pump with that memory; `PortError` when it does not do it."""
    path = socket_path(memory)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        end.settimeout(_PATIENCE)
        try:
            with _short_name(path) as name:
                end.connect(name)
            end.sendall(f"{line}\n".encode())
            answer = end.makefile("r").readline().strip()
        except OSError as error:
            raise PortError(f"no running pump at {path}: {reason_of(error)}") from None
    if answer != _DONE:
        raise PortError(f"the pump did not: {answer or 'it hung up'}")
