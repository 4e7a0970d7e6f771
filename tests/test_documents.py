"""What README and TUTORIAL show is run: every `$ ` line of theirs, in order, in one shell."""

import os
import re
import shutil
import subprocess
import sys
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
# A pump started in the background is there when its pty has its name.
_WAIT = "for _ in $(seq 200); do [ -e {0} ] && break; sleep 0.05; done; [ -e {0} ]"
_PTY = re.compile(r"--(?:pty |a pty:)(\S+)")


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    found = _BLOCK.findall(document.read_text(encoding="utf-8"))
    return [body for name, body in found if name == language]


def script(document: Path) -> str:
    """One shell script of every command that the document shows with a `$`."""
    lines = ["set -e -o pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for block in blocks(document, "console"):
        for line in block.splitlines():
            assert line.startswith("$ "), line
            lines.append(line[2:])
            if line.endswith("&"):
                (name,) = _PTY.findall(line)
                lines.append(_WAIT.format(name))
    return "\n".join(lines)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "document", [README, TUTORIAL, CHANNEL, SCENARIOS, EXERCISES], ids=lambda path: path.name
)
def test_every_command_shown_works(document: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for block in blocks(document, "toml"):
        (name,) = re.findall(r'^name = "(.*)"$', block, re.MULTILINE)
        (tmp_path / f"{name}.toml").write_text(block, encoding="utf-8")
    for block in blocks(document, "python"):
        if "def test_" in block:
            (tmp_path / "test_mine.py").write_text(block, encoding="utf-8")
    # As a reader has it: pumps are paired.
    environment = {name: value for name, value in os.environ.items() if name != OPEN_VARIABLE}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script(document)],
        cwd=tmp_path,
        env={**environment, "PATH": path, "PYTHONUTF8": "1", "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_fails_would_be_noticed(tmp_path: Path) -> None:
    document = tmp_path / "wrong.md"
    document.write_text("```console\n$ false\n```\n", encoding="utf-8")
    done = subprocess.run(["bash", "-c", script(document)], check=False, timeout=20)
    assert done.returncode == 1


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
    block = next(each for each in blocks(SCENARIOS, "console") if "mockpump show" in each)
    commands = [line[2:] for line in block.splitlines()]
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
