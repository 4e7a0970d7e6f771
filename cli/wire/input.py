"""What `mockpump wire decode` is given: hex as an argument, a file, or standard input.

The one idea: text is hex, in whatever way people write it, and anything else is the bytes
themselves.  So a recording can be decoded as it is, and so can a line copied from a document, with
the remark behind its `#`.
"""

import sys
from pathlib import Path

from mockpump.cli.main import EXIT_USAGE, fail
from mockpump.emulator.transports.reading import Unreadable, read_file
from mockpump.protocol.fields import from_hex

MAX_BYTES = 4 * 1024 * 1024
_SHOWN = 24


def read_input(source: str) -> bytes:
    """The bytes meant by HEX, FILE or `-`; ends the program with one line when there are none."""
    if source == "-":
        data = _meaning(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input")
    elif source and _is_there(Path(source)):
        data = _meaning(_file(Path(source)), source)
    else:
        data = _argument(source)
    if len(data) > MAX_BYTES:
        fail(f"too much to decode: at most {MAX_BYTES:,} bytes", EXIT_USAGE)
    if not data:
        fail("nothing to decode: there is not one byte in it", EXIT_USAGE)
    return data


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # Too long for a name, or with a zero in it: hex, then.
        return False


def _file(path: Path) -> bytes:
    try:
        return read_file(path, MAX_BYTES, pipes=True)
    except Unreadable as error:
        fail(f"{path}: {error}", EXIT_USAGE)


def _meaning(raw: bytes, name: str) -> bytes:
    """Text is hex; what is not text is taken as it is."""
    if len(raw) > MAX_BYTES:
        fail(f"too much to decode: at most {MAX_BYTES:,} bytes", EXIT_USAGE)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw
    if not all(char.isprintable() or char in "\t\r\n" for char in text):
        return raw
    try:
        return from_hex(text)
    except ValueError as error:
        fail(f"{name}: {error}", EXIT_USAGE)


def _argument(text: str) -> bytes:
    try:
        return from_hex(text)
    except ValueError as error:
        fail(f"neither a file nor hex: {error}", EXIT_USAGE)
