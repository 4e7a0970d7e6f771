"""Whatever is at a path, it is read within bounds, or it is said in a word why not."""

import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.transports.reading import (
    Missing,
    Unreadable,
    read_file,
    read_file_and_mode,
)


@given(st.binary(max_size=40), st.integers(0, 40))
def test_all_of_it_or_that_it_is_too_long(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, most: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "read"
    path.write_bytes(data)
    if len(data) <= most:
        assert read_file(path, most) == data
    else:
        with pytest.raises(Unreadable, match=f"it is too long: more than {most} bytes"):
            read_file(path, most)


def test_of_what_is_long_only_so_much_is_read(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(20 * 10**9)  # of which the disk has nothing
    with pytest.raises(Unreadable, match="too long"):
        read_file(path, 100)


def test_the_mode_is_that_of_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "read"
    path.write_bytes(b"x")
    path.chmod(0o640)
    data, mode = read_file_and_mode(path, 9)
    assert (data, mode & 0o777) == (b"x", 0o640)


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no such file"):
        read_file(tmp_path / "none", 9)


@pytest.mark.parametrize("pipes", [False, True])
def test_what_is_no_file_is_said_and_not_waited_for(tmp_path: Path, pipes: bool) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        with pytest.raises(Unreadable, match=r"no such device|it is a socket"):
            read_file(tmp_path / "s", 9, pipes=pipes)
    for path, expected in ((tmp_path, "a folder"), (Path("/dev/zero"), "a device")):
        with pytest.raises(Unreadable, match=f"it is {expected}, and no file"):
            read_file(path, 9, pipes=pipes)


def test_a_pipe_is_read_only_where_one_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(Unreadable, match="it is a pipe, and no file"):
        read_file(path, 9)
    assert read_file(path, 9, pipes=True) == b"", "nobody writes into it"


@pytest.mark.parametrize("size", [9, 200_000, 300_000])
def test_what_comes_through_a_pipe_is_read_to_its_end(size: int) -> None:
    reader, writer = os.pipe()
    sender = threading.Thread(target=send, args=(writer, bytes(size)))
    sender.start()
    try:
        path = Path(f"/dev/fd/{reader}")
        if size <= 200_000:
            assert read_file(path, 200_000, pipes=True) == bytes(size)
        else:
            with pytest.raises(Unreadable, match="too long"):
                read_file(path, 200_000, pipes=True)
    finally:
        os.close(reader)
        sender.join()


def send(writer: int, data: bytes) -> None:
    """Write all of it, or what the reader takes."""
    try:
        while data:
            data = data[os.write(writer, data) :]
    except BrokenPipeError:
        pass
    os.close(writer)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "x/" * 3000, "\udcff"])
def test_a_name_that_leads_nowhere_is_said_in_a_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_file(tmp_path / name, 9)
    assert "\n" not in str(error.value)


def test_nothing_stays_open() -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for path in (Path(), Path("/dev/zero"), Path(__file__)):
        with pytest.raises(Unreadable):
            read_file(path, 9)
    assert len(list(Path("/dev/fd").iterdir())) == before
