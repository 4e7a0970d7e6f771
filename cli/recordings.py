"""Recorded runs that a person names, read by the code that made them."""

from pathlib import Path

from mockpump.cli.planting import run_with
from mockpump.emulator.transports.recordings import Recorded, read_recording


def read_with_its_defect(path: Path) -> Recorded:
    """The trace in a file; `BadTrace` in one line with the name of the file.

    What the two sides did is worked out by the code that ran.  So if that had a planted defect, the
    process starts over with it.
    """
    found = read_recording(path)
    run_with(found.defect)
    return found
