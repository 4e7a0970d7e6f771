"""Memory keeps a program and the last 64 outcomes, as a plain list beside it would."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.memory.interface import OUTCOMES, Memory, Outcome
from mockpump.emulator.memory.ram import RamMemory

RECORDS = st.lists(
    st.tuples(st.binary(max_size=4), st.none() | st.binary(max_size=8)), max_size=3 * OUTCOMES
)


@given(RECORDS, st.none() | st.binary(max_size=8))
def test_it_remembers_as_a_list_would(
    records: list[tuple[bytes, bytes | None]], program: bytes | None
) -> None:
    memory: Memory = RamMemory(program)
    done: list[Outcome] = []
    for transaction, (reply, image) in enumerate(records):
        outcome = Outcome(transaction, b"asked", reply)
        memory.record(outcome, image)
        done.append(outcome)
        program = program if image is None else image
        assert memory.program() == program
    known = {outcome.transaction: outcome for outcome in done[-OUTCOMES:]}
    for transaction in range(len(records) + 1):
        assert memory.outcome(transaction) == known.get(transaction)


def test_the_sixty_fifth_outcome_pushes_out_the_first() -> None:
    memory = RamMemory()
    for transaction in range(64):
        memory.record(Outcome(transaction, b"", b""))
    assert memory.outcome(0) is not None
    memory.record(Outcome(64, b"", b""))
    assert memory.outcome(0) is None
    assert memory.outcome(1) is not None
