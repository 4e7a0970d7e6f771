"""`mockpump view` as a user meets it."""

import json
import webbrowser
from pathlib import Path

import pytest
from outside import Command, in_process

from mockpump.cli import named_runs


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    monkeypatch.chdir(tmp_path)
    return in_process(capsys, monkeypatch)


def test_a_scenario_is_run_and_shown(command: Command, tmp_path: Path) -> None:
    assert command("view", "clock").code == 0
    page = (tmp_path / "clock.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "clock, seed 0" in page


def test_a_bundle_is_shown_as_it_was_recorded(command: Command, tmp_path: Path) -> None:
    command("run", "bad-link", "--seed", "7", "--record", "run.bundle")
    assert command("view", "run.bundle").code == 0
    recorded = json.loads(command("view", "run.bundle", "--json").out)
    run = json.loads(command("view", "bad-link", "--seed", "7", "--json").out)
    assert recorded["name"] == "bad-link, seed 7"
    assert recorded == run


def test_a_trace_is_shown(command: Command, tmp_path: Path) -> None:
    head = '{"format":"mockpump-trace/1","mockpump":"0","protocol":1,"time":"real","ends":{}}\n'
    (tmp_path / "live.trace").write_text(
        head + '{"what":"sent","t":5,"id":1,"by":"programmer","bytes":"0004"}\n', "utf-8"
    )
    assert command("view", "live.trace", "-o", "x.html").code == 0
    assert "live" in (tmp_path / "x.html").read_text("utf-8")


def test_an_empty_trace_is_shown(command: Command, tmp_path: Path) -> None:
    head = '{"format":"mockpump-trace/1","mockpump":"0","protocol":1,"time":"real","ends":{}}\n'
    (tmp_path / "empty.trace").write_text(head, "utf-8")
    assert json.loads(command("view", "empty.trace", "--json").out)["frames"] == []


def test_a_scenario_that_fails_is_shown_as_far_as_it_goes(command: Command, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(
        'format = "mockpump-scenario/1"\nname = "x"\ntitle = "X"\n'
        '[[step]]\nsuspend = true\n[[step]]\nexpect = { mode = "running" }\n'
    )
    shown = json.loads(command("view", "x.toml", "--json").out)
    assert any(each["kind"] == "failed" for each in shown["captions"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("nothing", None, "no such file"),
        ("x.txt", "hello\n", "neither a bundle nor a trace"),
        ("pump", "SQLite format 3\0", "mockpump pump show pump"),
        ("x.bundle", '{"format": "mockpump-bundle/2"}\n', "x.bundle: "),
        ("x.trace", '{"format": "mockpump-trace/1"}\n', "x.trace: its first line"),
    ],
)
def test_what_is_no_run_is_one_line(
    command: Command, tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    ended = command("view", name)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))


def test_more_lines_than_a_page_can_show_are_refused(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_runs, "MOST_LINES", 10)
    for what in ("clock", "run.bundle"):
        command("run", "clock", "--record", "run.bundle")
        ended = command("view", what)
        assert ended.code == 2
        assert "at most 10" in ended.err
        assert "--from" in ended.err


def test_only_a_page_of_ours_is_replaced(command: Command, tmp_path: Path) -> None:
    page = tmp_path / "clock.html"
    page.write_text("mine", "utf-8")
    ended = command("view", "clock")
    assert (ended.code, page.read_text("utf-8")) == (2, "mine")
    assert "--force" in ended.err
    assert command("view", "clock", "--force").code == 0
    assert command("view", "clock", "--seed", "3").code == 0
    assert "clock, seed 3" in page.read_text("utf-8")


def test_the_browser_is_opened_when_it_is_asked_for(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    command("view", "clock")
    assert opened == []
    command("view", "clock", "--open")
    assert opened == [(tmp_path / "clock.html").as_uri()]


def test_what_prints_writes_no_page(command: Command, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ended = command("view", "clock", "--json", "-o", str(page))
    assert ended.code == 2
    assert "without --output and --open" in ended.err
    assert not page.exists()


HEAD = (
    '{"format": "mockpump-trace/1", "mockpump": "0", "protocol": 1, "time": "real", "ends": {}}\n'
)
MANY = '{"what":"card","t":0,"text":"x"}\n' * 200_001


@pytest.mark.parametrize("name", ["show", "view"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HEAD + MANY, "--from"),
        (HEAD[:40], "neither a bundle nor a trace"),
        ('{"format": "mockpump-trace/9\\u001b[31m"}\n', r"it says mockpump-trace/9\x1b[31m"),
        (HEAD + '{"what":"<b>\\u001b[2J","t":0}\n', "line 2 is not a line of a trace"),
        ("SQLite format 3\0", "mockpump pump show"),
    ],
)
def test_a_hostile_trace_is_one_clear_line(
    command: Command, tmp_path: Path, name: str, content: str, told: str
) -> None:
    path = tmp_path / "given.trace"
    path.write_text(content)
    ended = command(name, str(path))
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.line
    assert ended.line.isprintable()
    assert list(tmp_path.iterdir()) == [path]
