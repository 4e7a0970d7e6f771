"""A keyring: what is put in is found, what is not a keyring is none, and no key is ever shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paired import KEYS, OTHER_KEYS

from mockpump.emulator.programmer.keyring import BadKeyring, Keyring, KeysTaken, loads
from mockpump.protocol.keys import BadKey, PairingKey
from mockpump.protocol.messages import Identity
from mockpump.protocol.messages.base import Access

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


def texts(ring: Keyring, serial: int) -> set[str]:
    found = (ring.find(serial, access) for access in Access)
    return {key.text for key in found if key is not None}


OURS, OTHERS = ({key.text for key in keys.values()} for keys in (KEYS, OTHER_KEYS))


@given(ENTRIES, st.booleans())
def test_no_key_is_thrown_away_that_was_not_the_pumps_own(
    entries: list[tuple[int, str, PairingKey]], knows: bool
) -> None:
    ring = Keyring()
    for serial, name, key in entries:
        ring.add(serial, name, key)
    before = {serial: texts(ring, serial) for serial in range(4)}
    old = [key for _, _, key in entries] if knows else []
    try:
        ring.give(2, "new", KEYS.values(), old=old)
    except KeysTaken:
        assert before[2]
        assert not knows
        assert texts(ring, 2) == before[2]
    else:
        assert texts(ring, 2) == OURS
        assert not before[2] or knows
    assert all(texts(ring, serial) == before[serial] for serial in (0, 1, 3))


def test_keys_that_are_taken_are_said_to_be_and_may_be_replaced() -> None:
    ring = Keyring()
    ring.give(7, "seven", OTHER_KEYS.values())
    with pytest.raises(KeysTaken, match=r'^it has other keys for number 7 \("seven"\)$'):
        ring.give(7, "another", KEYS.values())
    ring.replace(7, "another", KEYS.values())
    assert texts(ring, 7) == OURS


def test_the_same_key_may_be_learnt_again_and_no_other_with_its_access() -> None:
    ring = Keyring()
    ring.learn(7, "seven", KEYS[Access.OBSERVER])
    ring.learn(7, "seven", KEYS[Access.CLINICIAN])
    ring.learn(7, "seven", PairingKey(Access.OBSERVER, KEYS[Access.OBSERVER].secret))
    with pytest.raises(KeysTaken):
        ring.learn(7, "seven", OTHER_KEYS[Access.OBSERVER])
    assert texts(ring, 7) == OURS


def test_only_a_pump_with_these_keys_is_forgotten() -> None:
    ring = Keyring()
    ring.give(7, "seven", KEYS.values())
    assert not ring.forget(8, KEYS.values())
    assert not ring.forget(7, OTHER_KEYS.values())
    assert texts(ring, 7) == OURS
    ring.replace(7, "seven", [KEYS[Access.OBSERVER], OTHER_KEYS[Access.CLINICIAN]])
    assert not ring.forget(7, KEYS.values())
    ring.replace(7, "seven", [KEYS[Access.OBSERVER]])
    assert ring.forget(7, KEYS.values())
    assert 7 not in ring
    assert 7 not in loads(ring.dumps())
