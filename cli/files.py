"""Reading files: every way it can go wrong ends in one line that names the file."""

import errno
import os
from pathlib import Path

from mockpump.emulator.transports.errors import reason_of
from mockpump.protocol.program import Program, ProgramError
from mockpump.protocol.program_toml import MAX_TEXT, loads


def read_program_file(path: Path) -> Program:
    """The program in a TOML file; `ProgramError` names the file, the key and the rule."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT + 1)
    except OSError as error:
        raise ProgramError(reason_of(error), file=str(path)) from None
    return loads(data, str(path))


# Far more than any scenario or bundle has; a device may have no end at all.
_MOST_TEXT = 256 * 1024 * 1024


def read_text(path: Path) -> str:
    """The text in a file.  `OSError` or `UnicodeDecodeError` when it is none, or too long."""
    with path.open("rb") as file:
        data = file.read(_MOST_TEXT + 1)
    if len(data) > _MOST_TEXT:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data.decode("utf-8")
