"""The memory of a pump in a file, as a command opens it: with a word when a part is missing."""

from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from mockpump.cli.terminal import warn
from mockpump.emulator.memory.interface import Change, MemoryFailed
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.pump.pump_state import check_images, check_outcomes, decode_state
from mockpump.protocol.errors import DecodeError


def opened(file: Path) -> SqliteMemory:
    """The memory of a pump that is to go on."""
    memory = _checked(file, SqliteMemory.open(file))
    if memory.lacks_wal and (recorded := memory.state()) is not None:
        # Its state may be an old one, from when it was put down in good order.
        memory.record(Change(replace(decode_state(recorded), clean=False)))
    return memory


def looked_into(file: Path) -> SqliteMemory:
    """The memory of a pump that does not run, only to be read."""
    return _checked(file, SqliteMemory.look(file))


def _checked(file: Path, memory: SqliteMemory) -> SqliteMemory:
    """That memory; closed when what it holds could not be a pump's."""
    with ExitStack() as unless_sound:
        unless_sound.callback(memory.close)
        try:
            check_outcomes(memory.outcomes())
            if (recorded := memory.state()) is not None:
                check_images(decode_state(recorded), memory.image)
        except DecodeError as error:
            raise MemoryFailed(f"{file}: {error}") from None
        unless_sound.pop_all()
    if memory.lacks_wal:
        warn(
            f"{file} was copied while its pump ran, without the {file.name}-wal beside it:"
            " what the pump did and acknowledged since may be missing"
        )
    return memory
