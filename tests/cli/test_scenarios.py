"""`mockpump demo NAME`: every scenario in 80 columns, the same each time, with its picture."""

import importlib.util
from pathlib import Path

import pytest
from outside import Command, in_process

from mockpump.cli.charts import COLOURS, plot
from mockpump.cli.examples import example_scenario, scenario_names
from mockpump.emulator.simulation.curves import Curves, Line

FICTIONAL = "Everything here is fictional: no real device, drug, dose or patient."


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("COLUMNS", "80")
    return in_process(capsys, monkeypatch)


def test_the_scenarios_are_listed_a_line_each(command: Command) -> None:
    ended = command("demo", "--list")
    assert (ended.code, ended.err) == (0, "")
    _, *lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines] == ["scenario", *scenario_names()]


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_fits_a_terminal_and_says_what_it_is(command: Command, name: str) -> None:
    ended = command("demo", name)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert (lines[1], lines[-1]) == (FICTIONAL, FICTIONAL)
    assert "\x1b" not in ended.out
    # Its picture: as wide as the telling, drawn in blocks; or a ladder; or both.
    scenario = example_scenario(name)
    assert any(line.count("█") > 10 for line in lines) == (scenario.picture is not None)
    assert any(line.startswith("no.      s programmer") for line in lines) == bool(scenario.ladder)


def test_on_a_narrow_terminal_it_is_narrow(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    # But for the two lines that stand around every scenario.
    lines = [line for line in command("demo", "stall").out.splitlines() if line != FICTIONAL]
    assert 46 < max(map(len, lines)) <= 50
    assert any(line.count("█") > 5 for line in lines)


def test_an_unknown_scenario_is_a_usage_error_that_names_the_others(command: Command) -> None:
    ended = command("demo", "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert all(name in ended.err for name in scenario_names())


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("limits", "--plot", "x.pdf"), "--plot takes a file ending in .png or .svg"),
        (("limits", "--plot", "x"), "--plot takes a file ending in .png or .svg"),
        (("--plot", "x.png"), "--plot draws a scenario"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_said_before_the_scenario(
    command: Command, arguments: tuple[str, ...], fault: str
) -> None:
    ended = command("demo", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert fault in ended.err.splitlines()[-1]


def test_without_matplotlib_a_picture_file_is_refused_with_what_to_install(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    ended = command("demo", "limits", "--plot", str(tmp_path / "x.png"))
    assert (ended.code, ended.out) == (2, "")
    assert "pip install matplotlib" in ended.err.splitlines()[-1]


def test_more_curves_than_colours_are_all_drawn(tmp_path: Path) -> None:
    lines = [Line(f"curve {number}", "nL", [0, number, 2], steps=number > 3) for number in range(6)]
    for name, begins in (("x.png", b"\x89PNG\r\n"), ("x.svg", b"<?xml")):
        plot(Curves([0, 3_600, 7_200], lines), "everything invented", tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)
    drawn = (tmp_path / "x.svg").read_text("utf-8")
    assert sum(drawn.count(f"stroke: {colour}") for colour in COLOURS) == 6


def test_a_trace_that_cannot_be_written_is_said_before_the_scenario(
    command: Command, tmp_path: Path
) -> None:
    ended = command("demo", "handshake", "--trace", str(tmp_path / "nowhere" / "x.trace"))
    assert (ended.code, ended.out) == (74, "")
    assert "x.trace: no such file or directory" in ended.line
