"""A pty as the pump's serial line: whoever opens the slave's path talks to the pump.

Two facts shape this module.  A fresh pty echoes and edits lines, so it is made raw.  And when the
last slave descriptor closes, the master would report a hang-up for ever, a busy loop; so the pump
keeps one slave descriptor of its own, and survives the other side closing and opening again.
"""

import asyncio
import contextlib
import fcntl
import os
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from mockpump.emulator.transports.errors import PortError, reason_of
from mockpump.protocol.link.types import LinkSettings

_CHUNK = 65_536
# What may wait for a reader; beyond it the line loses bytes, as a line does when nobody listens.
_MAX_WAITING = 65_536
# Where the slaves of ptys live, on Linux and on macOS.
_PTYS = ("/dev/pts/", "/dev/ttys")
# Another pump has the folder for a moment only: how often to try again, and how long between.
_TRIES = 100
_PAUSE = 0.01


class ByteHandler(Protocol):
    """What is behind a line: a pump's runner, or one side of a cable."""

    def attach(self, write: Callable[[bytes], None], settings: LinkSettings | None = None) -> Any:
        """A line has come; what goes out on it is for `write`.  What it is called from now on."""

    def detach(self, port: Any) -> None:
        """That line is gone."""

    def data_received(self, port: Any, data: bytes) -> None:
        """Bytes have come in on that line."""


class PtyLine:
    """One pty with a pump, or a cable, at its master end.  `path` is where to open it."""

    def __init__(
        self, runner: ByteHandler, link: Path | None = None, settings: LinkSettings | None = None
    ) -> None:
        self._runner = runner
        self._loop = asyncio.get_running_loop()
        self._master, self._slave = _open_pty()
        tty.setraw(self._slave)
        os.fchmod(self._slave, 0o600)
        os.set_blocking(self._master, False)
        self._device = os.ttyname(self._slave)
        self._waiting = b""
        self._closed = False
        self._link = link
        try:
            self.path = str(_make_link(link, self._device).absolute()) if link else self._device
        except PortError:
            self._close_descriptors()
            raise
        self._port = runner.attach(self._write, settings)
        self._loop.add_reader(self._master, self._on_readable)

    def _on_readable(self) -> None:
        try:
            data = os.read(self._master, _CHUNK)
        except BlockingIOError:
            return
        self._runner.data_received(self._port, data)

    def _write(self, data: bytes) -> None:
        if self._waiting:
            self._waiting = (self._waiting + data)[:_MAX_WAITING]
            return
        self._waiting = data[self._write_some(data) :]
        if self._waiting:
            self._loop.add_writer(self._master, self._on_writable)

    def _on_writable(self) -> None:
        self._waiting = self._waiting[self._write_some(self._waiting) :]
        if not self._waiting:
            self._loop.remove_writer(self._master)

    def _write_some(self, data: bytes) -> int:
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Take the line away: the other side sees it close.  A second time it does nothing."""
        if self._closed:
            return
        self._closed = True
        # From the last to the first, each whatever becomes of the others.
        with contextlib.ExitStack() as steps:
            steps.callback(self._close_descriptors)
            steps.callback(self._remove_link)
            steps.callback(self._runner.detach, self._port)
            steps.callback(self._loop.remove_writer, self._master)
            steps.callback(self._loop.remove_reader, self._master)

    def _remove_link(self) -> None:
        if self._link is not None:
            # Whoever took away our right to remove the link has also taken over the link.
            with contextlib.suppress(OSError):
                _unlink(self._link, self._device)

    def _close_descriptors(self) -> None:
        os.close(self._slave)
        os.close(self._master)


def _open_pty() -> tuple[int, int]:
    try:
        return os.openpty()
    except OSError as error:
        raise PortError(f"cannot open a pty: {reason_of(error)}") from None


def _points_to(link: Path, device: str) -> bool:
    return link.is_symlink() and str(link.readlink()) == device


def _make_link(link: Path, device: str) -> Path:
    """A stable name for the slave; an old link to a pty is replaced, nothing else is."""
    try:
        with _alone_in(link.parent):
            return _linked(link, device)
    except OSError as error:
        raise PortError(f"cannot make {link}: {reason_of(error)}") from None


def _unlink(link: Path, device: str) -> None:
    with _alone_in(link.parent):
        if _points_to(link, device):
            link.unlink()


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other pumps away from the links of a folder: looking and replacing must be one step.

    What is locked is the folder itself, so that no lock file is left behind.  `BlockingIOError`
    when somebody keeps it locked.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    for _ in range(_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_PAUSE)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _linked(link: Path, device: str) -> Path:
    if _points_to(link, device):
        # Left behind by a pump that was killed: the system gave us the same pty again.
        return link
    if link.is_symlink() and str(link.readlink()).startswith(_PTYS):
        if link.exists():
            where = link.readlink()
            raise PortError(
                f"{link} is in use: it leads to {where}, which a pump, a cable or a terminal has"
                " open; end that, or choose another name"
            )
        link.unlink()
    try:
        link.symlink_to(device)
    except FileExistsError:
        raise PortError(
            f"cannot make {link}: something else has that name; choose another"
        ) from None
    return link
