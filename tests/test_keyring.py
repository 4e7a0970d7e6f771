"""A keyring: what is put in is found, what is no keyring is none, and no key is ever shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paired import KEYS

from mockpump.emulator.programmer.keyring import BadKeyring, Keyring, loads
from mockpump.protocol.catalogue import Access
from mockpump.protocol.messages import Identity
from mockpump.protocol.pairing import BadKey, PairingKey

ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["one", "two"]),
        st.builds(PairingKey, st.sampled_from(Access), st.binary(min_size=20, max_size=20)),
    ),
    max_size=8,
)


@given(ENTRIES)
def test_what_is_put_in_is_found_again(entries: list[tuple[int, str, PairingKey]]) -> None:
    ring = Keyring()
    newest: dict[tuple[int, Access], PairingKey] = {}
    for serial, name, key in entries:
        ring.add(serial, name, key)
        newest[serial, key.access] = key
    again = loads(ring.dumps())
    assert len(again) == len({serial for serial, _, _ in entries})
    for serial in range(4):
        for access in Access:
            wanted, found = newest.get((serial, access)), again.find(serial, access)
            assert (found and found.secret) == (wanted and wanted.secret)


def test_if_not_said_the_key_that_grants_most() -> None:
    ring = Keyring()
    ring.add(7, "seven", KEYS[Access.OBSERVER])
    found = ring.find_for(Identity(1, 7, 1, 1, "seven"))
    assert found is KEYS[Access.OBSERVER]
    ring.add(7, "seven", KEYS[Access.CLINICIAN])
    assert ring.find(7) is KEYS[Access.CLINICIAN]
    assert ring.find(7, Access.OBSERVER) is KEYS[Access.OBSERVER]
    assert ring.find(8) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": "mockpump-keyring/2", "pumps": {}}',
        '{"format": "mockpump-keyring/1", "pumps": {"x": {"name": "x", "keys": {}}}}',
        '{"format": "mockpump-keyring/1", "pumps": {"1": {"name": "x", "keys": {"boss": "K"}}}}',
        '{"format": "mockpump-keyring/1", "pumps": {"1": {"name": "x", "keys": {}, "more": 1}}}',
    ],
)
def test_what_is_no_keyring(text: str) -> None:
    with pytest.raises(BadKeyring):
        loads(text.encode())


def test_a_key_in_it_that_is_none_is_not_repeated() -> None:
    ring = Keyring()
    ring.add(1, "one", KEYS[Access.OBSERVER])
    book = json.loads(ring.dumps())
    text = book["pumps"]["1"]["keys"]["observer"]
    book["pumps"]["1"]["keys"]["observer"] = text[:-1] + ("A" if text[-1] != "A" else "B")
    with pytest.raises(BadKey) as caught:
        loads(json.dumps(book).encode())
    assert text[10:20] not in str(caught.value)


def test_its_entries_do_not_show_their_keys() -> None:
    ring = Keyring()
    ring.add(1, "one", KEYS[Access.OBSERVER])
    assert KEYS[Access.OBSERVER].text not in repr(vars(ring))
