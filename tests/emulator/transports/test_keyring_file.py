"""The keyring's file: for its owner only, replaced whole or not at all."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from paired import KEYS, OTHER_KEYS

from mockpump.emulator.programmer.keyring import BadKeyring, Keyring
from mockpump.emulator.pump.pairing import Keys
from mockpump.emulator.transports.keyring_file import (
    changed_keyring,
    keyring_with,
    read_keyring,
    take_out,
    write_keyring,
)
from mockpump.protocol.messages.base import Access


def ring() -> Keyring:
    made = Keyring()
    made.add(1001, "one", KEYS[Access.CLINICIAN])
    return made


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keyring.json"
    write_keyring(path, ring())
    found = read_keyring(path).find(1001)
    assert found is not None
    assert found.secret == KEYS[Access.CLINICIAN].secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["keyring.json"]


def test_no_file_is_an_empty_keyring(tmp_path: Path) -> None:
    assert len(read_keyring(tmp_path / "none")) == 0


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666])
def test_one_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keyring.json"
    write_keyring(path, ring())
    path.chmod(mode)
    with pytest.raises(BadKeyring, match="chmod 600"):
        read_keyring(path)


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b"x" * 2_000_000])
def test_what_is_none_is_said_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "keyring.json"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(BadKeyring) as caught:
        read_keyring(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_keyring(tmp_path: Path) -> None:
    with pytest.raises(BadKeyring):
        read_keyring(tmp_path)
    with pytest.raises(BadKeyring):
        write_keyring(tmp_path, ring())
    assert list(tmp_path.iterdir()) == []


def test_when_it_cannot_be_written_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keyring.json"
    write_keyring(path, ring())
    before = path.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "no room")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(BadKeyring):
        write_keyring(path, Keyring())
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["keyring.json"]


def test_of_many_who_change_it_at_once_none_is_forgotten(tmp_path: Path) -> None:
    path, everybody = tmp_path / "keyring.json", threading.Barrier(8)

    def add(serial: int) -> None:
        everybody.wait()
        with changed_keyring(path) as found:
            found.add(serial, "toy", KEYS[Access.CLINICIAN])

    threads = [threading.Thread(target=add, args=(serial,)) for serial in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_keyring(path)) == 8


def test_a_pipe_is_no_keyring_and_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    os.mkfifo(path, 0o600)
    with pytest.raises(BadKeyring, match="it is a pipe, and no file"):
        read_keyring(path)


def test_of_a_device_nobody_is_told_to_change_the_mode() -> None:
    with pytest.raises(BadKeyring, match="/dev/null: it is a device, and no file"):
        read_keyring(Path("/dev/null"))


# -- by whatever name ------------------------------------------------------------------------------


def linked(tmp_path: Path) -> tuple[Path, Path]:
    """A keyring in one folder, and a link to it in another."""
    real, link = tmp_path / "dotfiles" / "keys.json", tmp_path / "home" / "keyring.json"
    for each in (real, link):
        each.parent.mkdir()
    link.symlink_to(real)
    return real, link


@pytest.mark.parametrize("there", [False, True])
def test_what_is_behind_a_link_is_written_and_the_link_stays(tmp_path: Path, there: bool) -> None:
    real, link = linked(tmp_path)
    if there:
        write_keyring(real, Keyring())
    with changed_keyring(link) as found:
        found.add(1001, "one", KEYS[Access.CLINICIAN])
    assert link.is_symlink()
    assert 1001 in read_keyring(real)
    assert [each.name for each in link.parent.iterdir()] == ["keyring.json"]


def test_by_any_of_its_names_it_has_the_same_lock(tmp_path: Path) -> None:
    real, link = linked(tmp_path)
    with changed_keyring(link):
        meanwhile = {each.name for each in real.parent.iterdir()}
    with changed_keyring(link.parent / ".." / "dotfiles" / "keys.json"):
        assert {each.name for each in real.parent.iterdir()} == meanwhile | {"keys.json"}
    assert ".keys.json.lock" in meanwhile
    assert [each.name for each in real.parent.iterdir()] == ["keys.json"]


def test_links_in_a_circle_are_no_keyring(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(BadKeyring, match="too many levels"):
        read_keyring(tmp_path / "a")


# -- handed over -----------------------------------------------------------------------------------


def give(keys: Keys) -> Callable[[Keyring], None]:
    return lambda ring: ring.replace(7, "seven", keys.values())


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_keys_are_there_first_and_gone_again_if_what_follows_fails(
    tmp_path: Path, there: bool, error: type[BaseException]
) -> None:
    path = tmp_path / "keyring.json"
    if there:
        write_keyring(path, ring())
    before = path.read_bytes() if there else None

    def fail() -> None:
        with keyring_with(path, give(KEYS)):
            assert 7 in read_keyring(path)
            raise error

    with pytest.raises(error):
        fail()
    assert (path.read_bytes() if path.exists() else None) == before


def test_what_is_done_is_done_whatever_fails_after_it(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"

    def fail_late() -> None:
        with keyring_with(path, give(KEYS)) as handing:
            handing.keep()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_late()
    assert 7 in read_keyring(path)


def test_when_the_old_ones_cannot_be_put_back_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keyring.json"
    write_keyring(path, ring())

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    def fail() -> None:
        with keyring_with(path, give(KEYS)):
            monkeypatch.setattr("os.fsync", no_room)
            raise ValueError("the pump cannot be changed")

    with pytest.raises(ValueError, match="cannot be changed") as caught:
        fail()
    (note,) = caught.value.__notes__
    assert "that are no pump's, and cannot be written: no space left on device" in note


def test_only_its_own_keys_are_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    take_out(path, 7, KEYS.values())
    assert list(tmp_path.iterdir()) == []
    with changed_keyring(path) as found:
        found.replace(7, "seven", OTHER_KEYS.values())
        found.replace(8, "eight", KEYS.values())
    before = path.read_bytes()
    take_out(path, 7, KEYS.values())
    assert path.read_bytes() == before
    take_out(path, 8, KEYS.values())
    assert (7 in read_keyring(path), 8 in read_keyring(path)) == (True, False)
