"""A day as a picture: two charts, their scales, and reports that do not fill the day."""

import pytest

from mockpump.cli.charts import show_curves, show_day
from mockpump.emulator.simulation.curves import Curves, Line
from mockpump.protocol import messages as m

DAY = 86_400


def report(elapsed: int, rate: int, delivered: int) -> m.Telemetry:
    return m.Telemetry(
        m.Mode.RUNNING, elapsed, elapsed, rate, delivered, 0, 0, delivered, 0, m.Priority.NONE
    )


def charts(capsys: pytest.CaptureFixture[str], reports: list[m.Telemetry]) -> list[str]:
    show_day(reports, DAY)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    return lines


def test_a_day_with_two_rates(capsys: pytest.CaptureFixture[str]) -> None:
    reports = [
        report(at, 10_000 if at < DAY // 2 else 20_000, at) for at in range(300, DAY + 1, 300)
    ]
    lines = charts(capsys, reports)
    assert "20,000 nL/h" in lines[0]
    assert lines[0].rstrip().endswith("█")
    assert lines[0].count("█") == 28
    assert lines[5].count("█") == 56
    assert "00:00" in lines[6]
    assert lines[6].endswith("24:00")
    assert "86,400 nL" in lines[7]
    delivered = [sum(line[16 + place] != " " for line in lines[7:13]) for place in range(56)]
    assert delivered == sorted(delivered)


def test_nothing_delivered_is_an_empty_chart(capsys: pytest.CaptureFixture[str]) -> None:
    assert not any("█" in line for line in charts(capsys, [report(DAY, 0, 0)]))


def test_one_late_report_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert charts(capsys, [report(DAY * 3, 5, 100)])


def test_what_is_labelled_is_what_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """A peak that lasted for no time has no column, and no label."""
    line = Line("rate", "nL/h", [10, 99, 20, 20], steps=True)
    show_curves(Curves([0, 1_800, 1_800, 7_200], [line]))
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "20"
