"""The file of a memory belongs to its owner and to one pump; what is not a memory is said so."""

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from stat import S_IMODE
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from memories import everything, fill, filled

from mockpump.emulator.memory import sqlite_file, sqlite_lock
from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.memory.sqlite_file import MIGRATIONS, MemoryBusy, NotAMemory, new_file

NOBODY = 65_534
OPENERS = [SqliteMemory.open, SqliteMemory.look]
either_way = pytest.mark.parametrize("opener", OPENERS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A memory with something in it."""
    path = tmp_path / "pump"
    with closing(SqliteMemory.create(path)) as memory:
        memory.record(filled(1))
    return path


def files(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, with what is in it; this drops the locks of SQLite on them."""
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def line_of(error: pytest.ExceptionInfo[Exception], path: Path) -> str:
    """What an error says, which is one line that begins with the file."""
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    return text.removeprefix(f"{path}: ")


# -- made and opened -------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_only_the_owner_may_read_any_of_its_files(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        memory = SqliteMemory.create(tmp_path / "pump")
    finally:
        os.umask(before)
    with closing(memory):
        memory.record(filled(1))
        modes = {each.name: S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("pump", "pump-lock", "pump-shm", "pump-wal"), 0o600)


def test_a_pump_at_rest_is_one_file(path: Path) -> None:
    assert list(files(path.parent)) == ["pump"]


def test_what_exists_is_never_overwritten(path: Path) -> None:
    before = files(path.parent)
    with pytest.raises(MemoryFailed) as error:
        SqliteMemory.create(path)
    assert line_of(error, path) == "it exists already"
    assert files(path.parent) == before


def test_what_a_pump_of_the_same_name_left_is_not_taken_over(path: Path) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        remains = Path(f"{path}-wal").read_bytes()
    path.unlink()
    Path(f"{path}-wal").write_bytes(remains)
    with closing(SqliteMemory.create(path)) as memory:
        assert memory.state() is None


def test_a_file_that_cannot_be_made_whole_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", (*MIGRATIONS, ("CREATE NONSENSE",)))
    with pytest.raises(MemoryFailed) as error:
        SqliteMemory.create(tmp_path / "pump")
    assert "NONSENSE" in line_of(error, tmp_path / "pump")
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    "name", ["a b%20?#&.pump", "gr\u00fc\u00dfe", "-", "file:x?mode=ro", "\udcff"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    with closing(SqliteMemory.create(tmp_path / name)) as memory:
        memory.record(filled(1))
    with closing(SqliteMemory.look(tmp_path / name)) as memory:
        assert memory.state() == b"state1"
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_file_may_be_opened_by_a_name_in_the_current_folder(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    with closing(SqliteMemory.open(Path("pump"))) as memory:
        assert memory.state() == b"state1"


# -- what is not a memory
# -----------------------------------------------------------------------------


def some_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE states (place, state)")


def of_version(version: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        SqliteMemory.create(path).close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

    return make


NO_MEMORY: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (Path.mkdir, "it is not a file"),
    "a pipe": (os.mkfifo, "it is not a file"),
    "missing": (lambda path: None, "there is no such file"),
    "a dead link": (lambda path: path.symlink_to("nowhere"), "there is no such file"),
    "links in a circle": (lambda path: path.symlink_to(path), "there is no such file"),
    "empty": (lambda path: path.write_bytes(b""), "it is not the memory of a pump"),
    "one byte": (lambda path: path.write_bytes(b"x"), "it is not the memory of a pump"),
    "text": (lambda path: path.write_bytes(b"[program]\n" * 90), "it is not the memory of a pump"),
    "zeros": (lambda path: path.write_bytes(bytes(8192)), "it is not the memory of a pump"),
    "noise": (
        lambda path: path.write_bytes(bytes(range(1, 256)) * 99),
        "it is not the memory of a pump",
    ),
    "another database": (some_database, "it is not the memory of a pump"),
    "newer": (
        of_version(99),
        f"it is of version 99, newer than {len(MIGRATIONS)}: update mockpump",
    ),
}


@either_way
@pytest.mark.parametrize(("make", "expected"), NO_MEMORY.values(), ids=NO_MEMORY)
def test_what_is_no_memory_is_refused_and_left_alone(
    tmp_path: Path,
    opener: Callable[[Path], SqliteMemory],
    make: Callable[[Path], object],
    expected: str,
) -> None:
    path = tmp_path / "pump"
    make(path)
    before = files(tmp_path) if path.is_file() else {}
    with pytest.raises(NotAMemory) as error:
        opener(path)
    assert line_of(error, path) == expected
    assert not path.is_file() or files(tmp_path) == before


@pytest.mark.parametrize("opener", [*OPENERS, SqliteMemory.create])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x" * 300, "file name too long"),
        ("x" * 252, "file name too long"),
        ("x/" * 3000 + "pump", "file name too long"),
        ("file/pump", ""),
        ("missing/pump", ""),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_in_one_line(
    tmp_path: Path, opener: Callable[[Path], SqliteMemory], name: str, expected: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MemoryFailed) as error:
        opener(tmp_path / name)
    said = line_of(error, tmp_path / name)
    assert expected in said or "no such file" in said


def test_no_memory_is_made_where_links_lead_in_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "pump"
    path.symlink_to(path)
    with pytest.raises(MemoryFailed) as error:
        SqliteMemory.create(path)
    assert line_of(error, path) == "it exists already"


@either_way
def test_a_name_too_long_to_be_locked_is_refused_in_one_line(
    path: Path, opener: Callable[[Path], SqliteMemory]
) -> None:
    path = path.rename(path.with_name("x" * 252))
    with pytest.raises(MemoryFailed) as error:
        opener(path)
    assert line_of(error, path) == "file name too long"


def test_a_path_too_long_for_sqlite_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["x" * 200] * 3)
    folder.mkdir(parents=True)
    with pytest.raises(MemoryFailed) as error:
        SqliteMemory.create(folder / "pump")
    assert line_of(error, folder / "pump") == "unable to open database file"
    assert files(folder) == {}


@pytest.mark.parametrize("half", [600, 5_000, 20_000])
@either_way
def test_half_a_memory_is_said_to_be_damaged(
    path: Path, opener: Callable[[Path], SqliteMemory], half: int
) -> None:
    os.truncate(path, half)
    with pytest.raises(MemoryFailed, match=r"malformed|no memory"), closing(opener(path)) as it:
        everything(it)


# -- versions --------------------------------------------------------------------------------------

NEWER = (*MIGRATIONS, ("CREATE TABLE extras (name TEXT)", "INSERT INTO extras VALUES ('new')"))


def names_in(path: Path) -> tuple[int, list[tuple[str]]]:
    """The version of a file, and the tables in it."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        tables = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    return version, tables


def test_an_older_version_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", NEWER)
    for _ in range(2):
        with closing(SqliteMemory.open(path)) as memory:
            assert memory.state() == b"state1"
            assert memory.log(1, 9).newest == 3
    version, tables = names_in(path)
    assert version == len(MIGRATIONS) + 1
    assert ("extras",) in tables


def test_a_new_file_is_the_same_as_one_brought_up_to_date(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", NEWER)
    SqliteMemory.open(path).close()
    SqliteMemory.create(tmp_path / "new").close()
    assert names_in(path) == names_in(tmp_path / "new")


@pytest.mark.parametrize("broken", ["CREATE NONSENSE", "CREATE TABLE extras (name TEXT)"])
def test_a_migration_that_fails_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = names_in(path)
    with monkeypatch.context() as changed:
        changed.setattr(sqlite_file, "MIGRATIONS", (*NEWER, (broken,)))
        with pytest.raises(MemoryFailed) as error:
            SqliteMemory.open(path)
        line_of(error, path)
    assert names_in(path) == before
    with closing(SqliteMemory.open(path)) as memory:
        assert memory.state() == b"state1"


# -- one pump at a time ----------------------------------------------------------------------------

HOLD = """
import sys
from pathlib import Path
from mockpump.emulator.memory.interface import Change
from mockpump.emulator.memory.sqlite import SqliteMemory
try:
    memory = SqliteMemory.open(Path(sys.argv[1]))
except Exception as error:
    sys.exit(f"{type(error).__name__} {error}")
memory.record(Change(b"held"))
print("ready", flush=True)
sys.stdin.read()
"""


IN_USE = "it is in use by process {}: a pump runs on it, or a command uses it"


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.end_to_end
def test_another_process_is_locked_out_until_it_is_closed(path: Path) -> None:
    with closing(SqliteMemory.open(path)), another_process(path) as process:
        out, err = process.communicate()
        assert (out, process.returncode) == ("", 1)
        assert err.strip() == f"MemoryBusy {path}: {IN_USE.format(os.getpid())}"
    with another_process(path) as process:
        assert said(process) == "ready\n"


@pytest.mark.end_to_end
def test_a_killed_process_leaves_no_lock_behind(path: Path) -> None:
    with another_process(path) as process:
        assert said(process) == "ready\n"
        for opener in (*OPENERS, SqliteMemory.create):
            with pytest.raises(MemoryBusy) as error:
                opener(path)
            assert line_of(error, path) == IN_USE.format(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert set(files(path.parent)) == {"pump", "pump-lock", "pump-shm", "pump-wal"}
    with closing(SqliteMemory.open(path)) as memory:
        assert memory.state() == b"held"
    assert set(files(path.parent)) == {"pump"}


def test_a_second_pump_in_this_process_is_locked_out_by_any_name(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path)
    with closing(SqliteMemory.open(path)) as memory:
        for name in (path, link, path.parent / "." / "pump"):
            with pytest.raises(MemoryBusy):
                SqliteMemory.open(name)
        memory.record(filled(2))
    with closing(SqliteMemory.open(link)) as memory:
        assert memory.state() == b"state2"


def test_a_refused_opening_leaves_the_locks_of_sqlite_as_they_are(path: Path) -> None:
    """To try the lock must not touch the database: closing it would drop all locks on it."""
    unlock = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM states')"
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        for opener in OPENERS:
            with pytest.raises(MemoryBusy):
                opener(path)
        # Another program, the last to close a database that seems nobody's, would remove the WAL.
        subprocess.run([sys.executable, "-c", unlock, str(path)], check=True)
        assert Path(f"{path}-wal").exists()


def test_a_lock_that_was_removed_meanwhile_is_no_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening the lock's file and locking it, its holder closes and another opens."""
    first = SqliteMemory.open(path)
    flock = sqlite_lock.fcntl.flock
    second = ExitStack()

    def late(*arguments: int) -> None:
        monkeypatch.undo()
        first.close()
        second.enter_context(closing(SqliteMemory.open(path)))
        flock(*arguments)

    monkeypatch.setattr(sqlite_lock.fcntl, "flock", late)
    with second, pytest.raises(MemoryBusy):
        SqliteMemory.open(path)


# -- a part is not the whole -----------------------------------------------------------------------


def alone(path: Path, folder: Path, *names: str) -> Path:
    """A copy of the files of a memory with those endings, and of no others."""
    folder.mkdir()
    for name in names:
        if Path(f"{path}{name}").exists():
            shutil.copyfile(f"{path}{name}", folder / f"pump{name}")
    return folder / "pump"


def told(path: Path) -> tuple[bool, dict[str, Any]]:
    """Whether it is said that something may be missing, and what there is."""
    with closing(SqliteMemory.look(path)) as memory:
        return memory.lacks_wal, everything(memory)


def a_life(path: Path, folder: Path) -> list[tuple[str, dict[str, Any], Path, Path]]:
    """Copies of a pump's files before every statement from its opening to its end.

    Each with the statement, and what had been acknowledged by then: the file alone, and with its
    WAL.
    """
    copies: list[tuple[str, dict[str, Any], Path, Path]] = []
    with closing(SqliteMemory.open(path)) as memory:
        acknowledged = everything(memory)

        def copy(statement: str) -> None:
            place = len(copies)
            lone = alone(path, folder / f"{place}-alone", "")
            both = alone(path, folder / f"{place}-both", "", "-wal")
            copies.append((statement, acknowledged, lone, both))

        memory._connection.set_trace_callback(copy)
        for number in (7, 8, 9):
            memory.record(filled(number))
            memory._connection.set_trace_callback(None)
            acknowledged = everything(memory)
            memory._connection.set_trace_callback(copy)
    copies.append(("", acknowledged, alone(path, folder / "last", ""), path))
    return copies


def test_a_file_without_its_wal_is_whole_or_says_that_it_is_not(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    copies = a_life(path, folder)
    behind = 0
    for statement, acknowledged, lone, both in copies:
        lacks, found = told(lone)
        assert lacks or found == acknowledged
        if statement.startswith("INSERT OR REPLACE INTO marks VALUES (0, 0"):
            taken_back = found == acknowledged
        behind += found != acknowledged
        lacks, found = told(both)
        assert not lacks
        # A record that was under way is there or is not.
        assert found["state"] >= acknowledged["state"]
        assert found["log"].newest >= acknowledged["log"].newest
    assert behind > 5, "no copy was behind: it was not the WAL that had it"
    assert taken_back, "it is all in the file before the mark is taken back"
    assert told(copies[-1][2]) == (False, copies[-1][1])


def test_a_pump_that_was_killed_lacks_nothing(path: Path, tmp_path: Path) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        memory.record(filled(3))
        killed = alone(path, tmp_path / "killed", "", "-wal", "-shm")
        lone = alone(path, tmp_path / "alone", "")
    for opener in (SqliteMemory.look, SqliteMemory.open):
        with closing(opener(killed)) as memory:
            assert (memory.lacks_wal, memory.state()) == (False, b"state3")
        with closing(opener(lone)) as memory:
            assert (memory.lacks_wal, memory.state()) == (True, b"state1")


def test_a_backup_is_no_file_of_the_wal_that_a_killed_pump_has_left(
    path: Path, tmp_path: Path
) -> None:
    backup = alone(path, tmp_path / "backup", "")
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        killed = alone(path, tmp_path / "killed", "", "-wal", "-shm")
    wal = killed.with_name("pump-wal")
    shutil.copyfile(backup, killed)
    before = killed.read_bytes(), wal.read_bytes()
    for opener in (SqliteMemory.look, SqliteMemory.open):
        with pytest.raises(MemoryFailed, match="pump-wal beside it is left of another file"):
            opener(killed)
        assert (killed.read_bytes(), wal.read_bytes()) == before
    wal.unlink()
    assert told(killed) == told(backup)


def test_what_lacks_its_wal_may_go_on_and_is_whole_from_then_on(path: Path, tmp_path: Path) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        lone = alone(path, tmp_path / "alone", "")
    with closing(SqliteMemory.open(lone)) as memory:
        assert memory.lacks_wal
        memory.record(filled(3))
    assert told(lone)[0] is False


@contextmanager
def another_program_reads(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction of another program, that sees what is there now and keeps it there."""
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM states").fetchall()
        yield reader


def test_a_pump_whose_file_cannot_be_marked_does_not_begin(path: Path) -> None:
    with another_program_reads(path) as reader:
        with pytest.raises(MemoryBusy) as error:
            SqliteMemory.open(path)
        said = line_of(error, path)
        assert said == "it is in use by another program, which reads it: end that first"
        reader.execute("COMMIT")
        with closing(SqliteMemory.open(path)) as memory:
            assert not memory.lacks_wal
    assert told(path)[0] is False


def test_a_pump_that_did_not_begin_has_left_no_mark(path: Path) -> None:
    before = told(path)
    with another_program_reads(path), pytest.raises(MemoryBusy):
        SqliteMemory.open(path)
    assert told(path) == before


def test_a_killed_pump_whose_file_is_read_lacks_nothing(path: Path, tmp_path: Path) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        killed = alone(path, tmp_path / "killed", "", "-wal")
    with another_program_reads(killed):
        with pytest.raises(MemoryBusy):
            SqliteMemory.open(killed)
        assert told(alone(killed, tmp_path / "lone", ""))[0]
        both = alone(killed, tmp_path / "both", "", "-wal")
        # Not all that is newer is in the file, so the mark stays.
        with closing(sqlite3.connect(both)) as connection:
            assert connection.execute("SELECT in_use FROM marks").fetchone() == (1,)
        both = alone(killed, tmp_path / "both again", "", "-wal")
        assert told(both) == (False, told(path)[1])


def test_who_reads_once_a_pump_runs_holds_nothing_up(path: Path, tmp_path: Path) -> None:
    with (
        closing(SqliteMemory.open(path)) as memory,
        another_program_reads(path),
    ):
        memory.record(filled(2))
        assert memory.state() == b"state2"
        assert told(alone(path, tmp_path / "alone", ""))[0]


def test_the_mark_is_not_taken_back_before_all_else_is_in_the_file(
    path: Path, tmp_path: Path
) -> None:
    memory = SqliteMemory.open(path)
    memory.record(filled(2))
    with another_program_reads(path) as reader:
        memory.record(filled(3))
        memory.close()
        both = alone(path, tmp_path / "both", "", "-wal")
        reader.execute("COMMIT")
    assert told(both) == (False, told(path)[1])
    assert told(path)[0], "it says that something may be missing rather than that nothing is"
    assert told(path)[1]["state"] == b"state3"


def test_when_the_mark_is_taken_back_all_else_is_in_the_file(path: Path, tmp_path: Path) -> None:
    copies: list[Path] = []

    def copy(statement: str) -> None:
        if statement.startswith("INSERT OR REPLACE INTO marks"):
            copies.append(alone(path, tmp_path / f"copy{len(copies)}", ""))

    with closing(SqliteMemory.open(path)) as memory:
        for number in (2, 3):
            memory.record(filled(number))
        memory._connection.set_trace_callback(copy)
    (lone,) = copies
    assert told(lone) == (True, told(path)[1])


@pytest.mark.parametrize("killed", [False, True])
def test_what_is_opened_and_closed_says_what_it_said(
    path: Path, tmp_path: Path, killed: bool
) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        names = ("", "-wal") if killed else ("",)
        left = alone(path, tmp_path / "left", *names)
    before = told(left)
    assert before[0] is not killed
    for number in range(2):
        with closing(SqliteMemory.open(left)) as memory:
            assert memory.lacks_wal is not killed
            # Nor does it forget it when it is killed then.
            again = alone(left, tmp_path / f"again{number}", "", "-wal")
        assert told(again) == told(left) == before


def test_what_is_refused_as_damaged_is_left_as_whole_as_it_was(path: Path, tmp_path: Path) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        memory._connection.execute("UPDATE states SET state = 'text'")
        killed = alone(path, tmp_path / "killed", "", "-wal")
    with pytest.raises(MemoryFailed, match="damaged"):
        SqliteMemory.open(killed)
    with closing(sqlite3.connect(killed)) as connection:
        connection.execute("UPDATE states SET state = x'00'")
        connection.commit()
    assert told(killed)[0] is False


# -- one name --------------------------------------------------------------------------------------


@either_way
def test_a_memory_with_two_names_is_refused(
    path: Path, opener: Callable[[Path], SqliteMemory]
) -> None:
    other = path.with_name("other")
    other.hardlink_to(path)
    for name in (path, other):
        with pytest.raises(MemoryFailed) as error:
            opener(name)
        said = line_of(error, name)
        assert said == "it has 2 names (hard links); a pump's file has one: remove the others"
    other.unlink()
    opener(path).close()


def test_a_second_name_is_no_way_to_a_pump_that_runs(path: Path) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        other = path.with_name("other")
        other.hardlink_to(path)
        with pytest.raises(MemoryFailed, match="2 names"):
            SqliteMemory.open(other)
        memory.record(filled(2))
    assert not Path(f"{other}-wal").exists()


@pytest.mark.parametrize("gone", ["", "-wal"])
@pytest.mark.parametrize("again", [False, True])
def test_nothing_is_acknowledged_in_a_file_that_is_not_there_any_more(
    path: Path, gone: str, again: bool
) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        name = Path(f"{path}{gone}")
        content = name.read_bytes()
        name.unlink()
        if again:
            name.write_bytes(content)
        with pytest.raises(MemoryFailed, match="is not the file any more that was opened"):
            memory.record(filled(3))
    # What was acknowledged before is where it was, unless the file itself is gone.
    if gone:
        assert told(path)[1]["state"] == b"state2"
    elif again:
        assert path.read_bytes() == content


def test_neither_lock_nor_file_of_another_pump_of_the_same_name_is_removed(path: Path) -> None:
    """The files are removed while their pump runs, and made anew, and another pump runs there."""
    first = SqliteMemory.open(path)
    first.record(filled(2))
    for each in path.parent.iterdir():
        each.unlink()
    SqliteMemory.create(path).close()
    with closing(SqliteMemory.open(path)) as second:
        second.record(filled(5))
        first.close()
        with pytest.raises(MemoryBusy):
            SqliteMemory.open(path)
        second.record(filled(6))
    assert told(path)[1]["state"] == b"state6"


# -- making ----------------------------------------------------------------------------------------


def make_new(path: Path) -> None:
    with new_file(path) as new:
        with closing(SqliteMemory.create(new.path)) as memory:
            memory.record(filled(1))
        assert not path.exists()
        new.put_in_place()
        assert path.stat().st_nlink == 1


def test_a_new_file_is_there_in_the_end_and_nothing_beside_it(tmp_path: Path) -> None:
    make_new(tmp_path / "pump")
    assert set(files(tmp_path)) == {"pump"}
    assert S_IMODE((tmp_path / "pump").stat().st_mode) == 0o600
    assert told(tmp_path / "pump")[1]["state"] == b"state1"


def test_a_new_file_takes_nothing_over_from_an_old_one(path: Path) -> None:
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(2))
        remains = Path(f"{path}-wal").read_bytes()
    path.unlink()
    Path(f"{path}-wal").write_bytes(remains)
    make_new(path)
    assert told(path)[1]["state"] == b"state1"


def test_a_new_file_replaces_nothing_that_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "pump"
    with new_file(path) as new:
        SqliteMemory.create(new.path).close()
        path.write_text("another")
        with pytest.raises(MemoryFailed, match="it exists already"):
            new.put_in_place()
    assert files(tmp_path) == {"pump": b"another"}


def test_while_a_new_file_has_two_names_it_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    link = os.link

    def linked(source: Path, place: Path) -> None:
        link(source, place)
        for opener in OPENERS:
            with pytest.raises(MemoryBusy) as error:
                opener(place)
            found.append(line_of(error, place))

    monkeypatch.setattr("os.link", linked)
    make_new(tmp_path / "pump")
    assert found == [IN_USE.format(os.getpid())] * 2


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-7", b"1" * 30])
def test_what_else_is_in_a_lock_is_not_taken_for_a_process(path: Path, text: bytes) -> None:
    with sqlite_lock.sole_use(path):
        Path(f"{path}-lock").write_bytes(text)
        with pytest.raises(MemoryBusy) as error, sqlite_lock.sole_use(path):
            pass
    number = text[:20].decode() if text.isdigit() else ""
    assert str(error.value).startswith(f"it is in use{f' by process {number}' * bool(number)}:")


def test_a_file_that_has_another_name_as_well_is_not_written(path: Path, tmp_path: Path) -> None:
    (other := tmp_path / "other").write_bytes(b"mine")
    os.link(other, f"{path}-lock")
    with sqlite_lock.sole_use(path):
        assert other.read_bytes() == b"mine"
    (long := Path(f"{path}-lock")).write_bytes(b"mine, and longer than a number")
    with sqlite_lock.sole_use(path):
        assert long.read_bytes() == b"mine, and longer than a number"


def test_where_there_are_no_links_a_new_file_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr("os.link", no_links)
    make_new(tmp_path / "pump")
    assert set(files(tmp_path)) == {"pump"}


def test_what_was_not_put_in_place_is_gone(tmp_path: Path) -> None:
    with new_file(tmp_path / "pump") as new:
        SqliteMemory.create(new.path).close()
        (folder,) = [each.name for each in tmp_path.iterdir() if each.is_dir()]
        assert folder.startswith("unfinished-pump-")
    assert files(tmp_path) == {}


# -- what is too long ------------------------------------------------------------------------------


@either_way
@pytest.mark.parametrize("name", ["", "-wal"])
def test_what_is_far_too_long_is_not_copied(
    path: Path, opener: Callable[[Path], SqliteMemory], name: str
) -> None:
    with Path(f"{path}{name}").open("ab") as file:
        file.truncate(20 * 10**9)  # of which the disk has nothing
    with pytest.raises(NotAMemory) as error:
        opener(path)
    assert "more than" in line_of(error, path)


@either_way
def test_the_wal_of_another_database_is_left_alone(
    tmp_path: Path, opener: Callable[[Path], SqliteMemory]
) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE states (place, state)")
        other = alone(path, tmp_path / "other", "", "-wal")
    before = files(other.parent)
    with pytest.raises(NotAMemory):
        opener(other)
    assert files(other.parent) == before


# -- looking ---------------------------------------------------------------------------------------


def test_to_look_is_not_to_write(path: Path) -> None:
    with closing(SqliteMemory.look(path)) as memory:
        before = everything(memory)
        with pytest.raises(MemoryFailed, match="readonly"):
            memory.record(filled(2))
        assert everything(memory) == before


def test_looking_at_a_killed_pump_sees_all_and_changes_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    with closing(SqliteMemory.open(path)) as memory:
        fill(memory)
        expected = everything(memory)
        for name in ("pump", "pump-wal", "pump-shm"):
            shutil.copyfile(path.with_name(name), killed / name)
    before = files(killed)
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", NEWER)
    with closing(SqliteMemory.look(killed / "pump")) as memory:
        assert everything(memory) == expected
        # It is a copy: meanwhile the pump may run.
        SqliteMemory.create(tmp_path / "other").close()
        assert files(killed) == before
    assert files(killed) == before


def test_a_pump_may_run_while_somebody_looks(path: Path) -> None:
    with (
        closing(SqliteMemory.look(path)) as looked,
        closing(SqliteMemory.open(path)) as memory,
    ):
        memory.record(filled(2))
        assert (looked.state(), memory.state()) == (b"state1", b"state2")


@contextmanager
def as_somebody_who_is_not_root(*owned: Path) -> Iterator[None]:
    """Root may write everywhere, so be another one for a while; who is not root stays so."""
    if os.geteuid() != 0:
        yield
        return
    for each in owned:
        os.chown(each, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "expected"),
    [
        (0o500, 0o400, "permission denied"),
        (0o500, 0o600, "permission denied"),
        (0o700, 0o400, "attempt to write a readonly database"),
        (0o700, 0o000, "permission denied"),
    ],
)
def test_where_nothing_may_be_written_a_pump_cannot_run(
    path: Path, folder_mode: int, file_mode: int, expected: str
) -> None:
    # Not in `tmp_path`: nobody else may go there.
    with TemporaryDirectory() as folder:
        readonly = Path(shutil.copyfile(path, Path(folder, "pump")))
        with as_somebody_who_is_not_root(readonly, readonly.parent):
            readonly.chmod(file_mode)
            readonly.parent.chmod(folder_mode)
            with pytest.raises(MemoryFailed) as error:
                SqliteMemory.open(readonly)
            assert line_of(error, readonly) == expected
            readonly.parent.chmod(0o700)


def test_where_nothing_may_be_written_one_may_look(path: Path) -> None:
    with TemporaryDirectory() as folder:
        readonly = Path(shutil.copyfile(path, Path(folder, "pump")))
        with as_somebody_who_is_not_root(readonly, readonly.parent):
            readonly.chmod(0o400)
            readonly.parent.chmod(0o500)
            with closing(SqliteMemory.look(readonly)) as memory:
                assert memory.state() == b"state1"
            readonly.parent.chmod(0o700)


# -- a full disk -----------------------------------------------------------------------------------

NO_ROOM = "no space left on device"


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "free", "said"),
    [
        (sqlite3.SQLITE_FULL, 10**9, NO_ROOM),
        (sqlite3.SQLITE_IOERR | 19 << 8, 12_288, NO_ROOM),
        (sqlite3.SQLITE_IOERR, 10**9, "what SQLite says"),
        (sqlite3.SQLITE_ERROR, 0, "what SQLite says"),
    ],
)
def test_a_full_disk_is_called_that_and_leaves_nothing_beside_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int, free: int, said: str
) -> None:
    def fail(*_: object) -> None:
        # As SQLite leaves them, when there is no room for its index.
        for beside in ("-wal", "-shm"):
            Path(f"{path}{beside}").touch()
        raise sqlite_error(code)

    usage = shutil.disk_usage(path.parent)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(sqlite_file, "_connect_checked", fail)
    with pytest.raises(MemoryFailed) as error:
        SqliteMemory.open(path)
    assert line_of(error, path) == said
    assert set(files(path.parent)) == {"pump"}


def test_what_was_there_beside_it_is_not_removed(path: Path) -> None:
    Path(f"{path}-wal").touch()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite_file, "_remove_beside", None)
        patched.setattr(sqlite_file, "is_marked", lambda _: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            SqliteMemory.open(path)


def test_a_pump_that_cannot_be_made_is_called_by_the_name_it_was_to_have(tmp_path: Path) -> None:
    path = tmp_path / "pump"
    with pytest.raises(MemoryFailed) as error, new_file(path) as new:
        raise MemoryFailed(f"{new.path}: {NO_ROOM}")
    assert line_of(error, path) == NO_ROOM
    assert files(tmp_path) == {}
