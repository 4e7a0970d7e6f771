"""The control socket of a running pump: where faults are injected from outside.

A Unix socket beside the pump's memory file, for its owner only.  One line in, one line out: `inject
NAME` or `clear NAME`, answered by `done` or by what was wrong with it.
"""

import asyncio
import contextlib
import os
import socket
from functools import partial
from pathlib import Path

from mockpump.emulator.pump import faults
from mockpump.emulator.transports.errors import PortError, reason_of
from mockpump.emulator.transports.runner import PumpRunner
from mockpump.protocol.errors import MockpumpError

_LONGEST = 200
_PATIENCE = 5.0
_DONE = "done"
_ACTIONS = {"inject": faults.inject, "clear": faults.clear}


def socket_path(memory: Path) -> Path:
    """Where the socket of the pump with that memory is."""
    return memory.with_name(f"{memory.name}.control")


class ControlSocket:
    """The pump's end, for as long as an `async with` lasts."""

    def __init__(self, runner: PumpRunner, memory: Path) -> None:
        self._runner = runner
        self._path = socket_path(memory)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "ControlSocket":
        # The memory's lock says that no other pump runs here, so an old socket is nobody's.
        with contextlib.suppress(FileNotFoundError):
            if not self._path.is_socket():
                self._path.lstat()
                raise PortError(f"cannot make {self._path}: something else has that name")
            self._path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(str(self._path))
        except OSError as error:
            listener.close()
            raise PortError(f"cannot make {self._path}: {reason_of(error)}") from None
        finally:
            os.umask(mask)
        self._server = await asyncio.start_unix_server(self._answer, sock=listener, limit=_LONGEST)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

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
            end.connect(str(path))
            end.sendall(f"{line}\n".encode())
            answer = end.makefile("r").readline().strip()
        except OSError as error:
            raise PortError(f"no running pump at {path}: {reason_of(error)}") from None
    if answer != _DONE:
        raise PortError(f"the pump did not: {answer or 'it hung up'}")
