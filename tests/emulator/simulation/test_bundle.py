"""Run bundles: the same run again is the same to the byte; what was changed or differs says so."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.cli.examples import program_text, scenario_names, scenario_text
from mockpump.cli.scenarios import library
from mockpump.emulator.simulation.bundle import (
    BadBundle,
    Bundle,
    RunInput,
    Writer,
    compare,
    prepare,
    read_bundle,
)
from mockpump.emulator.simulation.runner import ScenarioRunner
from mockpump.emulator.simulation.scenario import load_scenario
from mockpump.emulator.trace.writer import TraceWriter

QUICK = ("bad-link", "out-of-range", "two-programmers", "eavesdropper", "replay-attack", "limits")
LINES = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)


def wanted(name: str, seed: int) -> RunInput:
    return prepare(name, scenario_text(name), program_text, seed)


def recorded(name: str, seed: int) -> str:
    """The text of a bundle of a whole run."""
    written: list[str] = []
    mine = wanted(name, seed)
    writer = Writer(written.append, mine.head)
    with library(mine.program) as books:
        runner = ScenarioRunner(mine.scenario, books, seed)
        runner.world.record(TraceWriter(writer.line))
        for _ in runner.tell():
            pass
    writer.close()
    return "".join(written)


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_gives_the_same_bundle(name: str, seed: int) -> None:
    assert recorded(name, seed) == recorded(name, seed)


def test_another_seed_gives_another() -> None:
    bundles = [read_bundle(recorded("bad-link", seed)).lines for seed in range(4)]
    assert all(compare(bundles[0], other) is not None for other in bundles[1:])


def test_what_was_written_is_read() -> None:
    text = recorded("bad-link", 5)
    bundle = read_bundle(text)
    assert bundle.run == wanted("bad-link", 5)
    assert bundle.run.scenario == load_scenario(scenario_text("bad-link"), "bad-link")
    assert bundle.run.program("day").name == "day"
    assert len(bundle.lines) == text.count("\n") - 2
    whats = {json.loads(line)["what"] for line in bundle.lines}
    line = {"sent", "arrived", "waiting", "channel"}
    asked = {"began", "ended", "programmer", "told"}
    assert whats == {*line, *asked, "log", "pump", "belief"}


def test_every_byte_each_way_is_in_it_with_its_time() -> None:
    bundle = read_bundle(recorded("two-programmers", 1))
    facts = [json.loads(line) for line in bundle.lines]
    for by in ("programmer", "pump"):
        sent = "".join(f["bytes"] for f in facts if f["what"] == "sent" and f["by"] == by)
        mine = {f["id"] for f in facts if f["what"] == "sent" and f["by"] == by}
        came = "".join(f["bytes"] for f in facts if f["what"] == "arrived" and f["id"] in mine)
        assert sent.startswith(came)
        assert len(sent) - len(came) < 200
    times = [f["t"] for f in facts]
    assert times == sorted(times)


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from test_bundle import recorded
import hashlib
print(hashlib.sha256(recorded("bad-link", 7).encode()).hexdigest())
"""


def test_the_same_seed_gives_the_same_bundle_in_another_process() -> None:
    """Whatever its hashes are salted with."""
    told = set()
    for salt in ("0", "1", "random"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(tests=str(Path(__file__).parent))],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        told.add(done.stdout)
    assert len(told) == 1


def test_these_bytes_on_every_platform_and_version() -> None:
    """When the protocol, a scenario or its words change on purpose: the new figure."""
    lines = [json.loads(line) for line in read_bundle(recorded("bad-link", 7)).lines]
    sent = [(f["t"], f["by"], f["bytes"]) for f in lines if f["what"] == "sent"]
    assert hashlib.sha256(repr(sent).encode()).hexdigest()[:16] == EXPECTED


EXPECTED = "a57cc3f3a245c953"


# -- bad bundles -----------------------------------------------------------------------------------


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    text = BUNDLE
    at = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.sampled_from("abc019 {}")) if text[at] != "\n" else " "
    if other != text[at]:
        with pytest.raises(BadBundle):
            read_bundle(text[:at] + other + text[at + 1 :])


@given(st.text(max_size=200))
def test_what_is_no_bundle_is_one_line(text: str) -> None:
    with pytest.raises(BadBundle) as caught:
        read_bundle(text)
    assert "\n" not in str(caught.value)


def test_a_bundle_of_another_version_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockpump.emulator.simulation.bundle.__version__", "99.0")
    with pytest.raises(BadBundle, match=r"recorded by mockpump .*; this is 99\.0"):
        read_bundle(BUNDLE)


def test_a_bundle_of_another_format_says_which() -> None:
    with pytest.raises(BadBundle, match="it says mockpump-bundle/9"):
        read_bundle(BUNDLE.replace("mockpump-bundle/2", "mockpump-bundle/9"))


def test_a_bundle_of_before_says_why_it_cannot_be_run_again() -> None:
    with pytest.raises(BadBundle) as caught:
        read_bundle(BUNDLE.replace("mockpump-bundle/2", "mockpump-bundle/1"))
    assert str(caught.value) == (
        "mockpump-bundle/1 cannot be run again: frames had another checksum then, and chance was"
        " drawn in another way; record it anew"
    )


def small() -> str:
    written: list[str] = []
    writer = Writer(written.append, wanted("limits", 1).head)
    writer.line('{"t":0,"what":"told"}')
    writer.close()
    return "".join(written)


BUNDLE = small()


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ("".join(BUNDLE.splitlines(keepends=True)[:-1]), "its last line is not the digest"),
        ("".join(BUNDLE.splitlines(keepends=True)[:1]), "its last line is not the digest"),
        (f"{BUNDLE}\n", "something has been appended"),
        (f"{BUNDLE}and more", "something has been appended"),
        (f"{BUNDLE}and\nmore\n", "something has been appended"),
        (BUNDLE[:200], "its first line has been cut off"),
        ("{}", "its first line is not a head"),
        ("[" * 100_000, "its first line is not a head"),
        (f"{BUNDLE.splitlines()[0]}\n{'[' * 100_000}", "its last line is not the digest"),
    ],
)
def test_a_bundle_that_is_not_whole_says_what_is_missing(left: str, said: str) -> None:
    with pytest.raises(BadBundle, match=said):
        read_bundle(left)


# -- comparing -------------------------------------------------------------------------------------


@given(LINES, LINES)
def test_the_first_difference_is_found(one: list[str], other: list[str]) -> None:
    found = compare(one, other)
    if one == other:
        assert found is None
        return
    assert found is not None
    at = found.number - 2
    assert one[:at] == other[:at]
    assert found.recorded == (one[at] if at < len(one) else None)
    assert found.now == (other[at] if at < len(other) else None)
    assert found.recorded != found.now
    assert found.before == one[max(at - 4, 0) : at]


def test_every_example_is_known() -> None:
    assert set(QUICK) <= set(scenario_names())
    assert isinstance(read_bundle(BUNDLE), Bundle)


# -- to the byte -----------------------------------------------------------------------------------


def resealed(text: str) -> str:
    """The same with the digest that it would have if it had been recorded so."""
    body = text[: text.rindex("\n", 0, -1) + 1]
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f'{body}{{"sha256": "{digest}"}}\n'


def test_what_is_resealed_unchanged_is_the_same() -> None:
    assert resealed(BUNDLE) == BUNDLE


@pytest.mark.parametrize("other", ["\v", "\f", "\x1c", "\x85", "\u2028", "\r", "\r\n", "", "\n\n"])
@pytest.mark.parametrize("place", [0, 1, -1])
def test_no_other_end_of_a_line_passes_for_one(other: str, place: int) -> None:
    ends = [match.start() for match in re.finditer("\n", BUNDLE)]
    changed = BUNDLE[: ends[place]] + other + BUNDLE[ends[place] + 1 :]
    with pytest.raises(BadBundle):
        read_bundle(changed)


def test_a_bundle_with_other_ends_of_lines_is_another() -> None:
    with pytest.raises(BadBundle):
        read_bundle(BUNDLE.replace("\n", "\r\n"))


@pytest.mark.parametrize("more", ["\n", " ", "x", "{}", "\0"])
def test_nothing_comes_behind_the_digest(more: str) -> None:
    with pytest.raises(BadBundle):
        read_bundle(BUNDLE + more)


@given(st.integers(0, len(BUNDLE) - 1), st.characters())
def test_no_character_can_be_changed_unnoticed(place: int, other: str) -> None:
    changed = BUNDLE[:place] + other + BUNDLE[place + 1 :]
    if changed != BUNDLE:
        with pytest.raises(BadBundle):
            read_bundle(changed)


@given(st.integers(0, len(BUNDLE) - 1))
def test_no_part_passes_for_the_whole(end: int) -> None:
    with pytest.raises(BadBundle):
        read_bundle(BUNDLE[:end])


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("programs", {}, "it lacks the program"),
        ("programs", {"day": "hello"}, "cannot be run"),
        ("scenario", "hello", "cannot be run"),
        ("scenario", "a = " + "9" * 5_000, "cannot be run"),
    ],
)
def test_a_bundle_that_cannot_be_run_says_so(key: str, value: object, expected: str) -> None:
    first, rest = BUNDLE.split("\n", 1)
    head = json.loads(first)
    if key == "programs" and value:
        value = dict.fromkeys(head["programs"], "hello")
    with pytest.raises(BadBundle, match=expected):
        read_bundle(resealed(f"{json.dumps({**head, key: value})}\n{rest}"))
