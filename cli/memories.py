"""The memory of a pump in a file, as a command opens it: with a word when a part is missing."""

from pathlib import Path

from mockpump.cli.terminal import warn
from mockpump.emulator.memory.sqlite import SqliteMemory


def opened(file: Path) -> SqliteMemory:
    """The memory of a pump that is to go on."""
    return _warned(file, SqliteMemory.open(file))


def looked_into(file: Path) -> SqliteMemory:
    """The memory of a pump that does not run, only to be read."""
    return _warned(file, SqliteMemory.look(file))


def _warned(file: Path, memory: SqliteMemory) -> SqliteMemory:
    if memory.lacks_wal:
        warn(
            f"{file} was copied while its pump ran, without the {file.name}-wal beside it:"
            " what the pump did and acknowledged since may be missing"
        )
    return memory
