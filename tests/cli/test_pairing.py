"""Pairing as a user meets it: keys printed once, kept in a keyring, and shown nowhere else."""

import contextlib
import gc
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from outside import COMMAND, Command, in_process

from mockpump import __main__ as entry
from mockpump.cli.keys import OPEN_VARIABLE
from mockpump.cli.pump.process import PumpProcess
from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.pump import operations
from mockpump.emulator.pump.pairing import MOST_FAILURES, keys_of
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import decode_state
from mockpump.protocol.keys import PairingKey, parse_key
from mockpump.protocol.messages.base import Access

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
    assert facts["pairing"] == {"paired": True, "open": False, "failures": 0, "locked": False}


def test_two_pumps_with_the_same_seed_have_other_keys(command: Command, tmp_path: Path) -> None:
    """The seed is for the identity; a key that a seed gives is not a secret."""
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
    assert "pairing locked, for another 60 s" in ended.line  # type: ignore[attr-defined]


def test_what_strangers_did_is_shown_before_it_is_in_the_log(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "x.pump"
    command("pump", "new", str(file))
    assert "not yet in the log" not in command("pump", "show", str(file)).out
    with contextlib.closing(SqliteMemory.open(file)) as memory:
        pump = Pump(memory)
        for _ in range(MOST_FAILURES):
            pump.change(lambda: operations.fail_proof(pump, Access.CLINICIAN))
        pump.shut_down()
    shown = command("pump", "show", str(file)).out
    assert "locked: it lets nobody prove a key for a minute" in shown
    assert f"proof failed, {MOST_FAILURES - 1} times" in shown
    facts = json.loads(command("pump", "show", "--json", str(file)).out)
    assert facts["pairing"]["locked"] is True
    assert [each["second"] for each in facts["strangers"]["waiting"]] == [MOST_FAILURES - 1]


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


# -- one number, one pump --------------------------------------------------------------------------


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return tmp_path / "ring.json"


def kept(ring: Path) -> dict[int, set[str]]:
    """The keys in a keyring, by number."""
    if not ring.exists():
        return {}
    pumps = json.loads(ring.read_text("utf-8"))["pumps"]
    return {int(serial): set(entry["keys"].values()) for serial, entry in pumps.items()}


@pytest.mark.end_to_end
def test_two_pumps_with_one_keyring_are_both_reached_and_leave_nothing_in_it(
    command: Command, ring: Path
) -> None:
    given = ("--speed", "0", "--keyring", str(ring))
    with PumpProcess(*given) as one:
        before = kept(ring)
        with PumpProcess(*given) as two:
            assert len(kept(ring)) == 2
            for pump in (one, two):
                at = ("programmer", "--port", pump.port, "--keyring", str(ring))
                assert command(*at, "status").code == 0
        assert kept(ring) == before
    assert kept(ring) == {}


@pytest.mark.end_to_end
def test_keys_that_others_have_put_there_meanwhile_are_left(command: Command, ring: Path) -> None:
    with PumpProcess("--speed", "0", "--serial", "7", "--keyring", str(ring)):
        theirs = (str(ring.with_name("other.pump")), "--serial", "7", "--keyring", str(ring))
        assert command("pump", "new", *theirs, "--replace-keys").code == 0
        before = kept(ring)
    assert kept(ring) == before != {}


@pytest.mark.end_to_end
def test_a_pump_that_never_ran_leaves_no_keys(command: Command, ring: Path, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "no" / "folder")
    assert command("pump", "run", "--pty", nowhere, "--keyring", str(ring)).code == 3
    assert kept(ring) == {}


def test_a_number_is_drawn_unless_it_is_said(command: Command, tmp_path: Path) -> None:
    said = [command("pump", "new", str(tmp_path / name), "--open").out for name in "abc"]
    numbers = {text.partition("number ")[2].partition(",")[0] for text in said}
    assert len(numbers) == 3
    assert "1001" not in numbers


@pytest.mark.end_to_end
def test_two_open_pumps_can_be_told_apart(command: Command) -> None:
    with PumpProcess("--open") as one, PumpProcess("--open") as two:
        found = [
            json.loads(command("programmer", "--port", each.port, "--json", "identify").out)
            for each in (one, two)
        ]
    assert found[0]["serial"] != found[1]["serial"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("pump", "new", "second.pump", "--serial", "7"),
        ("pump", "run", "--serial", "7", "--pty", "nowhere/at/all"),
        ("pump", "pair", "other.pump"),
    ],
)
def test_keys_of_another_pump_are_thrown_away_only_if_that_is_said(
    command: Command,
    ring: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    at = ("--keyring", str(ring))
    assert command("pump", "new", "first.pump", "--serial", "7", *at).code == 0
    assert command("pump", "new", "other.pump", "--serial", "7").code == 0
    before = kept(ring)
    ended = command(*arguments, *at)
    assert ended.code == 2
    assert "it has other keys for number 7" in ended.line
    assert "--replace-keys" in ended.line
    assert kept(ring) == before
    assert not Path("second.pump").exists()
    assert json.loads(command("pump", "show", "other.pump", "--json").out)["clean"]
    ended = command(*arguments, *at, "--replace-keys")
    assert ended.code == (3 if "run" in arguments else 0)
    # Of a pump that could not run nothing stays.
    assert kept(ring) == {} if "run" in arguments else kept(ring) != before


@pytest.mark.parametrize("name", ["same", "./same"])
def test_a_pump_is_not_made_in_the_file_of_its_keys(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = command("pump", "new", "same", "--keyring", name)
    assert ended.code == 2
    assert "the pump and its keyring cannot be one file" in ended.err
    assert not list(tmp_path.iterdir())


@pytest.mark.end_to_end
def test_a_key_that_was_typed_takes_no_others_place_unasked(
    command: Command, ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ("--keyring", str(ring))
    assert command("pump", "new", str(tmp_path / "a"), "--serial", "7", *at).code == 0
    before = kept(ring)
    observer, clinician = KEY.findall(
        command("pump", "new", str(tmp_path / "b"), "--serial", "7").out
    )
    with PumpProcess("--memory", str(tmp_path / "b"), "--speed", "0") as pump:
        words = ("programmer", "--port", pump.port, *at, "pair")
        monkeypatch.setattr("sys.stdin", io.StringIO(observer))
        ended = command(*words)
        assert (ended.code, kept(ring)) == (2, before)
        assert "--replace-keys" in ended.line
        for key, known in (
            # With the other pump's key of that access its other one goes too.
            (clinician, {clinician}),
            (observer, {clinician, observer}),
            (observer, {clinician, observer}),
        ):
            monkeypatch.setattr("sys.stdin", io.StringIO(key))
            assert command(*words, "--replace-keys").code == 0
            assert kept(ring) == {7: known}
        monkeypatch.setattr("sys.stdin", io.StringIO(observer))
        assert command(*words).code == 0, "the same key may come again"


# -- keys change hands -----------------------------------------------------------------------------


def new_in(command: Command, memory: Path, ring: Path) -> dict[int, set[str]]:
    assert command("pump", "new", str(memory), "--serial", "7", "--keyring", str(ring)).code == 0
    return kept(ring)


def keys_in(memory: Path) -> set[str]:
    """The keys that a pump in a file takes."""
    with contextlib.closing(SqliteMemory.look(memory)) as looked:
        recorded = looked.state()
    assert recorded is not None
    return {key.text for key in keys_of(decode_state(recorded).pairing).values()}


def test_a_pump_gets_new_keys_and_its_keyring_has_them(
    command: Command, memory: Path, ring: Path
) -> None:
    before = new_in(command, memory, ring)
    assert command("pump", "pair", str(memory), "--keyring", str(ring)).code == 0
    assert kept(ring) != before
    assert kept(ring) == {7: keys_in(memory)}


def test_where_the_keyring_cannot_be_written_the_pump_keeps_its_keys(
    command: Command, memory: Path, ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = new_in(command, memory, ring)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("tempfile.mkstemp", refuse)
        ended = command("pump", "pair", str(memory), "--keyring", str(ring))
    assert ended.code == 1
    assert "cannot write the keyring" in ended.line
    assert kept(ring) == before == {7: keys_in(memory)}


def test_where_the_pump_cannot_be_changed_the_keyring_keeps_the_old_keys(
    command: Command, memory: Path, ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = new_in(command, memory, ring)

    def fail(*_: object) -> None:
        raise MemoryFailed("no room")

    with monkeypatch.context() as patched:
        patched.setattr("mockpump.cli.pump.pair.Pump.change", fail)
        assert command("pump", "pair", str(memory), "--keyring", str(ring)).code == 1
        ended = command("pump", "pair", str(memory))
    assert "the keys shown are no pump's" in ended.err
    assert kept(ring) == before == {7: keys_in(memory)}


class Moment:
    """Somebody interrupts at one of the calls that open, write, link or hand over."""

    def __init__(self, after: int) -> None:
        self.calls = 0
        self._after = after

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename
        if event != "call" or not re.search("/(cli|memory|transports)/[a-z_]+.py", name):
            return
        self.calls += 1
        if self.calls == self._after:
            signal.raise_signal(signal.SIGINT)


# Who is interrupted between two calls leaves to the end of the process what was just opened.
left_open = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def interrupted_everywhere(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], prepare: Callable[[], object]
) -> Iterator[int]:
    """Run a command again and again, each time interrupted a little later; its exit codes."""
    monkeypatch.setattr(sys, "argv", ["mockpump", *arguments])
    set_ = signal.signal

    def quietly(number: int, what: Any) -> object:
        ignoring = number == signal.SIGINT and what is signal.SIG_IGN
        return None if ignoring else set_(number, what)

    # Whoever interrupts the command must not take Ctrl-C from the tests.
    monkeypatch.setattr("signal.signal", quietly)
    for after in itertools.count(1):
        prepare()
        moment, code = Moment(after), 0
        sys.setprofile(moment)
        try:
            entry.main()
        except SystemExit as ended:
            code = int(str(ended.code or 0))
        finally:
            sys.setprofile(None)
        gc.collect()
        assert code == (130 if moment.calls >= after else 0)
        yield code
        if not code:
            return


@left_open
def test_a_new_pump_is_whole_and_its_keys_are_kept_or_there_is_none(
    memory: Path, ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing() -> None:
        memory.unlink(missing_ok=True)
        ring.unlink(missing_ok=True)

    arguments = ("pump", "new", str(memory), "--serial", "7", "--keyring", str(ring))
    made = []
    for _ in interrupted_everywhere(monkeypatch, arguments, nothing):
        made.append(memory.exists())
        assert kept(ring) == ({7: keys_in(memory)} if memory.exists() else {})
        assert {each.name for each in memory.parent.iterdir()} <= {
            *(memory.name, ring.name, f".{ring.name}.lock")
        }
    assert made == sorted(made), "once it is made it stays"
    assert made.count(False) > 50
    assert made.count(True) > 5


@left_open
def test_keys_change_wholly_or_not_at_all(
    command: Command, memory: Path, ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = new_in(command, memory, ring)
    files = {each: each.read_bytes() for each in (memory, ring)}

    def as_it_was() -> None:
        # What was interrupted as it was closed has left its WAL.
        for each in memory.parent.glob(f"{memory.name}-*"):
            each.unlink()
        for each, content in files.items():
            each.write_bytes(content)
        ring.chmod(0o600)

    arguments = ("pump", "pair", str(memory), "--keyring", str(ring))
    changed = []
    for _ in interrupted_everywhere(monkeypatch, arguments, as_it_was):
        changed.append(kept(ring) != first)
        assert kept(ring) == {7: keys_in(memory)}
    assert set(changed) == {False, True}


# Ends like a killed process just before the pump gets its name.
KILLED = """
import os, sys
from mockpump.__main__ import main
os.link = lambda *_: os._exit(9)
sys.argv = ["mockpump", *sys.argv[1:]]
main()
"""


@pytest.mark.end_to_end
def test_a_pump_whose_making_is_killed_leaves_a_folder_that_says_what_it_is(
    command: Command, memory: Path, ring: Path
) -> None:
    arguments = ("pump", "new", str(memory), "--serial", "7", "--keyring", str(ring))
    done = subprocess.run([sys.executable, "-P", "-c", KILLED, *arguments], check=False, timeout=60)
    assert done.returncode == 9
    assert not memory.exists()
    left = [each for each in memory.parent.iterdir() if each.is_dir()]
    assert [each.name.startswith("unfinished-pump-") for each in left] == [True]
    assert [each.name for each in left[0].iterdir()] == [memory.name]
    # The number is taken, by a pump that never was.
    assert command(*arguments).code == 2
    assert command(*arguments, "--replace-keys").code == 0
    assert kept(ring) == {7: keys_in(memory)}


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("wanted", "granted"), [((), "clinician"), (("--as", "observer"), "observer")]
)
def test_a_key_is_found_in_all_that_was_printed(
    command: Command,
    memory: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: tuple[str, ...],
    granted: str,
) -> None:
    printed = command("pump", "new", str(memory)).out
    assert len(KEY.findall(printed)) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO(printed))
    with PumpProcess("--memory", str(memory), "--speed", "0") as pump:
        ended = command("programmer", "--port", pump.port, *wanted, "pair")
    assert (ended.code, f"paired as {granted} with" in ended.out) == (0, True)


def test_a_key_that_is_not_in_it_is_named(
    command: Command, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"pairing keys:\n  observer {keys[0]}\n"))
    ended = command("programmer", "--port", "/nowhere", "--as", "clinician", "pair")
    assert (ended.code, "no key of the clinician is in it" in ended.err) == (2, True)


def test_the_pump_inside_this_process_is_known_to_be_open(command: Command) -> None:
    assert command("programmer", "--port", "mockpump://demo", "status").code == 0
