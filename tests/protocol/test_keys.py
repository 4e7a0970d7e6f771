"""A pairing key as text: what is typed is read back, what is mistyped is noticed, nothing leaks."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.keys import SECRET_SIZE, BadKey, PairingKey, parse_key
from mockpump.protocol.messages.base import Access

SECRETS = st.binary(min_size=SECRET_SIZE, max_size=SECRET_SIZE)
KEYS = st.builds(PairingKey, st.sampled_from(Access), SECRETS)
SYMBOLS = string.ascii_uppercase + string.digits


@given(KEYS)
def test_what_is_written_is_read_back(key: PairingKey) -> None:
    read = parse_key(key.text)
    assert (read.access, read.secret) == (key.access, key.secret)


@given(KEYS, st.randoms(use_true_random=False))
def test_spaces_hyphens_and_case_do_not_matter(key: PairingKey, draw: object) -> None:
    text = "".join(
        f"{each.lower()} -" if draw.random() < 0.5 else each  # type: ignore[attr-defined]
        for each in key.text.replace("-", "")
    )
    assert parse_key(text).secret == key.secret


@given(KEYS, st.data())
def test_a_wrong_symbol_is_always_noticed(key: PairingKey, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([i for i, each in enumerate(key.text) if each in SYMBOLS]))
    other = data.draw(st.sampled_from(SYMBOLS.replace(key.text[at], "")))
    with pytest.raises(BadKey):
        parse_key(key.text[:at] + other + key.text[at + 1 :])


@given(KEYS)
def test_a_key_of_the_other_role_is_noticed(key: PairingKey) -> None:
    other = next(each for each in Access if each is not key.access)
    with pytest.raises(BadKey):
        parse_key(key.text.replace(key.access.name.lower(), other.name.lower()))


@given(st.text(max_size=60))
def test_other_text_is_no_key(text: str) -> None:
    with pytest.raises(BadKey):
        parse_key(text)
    # Whoever mistypes a key must not find it in a log.  No error has that mark of its own.
    marked = f"{text}\N{SNOWMAN}"
    with pytest.raises(BadKey) as caught:
        parse_key(marked)
    assert marked not in str(caught.value)


@given(KEYS)
def test_a_key_is_not_in_what_a_traceback_shows(key: PairingKey) -> None:
    shown = f"{key!r} {key}"
    assert key.secret.hex() not in shown
    assert key.text not in shown
    assert key.access.name.lower() in shown


@pytest.mark.parametrize("size", [0, SECRET_SIZE - 1, SECRET_SIZE + 1])
def test_a_key_has_one_size(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        PairingKey(Access.OBSERVER, bytes(size))
