"""Tables and facts: plain lines of any length in a pipe, folded to the width of a terminal."""

import io
import sys
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from outside import FOREIGN_TEXT, Screen

from mockpump.cli import render, tables
from mockpump.emulator.channel.channel import Layer
from mockpump.emulator.programmer.preview import DayChange, compare
from mockpump.protocol.program import Program, RampStep

RAMP = msgspec.structs.replace(
    Program.flat("rising", 1_000), ramp=(RampStep(0, 50), RampStep(3, 100))
)


HEADINGS = (">number", "name", "what it does")
LONG = "this many words that a line of forty columns has no room for them all, " * 3
ROWS = [("1", "short", LONG), ("1,000", ("a longer name", "red"), "little")]


def on_terminal(monkeypatch: pytest.MonkeyPatch, width: int, **environment: str) -> str:
    """What a terminal of this many columns is shown of the rows."""
    for name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", "COLUMNS": str(width), **environment}.items():
        monkeypatch.setenv(name, value)
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    render.console.cache_clear()
    try:
        tables.show_table(HEADINGS, ROWS, "it")
    finally:
        render.console.cache_clear()
    return screen.getvalue()


def test_facts_are_aligned_and_plain_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_facts({"a": "one", "longer": "two"})
    assert capsys.readouterr().out == "a       one\nlonger  two\n"


def test_a_piped_table_is_plain_text_that_is_never_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    tables.show_table(HEADINGS, ROWS, "what it is")
    assert capsys.readouterr().out.splitlines() == [
        "what it is",
        "number  name           what it does",
        f"     1  short          {LONG.rstrip()}",
        " 1,000  a longer name  little",
    ]


def test_on_a_terminal_the_widest_column_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_terminal(monkeypatch, 40, NO_COLOR="1").splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[-1].split() == ["1,000", "a", "longer", "name", "little"]
    assert " ".join(line[23:].strip() for line in lines[2:-1]) == LONG.strip()


@pytest.mark.parametrize("width", [16, 22])
def test_a_terminal_too_narrow_for_the_other_columns_folds_them_too(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    text = on_terminal(monkeypatch, width, NO_COLOR="1")
    assert max(map(len, text.splitlines())) <= width
    assert Counter(text) >= Counter("".join(f"1 1,000 short a longer name {LONG} little".split()))


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
    ids=["xterm", "NO_COLOR", "dumb"],
)
def test_a_table_is_coloured_where_a_terminal_wants_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], is_coloured: bool
) -> None:
    assert ("\x1b[" in on_terminal(monkeypatch, 80, **environment)) is is_coloured


def test_no_cell_is_markup(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_table(("[red]a", "b"), [("[bold]name[/bold]", ":smile: [/]")], "it")
    _, head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["[red]a", "b"]
    assert row == "[bold]name[/bold]  :smile: [/]"


@settings(max_examples=50)
@given(FOREIGN_TEXT)
def test_a_cell_on_a_terminal_has_no_letter_that_it_acts_on(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NO_COLOR", "1")
        patched.setattr("sys.stdout", Screen())
        render.console.cache_clear()
        tables.show_table((text, "heading"), [(text, (text, "bold"))], "it")
        shown = sys.stdout.getvalue()  # type: ignore[attr-defined]
        render.console.cache_clear()
    assert shown.replace("\n", "").isprintable()


@settings(max_examples=50)
@given(FOREIGN_TEXT)
def test_a_cell_is_on_one_line_and_takes_no_letter_that_a_terminal_acts_on(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdout", io.StringIO())
        tables.show_facts({text: text, "name": "value"})
        shown = sys.stdout.getvalue()  # type: ignore[attr-defined]
    first, second = shown.splitlines()
    assert (first + second).isprintable()
    assert second.split() == ["name", "value"]


def test_the_table_of_faults_has_a_caption_and_its_figures_under_their_layers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    caught = {layer.value: 0 for layer in Layer}
    tables.show_faults({"ber": {**caught, "crc": 12}, "duplicate": {**caught, "undetected": 3}})
    caption, head, ber, duplicate = capsys.readouterr().out.splitlines()
    assert caption == "what went wrong on the line, caught or repaired by"
    assert head.split() == ["fault", *caught]
    assert ber.index("12") + 2 == head.index("crc") + 3
    assert duplicate.index("3") + 1 == len(head)
    assert "0" not in ber + duplicate


def test_programs_are_told_the_sum_of_the_last_two_columns_as_well() -> None:
    caught = {layer.value: number for number, layer in enumerate(Layer)}
    told = tables.fault_facts({"ber": caught})["ber"]
    assert told == {**caught, "nothing": caught["harmless"] + caught["undetected"]}


def test_of_a_good_line_nothing_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_faults({})
    assert capsys.readouterr().out == "nothing went wrong on the line\n"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (None, 3600, "new"),
        (0, 3600, "new"),
        (3600, 3600, "none"),
        (7200, 10_800, "+50.0 %"),
        (7200, 3600, "-50.0 %"),
        (10**9, 10**9 + 1, "+0.0 %"),
        (10**9, 10**9 - 1, "-0.0 %"),
        (1_000_000, 875, "-99.9 %"),
    ],
)
def test_changes(
    capsys: pytest.CaptureFixture[str], before: int | None, after: int, text: str
) -> None:
    changes = [DayChange(0, 4, before, after), DayChange(5, 5, before, after)]
    tables.show_changes(changes, Program.flat("x", 1), "it runs that; ")
    caption, head, week, saturday = capsys.readouterr().out.splitlines()
    assert caption == '  it runs that; "x" would change its volumes a day'
    assert week.split()[0] == "Mon-Fri"
    assert saturday.split()[0] == "Sat"
    assert week.endswith(text)
    assert len(head) == len(week)


def test_a_ramp_is_said_beside_the_changes(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_changes(compare(None, RAMP, 100), RAMP, "")
    shown = capsys.readouterr().out.splitlines()
    assert shown[2].split()[1:3] == ["nothing", "12,000"]
    assert shown[3] == "  its ramp  50 % from day 0, 100 % from day 3"
