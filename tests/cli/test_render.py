"""What the commands show: words on lines that fit, JSON that parses, pictures that fall back."""

import io
import json
import os
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import FOREIGN_TEXT, Screen

from mockpump.cli import render
from mockpump.cli.pump import render as render_pump
from mockpump.protocol import messages as m

STATUS = m.Status(m.Mode.RUNNING, 90_061, 5, 20_000, 1_234, 7, 1_000_000, 100, 0, 0, 0, 0)


def test_json_has_names_for_enumerations_and_hex_for_bytes() -> None:
    value = {"mode": m.Mode.SUSPENDED, "data": b"\x01\xff", "status": STATUS, 3: [1, (2,)]}
    parsed = json.loads(render.as_json(value))
    assert parsed["mode"] == "suspended"
    assert parsed["data"] == "01ff"
    assert parsed["status"]["mode"] == "running"
    assert parsed["3"] == [1, [2]]


def test_a_status_in_words_shows_bad_frames_only_when_there_were_any() -> None:
    facts = render_pump.status_facts(STATUS)
    assert facts["age"].startswith("1 d 1:01:01")
    assert facts["pattern"] == "1, ramp at 100 %"
    assert "bad frames" not in facts
    worse = m.Status(m.Mode.RUNNING, 0, 0, 0, 0, 0, 0, 100, 0, 1200, 34_000, 0)
    assert render_pump.status_facts(worse)["bad frames"] == "1,200 turned down, 34,000 bytes"


def test_text_from_elsewhere_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    render.show("[bold]name[/bold] :smile: [/]")
    assert capsys.readouterr().out == "[bold]name[/bold] :smile: [/]\n"


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.integers(1, 80))
def test_a_bar_is_as_wide_as_it_was_asked_to_be(done: int, whole: int, width: int) -> None:
    assert len(render.bar(done, whole, width)) == width


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60), st.integers(1, 10))
def test_columns_are_as_high_as_their_values(values: list[int], height: int) -> None:
    lines = render.columns(values, height)
    assert [len(line) for line in lines] == [len(values)] * height
    if max(values):
        assert lines[0][values.index(max(values))] in "█#"
    for place, value in enumerate(values):
        if not value:
            assert {line[place] for line in lines} == {" "}


def test_pictures_fall_back_where_the_output_has_no_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert render.bar(1, 2, 4) == "##.."
    assert render.columns([0, 1, 2], 1) == [" ##"]


def test_a_report_fits_a_terminal_and_says_it_all() -> None:
    rate, pumped, left, arrived = 9_999_999, 99_999_999, 20_000_000, 99_999_998
    report = m.Telemetry(
        m.Mode.SUSPENDED, 0, 604_799, rate, pumped, 0, left, arrived, 0, m.Priority.NONE
    )
    line = render_pump.telemetry_line(report)
    assert len(line) <= 79
    said = line.split()
    assert all(f"{each:,}" in said for each in (rate, left))
    assert f"{pumped:,}/{arrived:,}" in said
    alarmed = msgspec.structs.replace(report, alarm=m.Priority.HIGH)
    assert render_pump.telemetry_line(alarmed) == f"{line}  HIGH"


def test_a_reader_who_has_gone_is_noticed_before_anything_is_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        render.notice_reader_gone()
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            render.notice_reader_gone()
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    render.notice_reader_gone()


@pytest.mark.parametrize(("term", "can"), [("xterm", True), ("dumb", False)])
def test_only_a_terminal_that_can_is_drawn_on_anew(
    monkeypatch: pytest.MonkeyPatch, term: str, can: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    assert render.can_redraw(Screen()) is can
    assert not render.can_redraw(io.StringIO())


@given(FOREIGN_TEXT)
def test_json_is_the_same_and_takes_no_letter_that_a_terminal_acts_on(text: str) -> None:
    written = render.as_json({text: [text]})
    assert json.loads(written) == {text: [text]}
    assert written.isprintable()


@given(FOREIGN_TEXT)
def test_a_line_that_is_shown_takes_none_either(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdout", io.StringIO())
        render.show(text, (text, "bold"))
        shown = sys.stdout.getvalue()  # type: ignore[attr-defined]
    assert shown.replace("\n", "").replace("\t", "").isprintable()
