"""The layers import downwards only, protocol is sans-IO, and no file holds two ideas.

Who may import whom is for the contracts in pyproject.toml; the other rules stand in `layers.py`.
Each is also seen to fail here, on a tree made to break it, because a guard that cannot fail guards
nothing.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from layers import LAYERS, MAX_FILE_LINES, MAX_FUNCTION_LINES, MAY_BE_HEAVY, offences, read
from loaded import loaded_with

ROOT = Path(__file__).resolve().parents[1]


def write(root: Path, files: dict[str, str]) -> Path:
    for path, source in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(source, "utf-8")
    return root


def function_of(lines: int) -> str:
    return "def long():\n" + "    pass\n" * (lines - 1)


def test_the_project_keeps_its_rules() -> None:
    found = list(offences(ROOT))
    assert not found, "\n".join(["broken rules:", *found])


PACKAGES = [
    "cli", "reference", "exercises", "display", "emulator", "protocol",
    *(f"emulator/{room}" for room in (
        "channel", "memory", "programmer", "pump", "simulation", "trace", "transports"
    )),
]  # fmt: skip


LINT = [
    Path(sys.executable).parent / "lint-imports",
    "--no-cache",
    "--config",
    ROOT / "pyproject.toml",
]


def contracts_kept(root: Path, *changes: tuple[str, str]) -> str:
    """What import-linter says of a small tree with these modules."""
    packages = {f"mockpump/{each}/__init__.py": "" for each in PACKAGES}
    alone = {f"mockpump/emulator/{name}.py": "" for name in ("drive", "schedule")}
    tree = {"mockpump/__init__.py": "", **alone, **packages}
    write(root, {**tree, **{f"mockpump/{path}": source for path, source in changes}})
    ended = subprocess.run(
        [
            Path(sys.executable).parent / "lint-imports",
            "--no-cache",
            "--config",
            ROOT / "pyproject.toml",
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == (" 0 broken." not in ended.stdout), ended.stderr
    return ended.stdout


def test_the_contracts_are_kept() -> None:
    ended = subprocess.run(
        LINT,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert " 0 broken." in ended.stdout, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("path", "source", "broken"),
    [
        ("protocol/a.py", "import mockpump.emulator.pump", "Layers import downwards"),
        ("emulator/a.py", "def f():\n    from mockpump.cli import main", "Layers import downwards"),
        ("exercises/a.py", "import mockpump.protocol", "The exercises run the other layers"),
        ("emulator/programmer/a.py", "import mockpump.emulator.pump", "The programmer knows only"),
        ("protocol/a.py", "from time import monotonic", "The protocol is sans-IO"),
        ("protocol/a.py", "def f():\n    import random", "The protocol is sans-IO"),
        ("emulator/pump/a.py", "import asyncio", "The devices are pure"),
        ("emulator/simulation/a.py", "from serial import Serial", "The devices are pure"),
        ("emulator/memory/a.py", "import threading", "A memory touches files and SQLite"),
    ],
)
def test_a_broken_contract_is_found(tmp_path: Path, path: str, source: str, broken: str) -> None:
    found = contracts_kept(tmp_path, (path, source))
    (contract,) = (line for line in found.splitlines() if line.endswith("BROKEN"))
    assert contract.startswith(broken)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("emulator/transports/a.py", "import asyncio, os, serial, socket, threading, time"),
        ("emulator/memory/a.py", "import sqlite3, fcntl, os"),
        ("emulator/simulation/a.py", "from random import Random\nx = Random(1)"),
        ("emulator/transports/drawing.py", "import secrets"),
        ("emulator/pump/requests/decision.py", "m.Refused(1, r, 0, 0, 0)"),
        ("emulator/pump/a.py", "isinstance(reply, m.Refused)"),
        ("cli/a.py", "m.Refused(1, r, 0, 0, 0)"),
        ("cli/a.py", "import os, time\nfrom mockpump.emulator import pump, simulation"),
        ("protocol/a.py", "import timeit, mockpump.protocol"),
    ],
)
def test_what_the_contracts_allow_is_left_alone(tmp_path: Path, path: str, source: str) -> None:
    assert "BROKEN" not in contracts_kept(tmp_path, (path, source))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_project_was_really_read(layer: str) -> None:
    """A folder that has moved would otherwise pass for one without offences."""
    assert sum(1 for _ in read(ROOT, layer)) > 1


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("protocol/a.py", "def f(p):\n    return open(p)", "opens a file"),
        ("protocol/a.py", "import hypothesis.strategies as st", "slow to load"),
        ("protocol/a.py", "from mockpump.protocol import strategies", "slow to load"),
        ("protocol/a.py", "try:\n    import rich\nexcept ImportError:\n    pass", "slow to load"),
        ("emulator/a.py", "class A:\n    from rich.table import Table", "slow to load"),
        ("cli/a.py", "print('x')", "prints by print"),
        ("cli/a.py", "import click\nclick.echo('x')", "prints by click.echo"),
        ("exercises/a.py", "import sys\nsys.stderr.write('x')", "prints by sys.stderr.write"),
        ("cli/a.py", "render.console().print('x')", "prints by render.console().print"),
        ("cli/a.py", "import protocol", "write mockpump.protocol"),
        ("tests/a.py", "from emulator.pump import device", "write mockpump.emulator"),
        ("examples/a.py", "def f():\n    from cli import main", "write mockpump.cli"),
        ("bench/a.py", "import protocol.framing", "write mockpump.protocol"),
        ("protocol/a.py", "import mockpump.protocol.a", "import cycle"),
        ("cli/a.py", "pass\n" * (MAX_FILE_LINES + 1), "601 lines long"),
        ("tests/a.py", function_of(MAX_FUNCTION_LINES + 1), "long() is 46 lines long"),
        ("cli/a.py", "async " + function_of(MAX_FUNCTION_LINES + 1), "long() is 46 lines long"),
        (
            "emulator/pump/a.py",
            "def f(pump):\n    pump.memory.record(1)",
            "that is for the journal",
        ),
        ("cli/a.py", "import secrets", "draws by secrets"),
        (
            "cli/a.py",
            "import random\nrandom.SystemRandom().random()",
            "draws by random.SystemRandom",
        ),
        ("emulator/memory/a.py", "import os\nos.urandom(4)", "draws by os.urandom"),
        ("emulator/simulation/a.py", "x = Random()", "draws by a Random without a seed"),
        ("emulator/pump/a.py", "m.Refused(1, r, 0, 0, 0)", "makes a Refused"),
        ("emulator/pump/a.py", "if late:\n    refuse(request, r)", "nobody hears of it"),
        (
            "emulator/a.py",
            "class Half:\n    pass\nclass Whole(Half):\n    pass",
            "Half is the base of one class only",
        ),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, path: str, source: str, expected: str) -> None:
    found = list(offences(write(tmp_path, {path: source})))
    assert len({offence.split(" imports ")[0] for offence in found}) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("cli/terminal.py", "import sys\nsys.stdout.write('x')"),
        ("cli/a.py", "import os, time, rich\nfrom mockpump.emulator import pump, world"),
        ("emulator/a.py", "from mockpump.protocol.framing import Frame"),
        ("emulator/transports/a.py", "import asyncio, os, serial, socket, threading, time"),
        ("emulator/memory/a.py", "import sqlite3"),
        ("emulator/simulation/a.py", "from random import Random"),
        ("protocol/strategies.py", "from hypothesis import strategies"),
        ("protocol/a.py", "def f():\n    import rich"),
        (
            "protocol/a.py",
            "if TYPE_CHECKING:\n    from hypothesis.strategies import SearchStrategy",
        ),
        ("protocol/a.py", "import timeit_not, ossify, mockpump.protocol.b"),
        ("tests/a.py", "import protocol_mockpump, clip\nfrom mockpump import protocol"),
        ("cli/a.py", "pass\n" * MAX_FILE_LINES),
        ("tests/a.py", "pass\n" * (MAX_FILE_LINES + 1)),
        ("cli/a.py", function_of(MAX_FUNCTION_LINES)),
    ],
)
def test_what_the_rules_allow_is_left_alone(tmp_path: Path, path: str, source: str) -> None:
    assert list(offences(write(tmp_path, {path: source}))) == []


def test_a_cycle_through_three_modules_and_a_package_is_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "emulator/room/__init__.py": "from mockpump.emulator.room import a",
            "emulator/room/a.py": "from mockpump.emulator.b import thing",
            "emulator/b.py": "import mockpump.emulator.room",
        },
    )
    (found,) = offences(tmp_path)
    assert "import cycle" in found
    for name in ("emulator.room", "emulator.room.a", "emulator.b"):
        assert f"mockpump.{name}" in found.split(": ")[1].split(" <- ")


def test_an_import_in_a_function_closes_no_cycle(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "emulator/a.py": "import mockpump.emulator.b",
            "emulator/b.py": "def f():\n    import mockpump.emulator.a",
        },
    )
    assert list(offences(tmp_path)) == []


def test_importing_everything_leaves_no_second_copy() -> None:
    names = [module.name for module in read(ROOT, *LAYERS)]
    loaded = loaded_with(*names)
    assert loaded >= set(names)
    assert not {name for name in loaded if name.partition(".")[0] in LAYERS}


def test_a_second_copy_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"protocol.py": ""})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "protocol" in loaded_with("protocol")


def test_the_protocol_loads_neither_hypothesis_nor_rich() -> None:
    names = [module.name for module in read(ROOT, "protocol") if module.path not in MAY_BE_HEAVY]
    assert not loaded_with(*names) & {"hypothesis", "rich", "click", "serial", "asyncio"}
