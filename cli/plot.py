"""A scenario's curves as a picture file, by matplotlib (the extra `plot`)."""

import importlib.util
from itertools import cycle
from pathlib import Path

import click

from mockpump.cli.files import written
from mockpump.emulator.simulation.curves import Curves
from mockpump.emulator.transports.errors import reason_of

COLOURS = ("#0072b2", "#009e73", "#d55e00", "#cc79a7")
_ENDINGS = (".png", ".svg")


def check_plot(file: Path) -> None:
    """A usage error for an ending that is neither PNG nor SVG, and where there is no matplotlib."""
    if file.suffix.lower() not in _ENDINGS:
        raise click.UsageError(f"--plot takes a file ending in {' or '.join(_ENDINGS)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise click.UsageError("--plot needs matplotlib: pip install matplotlib")


def plot(curves: Curves, title: str, file: Path) -> None:
    """Draw them one above the other, into a file that `check_plot` lets pass."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.2 + 2.0 * len(curves.lines)), layout="constrained")
    axes = figure.subplots(len(curves.lines), 1, sharex=True, squeeze=False)[:, 0]
    hours = [elapsed / 3600 for elapsed in curves.elapsed]
    for axis, line, colour in zip(axes, curves.lines, cycle(COLOURS), strict=False):
        drawing = axis.step if line.steps else axis.plot
        drawing(hours, line.values, color=colour, **({"where": "post"} if line.steps else {}))
        axis.set_ylabel(f"{line.name}\n{line.unit}".strip())
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("hours of pump time (everything fictional)")
    figure.suptitle(title)
    try:
        with written(file) as opened:
            figure.savefig(opened, dpi=120, format=file.suffix.lower().removeprefix("."))
    except OSError as error:
        raise click.UsageError(f"{file}: {reason_of(error)}") from None
