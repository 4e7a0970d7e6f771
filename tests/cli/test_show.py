"""`mockpump show`: what it draws, as text and as JSON, and one clear line for what it cannot."""

import io
import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from cobs import cobs
from outside import COMMAND, PATIENCE, Command, in_process
from recorded import example_bundle, run_of

from mockpump.cli import show
from mockpump.cli.frame import _decoded_places
from mockpump.display.diagram import diagram
from mockpump.emulator.trace.format import FORMAT

BUNDLE = example_bundle("bad-link")
RUN = run_of(BUNDLE)
DAMAGED = next(f for f in RUN.frames if f.is_damaged)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    path = tmp_path / "run.bundle"
    path.write_text(BUNDLE, encoding="utf-8")
    return str(path)


def trace(tmp_path: Path, *, title: str = "a trace", time: str = "virtual") -> Path:
    """The trace of the same run without its bundle."""
    ends = {"programmer": {"max_payload": 240}, "pump": {"max_payload": 240}}
    head = {
        "format": FORMAT,
        "mockpump": "0.1.0",
        "protocol": 1,
        "time": time,
        "ends": ends,
        "title": title,
    }
    path = tmp_path / "run.trace"
    body = BUNDLE.splitlines()[1:-1]
    path.write_text("\n".join([json.dumps(head), *body, ""]), encoding="utf-8")
    return path


# -- the ladder ------------------------------------------------------------------------------------


def test_a_bundle_is_drawn(command: Command, bundle: str) -> None:
    ended = command("show", bundle)
    assert ended.code == 0
    assert "bad-link, seed 7: three changes asked for: three done, each once." in ended.out
    assert "\x1b" not in ended.out
    assert all(len(line) <= 80 for line in ended.out.splitlines())


def test_a_trace_is_drawn_alike(command: Command, bundle: str, tmp_path: Path) -> None:
    mine = command("show", str(trace(tmp_path))).out.splitlines()
    other = command("show", bundle).out.splitlines()
    assert mine[0] == "a trace"
    assert mine[1] == other[1].removeprefix("bad-link, seed 7: ")
    assert mine[2:] == other[2:]
    live = command("show", str(trace(tmp_path, time="real"))).out.splitlines()
    assert live[1].startswith("recorded live: ")


def test_ascii_is_drawn_by_itself_where_the_output_has_nothing_else(bundle: str) -> None:
    done = subprocess.run(
        [*COMMAND, "show", bundle],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    asked = subprocess.run(
        [*COMMAND, "show", bundle, "--ascii"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == asked.stdout
    assert done.stdout.isascii()
    assert " |- Identify 0 ---" in done.stdout


def test_the_range_and_the_width(command: Command, bundle: str) -> None:
    out = command("show", bundle, "--from", "3", "--to", "4", "--width", "100").out
    shown = [line for line in out.splitlines() if re.match(r" *\d+ +\d+\.\d{3} ", line)]
    assert [line.split()[0] for line in shown] == ["3", "4"]
    assert "reservoir 20,000,000 nL" in out
    timed = command("show", bundle, "--to", "60ms").out
    assert "OPEN_ACK" in timed
    assert "Identify" not in timed


def test_what_is_in_flight(command: Command, bundle: str) -> None:
    (row,) = (
        line
        for line in command("show", bundle, "--windows").out.splitlines()
        if "─ Hello 1 ─" in line
    )
    assert row.split()[2] == "1"


def test_one_screen(command: Command, bundle: str) -> None:
    lines = command("show", bundle, "--summary").out.splitlines()
    assert len(lines) <= 24
    assert any("StartBolus 40,000 nL, 3,600 s" in line for line in lines)


def test_two_traces_must_be_of_the_two_ends(command: Command, bundle: str, tmp_path: Path) -> None:
    ended = command("show", str(trace(tmp_path)), bundle)
    assert ended.code == 2
    assert "recorded at both ends and both ends: give one of each end" in ended.line


# -- a frame ---------------------------------------------------------------------------------------


def test_a_frame_is_taken_apart_with_its_damage(command: Command, bundle: str) -> None:
    out = command("show", bundle, "--frame", str(DAMAGED.number)).out
    for layer in ("COBS", "header", "CRC-16"):
        assert f"  {layer} " in out
    for flip in DAMAGED.arrivals[0].flips:
        assert f"{flip.byte:>4}  {flip.was:02x} = " in out
        assert f"{flip.came:02x} = {flip.came >> 4:04b} {flip.came & 15:04b}" in out
    places = ", ".join(str(flip.byte) for flip in DAMAGED.arrivals[0].flips)
    assert f"{places} damaged" in " ".join(out.split())


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"\1\0\2", b"\0\0", b"x" * 253, b"x" * 254, b"x" * 600]
)
def test_a_byte_on_the_line_is_found_in_its_layer(body: bytes) -> None:
    encoded = cobs.encode(body)
    places = list(_decoded_places(encoded))
    assert len(places) == len(encoded)
    assert [place for place in places if place is not None] == list(range(len(body)))
    for found, byte in zip(places, encoded, strict=True):
        assert found is None or body[found] in (byte, 0)


def test_why(command: Command, bundle: str) -> None:
    again = next(f for f in RUN.frames if f.cause.why == "timer")
    lines = command("show", bundle, "--why", str(again.number)).out.splitlines()
    short = command("show", bundle, "--why", str(again.number), "--short").out.splitlines()
    assert lines[: len(short)] == short
    assert re.match(r"\w+ \d, transmission 2: resent, because the \w+'s timer", short[0])
    chain = lines[len(short) :]
    assert chain[0].startswith(f"  1. {again.number:>2}  {again.sender} -> {again.receiver}")
    assert "timer" in chain[1]
    assert any(line[5:].startswith(f"{again.cause.frame:>2} ") for line in chain[1:])
    numbered = [int(line[:3]) for line in chain if line[:3].strip()]
    assert numbered == list(range(1, len(numbered) + 1))
    assert all(len(line) <= 80 for line in lines)


# -- json ------------------------------------------------------------------------------------------


def test_json_has_everything(command: Command, bundle: str) -> None:
    found = [json.loads(line) for line in command("show", bundle, "--json").out.splitlines()]
    kinds = [each["what"] for each in found]
    assert kinds[0] == "head"
    assert kinds.count("frame") == len(RUN.frames)
    assert kinds.count("knot") == len(RUN.knots)
    assert kinds.count("change") == len(RUN.changes)
    frame = next(each for each in found if each.get("number") == DAMAGED.number)
    assert bytes.fromhex(frame["bytes"]) == DAMAGED.data
    assert frame["cause"]["why"] == DAMAGED.cause.why
    (arrival,) = frame["arrivals"]
    assert bytes.fromhex(arrival["bytes"]) == DAMAGED.arrivals[0].data
    assert [each["byte"] for each in arrival["flips"]] == [
        flip.byte for flip in DAMAGED.arrivals[0].flips
    ]
    one = command("show", bundle, "--json", "--frame", str(DAMAGED.number)).out
    assert json.loads(one) == frame
    reasons = command("show", bundle, "--json", "--why", "3").out.splitlines()
    assert json.loads(reasons[0])["frame"] == 3


# -- errors ----------------------------------------------------------------------------------------


def test_what_is_not_there_names_the_range(command: Command, bundle: str) -> None:
    for option in ("--frame", "--why", "--from", "--to"):
        ended = command("show", bundle, option, "999")
        assert ended.code == 2
        assert f"no frame 999: this run has frames 1 to {len(RUN.frames)}" in ended.line
    assert command("show", bundle, "--from", "9", "--to", "3").code == 2
    assert "use 1.5s" in command("show", bundle, "--from", "soon").err
    assert "use one of them" in command("show", bundle, "--frame", "1", "--summary").err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "neither a bundle nor a trace"),
        (b"\xff\xfe", "neither a bundle nor a trace"),
        (b"hello\n", "neither a bundle nor a trace"),
        (b'{"format": "mockpump-scenario/1"}\n', "neither a bundle nor a trace"),
        (b'{"format": "mockpump-trace/9"}\n', "it says mockpump-trace/9, and this version reads"),
        (b'{"format": "mockpump-bundle/9"}\n', "it says mockpump-bundle/9"),
        (BUNDLE.encode()[:-200], "cut off"),
        (BUNDLE.replace('"loss": "8%"', '"loss": "9%"').replace("8%", "9%").encode(), "digest"),
        (b"SQLite format 3\0" + bytes(100), "mockpump pump show"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    command: Command, tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "given"
    path.write_bytes(content)
    ended = command("show", str(path))
    assert ended.code == 2
    assert told in ended.line
    assert str(path) in ended.line


def test_of_a_long_trace_a_part_is_shown(
    command: Command, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = command("show", bundle, "--from", "9", "--to", "12").out
    monkeypatch.setattr(show, "MOST_LINES", 100)
    assert "look at a part of it with --from and --to" in command("show", bundle).line
    part = command("show", bundle, "--from", "9", "--to", "12").out
    rows = [out[out.index("no. ") :] for out in (whole, part)]
    assert rows[0] == rows[1]
    assert command("show", bundle, "--why", "11").code == 0


@pytest.mark.parametrize(
    "line",
    [
        '{"what":"sent","t":0,"id":1,"by":"pump","bytes":"0g"}',
        '{"what":"sent","t":0,"id":1,"by":"pump","bytes":"00","lost":"stolen"}',
        '{"what":"log","t":0,"number":1,"elapsed":0,"clock":0,"kind":"odd","first":0,"second":0}',
        '{"what":"channel","t":0,"impairments":{"odd":1}}',
        '{"what":"ended","t":0,"id":7}',
        '{"what":"arrived","t":0,"id":9,"to":"pump","bytes":"00","faults":[["ber",0,99]]}',
    ],
)
def test_lines_that_make_no_sense_are_no_bug_of_ours(
    command: Command, tmp_path: Path, line: str
) -> None:
    path = trace(tmp_path)
    head = path.read_text("utf-8").splitlines()[0]
    path.write_text(f"{head}\n{line}\n", "utf-8")
    ended = command("show", str(path))
    assert ended.code in (0, 2)
    assert ended.code == 0 or str(path) in ended.line
    assert ended.code == (0 if '"ended"' in line or '"arrived"' in line else 2)
    assert command("show", str(path), "--json").code in (0, 2)


def test_a_file_that_is_not_there_and_one_cut_in_a_line(command: Command, tmp_path: Path) -> None:
    assert command("show", str(tmp_path / "none")).code == 2
    path = trace(tmp_path)
    path.write_text(path.read_text("utf-8")[:-20], "utf-8")
    assert "cut off in the middle of a line" in command("show", str(path)).line


def test_a_hostile_title_is_no_command(command: Command, tmp_path: Path) -> None:
    path = trace(tmp_path, title="\x1b[2Jgone\u202e")
    for options in ((), ("--summary",), ("--json",), ("--ascii",)):
        out = command("show", str(path), *options).out
        assert out.replace("\n", "").isprintable()
        assert "[2Jgone" in out


# -- on a terminal ---------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What the command writes on a terminal."""
    master, slave = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "LESS")}
    process = subprocess.Popen(
        [*COMMAND, "show", *arguments],
        stdin=slave,
        stdout=slave,
        env={**clean, "TERM": "xterm-256color", "PYTHONUTF8": "1", **environment},
    )
    os.close(slave)
    found = bytearray()
    try:
        while data := os.read(master, 65536):
            found += data
    except OSError:
        pass  # the terminal has ended
    finally:
        os.close(master)
    assert process.wait(PATIENCE) == 0
    return found.decode()


def test_a_terminal_has_colour_and_a_pager_and_may_have_neither(
    bundle: str, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    pager = tmp_path / "less"
    pager.write_text(f'#!/bin/sh\necho "$LESS" > {seen}\ncat >> {seen}\n', "utf-8")
    pager.chmod(0o755)
    shown = on_a_terminal(bundle, PAGER=str(pager))
    assert shown == ""
    text = seen.read_text("utf-8")
    assert text.startswith("-FRX\n")
    assert "\x1b[36m" in text
    assert text.endswith("\x1b[0m\n")
    assert "Identify 0" in text
    seen.unlink()
    assert "Identify 0" in on_a_terminal(bundle, "--no-pager", PAGER=str(pager))
    assert not seen.exists()
    assert "\x1b" not in on_a_terminal(bundle, "--no-pager", NO_COLOR="1")


def test_a_part_as_a_picture(command: Command, bundle: str, tmp_path: Path) -> None:
    picture = tmp_path / "part.svg"
    shown = command("show", bundle, "--from", "11", "--to", "23", "--svg", str(picture))
    assert (shown.code, shown.out, shown.err) == (0, "", "")
    assert picture.read_text("utf-8") == diagram(RUN, range(11, 24))
    refused = command("show", bundle, "--svg", str(tmp_path / "nowhere" / "x.svg"))
    assert refused.code != 0
    assert (refused.err.count("\n"), "x.svg" in refused.err) == (1, True)


# -- standard input, and options that do not go together ------------------------------------------


def given(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_run_may_come_through_standard_input(
    command: Command, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(BUNDLE.encode(), monkeypatch)
    assert command("show", "-").out == command("show", bundle).out
    given(b"SQLite format 3\0", monkeypatch)
    assert "standard input: it is the memory of a pump" in command("show", "-").line


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--frame 1 --why 1", "use one of them"),
        ("--svg x.svg --summary", "use one of them"),
        ("--only faults --why 3", "use it without --why"),
        ("--from 1s --frame 3", "use it without --frame"),
        ("--windows --summary", "use it without --summary"),
        ("--short", "goes with --why N"),
        ("--short --why 3 --json", "use it without --json"),
        ("--windows --json", "use it without --json"),
        ("--json --summary", "use it without --summary"),
        ("--ascii --svg x.svg", "use it without --svg"),
        ("--summary --from 3", "use it without --from and --to"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    command: Command, bundle: str, options: str, told: str
) -> None:
    ended = command("show", bundle, *options.split())
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert not Path("x.svg").exists()
