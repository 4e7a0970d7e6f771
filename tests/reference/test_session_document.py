"""The session's tables say what the code does."""

from mockpump.protocol.messages.base import CATALOGUE, Access, Direction
from mockpump.reference.protocol import SESSION_BLOCKS, access


def test_the_table_of_accesses_has_every_request_once() -> None:
    rows = {line.split("`")[1]: line for line in access().splitlines()[2:]}
    requests = {e.name: e for e in CATALOGUE.values() if e.direction is Direction.REQUEST}
    assert rows.keys() == requests.keys()
    for name, entry in requests.items():
        assert (
            rows[name].count("yes")
            == {None: 3, Access.OBSERVER: 2, Access.CLINICIAN: 1}[entry.needs]
        )


def test_a_request_that_changes_the_pump_needs_the_clinician() -> None:
    for entry in CATALOGUE.values():
        if "transaction" in entry.message.__struct_fields__:
            assert entry.needs is Access.CLINICIAN


def test_without_a_session_there_is_only_who_are_you_and_the_way_in() -> None:
    free = {e.name for e in CATALOGUE.values() if e.direction is Direction.REQUEST and not e.needs}
    assert free == {"Identify", "Hello", "Prove"}


def test_every_block_says_something() -> None:
    assert all(block() for block in SESSION_BLOCKS.values())
