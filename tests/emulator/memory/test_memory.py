"""Every kind of memory keeps what the interface promises, as a naive one beside it would."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from effort import few
from hypothesis import given
from hypothesis import strategies as st
from memories import (
    CHANGES,
    NaiveMemory,
    entry,
    everything,
    expect_a_whole_chain,
    fill,
    filled,
    row_of_entries,
)
from msgspec import structs

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Change, LogPage, Memory, MemoryFailed, Outcome
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.log import GENESIS, LOG_ENTRIES, LogEntry, chain
from mockpump.protocol.messages import OUTCOMES, LogKind

KINDS = {
    "ram": lambda path: RamMemory(),
    "sqlite": SqliteMemory.create,
    "faulty": lambda path: FaultyMemory(RamMemory()),
}
of_every_kind = pytest.mark.parametrize("kind", KINDS)
FULL = LOG_ENTRIES + 5


@contextmanager
def fresh(kind: str) -> Iterator[Memory]:
    with (
        TemporaryDirectory() as folder,
        closing(KINDS[kind](Path(folder, "pump"))) as memory,
    ):
        yield memory


@of_every_kind
@few
@given(
    changes=st.lists(CHANGES, max_size=12),
    pages=st.lists(
        st.tuples(st.integers(0, 2 * FULL) | st.just(2**32), st.integers(0, FULL)), max_size=8
    ),
)
def test_it_answers_as_a_naive_one_would(
    kind: str, changes: list[Change], pages: list[tuple[int, int]]
) -> None:
    naive = NaiveMemory()
    with fresh(kind) as memory:
        assert everything(memory) == everything(naive)
        for change in changes:
            memory.record(change)
            naive.changes.append(change)
            assert everything(memory) == everything(naive)
        for first, count in pages:
            assert memory.log(first, count) == naive.log(first, count)


@of_every_kind
@few
@given(changes=st.lists(CHANGES, max_size=6), size=st.integers(1, FULL))
def test_the_pages_of_the_log_make_one_chain(kind: str, changes: list[Change], size: int) -> None:
    with fresh(kind) as memory:
        for change in changes:
            memory.record(change)
        expect_a_whole_chain(memory, max(size, memory.log(1, 0).newest // 40))


@of_every_kind
@few
@given(transactions=st.lists(st.integers(0, OUTCOMES + 16), max_size=3 * OUTCOMES))
def test_the_newest_sixty_four_outcomes_are_known(kind: str, transactions: list[int]) -> None:
    naive = NaiveMemory()
    with fresh(kind) as memory:
        for place, transaction in enumerate(transactions):
            change = Change(b"", Outcome(transaction, b"asked", b"%d" % place))
            memory.record(change)
            naive.changes.append(change)
        assert everything(memory) == everything(naive)


@of_every_kind
def test_the_sixty_fifth_outcome_pushes_out_the_first(kind: str) -> None:
    with fresh(kind) as memory:
        for transaction in range(64):
            memory.record(Change(b"", Outcome(transaction, b"", b"")))
        assert memory.outcome(0) == Outcome(0, b"", b"")
        memory.record(Change(b"", Outcome(2**32 - 1, b"", b"")))
        assert memory.outcome(0) is None
        assert memory.outcome(1) == Outcome(1, b"", b"")
        assert memory.outcome(2**32 - 1) == Outcome(2**32 - 1, b"", b"")


@of_every_kind
def test_an_outcome_that_is_recorded_again_is_the_newest_again(kind: str) -> None:
    with fresh(kind) as memory:
        for transaction in (*range(64), 0, 64):
            memory.record(Change(b"", Outcome(transaction, b"", b"")))
        assert memory.outcome(0) is not None
        assert memory.outcome(1) is None


@of_every_kind
def test_of_old_entries_only_the_chain_is_left(kind: str) -> None:
    with fresh(kind) as memory:
        fill(memory)
        assert (memory.log(0, 1).first, memory.log(0, 1).before) == (1, GENESIS)
        memory.record(filled(70))
        page = memory.log(1, 2)
        assert (page.first, page.newest) == (4, LOG_ENTRIES + 3)
        assert page.entries == (entry(3), entry(4))
        assert page.before == chain(GENESIS, row_of_entries(3, 0))
        expect_a_whole_chain(memory, 300)


@of_every_kind
@pytest.mark.parametrize("slot", [2, -1])
def test_nothing_is_kept_of_a_change_with_an_image_for_no_slot(kind: str, slot: int) -> None:
    with fresh(kind) as memory:
        memory.record(filled(1))
        before = everything(memory)
        with pytest.raises(MemoryFailed):
            memory.record(Change(b"state", None, {slot: b"image"}))
        assert everything(memory) == before


@of_every_kind
def test_after_the_newest_comes_a_page_without_entries(kind: str) -> None:
    with fresh(kind) as memory:
        assert memory.log(1, 10) == memory.log(99, 10)
        assert memory.log(99, 10).newest == 0
        memory.record(filled(1))
        page = memory.log(99, 10)
        assert (page.first, page.newest, page.entries) == (4, 3, ())
        assert page.before == page.newest_chain == chain(GENESIS, row_of_entries(3, 1))


@of_every_kind
@pytest.mark.parametrize(
    "entries",
    [
        (LogEntry(2**32, 0, LogKind.MADE, 0, 0),),
        (entry(1), LogEntry(0, 0, LogKind.MADE, -1, 0)),
    ],
)
def test_nothing_is_kept_of_a_change_with_an_entry_out_of_range(
    kind: str, entries: tuple[LogEntry, ...]
) -> None:
    with fresh(kind) as memory:
        memory.record(filled(1))
        before = everything(memory)
        with pytest.raises(LocalProtocolError):
            memory.record(Change(b"new", Outcome(2, b"", b""), {0: b"new"}, entries))
        assert everything(memory) == before


def test_a_memory_says_whether_it_is_to_outlast_a_power_cut(tmp_path: Path) -> None:
    assert RamMemory().durable
    assert not RamMemory(durable=False).durable
    with closing(SqliteMemory.create(tmp_path / "pump")) as memory:
        assert memory.durable
        assert FaultyMemory(memory).durable
    assert not FaultyMemory(RamMemory(durable=False)).durable


class Tampered(RamMemory):
    """A log in which one thing of what the page with entry 500 says is not so."""

    field = ""

    def log(self, first: int, count: int) -> LogPage:
        page = super().log(first, count)
        if page.first <= 500 < page.first + len(page.entries):
            place = 500 - page.first
            wrong = {
                "first": page.first + 1,
                "before": GENESIS,
                "entries": (*page.entries[:place], entry(0), *page.entries[place + 1 :]),
            }
            page = structs.replace(page, **{self.field: wrong[self.field]})
        return page


@pytest.mark.parametrize("field", ["first", "before", "entries"])
def test_the_check_of_the_chain_can_fail(field: str) -> None:
    memory = Tampered()
    fill(memory)
    memory.field = field
    with pytest.raises(AssertionError):
        expect_a_whole_chain(memory, 64)
