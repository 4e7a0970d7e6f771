"""Reading a program from a file: every way it can go wrong ends in one line that names the file."""

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
