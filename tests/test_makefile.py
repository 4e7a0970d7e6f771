"""What `make` does with a folder that is not its own, and what it passes on."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )


def test_a_scenario_can_be_named(folder: Path) -> None:
    assert (
        "mockpump demo limits --step"
        in make(folder, "-n", "demo", "SCENARIO=limits", "DEMO_ARGS=--step").stdout
    )


def test_a_set_up_that_make_has_not_made_stays_as_it_is(folder: Path) -> None:
    (folder / ".venv").mkdir()
    (folder / ".venv" / "mine").touch()
    done = make(folder, "demo")
    assert done.returncode != 0
    assert "make VENV=.venv-mockpump demo" in done.stderr
    assert [each.name for each in (folder / ".venv").iterdir()] == ["mine"]


def test_a_set_up_of_makes_own_from_another_folder_is_made_anew(folder: Path) -> None:
    (folder / ".venv").mkdir()
    (folder / ".venv" / ".made").write_text("/elsewhere\n")
    (folder / ".venv" / "mine").touch()
    # A Python that is not there ends it before anything is installed.
    done = make(folder, "demo", "FIND_PYTHON=echo true")
    assert "setting up .venv" in done.stderr
    assert "stays as it is" not in done.stderr
