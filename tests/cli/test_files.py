"""Reading a program from a file, and the examples that come with the package."""

import contextlib
import errno
import io
import os
import select
from pathlib import Path
from stat import S_IMODE

import pytest

from mockpump.cli.examples import example_program
from mockpump.cli.files import (
    NamedWriter,
    expect_writable,
    read_program_file,
    write_file,
    written,
)
from mockpump.cli.recording import trace_file
from mockpump.protocol.program import Program, ProgramError
from mockpump.protocol.program_toml import MAX_TEXT, dumps


def test_a_program_is_read(tmp_path: Path) -> None:
    file = tmp_path / "flat.toml"
    file.write_text(dumps(Program.flat("flat", 5)))
    assert read_program_file(file) == Program.flat("flat", 5)


@pytest.mark.parametrize("name", ["day", "week", "ramp"])
def test_every_example_is_a_program_and_is_installed(name: str) -> None:
    assert example_program(name).name
    folder = Path(__file__).parents[2] / "examples" / "programs"
    assert read_program_file(folder / f"{name}.toml") == example_program(name)


def test_a_missing_file_and_a_folder_are_one_line_with_the_name(tmp_path: Path) -> None:
    for file, reason in ((tmp_path / "none", "no such file"), (tmp_path, "it is a folder")):
        with pytest.raises(ProgramError, match=reason) as caught:
            read_program_file(file)
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_no_more_is_read_than_a_program_may_be_long() -> None:
    """A device that never ends must not be read to its end."""
    with pytest.raises(ProgramError, match="/dev/zero"):
        read_program_file(Path("/dev/zero"))
    assert MAX_TEXT < 10_000_000


# -- writing ---------------------------------------------------------------------------------------


def half_written(path: Path) -> None:
    with written(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt


@pytest.mark.parametrize("there", [False, True])
def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "out"
    if there:
        path.write_bytes(b"before")
        path.chmod(0o640)
    with pytest.raises(KeyboardInterrupt):
        half_written(path)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"before"] * there
    write_file(path, b"after")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"after"]
    mask = os.umask(0)
    os.umask(mask)
    assert S_IMODE(path.stat().st_mode) == (0o640 if there else 0o666 & ~mask)


def test_what_a_link_leads_to_is_written_and_the_link_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    write_file(link, b"after")
    assert (link.is_symlink(), real.read_bytes()) == (True, b"after")


def test_what_is_no_file_is_written_as_it_is() -> None:
    before = Path("/dev/null").stat()
    write_file(Path("/dev/null"), b"after")
    assert Path("/dev/null").stat().st_rdev == before.st_rdev


def test_whether_it_can_be_written_is_found_out_without_a_trace(tmp_path: Path) -> None:
    expect_writable(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "there").write_bytes(b"before")
    expect_writable(tmp_path / "there")
    assert (tmp_path / "there").read_bytes() == b"before"
    for bad in (tmp_path, tmp_path / "no" / "folder", tmp_path / "there" / "out"):
        with pytest.raises(OSError, match="directory"):
            expect_writable(bad)


def test_a_file_that_is_read_only_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write whatever it wants, so what the system would say is said in its place."""
    (path := tmp_path / "out").write_bytes(b"before")
    path.chmod(0o444)
    (link := tmp_path / "link").symlink_to(path)
    allowed = os.access

    def access(asked: Path, mode: int) -> bool:
        return asked != path and allowed(asked, mode)

    monkeypatch.setattr(os, "access", access)
    for each in (path, link):
        with pytest.raises(PermissionError) as caught:
            write_file(each, b"after")
        assert caught.value.filename == str(each)
    assert path.read_bytes() == b"before"
    assert {each.name for each in tmp_path.iterdir()} == {"out", "link"}


def test_a_pipe_is_not_opened_before_it_is_written(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        seen = select.poll()
        seen.register(reader, select.POLLIN)
        expect_writable(pipe)
        assert seen.poll(0) == []
        write_file(pipe, b"after")
        assert os.read(reader, 10) == b"after"
    finally:
        os.close(reader)


def test_an_error_of_a_file_that_is_written_names_it(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Full(io.FileIO):
        def write(self, data: object, /) -> int:
            raise full

    for fails in (
        lambda file: file.write(bytes(100_000)),
        lambda file: (file.write(b"x"), file.flush()),
        lambda file: (file.write(b"x"), file.close()),
    ):
        raw = Full(tmp_path / "raw", "wb")
        file = NamedWriter(raw, tmp_path / "wanted")
        with pytest.raises(OSError, match="wanted") as caught:
            fails(file)
        assert caught.value.errno == errno.ENOSPC
        with contextlib.suppress(OSError):
            file.close()


def test_a_trace_that_cannot_be_begun_is_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), trace_file(tmp_path / "empty"):
        raise ZeroDivisionError
    with trace_file(tmp_path / "begun") as file:
        file.write("one line")
    assert [each.name for each in tmp_path.iterdir()] == ["begun"]
