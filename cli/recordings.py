"""Recorded runs that a person names, read by the code that made them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mockpump.cli.examples import scenario_names
from mockpump.cli.planting import run_with
from mockpump.emulator.trace.reading import BadTrace
from mockpump.emulator.transports.recordings import (
    MOST_BYTES,
    Recorded,
    read_recording,
    recording_in,
)
from mockpump.exercises.planting import planted
from mockpump.protocol.errors import MockpumpError

# What is named instead of a file to read what comes through a pipe.
STANDARD_INPUT = "-"
_INPUT = "standard input"


@contextmanager
def advising_to_record(path: Path) -> Iterator[None]:
    """Say what to do where a recorded run was asked for, and a scenario is named."""
    try:
        yield
    except MockpumpError as error:
        name = str(path)
        if name in scenario_names() and not path.exists():
            error.add_note(
                f"{name} is a scenario: record it with `mockpump run {name} --record"
                f" {name}.bundle`, or see it with `mockpump demo {name}`"
            )
        raise


def read_with_its_defect(path: Path) -> Recorded:
    """The trace in a file; `BadTrace` in one line with the name of the file.

    What the two sides did is worked out by the code that ran.  So if that had a planted defect, the
    process starts over with it.
    """
    if str(path) == STANDARD_INPUT:
        return _read_input()
    with advising_to_record(path):
        found = read_recording(path)
    run_with(found.defect)
    return found


def _read_input() -> Recorded:
    """What comes through standard input, which is there only once."""
    found = recording_in(sys.stdin.buffer.read(MOST_BYTES + 1), _INPUT)
    if found.defect and planted() is None:
        raise BadTrace(f"{_INPUT}: that run had a planted defect; give it as a file instead")
    return found
