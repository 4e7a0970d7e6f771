"""A day as a picture made of characters."""

from mockpump.cli.quantities import rate, volume
from mockpump.cli.render import columns, show
from mockpump.protocol import messages as m

_WIDTH = 56
_MARGIN = 15


def show_day(reports: list[m.Telemetry], day: int) -> None:
    """Two charts one above the other: rate and delivered volume over the last `day` seconds."""
    start = reports[-1].elapsed - day
    sampled = [_at(reports, start + day * (place + 1) // _WIDTH) for place in range(_WIDTH)]
    rates = [_at(reports, start + day * place // _WIDTH).rate for place in range(_WIDTH)]
    delivered = [report.delivered for report in sampled]
    _chart(rates, 6, rate(max(rates)), "cyan")
    _axis()
    _chart(delivered, 6, volume(max(delivered)), "green")
    _axis()


def _at(reports: list[m.Telemetry], elapsed: int) -> m.Telemetry:
    """The newest report at some moment; the first one when none is that old."""
    earlier = [report for report in reports if report.elapsed <= elapsed]
    return earlier[-1] if earlier else reports[0]


def _chart(values: list[int], height: int, highest: str, style: str) -> None:
    for place, line in enumerate(columns(values, height)):
        label = highest if place == 0 else "0" if place == height - 1 else ""
        show((f"{label:>{_MARGIN}} ", "dim"), (line, style))


def _axis() -> None:
    hours = "".join(f"{hour:02}:00".ljust(_WIDTH // 4) for hour in range(0, 24, 6))
    show(f"{'':>{_MARGIN}} {hours}24:00", style="dim")
