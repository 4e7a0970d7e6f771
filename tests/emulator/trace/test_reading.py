"""Traces as text: what was written is read, and anything else is one clear line."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traced import traced_example

from mockpump.emulator.trace.format import AnyLine, schema
from mockpump.emulator.trace.reading import BadTrace, decoded, read_trace

RECORDING = traced_example("day").recording
HEAD = msgspec.json.encode(RECORDING.head).decode()
LINES = [msgspec.json.encode(line).decode() for line in RECORDING.lines]
TEXT = "".join(f"{line}\n" for line in (HEAD, *LINES))


def test_what_was_written_is_read() -> None:
    assert read_trace(TEXT) == RECORDING


@given(st.data())
def test_a_trace_that_was_cut_off_is_told_or_is_a_shorter_one(data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(TEXT) - 1))
    if end and TEXT[end - 1] == "\n":
        found = read_trace(TEXT[:end])
        assert found.lines == RECORDING.lines[: len(found.lines)]
    else:
        with pytest.raises(BadTrace, match="cut off" if end > len(HEAD) else "head|cut off"):
            read_trace(TEXT[:end])


@given(st.text(max_size=200))
def test_what_is_no_trace_is_one_line(text: str) -> None:
    with pytest.raises(BadTrace) as caught:
        read_trace(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"what":"sent","t":0}', "missing required field `id`"),
        ('{"what":"beamed","t":0}', "Invalid value 'beamed'"),
        ('{"what":"told","t":0,"kind":"say","text":"x","colour":"red"}', "unknown field `colour`"),
        ('{"what":"told","t":"0","kind":"say","text":"x"}', "Expected `int`, got `str`"),
        ("[" * 5_000, "line 2 is not a line of a trace"),
        ("", "line 2 is not a line of a trace"),
    ],
)
def test_a_line_that_is_none_is_named(line: str, said: str) -> None:
    with pytest.raises(BadTrace, match="line 2") as caught:
        read_trace(f"{HEAD}\n{line}\n")
    assert said in str(caught.value)


def test_time_does_not_go_back() -> None:
    told = '{"what":"told","t":%d,"kind":"say","text":"x"}'
    with pytest.raises(BadTrace, match="line 3 is earlier"):
        list(decoded([told % 5, told % 4]))


def test_another_version_is_told_apart() -> None:
    with pytest.raises(BadTrace, match="mockpump-trace/1"):
        read_trace(HEAD.replace("mockpump-trace/1", "mockpump-trace/9") + "\n")


def test_the_schema_names_every_kind_of_line() -> None:
    """When this fails: mockpump show --schema > docs/trace.schema.json"""
    kinds = {kind.__name__ for kind in AnyLine.__args__}  # type: ignore[attr-defined]
    assert kinds <= set(schema()["$defs"])
    kept = json.loads(Path("docs/trace.schema.json").read_text("utf-8"))
    assert kept == json.loads(json.dumps(schema()))
