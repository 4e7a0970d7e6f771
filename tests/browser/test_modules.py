"""The page's own modules, by Node's test runner."""

import shutil
import subprocess
from pathlib import Path

from mockpump.display.page.document import script_text

HERE = Path(__file__).parent


def test_what_the_modules_compute() -> None:
    files = sorted(map(str, (HERE / "modules").glob("*.test.mjs")))
    assert files
    subprocess.run([node(), "--test", *files], check=True, timeout=120)


def test_all_modules_in_one_are_a_module(tmp_path: Path) -> None:
    script = tmp_path / "script.mjs"
    script.write_text(script_text(), "utf-8")
    subprocess.run([node(), "--check", script], check=True, timeout=60)


def node() -> str:
    found = shutil.which("node")
    assert found, "these tests need Node: apt-get install nodejs"
    return found
