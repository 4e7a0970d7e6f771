"""Curves: drawn on a terminal, or written as a picture with matplotlib."""

import importlib.util
import shutil
from bisect import bisect_right
from itertools import cycle
from pathlib import Path

import click

from mockpump.cli.files import written
from mockpump.cli.render import columns, show
from mockpump.emulator.simulation.curves import Curves, Line
from mockpump.emulator.transports.errors import reason_of
from mockpump.protocol import messages as m
from mockpump.protocol.units import rate, volume

# Columns: of the curve, at the most and at the least; of the labels before it; of the last mark
# under it.
_MOST, _LEAST = 56, 24
_MARGIN = 15
_LAST_MARK = 7
_STYLES = ("cyan", "green", "magenta", "yellow")


def _width() -> int:
    """How wide a curve may be on this terminal, in whole quarters."""
    room = shutil.get_terminal_size().columns - _MARGIN - 1 - _LAST_MARK
    return min(max(room // 4 * 4, _LEAST), _MOST)


def show_day(reports: list[m.Telemetry], day: int) -> None:
    """Two charts one above the other: rate and delivered volume over the last `day` seconds."""
    start, width = reports[-1].elapsed - day, _width()
    sampled = [_at(reports, start + day * (place + 1) // width) for place in range(width)]
    rates = [_at(reports, start + day * place // width).rate for place in range(width)]
    delivered = [report.delivered for report in sampled]
    _chart(rates, 6, rate(max(rates)), "cyan")
    _axis(width)
    _chart(delivered, 6, volume(max(delivered)), "green")
    _axis(width)


def _at(reports: list[m.Telemetry], elapsed: int) -> m.Telemetry:
    """The newest report at some moment; the first one when none is that old."""
    earlier = [report for report in reports if report.elapsed <= elapsed]
    return earlier[-1] if earlier else reports[0]


def show_curves(curves: Curves) -> None:
    """Curves one above the other, over the same span of pump time."""
    start, end = curves.elapsed[0], max(curves.elapsed[-1], curves.elapsed[0] + 1)
    width = _width()
    for number, line in enumerate(curves.lines):
        moments = [start + (end - start) * (k + (not line.steps)) // width for k in range(width)]
        values = [_value_at(curves, line, moment) for moment in moments]
        show((f"{line.name}, {line.unit}", "dim"))
        # Thousandths, because a chart of characters is drawn from integers.
        style = _STYLES[number % len(_STYLES)]
        # What is labelled is what is drawn: a peak between two columns is neither.
        _chart([round(1000 * value) for value in values], 5, f"{max(values):,.0f}", style)
    _span_axis(end - start, width)


def _value_at(curves: Curves, line: Line, moment: int) -> float:
    return line.values[bisect_right(curves.elapsed, moment) - 1]


def _span_axis(seconds: int, width: int) -> None:
    unit, name = (86_400, "d") if seconds > 3 * 86_400 else (3_600, "h")
    marks = "".join(f"{seconds * k / 4 / unit:g} {name}".ljust(width // 4) for k in range(4))
    show(f"{'':>{_MARGIN}} {marks}{seconds / unit:g} {name}", style="dim")


def _chart(values: list[int], height: int, highest: str, style: str) -> None:
    for place, line in enumerate(columns(values, height)):
        label = highest if place == 0 else "0" if place == height - 1 else ""
        show((f"{label:>{_MARGIN}} ", "dim"), (line, style))


def _axis(width: int) -> None:
    hours = "".join(f"{hour:02}:00".ljust(width // 4) for hour in range(0, 24, 6))
    show(f"{'':>{_MARGIN}} {hours}24:00", style="dim")


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
