"""A faulty memory fails when it is told to, keeps nothing then, and is otherwise what it wraps."""

import pytest
from effort import few
from hypothesis import given
from hypothesis import strategies as st
from memories import CHANGES, everything, filled

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Change, MemoryFailed, PowerCut
from mockpump.emulator.memory.ram import RamMemory

ERRORS = {"fail_writes": MemoryFailed, "brown_out": PowerCut}


@few
@given(st.lists(st.tuples(CHANGES, st.sampled_from(["", *ERRORS])), max_size=8))
def test_what_fails_is_not_kept_and_all_else_is(records: list[tuple[Change, str]]) -> None:
    plain = RamMemory()
    faulty = FaultyMemory(RamMemory())
    for change, fault in records:
        faulty.fail_writes = fault == "fail_writes"
        faulty.brown_out = fault == "brown_out"
        if fault:
            with pytest.raises(ERRORS[fault]):
                faulty.record(change)
        else:
            faulty.record(change)
            plain.record(change)
        assert everything(faulty) == everything(plain)


def test_writes_fail_until_they_are_let_through_again() -> None:
    faulty = FaultyMemory(RamMemory())
    faulty.fail_writes = True
    for _ in range(2):
        with pytest.raises(MemoryFailed, match="takes no writes"):
            faulty.record(filled(1))
    faulty.fail_writes = False
    faulty.record(filled(1))
    assert faulty.state() == faulty.memory.state() == b"state1"


def test_the_power_is_cut_once_and_before_anything_else() -> None:
    faulty = FaultyMemory(RamMemory())
    faulty.brown_out = faulty.fail_writes = True
    with pytest.raises(PowerCut):
        faulty.record(filled(1))
    with pytest.raises(MemoryFailed):
        faulty.record(filled(1))
    assert faulty.state() is None


def test_nothing_that_handles_errors_catches_a_power_cut() -> None:
    assert not issubclass(PowerCut, Exception)


def test_closing_it_closes_what_it_wraps() -> None:
    closed: list[bool] = []

    class Closing(RamMemory):
        def close(self) -> None:
            closed.append(True)

    FaultyMemory(Closing()).close()
    assert closed == [True]
