"""The generated reference: drawn to scale, complete, and put only where the markers say."""

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_records import MESSAGES, Everything, Named, Nothing

from mockpump.emulator.pump.requests.dispatch import COMMANDS
from mockpump.protocol.codec import codec_for
from mockpump.protocol.fields import Record, fields_of
from mockpump.protocol.link.states import TRANSITIONS, Action, Input, State
from mockpump.protocol.link.types import LinkSettings
from mockpump.protocol.messages import Identify, Identity, Mode, Reason, Refused, Status, entry_of
from mockpump.protocol.messages.base import CATALOGUE
from mockpump.protocol.program import Program, Segment
from mockpump.protocol.strategies import records
from mockpump.reference import diagram, markdown
from mockpump.reference import protocol as document
from mockpump.reference import pump as pump_document
from mockpump.reference.diagram import Cell, draw, field_rows, largest
from mockpump.reference.markdown import END, MarkerError, everything, render, table
from mockpump.reference.protocol import state_diagram

BLOCKS = {**document.BLOCKS, **pump_document.BLOCKS}
RECORDS = [*MESSAGES, *document.PROGRAM_RECORDS, Everything, Named]
each_record = pytest.mark.parametrize("record", RECORDS, ids=[r.__name__ for r in RECORDS])


# -- diagrams ------------------------------------------------------------------------------------


def test_a_small_diagram_as_it_should_look() -> None:
    drawn = draw([Cell("a", 1), Cell("bb", 4), Cell("c", 1), Cell("rest", None), Cell("z", 2)])
    assert drawn.splitlines()[2:] == [
        "     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+",
        "   0 |       a       |                       bb                      |",
        "     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+",
        "   4 |      (bb)     |       c       |                               |",
        "     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +",
        "     /                              rest                             /",
        "     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+",
        "  +0 |               z               |",
        "     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+",
    ]


@each_record
def test_a_diagram_names_every_field_and_fits_on_a_screen(record: type[Record]) -> None:
    drawn = diagram.diagram(record)
    assert all(len(line) <= 80 and line == line.rstrip() for line in drawn.splitlines())
    for name, _ in fields_of(record):
        assert re.search(rf"[ |/(]{name}\b", drawn), name


def test_a_fixed_record_is_drawn_to_scale() -> None:
    boxes = [line for line in diagram.diagram(Status, 0x82).splitlines() if line[5:6] == "|"]
    assert sum((len(line) - 6) // 16 for line in boxes) == 44
    assert diagram.diagram(Status, 0x82).count("0x82") == 1


def test_a_field_over_several_rows_has_no_rule_through_it() -> None:
    lines = draw([Cell("wide", 8)]).splitlines()
    assert lines[3] == "   0 |" + "wide".center(63) + "|"
    assert lines[4:6] == [f"     +{'':63}+", f"   4 |{'':63}|"]


@given(st.lists(st.integers(1, 9) | st.none(), min_size=1, max_size=8))
def test_every_diagram_is_closed_and_has_a_box_for_each_byte(sizes: list[int | None]) -> None:
    cells = [Cell(f"f{place}", size) for place, size in enumerate(sizes)]
    lines = draw(cells).splitlines()[2:]
    for (above, below), line in zip(pairwise(lines[::2]), lines[1::2], strict=True):
        assert len(above) >= len(line) <= len(below)
        assert line[5] == line[-1]
        assert (len(line) - 6) % 16 == 0
    drawn = sum((len(line) - 6) // 16 for line in lines[1::2])
    fixed = sum(size or 0 for size in sizes)
    assert fixed <= drawn <= fixed + 7 * sizes.count(None) + 3
    assert all(any(cell.label in line for line in lines) for cell in cells)


# -- field tables --------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [Identity, Status, Refused, Segment, Program, Everything])
def test_offsets_are_where_the_codec_puts_the_fields(record: type[Any]) -> None:
    """Encode with every variable field empty; then the sums in the table are plain numbers."""
    rows = list(field_rows(record, 1))
    value = 1
    for row, (_, declaration) in zip(rows, fields_of(record), strict=True):
        assert row.offset.split(" + ")[0] == str(value)
        assert row.doc == declaration.doc
        value += int(row.size.split(" + ")[0])


@given(records(Everything))
def test_no_record_is_longer_than_the_largest(value: Everything) -> None:
    assert len(codec_for(Everything).encode(value)) <= largest(Everything)


def test_rows_in_full() -> None:
    rows = {row.name: row for row in field_rows(Identity, 1)}
    assert rows["step"] == ("10", "2", "u16", "step", "nL", "1..65535", rows["step"].doc)
    assert rows["name"][:4] == ("12", "1 + 0..32", "text", "name")
    rows = {row.name: row for row in field_rows(Program)}
    assert rows["ramp"][:3] == ("10 + name + patterns", "1 + 0..32 x 3", "RampStep[]")
    assert rows["patterns"].size == "1 + 1..4 x DayPattern"
    assert rows["week"][:3] == ("2 + name", "7", "u8[7]")
    assert list(field_rows(Nothing)) == []
    kinds = {row.name: row.type for row in field_rows(Everything)}
    assert kinds["signed"] == "i64"
    assert kinds["key"] == "bytes[4]"
    assert kinds["colour"] == "Colour"


# -- blocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_says_something_and_every_table_is_rectangular(name: str) -> None:
    text = BLOCKS[name]()
    assert len(text) > 40
    for part in text.split("\n\n"):
        widths = {
            len(re.findall(r"(?<!\\)\|", line)) for line in part.splitlines() if line[0] == "|"
        }
        if part.startswith("| "):
            assert len(widths) == 1, part


def test_the_catalogue_is_complete_and_replies_stand_behind_their_requests() -> None:
    entries = document.catalogue()
    assert sorted(entry.number for entry in entries) == sorted(CATALOGUE)
    for before, after in pairwise(entries):
        assert before.reply in (None, after.message)
    assert entries[0] is entry_of(Identify)
    for entry in entries:
        assert f"#### {entry.name} (`{entry.number:#04x}`)" in BLOCKS["messages"]()


def test_the_transition_table_has_every_cell() -> None:
    lines = BLOCKS["link-transitions"]().splitlines()
    assert lines[0] == f"| what happens | {' | '.join(state.name for state in State)} |"
    cells = {line.split("`")[1]: line.split(" | ")[1:] for line in lines[2:]}
    for state in State:
        for event in Input:
            cell = cells[event.name][list(State).index(state)].removesuffix(" |")
            action, following, reason = TRANSITIONS[state][event]
            expected = f"{action.name} ({reason.name})" if reason else action.name
            assert cell == expected + ("" if following is state else f" → **{following.name}**")
    assert all(f"`{action.name}`" in BLOCKS["link-actions"]() for action in Action)


def test_the_state_diagram_has_exactly_the_changes_of_state() -> None:
    drawn = set()
    for source, target, label in re.findall(r"(\w+) --> (\w+): (.*)", state_diagram()):
        events, action = label.split(" / ")
        drawn |= {(source, event, action, target) for event in events.split(", ")}
    assert drawn == {
        (state.name, event.name, step.action.name, step.next.name)
        for state, row in TRANSITIONS.items()
        for event, step in row.items()
        if step.next is not state
    }


def test_settings_show_their_defaults() -> None:
    text = BLOCKS["link-settings"]()
    assert "| `min_timeout` | 200,000 (200 ms) | us |" in text
    assert "| `idle_timeout` | 16,000,000 (16 s) | us |" in text
    assert all(f"`{name}`" in text for name in LinkSettings.__struct_fields__)


def test_the_pump_table_says_which_request_is_allowed_when() -> None:
    lines = BLOCKS["pump-requests"]().splitlines()
    assert len(lines) == 2 + len(COMMANDS)
    cells = {line.split("`")[1]: line.split(" | ")[1:] for line in lines[2:]}
    for message, command in COMMANDS.items():
        for mode, cell in zip(Mode, cells[message.__name__], strict=True):
            assert cell.startswith("yes") is (mode in command.modes)


def test_enumerations_have_their_numbers() -> None:
    text = BLOCKS["enumerations"]()
    assert all(f"| {int(reason)} | `{reason.name}` |" in text for reason in Reason)


# -- markers -------------------------------------------------------------------------------------


ONE = {"one": lambda: "1", "two": lambda: "2"}


def marked(name: str, content: str) -> str:
    return f"<!-- generated: {name} -->\n{content}{END}\n"


def test_rendering_replaces_what_stands_between_the_markers_and_nothing_else() -> None:
    def document(one: str, two: str) -> str:
        return "before\n\n" + marked("one", one) + "between\f\n" + marked("two", two) + "after"

    fresh = render(document("old old\n", ""), ONE)
    assert fresh == document("\n1\n\n", "\n2\n\n")
    assert render(fresh, ONE) == fresh


@given(st.text())
def test_text_without_markers_stays_as_it_is(text: str) -> None:
    if "<!--" not in text:
        assert render(text, ONE) == text


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("\n" + marked("three", ""), 2, 'nothing generates "three"; known are one, two'),
        ("a\n<!-- generated: one -->\nb", 2, "never ended"),
        (f"a\nb\n{END}\n", 3, "nothing generated ends here"),
        ("<!-- generated: one -->\n" + marked("two", ""), 2, "of line 1 is not ended"),
    ],
)
def test_markers_that_make_no_sense_are_named_with_their_line(
    text: str, line: int, fault: str
) -> None:
    with pytest.raises(MarkerError, match=re.escape(fault)) as caught:
        render(text, ONE)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"line {line}: ")


def test_everything_is_a_document_that_is_up_to_date() -> None:
    text = everything(BLOCKS)
    assert render(text, BLOCKS) == text
    assert re.findall("<!-- generated: (.*) -->", text) == list(BLOCKS)


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(["a"], [["x|y\nz"]]).splitlines()[-1] == "| x\\|y z |"
    assert markdown.code("x") == "`x`"
