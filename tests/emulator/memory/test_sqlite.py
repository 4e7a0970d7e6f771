"""A cut of the power, wherever it comes, leaves a memory in a file as it was before or after."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from effort import few
from hypothesis import given
from hypothesis import strategies as st
from memories import CHANGES, NaiveMemory, everything, expect_a_whole_chain, fill, filled

from mockpump.emulator.memory.interface import Change, MemoryFailed, Outcome, PowerCut
from mockpump.emulator.memory.sqlite import SqliteMemory, Write

# All that a record can consist of, in that order.
STATEMENTS = (
    *("begin", "state", "image", "image", "outcome", "forget"),
    *("entry", "entry", "entry", "anchor", "fold", "commit"),
)


def content(path: Path) -> dict[str, Any]:
    """What a pump finds in the file when it wakes up."""
    with closing(SqliteMemory.open(path)) as memory:
        expect_a_whole_chain(memory, 400)
        return everything(memory)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A memory in which a further change drops an outcome and folds entries.  To be copied."""
    path = tmp_path_factory.mktemp("full") / "pump"
    with closing(SqliteMemory.create(path)) as memory:
        fill(memory)
    return path


@few
@given(sessions=st.lists(st.lists(CHANGES, max_size=4), max_size=4))
def test_it_still_knows_everything_when_it_is_opened_again(sessions: list[list[Change]]) -> None:
    naive = NaiveMemory()
    with TemporaryDirectory() as folder:
        path = Path(folder, "pump")
        SqliteMemory.create(path).close()
        for changes in sessions:
            with closing(SqliteMemory.open(path)) as memory:
                for change in changes:
                    memory.record(change)
                    naive.changes.append(change)
            assert content(path) == everything(naive)


# -- the power is cut ------------------------------------------------------------------------------

Kind = type[SqliteMemory]


def files_left(path: Path, folder: Path, *names: str) -> Path:
    """Copies of the files of a memory as they are at this moment, as a dead process leaves them."""
    folder.mkdir()
    for name in names:
        if Path(f"{path}{name}").exists():
            shutil.copyfile(f"{path}{name}", folder / f"pump{name}")
    return folder / "pump"


def after_a_cut(kind: Kind, full: Path, folder: Path, place: int) -> list[Path]:
    """Cut the power before the statement at that place; everything one might wake up with."""
    path = Path(shutil.copyfile(full, folder / "pump"))
    statements = count()
    left: list[Path] = [path]

    def cut(name: str) -> None:
        if next(statements) == place:
            left.append(files_left(path, folder / "killed", "", "-wal", "-shm"))
            left.append(files_left(path, folder / "dark", "", "-wal"))
            raise PowerCut

    with closing(kind.open(path)) as memory:
        memory.before_write = cut
        with pytest.raises(PowerCut):
            memory.record(filled(70))
    return left


def expect_all_or_nothing(kind: Kind, full: Path, folder: Path) -> None:
    """Cut the power before each statement there is, and right after the last one."""
    path = Path(shutil.copyfile(full, folder / "acknowledged"))
    before = content(path)
    names: list[str] = []
    with closing(kind.open(path)) as memory:
        memory.before_write = names.append
        memory.record(filled(70))
        acknowledged = files_left(path, folder / "after", "", "-wal")
    after = content(acknowledged)
    assert after["state"] == b"state70", "an acknowledged record is lost"
    assert {key for key in after if after[key] != before[key]} == {*after}
    assert after == content(path)
    for place, name in enumerate(names):
        where = folder / f"{place}-{name}"
        where.mkdir()
        for left in after_a_cut(kind, full, where, place):
            assert content(left) in (before, after), f"half a record after a cut before {name}"


def test_a_record_is_made_of_these_statements(full: Path, tmp_path: Path) -> None:
    names: list[str] = []
    with closing(SqliteMemory.open(Path(shutil.copyfile(full, tmp_path / "pump")))) as memory:
        memory.before_write = names.append
        memory.record(filled(70))
    assert tuple(names) == STATEMENTS


def test_a_power_cut_before_any_statement_leaves_all_or_nothing(full: Path, tmp_path: Path) -> None:
    expect_all_or_nothing(SqliteMemory, full, tmp_path)


class CommitsInTheMiddle(SqliteMemory):
    def _writes(self, change: Change) -> list[Write]:
        begin, *middle, commit = super()._writes(change)
        half = len(middle) // 2
        return [begin, *middle[:half], commit, begin, *middle[half:], commit]


class ForgetsToCommit(SqliteMemory):
    def _writes(self, change: Change) -> list[Write]:
        return super()._writes(change)[:-1]


class KnowsNoTransactions(SqliteMemory):
    def _writes(self, change: Change) -> list[Write]:
        return super()._writes(change)[1:-1]


class DropsTooMuch(SqliteMemory):
    """Folds entries without keeping the chain after them."""

    def _writes(self, change: Change) -> list[Write]:
        return [write for write in super()._writes(change) if write.name != "anchor"]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (CommitsInTheMiddle, "half a record"),
        (KnowsNoTransactions, "half a record"),
        (ForgetsToCommit, "an acknowledged record is lost"),
        (DropsTooMuch, "no chain to entry 4|an entry is missing|entry 4 is missing"),
    ],
)
def test_that_check_finds_a_memory_that_is_broken(
    full: Path, tmp_path: Path, kind: Kind, found: str
) -> None:
    with pytest.raises((AssertionError, MemoryFailed), match=found):
        expect_all_or_nothing(kind, full, tmp_path)


def test_a_commit_of_which_only_a_part_reached_the_disk_is_none(full: Path, tmp_path: Path) -> None:
    path = Path(shutil.copyfile(full, tmp_path / "pump"))
    found = []
    with closing(SqliteMemory.open(path)) as memory:
        memory.record(filled(69))
        memory._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        before = everything(memory)
        memory.record(filled(70))
        after = everything(memory)
        size = Path(f"{path}-wal").stat().st_size
        for place, end in enumerate((*range(0, size, 1_000), size)):
            left = files_left(path, tmp_path / str(place), "", "-wal")
            with Path(f"{left}-wal").open("rb+") as wal:
                wal.truncate(end)
            found.append(content(left))
    # Behind the second record the WAL has remains of the first one.
    whole = found.index(after)
    assert found == [before] * whole + [after] * (len(found) - whole)
    assert whole > 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, PowerCut])
@pytest.mark.parametrize("name", ["begin", "entry", "commit"])
def test_whatever_interrupts_a_record_it_can_be_made_again(
    tmp_path: Path, error: type[BaseException], name: str
) -> None:
    def interrupt(statement: str) -> None:
        if statement == name:
            raise error

    with closing(SqliteMemory.create(tmp_path / "pump")) as memory:
        before = everything(memory)
        hook, memory.before_write = memory.before_write, interrupt
        with pytest.raises(error):
            memory.record(filled(1))
        assert everything(memory) == before
        memory.before_write = hook
        memory.record(filled(1))
        assert memory.state() == b"state1"


RECORDS_FOR_EVER = """
import sys
from itertools import count
from pathlib import Path
from mockpump.emulator.memory.sqlite import SqliteMemory
from memories import filled

memory = SqliteMemory.create(Path(sys.argv[1]))
for number in count(1):
    memory.record(filled(number))
    print(number, flush=True)
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize("records", [1, 20, 100])
def test_a_killed_process_has_kept_all_it_acknowledged(tmp_path: Path, records: int) -> None:
    path = tmp_path / "pump"
    command = [sys.executable, "-c", RECORDS_FOR_EVER, str(path)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(records)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    acknowledged = len([line for line in lines if line.endswith("\n")])
    naive = NaiveMemory()
    naive.changes = [filled(number) for number in range(1, acknowledged + 1)]
    without, with_one_more = everything(naive), [filled(acknowledged + 1)]
    naive.changes += with_one_more
    assert content(path) in (without, everything(naive))


# -- other faults ----------------------------------------------------------------------------------


def test_a_full_disk_fails_the_record_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "pump"
    with closing(SqliteMemory.create(path)) as memory:
        memory.record(filled(1))
        before = everything(memory)
        pages = memory._connection.execute("PRAGMA page_count").fetchone()[0]
        memory._connection.execute(f"PRAGMA max_page_count = {pages}")
        for size in (100_000, 2_000_000, 20_000_000):
            with pytest.raises(MemoryFailed, match="disk is full"):
                memory.record(Change(bytes(size), Outcome(2, b"", b""), {}, filled(2).entries))
            assert everything(memory) == before
        memory.record(filled(2))
        after = everything(memory)
    assert content(path) == after


def test_it_does_not_wait_for_ever_for_another_program_that_writes(tmp_path: Path) -> None:
    path = tmp_path / "pump"
    with (
        closing(SqliteMemory.create(path)) as memory,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MemoryFailed, match="locked"):
            memory.record(filled(1))
        other.execute("ROLLBACK")
        memory.record(filled(1))
        assert memory.state() == b"state1"


@pytest.mark.parametrize(
    "use",
    [SqliteMemory.state, lambda memory: memory.log(1, 1), lambda memory: memory.record(filled(1))],
)
def test_a_closed_memory_fails_in_one_way(
    tmp_path: Path, use: Callable[[SqliteMemory], object]
) -> None:
    memory = SqliteMemory.create(tmp_path / "pump")
    memory.close()
    memory.close()
    with pytest.raises(MemoryFailed, match="closed"):
        use(memory)


@pytest.fixture
def tampered(full: Path, tmp_path: Path) -> Iterator[Callable[[str], SqliteMemory]]:
    """Opens a memory in which somebody has executed a statement."""
    opened: list[SqliteMemory] = []

    def tamper(sql: str) -> SqliteMemory:
        path = Path(shutil.copyfile(full, tmp_path / "pump"))
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            assert connection.execute(sql).rowcount > 0
        opened.append(SqliteMemory.open(path))
        return opened[-1]

    yield tamper
    for memory in opened:
        memory.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET first = first + 1 WHERE number = 500",
        "UPDATE entries SET kind = 0 WHERE number = 1000",
        "UPDATE entries SET chain = x'0011223344556677' WHERE number = 700",
        "DELETE FROM entries WHERE number = 320",
        "UPDATE entries SET number = 2000 WHERE number = 1",
        "UPDATE anchors SET chain = x'0011223344556677'",
    ],
)
def test_the_chain_finds_out_a_changed_log(
    tampered: Callable[[str], SqliteMemory], sql: str
) -> None:
    with pytest.raises((AssertionError, MemoryFailed)):
        expect_a_whole_chain(tampered(sql), 50)


def test_it_finds_nothing_in_a_log_that_was_left_alone(
    tampered: Callable[[str], SqliteMemory],
) -> None:
    expect_a_whole_chain(tampered("UPDATE entries SET first = first WHERE number = 500"), 50)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET kind = 99 WHERE number = 1",
        "UPDATE entries SET elapsed = -1 WHERE number = 1",
        "UPDATE entries SET elapsed = 'noon' WHERE number = 1",
        "DELETE FROM anchors",
        "DELETE FROM entries WHERE number = 320",
        "UPDATE entries SET number = 4294967296 WHERE number = 1000",
        "UPDATE entries SET chain = x'00' WHERE number = 1000",
        "UPDATE entries SET chain = x'00' WHERE number = 500",
        "UPDATE anchors SET chain = x'00'",
    ],
)
def test_a_log_that_makes_no_sense_is_said_to_be_damaged(
    tampered: Callable[[str], SqliteMemory], sql: str
) -> None:
    with pytest.raises(MemoryFailed, match=r"/pump: the log is damaged"):
        tampered(sql)


@pytest.mark.parametrize(
    ("sql", "ask"),
    [
        ("UPDATE states SET state = 'text'", SqliteMemory.state),
        ("INSERT INTO images VALUES (0, 'text')", lambda memory: memory.image(0)),
        ("UPDATE outcomes SET request = 'text'", lambda memory: memory.outcome(1)),
        ("UPDATE outcomes SET reply = 7", lambda memory: memory.outcome(1)),
        ("INSERT INTO outcomes VALUES (65, 99, x'', x'')", SqliteMemory.state),
        ("UPDATE entries SET chain = 'text'", lambda memory: memory.log(1, 1)),
        ("UPDATE anchors SET chain = 'text'", lambda memory: memory.log(1, 1)),
        ("UPDATE anchors SET number = 'text'", lambda memory: memory.log(1, 1)),
        ("UPDATE anchors SET number = x'00'", lambda memory: memory.record(filled(1))),
    ],
)
def test_what_somebody_has_made_into_something_else_is_damage(
    tampered: Callable[[str], SqliteMemory], sql: str, ask: Callable[[SqliteMemory], object]
) -> None:
    with pytest.raises(MemoryFailed, match="damaged"):
        ask(tampered(sql))


@pytest.mark.parametrize("place", [2**32 - 1, 2**32, 2**40])
def test_however_many_outcomes_are_counted_on(tmp_path: Path, place: int) -> None:
    with closing(SqliteMemory.create(tmp_path / "pump")) as memory:
        memory._connection.execute("INSERT INTO outcomes VALUES (?, 3, x'', x'')", (place - 1,))
        memory.record(filled(1))
        assert memory.outcome_count() == place
        assert memory.outcome(1) == filled(1).outcome


@pytest.mark.parametrize("place", [0, -7])
def test_a_count_of_outcomes_that_is_none_is_said_to_be_that(tmp_path: Path, place: int) -> None:
    with closing(SqliteMemory.create(tmp_path / "pump")) as memory:
        memory._connection.execute("INSERT INTO outcomes VALUES (?, 3, x'', x'')", (place,))
        with pytest.raises(MemoryFailed, match="damaged: what should count its outcomes"):
            memory.outcome_count()


def test_a_log_without_anything_to_hold_on_to_takes_no_entries(tmp_path: Path) -> None:
    with closing(SqliteMemory.create(tmp_path / "pump")) as memory:
        memory._connection.execute("DELETE FROM anchors")
        with pytest.raises(MemoryFailed, match="anchor"):
            memory.record(filled(1))
        assert memory.state() is None
