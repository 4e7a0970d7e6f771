"""The keyring's file: for its owner only, replaced whole or not at all."""

import os
import stat
import threading
from pathlib import Path

import pytest
from paired import KEYS

from mockpump.emulator.programmer.keyring import BadKeyring, Keyring
from mockpump.emulator.transports.keyring_file import (
    changed_keyring,
    read_keyring,
    write_keyring,
)
from mockpump.protocol.catalogue import Access


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
