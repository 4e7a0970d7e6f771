"""Reading a program from a file, and the examples that come with the package."""

from pathlib import Path

import pytest

from mockpump.cli.examples import example_program
from mockpump.cli.files import read_program_file
from mockpump.protocol.program import ProgramError, flat
from mockpump.protocol.program_toml import MAX_TEXT, dumps


def test_a_program_is_read(tmp_path: Path) -> None:
    file = tmp_path / "flat.toml"
    file.write_text(dumps(flat("flat", 5)))
    assert read_program_file(file) == flat("flat", 5)


@pytest.mark.parametrize("name", ["day", "week", "ramp"])
def test_every_example_is_a_program_and_is_installed(name: str) -> None:
    assert example_program(name).name
    folder = Path(__file__).parents[1] / "examples" / "programs"
    assert read_program_file(folder / f"{name}.toml") == example_program(name)


def test_a_missing_file_and_a_folder_are_one_line_with_the_name(tmp_path: Path) -> None:
    for file, reason in ((tmp_path / "none", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(ProgramError, match=reason) as caught:
            read_program_file(file)
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_no_more_is_read_than_a_program_may_be_long() -> None:
    """A device that never ends must not be read to its end."""
    with pytest.raises(ProgramError, match="/dev/zero"):
        read_program_file(Path("/dev/zero"))
    assert MAX_TEXT < 10_000_000
