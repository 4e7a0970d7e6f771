"""Recorded runs that a person names, read by the code that made them."""

from pathlib import Path

from mockpump.cli.examples import scenario_names
from mockpump.cli.planting import run_with
from mockpump.emulator.trace.reading import BadTrace
from mockpump.emulator.transports.recordings import Recorded, read_recording


def read_with_its_defect(path: Path) -> Recorded:
    """The trace in a file; `BadTrace` in one line with the name of the file.

    What the two sides did is worked out by the code that ran.  So if that had a planted defect, the
    process starts over with it.
    """
    if (told := how_to_record(path)) and not path.exists():
        raise BadTrace(f"{path}: no such file or directory{told}")
    found = read_recording(path)
    run_with(found.defect)
    return found


def how_to_record(path: Path) -> str:
    """What to do where a run was asked for, and a scenario is named."""
    name = str(path)
    if name not in scenario_names():
        return ""
    return (
        f"; {name} is a scenario: record it with `mockpump run {name} --record {name}.bundle`,"
        f" or see it with `mockpump demo {name}`"
    )
