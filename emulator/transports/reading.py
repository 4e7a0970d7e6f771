"""Files that a person names, read: one way for all of them, whatever is at the path.

What is opened is never waited for, and no more is read than the caller can use: a device may have
no end, and a pipe nobody at its other one.
"""

import os
import stat
from pathlib import Path

from mockpump.emulator.transports.errors import reason_of
from mockpump.protocol.errors import MockpumpError

_CHUNK = 1 << 20


class Unreadable(MockpumpError):
    """What is at a path cannot be read, or is not a file; why, in words, without the path."""


class Missing(Unreadable):
    """There is no file at that path."""


def read_file(path: Path, most: int, *, pipes: bool = False) -> bytes:
    """The bytes in a file, at most this many; `Unreadable` when it is none, or longer.

    With `pipes` what comes through one is read to its end; of one into which nobody writes,
    nothing.
    """
    data, _ = read_file_and_mode(path, most, pipes=pipes)
    return data


def read_file_and_mode(path: Path, most: int, *, pipes: bool = False) -> tuple[bytes, int]:
    """The same, and the mode of the file that was read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            mode = os.fstat(descriptor).st_mode
            if not (stat.S_ISREG(mode) or (pipes and stat.S_ISFIFO(mode))):
                raise Unreadable(_what_it_is(mode))
            data = _all_of(descriptor, most + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise Missing(reason_of(error)) from None
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    except ValueError:
        raise Unreadable("there is a zero in its name") from None
    if len(data) > most:
        raise Unreadable(f"it is too long: more than {most:,} bytes")
    return data, mode


def _all_of(descriptor: int, most: int) -> bytes:
    # By now somebody writes into a pipe, or nobody does.
    os.set_blocking(descriptor, True)
    data = bytearray()
    while chunk := os.read(descriptor, min(_CHUNK, most - len(data))):
        data += chunk
    return bytes(data)


def _what_it_is(mode: int) -> str:
    for is_such, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if is_such(mode):
            return f"it is {name}, and no file"
    return "it is a device, and no file"
