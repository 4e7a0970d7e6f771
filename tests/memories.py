"""What the tests of every kind of memory share: changes to record, a naive memory, two checks."""

from typing import Any

from hypothesis import strategies as st

from mockpump.emulator.memory.interface import Change, LogPage, Memory, Outcome
from mockpump.protocol.log import GENESIS, LOG_ENTRIES, LogEntry, chain
from mockpump.protocol.messages import OUTCOMES, LogKind

TRANSACTIONS = range(OUTCOMES + 16)
U32 = st.integers(0, 2**32 - 1)
ENTRIES = st.builds(LogEntry, U32, U32, st.sampled_from(LogKind), U32, U32)


def entry(number: int) -> LogEntry:
    """Some entry, another for each number."""
    return LogEntry(number, 7, LogKind.PROGRAM, number % 3, 0)


def row_of_entries(count: int, start: int) -> tuple[LogEntry, ...]:
    return tuple(entry(start + place) for place in range(count))


# Many at once: what happens when the log is full must not take a thousand records to come by.
MANY = st.builds(row_of_entries, st.sampled_from([1, 500, 999, 1000, 1001, 1500]), st.just(5))
CHANGES = st.builds(
    Change,
    st.binary(max_size=20),
    st.none() | st.builds(Outcome, st.sampled_from(TRANSACTIONS), st.binary(), st.binary()),
    st.dictionaries(st.sampled_from([0, 1]), st.binary(max_size=20)),
    st.lists(ENTRIES, max_size=3).map(tuple) | MANY,
)


def filled(number: int) -> Change:
    """A change with every part in it, another for each number."""
    text = b"%d" % number
    images = {0: b"image" + text, 1: b"other" + text}
    outcome = Outcome(number, b"request" + text, b"reply" + text)
    return Change(b"state" + text, outcome, images, row_of_entries(3, number))


def fill(memory: Memory) -> None:
    """Bring a memory to where each further change drops an outcome and folds entries."""
    for number in range(OUTCOMES):
        memory.record(Change(b"", Outcome(number, b"request", b"reply")))
    memory.record(Change(b"full", None, {}, row_of_entries(LOG_ENTRIES, 0)))


class NaiveMemory:
    """Keeps every change there ever was, and looks for the answer each time."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def state(self) -> bytes | None:
        return self.changes[-1].state if self.changes else None

    def image(self, slot: int) -> bytes:
        images = [change.images[slot] for change in self.changes if slot in change.images]
        return images[-1] if images else b""

    def outcome(self, transaction: int) -> Outcome | None:
        newest_first = [change.outcome for change in reversed(self.changes) if change.outcome]
        known: dict[int, Outcome] = {}
        for outcome in newest_first:
            if len(known) < OUTCOMES:
                known.setdefault(outcome.transaction, outcome)
        return known.get(transaction)

    def outcome_count(self) -> int:
        return sum(change.outcome is not None for change in self.changes)

    def log(self, first: int, count: int) -> LogPage:
        ever = [each for change in self.changes for each in change.entries]
        newest = len(ever)
        first = min(max(first, 1, newest - LOG_ENTRIES + 1), newest + 1)
        before = chain(GENESIS, ever[: first - 1])
        entries = tuple(ever[first - 1 :][:count])
        return LogPage(first, newest, before, chain(GENESIS, ever), entries)


def everything(memory: Memory | NaiveMemory) -> dict[str, Any]:
    """All that a memory says; two of them are equal or a memory has forgotten something."""
    return {
        "state": memory.state(),
        "images": [memory.image(slot) for slot in (0, 1)],
        "outcomes": [memory.outcome(transaction) for transaction in TRANSACTIONS],
        "count": memory.outcome_count(),
        "log": memory.log(1, LOG_ENTRIES + 1),
    }


def expect_a_whole_chain(memory: Memory, size: int) -> None:
    """Read the log in pages of that size, and follow the chain from each to the next."""
    page = memory.log(1, size)
    number, link = page.first, page.before
    while page.entries:
        assert (page.first, page.before) == (number, link), f"no chain to entry {page.first}"
        number, link = number + len(page.entries), chain(link, page.entries)
        page = memory.log(number, size)
    assert number == page.newest + 1, "entries are missing at the end"
    assert link == page.before == page.newest_chain, "no chain to the end"
