"""The memory of a pump in a file, as a command opens it: with a word when a part is missing."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec.structs import replace

from mockpump.cli.terminal import warn
from mockpump.emulator.memory.interface import Change, MemoryFailed
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.memory.sqlite_lock import MemoryBusy
from mockpump.emulator.pump.state import (
    PumpState,
    check_images,
    check_outcomes,
    decode_state,
)
from mockpump.protocol.errors import DecodeError


def opened(file: Path) -> SqliteMemory:
    """The memory of a pump that is to go on."""
    with _advising():
        memory = SqliteMemory.open(file)
    with _closed_if_unsound(file, memory):
        state = _checked(memory)
        if memory.lacks_wal and state is not None:
            # That state may be an old one, from when the pump was put down in good order.
            memory.record(Change(replace(state, clean_shutdown=False)))
    return _warned(file, memory)


def looked_into(file: Path) -> SqliteMemory:
    """The memory of a pump that does not run, only to be read."""
    with _advising():
        memory = SqliteMemory.look(file)
    with _closed_if_unsound(file, memory):
        _checked(memory)
    return _warned(file, memory)


@contextmanager
def _advising() -> Iterator[None]:
    try:
        yield
    except MemoryBusy as error:
        error.add_note("end that first, or ask the pump that runs with `mockpump programmer`")
        raise


@contextmanager
def _closed_if_unsound(file: Path, memory: SqliteMemory) -> Iterator[None]:
    with ExitStack() as unless_sound:
        unless_sound.callback(memory.close)
        try:
            yield
        except DecodeError as error:
            raise MemoryFailed(f"{file}: {error}") from None
        unless_sound.pop_all()


def _checked(memory: SqliteMemory) -> PumpState | None:
    """The state that it holds; `DecodeError` when anything in it could not be a pump's."""
    check_outcomes(memory.outcomes())
    recorded = memory.state()
    if recorded is None:
        return None
    state = decode_state(recorded)
    check_images(state, memory.image)
    return state


def _warned(file: Path, memory: SqliteMemory) -> SqliteMemory:
    if memory.lacks_wal:
        warn(
            f"{file} was copied while its pump ran, without the {file.name}-wal beside it:"
            " what the pump did and acknowledged since may be missing"
        )
    return memory
