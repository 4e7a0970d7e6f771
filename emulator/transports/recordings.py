"""Recorded runs that a person names: bundles and traces, read; what is wrong is one line."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from mockpump.emulator.memory.sqlite_file import MAGIC
from mockpump.emulator.simulation.bundle import BadBundle, read_bundle
from mockpump.emulator.trace.format import FORMAT
from mockpump.emulator.trace.reading import BadTrace, Undecoded, split_trace
from mockpump.emulator.transports.reading import Unreadable, read_file
from mockpump.protocol.program import Program

# Far more than any bundle or trace has that is looked at as a whole.
MOST_BYTES = 256 * 1024 * 1024


class Recorded(NamedTuple):
    """A trace, which run it is of, where its own head does not say so, its programs, and its
    planted defect.
    """

    trace: Undecoded
    subject: str
    programs: dict[str, Program] = {}
    defect: str = ""


class _Format(msgspec.Struct):
    """What the first line of either says of itself."""

    format: str


def read_recording(path: Path) -> Recorded:
    """The trace in a file, its head read; `BadTrace` in one line with the name of the file."""
    try:
        data = read_file(path, MOST_BYTES, pipes=True)
    except Unreadable as error:
        raise BadTrace(f"{path}: {error}") from None
    return recording_in(data, str(path))


def recording_in(data: bytes, name: str) -> Recorded:
    """The trace in the bytes of a file; `BadTrace` in one line with that name."""
    try:
        if data.startswith(MAGIC):
            raise BadTrace(
                f"it is the memory of a pump: look at it with `mockpump pump show {name}`"
            )
        if len(data) > MOST_BYTES:
            raise BadTrace(f"it is too long: more than {MOST_BYTES:,} bytes")
        return _read(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadTrace(f"{name}: {_NEITHER}") from None
    except (BadBundle, BadTrace) as error:
        raise BadTrace(f"{name}: {error}") from None


def _read(text: str) -> Recorded:
    first = text.partition("\n")[0]
    try:
        told = msgspec.json.decode(first, type=_Format).format
    except (msgspec.MsgspecError, ValueError, RecursionError):
        told = ""
    if told == FORMAT:
        return Recorded(split_trace(text), "")
    if told.startswith("mockpump-bundle/"):
        bundle = read_bundle(text)
        run = bundle.run
        return Recorded(bundle.trace, run.subject, run.programs, run.head.defect)
    if told.startswith("mockpump-trace/"):
        raise BadTrace(f"it says {told}, and this version reads {FORMAT}")
    raise BadTrace(_NEITHER)


_NEITHER = (
    "it is neither a bundle nor a trace; record a run with `mockpump run NAME --record run.bundle`"
)
