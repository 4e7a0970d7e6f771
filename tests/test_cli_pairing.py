"""Pairing as a user meets it: keys printed once, kept in a keyring, and shown nowhere else."""

import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside import COMMAND, Command, in_process

from mockpump.cli.keys import OPEN_VARIABLE
from mockpump.cli.pump_process import PumpProcess
from mockpump.protocol.catalogue import Access
from mockpump.protocol.pairing import PairingKey, parse_key

KEY = re.compile(r"(?:observer|clinician)(?:-[A-Z2-7]{4}){8}-[A-Z0-9]")


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a user has it: pumps are paired, and the keyring is at its usual place."""
    monkeypatch.delenv(OPEN_VARIABLE)
    monkeypatch.setenv("MOCKPUMP_KEYRING", str(tmp_path / "mine" / "keyring.json"))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


def new_keys(command: Command, file: Path) -> tuple[str, str]:
    """A new pump in a file, and its two keys as they were printed."""
    printed = KEY.findall(command("pump", "new", str(file)).out)
    observer, clinician = printed
    return observer, clinician


def pair(command: Command, port: str, key: str, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))
    return command("programmer", "--port", port, "pair")


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "x.pump"


@pytest.fixture
def keys(command: Command, memory: Path) -> tuple[str, str]:
    return new_keys(command, memory)


@pytest.fixture
def port(keys: tuple[str, str], memory: Path) -> Iterator[str]:
    """The pump of that file, running."""
    assert keys
    with PumpProcess("--memory", str(memory), "--speed", "0") as pump:
        yield pump.port


def test_a_new_pump_prints_its_keys_once(command: Command, memory: Path) -> None:
    ended = command("pump", "new", str(memory))
    assert [parse_key(text).access.name for text in KEY.findall(ended.out)] == [
        "OBSERVER",
        "CLINICIAN",
    ]
    assert ended.err == ""
    for look in (("show",), ("show", "--json"), ("log",), ("log", "--json")):
        assert not KEY.search(command("pump", *look, str(memory)).out)
    facts = json.loads(command("pump", "show", "--json", str(memory)).out)
    assert facts["pairing"] == {"paired": True, "open": False, "failures": 0, "locked_until": 0}


def test_two_pumps_with_the_same_seed_have_other_keys(command: Command, tmp_path: Path) -> None:
    """The seed is for the identity; a key that a seed gives is no secret."""
    printed = [
        KEY.findall(command("pump", "new", str(tmp_path / name), "--seed", "7").out)
        for name in ("a", "b")
    ]
    assert len({key for keys in printed for key in keys}) == 4


@pytest.mark.end_to_end
def test_what_was_printed_gets_a_programmer_in(
    command: Command, keys: tuple[str, str], port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ("programmer", "--port", port)
    assert command(*at, "identify").code == 0
    before = command(*at, "status")
    assert before.code == 3
    assert "pair" in before.line
    assert pair(command, port, keys[0], monkeypatch).code == 0  # type: ignore[attr-defined]
    assert command(*at, "status").code == 0
    denied = command(*at, "suspend")
    assert denied.code == 1
    assert "forbidden" in denied.line
    assert pair(command, port, keys[1].lower(), monkeypatch).code == 0  # type: ignore[attr-defined]
    assert command(*at, "suspend").code == 0
    assert command(*at, "--as", "observer", "resume").code == 1
    assert command(*at, "resume").code == 0


@pytest.mark.end_to_end
def test_a_key_that_is_not_the_pumps_is_not_kept(
    command: Command, port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, _ = new_keys(command, tmp_path / "other.pump")
    ended = pair(command, port, other, monkeypatch)
    assert ended.code == 3  # type: ignore[attr-defined]
    assert "wrong proof" in ended.line  # type: ignore[attr-defined]
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("text", ["", "nonsense", "observer-AAAA", "x" * 500])
def test_what_is_no_key_is_a_usage_error(
    command: Command, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = pair(command, "/nowhere", text, monkeypatch)
    assert ended.code == 2  # type: ignore[attr-defined]
    assert not text or text not in ended.err  # type: ignore[attr-defined]


@pytest.mark.end_to_end
def test_new_keys_make_the_old_ones_useless(
    command: Command, keys: tuple[str, str], memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = command("pump", "pair", str(memory))
    assert ended.code == 0
    newer = KEY.findall(ended.out)
    assert len({*newer, *keys}) == 4
    with PumpProcess("--memory", str(memory), "--speed", "0") as pump:
        assert pair(command, pump.port, keys[1], monkeypatch).code == 3  # type: ignore[attr-defined]
        assert pair(command, pump.port, newer[1], monkeypatch).code == 0  # type: ignore[attr-defined]


def test_where_the_new_keys_cannot_be_shown_the_old_ones_stay(
    command: Command, keys: tuple[str, str], memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    before = json.loads(command("pump", "show", "--json", str(memory)).out)["delivery"]
    with monkeypatch.context() as patched:
        patched.setattr("mockpump.cli.keys.show_keys", full)
        assert command("pump", "pair", str(memory)).code == 74
    assert json.loads(command("pump", "show", "--json", str(memory)).out)["delivery"] == before
    log = command("pump", "log", str(memory))
    assert "paired" not in log.out
    assert log.err == "1 entry; the chain holds\n"
    assert keys


@pytest.mark.end_to_end
def test_to_pair_may_be_told_in_json(
    command: Command, keys: tuple[str, str], port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{keys[0]}\n"))
    ended = command("programmer", "--port", port, "--json", "pair")
    assert json.loads(ended.out)["access"] == "observer"


@pytest.mark.end_to_end
def test_a_running_pump_cannot_be_given_other_keys(
    command: Command, memory: Path, port: str
) -> None:
    assert port
    ended = command("pump", "pair", str(memory))
    assert ended.code != 0
    assert not KEY.search(ended.out + ended.err)


@pytest.mark.end_to_end
def test_a_pump_may_put_its_keys_into_the_keyring_itself(command: Command, tmp_path: Path) -> None:
    ring = tmp_path / "ring.json"
    with PumpProcess("--speed", "0", "--keyring", str(ring)) as pump:
        at = ("programmer", "--port", pump.port, "--keyring", str(ring))
        assert command(*at, "suspend").code == 0
        assert command(*at, "--as", "observer", "suspend").code == 1
        assert command("programmer", "--port", pump.port, "status").code == 3


@pytest.mark.end_to_end
def test_an_open_pump_and_an_open_programmer(command: Command, tmp_path: Path) -> None:
    with PumpProcess("--speed", "0", "--open") as pump:
        assert command("programmer", "--port", pump.port, "--open", "suspend").code == 0
        assert command("programmer", "--port", pump.port, "suspend").code == 3
    ring = str(tmp_path / "ring.json")
    with PumpProcess("--speed", "0", "--keyring", ring) as pump:
        denied = command("programmer", "--port", pump.port, "--open", "suspend")
        assert denied.code == 1
        assert "leave out --open" in denied.line


@pytest.mark.end_to_end
def test_too_many_wrong_keys_lock_the_right_one_out(
    command: Command,
    keys: tuple[str, str],
    port: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = new_keys(command, tmp_path / "other.pump")[1]
    for _ in range(5):
        assert "wrong proof" in pair(command, port, other, monkeypatch).line  # type: ignore[attr-defined]
    ended = pair(command, port, keys[1], monkeypatch)
    assert ended.code == 3  # type: ignore[attr-defined]
    assert "pairing locked, for 60 s of pump time" in ended.line  # type: ignore[attr-defined]


ASKED = (
    ("identify",),
    ("status",),
    ("--json", "status"),
    ("log",),
    ("--json", "log"),
    ("suspend",),
    ("suspend",),
    ("--as", "observer", "resume"),
    ("--open", "resume"),
    ("bolus", "999_999_999"),
    ("outcome", "1"),
    ("watch", "--count", "1"),
    ("pair",),
)


@pytest.mark.end_to_end
def test_no_key_is_in_anything_that_is_ever_printed(tmp_path: Path) -> None:
    """Everything two processes say while one talks to the other, debugging and errors included."""
    ring, file = tmp_path / "ring.json", tmp_path / "x.pump"
    environment = {**os.environ, "MOCKPUMP_KEYRING": str(ring), "MOCKPUMP_DEBUG": "1"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    said = [run("pump", "new", str(file), "--keyring", str(ring))]
    secrets = [parse_key(text) for text in KEY.findall(ring.read_text("utf-8"))]
    assert len(secrets) == 2
    with PumpProcess("--memory", str(file), "--speed", "60") as pump:
        said += [run("programmer", "--port", pump.port, *each) for each in ASKED]
    for look in (("show",), ("show", "--json"), ("log",), ("log", "--json")):
        said.append(run("pump", *look, str(file)))
    ring.write_text(ring.read_text("utf-8").replace("clinician-", "physician-"), "utf-8")
    said += [run("programmer", "--port", "/nowhere", "status"), run("pump", "show", str(ring))]
    check_no_key("\n".join(said), secrets)


def check_no_key(said: str, secrets: list[PairingKey]) -> None:
    assert len(said) > 2_000
    for key in secrets:
        for form in (key.text, key.text.replace("-", ""), key.secret.hex(), repr(key.secret)):
            assert form not in said
    assert not KEY.search(said)


def test_that_check_can_fail() -> None:
    key = PairingKey(Access.OBSERVER, bytes(range(20)))
    for form in (key.text, key.secret.hex(), str(key.secret)):
        with pytest.raises(AssertionError):
            check_no_key("x" * 3_000 + form, [key])
    check_no_key("x" * 3_000, [key])


def test_who_opens_no_session_takes_no_key(command: Command, memory: Path) -> None:
    ended = command("pump", "new", str(memory), "--open", "--keyring", str(memory) + ".keys")
    assert ended.code == 2
    assert "no keys" in ended.err
    assert not memory.exists()
    ended = command("programmer", "--open", "--as", "observer", "--port", "/nowhere", "status")
    assert ended.code == 2
    assert "no session" in ended.err
