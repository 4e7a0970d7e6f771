"""What the documents and the help show is pasted into a shell, each block whole and in order."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mockpump.cli.keys import OPEN_VARIABLE

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "TUTORIAL.md"
CHANNEL = ROOT / "docs" / "CHANNEL.md"
SCENARIOS = ROOT / "docs" / "SCENARIOS.md"
EXERCISES = ROOT / "docs" / "EXERCISES.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What sets up the command itself, and does not go with a copy of the examples alone.
_SET_UP = ("make ", ". .venv/")
_HELP_BLOCK = re.compile(r"(?:^ +mockpump .*\n)+", re.MULTILINE)
# Whose help shows commands that go one after the other.
_HELP = (
    ("pump", "new"),
    ("pump", "run"),
    ("programmer", "pair"),
    ("link",),
    ("run",),
    ("wire",),
)


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    found = _BLOCK.findall(document.read_text(encoding="utf-8"))
    return [body for name, body in found if name == language]


def to_paste(document: Path) -> list[str]:
    """The blocks of commands, each to be pasted whole."""
    return [each for each in blocks(document, "sh") if not each.startswith(_SET_UP)]


def paste(pasted: list[str], folder: Path, patience: int = 120) -> str:
    """Paste blocks into one shell, as a reader has it; what it says.  They end what they begin."""
    # What still runs is waited for, and runs out of time.
    ended = "wait\n"
    left_out = {OPEN_VARIABLE, "MOCKPUMP_WAIT", "MOCKPUMP_KEYRING", "MOCKPUMP_PORT"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        ["bash", "-e", "-o", "pipefail"],
        cwd=folder,
        env={**environment, "PATH": path, "PYTHONUTF8": "1", "XDG_STATE_HOME": f"{folder}-state"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            said, _ = shell.communicate("".join([*pasted, ended]), timeout=patience)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, said
    assert "Traceback" not in said
    return said


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "document", [README, TUTORIAL, CHANNEL, SCENARIOS, EXERCISES], ids=lambda path: path.name
)
def test_every_block_shown_can_be_pasted(document: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for block in blocks(document, "toml"):
        (name,) = re.findall(r'^name = "(.*)"$', block, re.MULTILINE)
        (tmp_path / f"{name}.toml").write_text(block, encoding="utf-8")
    for block in blocks(document, "python"):
        if "def test_" in block:
            (tmp_path / "test_mine.py").write_text(block, encoding="utf-8")
    shutil.copy(ROOT / ".gitignore", tmp_path)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "before"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True, timeout=60)
    assert to_paste(document)
    paste(to_paste(document), tmp_path)
    # What a reader makes in a checkout is not taken for a part of it.
    status = [*git, "status", "--porcelain"]
    left = subprocess.run(
        status, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert left.stdout == ""


@pytest.mark.end_to_end
@pytest.mark.parametrize("words", _HELP, ids="-".join)
def test_what_help_shows_can_be_pasted(words: tuple[str, ...], tmp_path: Path) -> None:
    (shown,) = _HELP_BLOCK.findall(said_by("mockpump", *words, "--help"))
    running = shown.count("&\n")
    # The commands at the end of a line that other ones need are ended as the documents say.
    ends = "kill " + " ".join(f"%{number + 1}" for number in range(running)) + "\n"
    paste([textwrap.dedent(shown), ends if running else ""], tmp_path, 60)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("words", "done"),
    [
        ((), "paired as clinician"),
        (("--keyring", "keys.json"), "running"),
        (("--open",), "running"),
    ],
    ids=["shown", "keyring", "open"],
)
def test_what_a_pump_says_to_try_works(words: tuple[str, ...], done: str, tmp_path: Path) -> None:
    script = f"""mockpump pump run --pty ./pump {" ".join(words)} > said 2> shown &
until grep -qs try: said; do sleep 0.05; done
sed -n 's/try: \\(.*\\)    (Ctrl-C.*/\\1/p' said > try
sh try < shown
kill %1
"""
    assert done in paste([script], tmp_path, 60)


def said_by(*words: str) -> str:
    """What a command prints."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_nobody_pastes_a_prompt_or_a_remark() -> None:
    """Not every shell takes them."""
    for document in (README, TUTORIAL, CHANNEL, SCENARIOS, EXERCISES):
        for block in (*blocks(document, "sh"), *blocks(document, "console")):
            assert not re.search(r"^\$ |\s#\s|^#", block, re.MULTILINE), block


@pytest.mark.parametrize("wrong", ["false\n", "sleep 60 &\n"])
def test_a_block_that_fails_or_leaves_something_behind_would_be_noticed(
    wrong: str, tmp_path: Path
) -> None:
    with pytest.raises((AssertionError, subprocess.TimeoutExpired)):
        paste([wrong], tmp_path, 1)


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = [line.split()[1] for line in blocks(README, "sh")[0].splitlines()]
    assert commands == ["demo", "test"]
    for target in commands:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_tutorials_script_is_the_example() -> None:
    example = (ROOT / "examples" / "ask_status.py").read_text(encoding="utf-8")
    assert example in blocks(TUTORIAL, "python")


def test_the_readmes_python_runs() -> None:
    (block,) = blocks(README, "python")
    done = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "480010 nL\n"


@pytest.mark.end_to_end
def test_the_readme_shows_what_the_demo_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mockpump", "demo", "--speed", "max"],
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    (shown,) = blocks(README, "text")
    for line in shown.splitlines():
        assert line in printed


def test_the_guide_to_scenarios_shows_what_show_prints(tmp_path: Path) -> None:
    block = next(each for each in blocks(SCENARIOS, "sh") if "mockpump show" in each)
    commands = block.splitlines()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", " && ".join([f"{commands[0]} > told", *commands[1:]])],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (shown,) = blocks(SCENARIOS, "text")
    assert done.stdout.endswith(shown)
