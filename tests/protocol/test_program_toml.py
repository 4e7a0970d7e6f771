"""Programs as text: back and forth without loss, and every error names file, key and rule."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.program import UNITS_PER_NL, Program, ProgramError, daily_volume
from mockpump.protocol.program_toml import FORMAT_TEXT, MAX_TEXT, dumps, loads
from mockpump.protocol.strategies import programs
from mockpump.protocol.toml_text import MAX_LINE

EXAMPLES = Path(__file__).parents[2] / "examples" / "programs"
GOOD = f"""\
format = "{FORMAT_TEXT}"
name = "good"
[week]
every = "work"
sunday = "rest"
[[pattern]]
name = "work"
segments = [ {{ start = "00:00", rate = 1_000 }}, {{ start = "08:00", rate = 2_000 }} ]
[[pattern]]
name = "rest"
segments = [ {{ start = "00:00", rate = 500 }} ]
[[ramp]]
after_days = 3
percent = 80
"""


@given(programs())
def test_what_is_written_reads_back_the_same(program: Program) -> None:
    text = dumps(program)
    assert loads(text, "x") == loads(text.encode(), "x") == program
    assert len(text.encode()) <= MAX_TEXT
    assert max(map(len, text.splitlines())) <= MAX_LINE
    assert dumps(loads(text, "x")) == text


def test_a_file_is_read_as_it_is_meant() -> None:
    program = loads(GOOD, "good.toml")
    assert program.week == (0, 0, 0, 0, 0, 0, 1)
    assert [segment.start for segment in program.patterns[0].segments] == [0, 480]
    assert [segment.rate for segment in program.patterns[0].segments] == [1_000, 2_000]
    assert (program.ramp[0].after, program.ramp[0].percent) == (3, 80)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    windows = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert loads(windows, "x") == loads(GOOD, "x")


def test_a_program_that_breaks_a_rule_is_not_written() -> None:
    with pytest.raises(ProgramError, match="rate"):
        dumps(Program.flat("too fast", 2_000_000))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_the_examples_are_programs_and_say_that_they_are_invented(path: Path) -> None:
    program = loads(path.read_bytes(), path.name)
    assert program.name == path.stem
    assert "invented" in path.read_text().splitlines()[0]


def test_the_day_example_delivers_what_its_comment_says() -> None:
    text = (EXAMPLES / "day.toml").read_text()
    program = loads(text, "day.toml")
    assert len(program.patterns[0].segments) == 24
    assert f"{daily_volume(program, 0) // UNITS_PER_NL:,} nL a day" in text


# -- errors --------------------------------------------------------------------------------------

# Replace the first by the second in GOOD; the error must name the key, and say so of it.
BAD_EDITS = [
    ('"08:00"', '"00:00"', "pattern[0].segments[1].start", "overlapping"),
    ('"00:00", rate = 1', '"09:00", rate = 1', "pattern[0].segments[0].start", "at 00:00"),
    ('"08:00"', '"24:00"', "pattern[0].segments[1].start", '"24:00" is not in 00:00..23:59'),
    ('"08:00"', '"7:5"', "pattern[0].segments[1].start", '"7:5" is not in'),
    ('"08:00"', '"08:5"', "pattern[0].segments[1].start", '"08:5" is not in'),
    ('"08:00"', '"8:00"', "pattern[0].segments[1].start", '"8:00" is not in'),
    ('"08:00"', '"25:61"', "pattern[0].segments[1].start", '"25:61" is not in'),
    ('"08:00"', '"08:00\\n"', "pattern[0].segments[1].start", "is not in"),
    ('"08:00"', '"\N{ARABIC-INDIC DIGIT ZERO}8:00"', "pattern[0].segments[1].start", "is not in"),
    ('"08:00"', "08:00:00", "pattern[0].segments[1].start", "a string, not a date or time"),
    ('"08:00"', "8", "pattern[0].segments[1].start", "a string, not an integer"),
    ("2_000", "1_000_001", "pattern[0].segments[1].rate", "1000001 is not in 0..1000000 nL/h"),
    ("2_000", "-1", "pattern[0].segments[1].rate", "-1 is not in"),
    ("2_000", "true", "pattern[0].segments[1].rate", "an integer, not a boolean"),
    ("2_000", "2.0", "pattern[0].segments[1].rate", "an integer, not a float"),
    ("2_000", '"2"', "pattern[0].segments[1].rate", "an integer, not a string"),
    ("2_000", "[2]", "pattern[0].segments[1].rate", "an integer, not an array"),
    ("2_000", "{ a = 2 }", "pattern[0].segments[1].rate", "an integer, not a table"),
    ("2_000", "0x" + "f" * 1500, "pattern[0].segments[1].rate", "so large a number"),
    ("rate = 2", "raet = 2", "pattern[0].segments[1].raet", 'unknown key, did you mean "rate"?'),
    (", rate = 2_000", "", "pattern[0].segments[1].rate", "missing"),
    ('[ { start = "00:00", rate = 500 } ]', "[]", "pattern[1].segments", "at least 1"),
    ('[ { start = "00:00", rate = 500 } ]', "5", "pattern[1].segments", "an array, not an int"),
    ('name = "rest"', 'name = ""', "week.sunday", "no pattern"),
    ('name = "rest"', 'name = "work"', "week.sunday", 'no pattern "rest"'),
    ('every = "work"', 'monday = "work"', "week.tuesday", "no pattern for this day"),
    ('every = "work"', 'every = "wrok"', "week.every", 'no pattern "wrok", did you mean "work"?'),
    ('sunday = "rest"', 'sonntag = "rest"', "week.sonntag", "unknown key"),
    ('sunday = "rest"', "sunday = 1", "week.sunday", "a string, not an integer"),
    ("[week]", "[weak]", "weak", 'unknown key, did you mean "week"?'),
    ("[week]", '["we\\u001bek\\n"]', "we\\x1bek\\n", "unknown key"),
    ("[[ramp]]", "[ramp]", "ramp", "write [[ramp]]"),
    ("percent = 80", "percent = 201", "ramp[0].percent", "201 is not in 0..200 %"),
    ("after_days = 3", "after_days = -3", "ramp[0].after_days", "-3 is not in"),
    (f'"{FORMAT_TEXT}"', '"mockpump-program/2"', "format", f'must be "{FORMAT_TEXT}"'),
    (f'"{FORMAT_TEXT}"', "1", "format", f'must be "{FORMAT_TEXT}"'),
    (f'format = "{FORMAT_TEXT}"', "", "format", "missing"),
    ('name = "good"', "", "name", "missing"),
    ('name = "good"', 'name = "a\\tb"', "name", "printable"),
    ('name = "good"', 'name = "good', "", "not TOML"),
    ("percent = 80", "percent = 80\npercent = 81", "", "not TOML"),
]


@pytest.mark.parametrize(("old", "new", "key", "rule"), BAD_EDITS)
def test_an_error_names_file_key_and_rule(old: str, new: str, key: str, rule: str) -> None:
    assert old in GOOD
    fault = fault_of(GOOD.replace(old, new, 1))
    assert fault.key == key
    assert rule in fault.rule


def fault_of(text: bytes | str) -> ProgramError:
    with pytest.raises(ProgramError) as caught:
        loads(text, "bad.toml")
    fault = caught.value
    middle = f"{fault.key}: " if fault.key else ""
    assert str(fault) == f"bad.toml: {middle}{fault.rule}"
    assert str(fault).isprintable()
    return fault


def test_the_49th_segment_is_one_too_many() -> None:
    rows = ", ".join(f'{{ start = "{at // 2:02}:{at % 2 * 30:02}", rate = 1 }}' for at in range(48))
    old = '{ start = "00:00", rate = 500 }'
    assert len(loads(GOOD.replace(old, rows), "x").patterns[1].segments) == 48
    fault = fault_of(GOOD.replace(old, rows + ', { start = "23:59", rate = 1 }'))
    assert (fault.key, "at most 48, not 49" in fault.rule) == ("pattern[1].segments[48]", True)


def test_the_5th_pattern_is_one_too_many_even_where_a_day_names_it() -> None:
    more = "".join(
        f'[[pattern]]\nname = "{name}"\nsegments = [ {{ start = "00:00", rate = 1 }} ]\n'
        for name in "abc"
    )
    fault = fault_of(GOOD.replace('sunday = "rest"', 'sunday = "c"') + more)
    assert (fault.key, "at most 4, not 5" in fault.rule) == ("pattern[4]", True)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"name = '\xe9'", "not UTF-8"),
        ("name = '\ud800'", "not UTF-8"),
        (b"hello", "not TOML"),
        (b"\0" * 100, "not TOML"),
        (b"a = 1\nb == 2\n", "(at line 2, column 4)"),
        (b"a = " + b"9" * 2000 + b"." + b"9" * 10, ""),
        (b"a = [\n" + b"[\n" * 20_000, "nested too deeply"),
        (b"#" * (MAX_TEXT + 1), f"{MAX_TEXT + 1} bytes, at most {MAX_TEXT}"),
        ("é" * MAX_TEXT, "too long"),
        (b"\n" + b"a." * MAX_LINE + b"a = 1", "line 2 is too long"),
        (b"# no more than a comment", "first line should be"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_no_program_at_all_is_said_in_one_line(text: bytes | str, rule: str) -> None:
    assert rule in fault_of(text).rule


@given(st.binary() | st.text())
def test_nothing_but_program_error_comes_out_of_any_text(text: bytes | str) -> None:
    assert fault_of(text).rule


@given(programs(max_segments=3, max_steps=2), st.data())
def test_nothing_but_program_error_comes_out_of_a_damaged_file(
    program: Program, data: st.DataObject
) -> None:
    text = dumps(program)
    begin = data.draw(st.integers(0, len(text)))
    end = begin + data.draw(st.integers(0, 30))
    pieces = st.sampled_from(['"', "[", "]", "{", "}", "\n", "9" * 5000, "[[pattern]]", "true"])
    damaged = text[:begin] + data.draw(pieces | st.text(max_size=5)) + text[end:]
    with suppress(ProgramError):
        again = loads(damaged, "bad.toml")
        assert loads(dumps(again), "x") == again


@pytest.mark.parametrize("spare", [0, 1])
def test_a_line_of_2048_characters_is_read_and_one_more_is_not(spare: int) -> None:
    line = "# " + "x" * (2_046 + spare)
    text = f"{line}\n{GOOD}"
    assert len(line) == 2_048 + spare
    if not spare:
        assert loads(text, "x") == loads(GOOD, "x")
        return
    with pytest.raises(ProgramError, match="line 1 is too long: at most 2048 characters"):
        loads(text, "x")


@pytest.mark.parametrize("spare", [0, 1])
def test_a_file_of_65536_bytes_is_read_and_one_more_is_not(spare: int) -> None:
    text = GOOD + "#\n" * ((65_536 - len(GOOD)) // 2)
    text += "\n" * (65_536 + spare - len(text))
    assert len(text.encode()) == 65_536 + spare
    if not spare:
        assert loads(text, "x") == loads(GOOD, "x")
        return
    with pytest.raises(ProgramError, match="too long: 65537 bytes, at most 65536"):
        loads(text, "x")
