"""The pictures of the documents, drawn from runs.

`python -m mockpump.cli.pictures docs/pictures` draws them anew.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from mockpump.cli.files import write_file
from mockpump.cli.named_runs import named_run
from mockpump.display.diagram import diagram
from mockpump.emulator.trace.model import read_run


class Picture(NamedTuple):
    """Which run it is of, and from which frame to which."""

    scenario: str
    seed: int
    first: int
    last: int


PICTURES = {
    "bad-link.svg": Picture("bad-link", 7, 11, 23),
    "handshake.svg": Picture("handshake", 0, 1, 14),
    "window.svg": Picture("window", 0, 9, 34),
    "retransmission.svg": Picture("retransmission", 0, 9, 31),
    "crossing.svg": Picture("crossing", 0, 1, 13),
    "replay-attack.svg": Picture("replay-attack", 0, 17, 37),
}


def drawn(picture: Picture) -> str:
    """The text of an SVG."""
    run = read_run(named_run(picture.scenario, picture.seed).recording)
    return diagram(run, range(picture.first, picture.last + 1))


def main() -> None:
    """Draw them all into the folder that the command line names."""
    for name, picture in PICTURES.items():
        write_file(Path(sys.argv[1]) / name, drawn(picture).encode())


if __name__ == "__main__":
    main()
