"""The session's arithmetic: what one side seals only the other side opens, once, and in order."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol import session
from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.messages import Hello, Identity, Welcome, encode
from mockpump.protocol.messages.base import CATALOGUE, Access
from mockpump.protocol.session import (
    LAST_COUNTER,
    SCHEDULE,
    SEAL_SIZE,
    BadTag,
    OldCounter,
    Opener,
    Seal,
    Sealer,
    SessionKeys,
    claimed_number,
    is_sealed,
    offers_our_version,
    proof_matches,
    split_seal,
)
from mockpump.protocol.strategies import message, messages

KEYS = st.binary(min_size=32, max_size=32)
SECRETS = st.binary(min_size=20, max_size=20)
BODIES = st.binary(max_size=60)


@given(KEYS, st.lists(BODIES, max_size=8))
def test_what_is_sealed_is_opened(key: bytes, bodies: list[bytes]) -> None:
    sealer, opener = Sealer(key), Opener(key)
    assert [opener.open(sealer.seal(each)) for each in bodies] == bodies


@given(KEYS, st.lists(BODIES, min_size=1, max_size=6), st.data())
def test_each_is_opened_at_most_once_and_never_after_a_later_one(
    key: bytes, bodies: list[bytes], data: st.DataObject
) -> None:
    sealer, opener = Sealer(key), Opener(key)
    payloads = [sealer.seal(each) for each in bodies]
    newest = -1
    for place in data.draw(st.lists(st.sampled_from(range(len(payloads))), max_size=20)):
        if place > newest:
            assert opener.open(payloads[place]) == bodies[place]
            newest = place
        else:
            with pytest.raises(OldCounter):
                opener.open(payloads[place])


@given(KEYS, BODIES, st.data())
def test_a_bent_payload_is_not_opened_and_changes_nothing(
    key: bytes, body: bytes, data: st.DataObject
) -> None:
    payload = Sealer(key).seal(body)
    # The first byte only says that it is sealed; whoever bends it says that it is not.
    bit = data.draw(st.integers(8, 8 * len(payload) - 1))
    bent = bytearray(payload)
    bent[bit // 8] ^= 1 << bit % 8
    opener = Opener(key)
    with pytest.raises(BadTag):
        opener.open(bytes(bent))
    assert opener.open(payload) == body


@given(KEYS, BODIES, st.data())
def test_a_cut_payload_is_not_opened(key: bytes, body: bytes, data: st.DataObject) -> None:
    payload = Sealer(key).seal(body)
    with pytest.raises(BadTag):
        Opener(key).open(payload[: data.draw(st.integers(0, len(payload) - 1))])


@given(KEYS, KEYS, BODIES)
def test_another_key_opens_nothing(key: bytes, other: bytes, body: bytes) -> None:
    if key != other:
        with pytest.raises(BadTag):
            Opener(other).open(Sealer(key).seal(body))


@given(st.binary(max_size=40))
def test_an_opener_says_why_whatever_comes(payload: bytes) -> None:
    with pytest.raises((BadTag, OldCounter)):
        Opener(bytes(32)).open(payload)


def test_the_counter_ends() -> None:
    sealer = Sealer(bytes(32))
    sealer._counter = LAST_COUNTER
    assert split_seal(sealer.seal(b""))[0] == Seal(0, LAST_COUNTER, sealer_tag(LAST_COUNTER))
    with pytest.raises(LocalProtocolError):
        sealer.seal(b"")


def sealer_tag(counter: int) -> bytes:
    sealer = Sealer(bytes(32))
    sealer._counter = counter
    return sealer.seal(b"")[-8:]


# -- keys ----------------------------------------------------------------------------------------


@given(SECRETS, message(Identity), message(Hello), message(Welcome))
def test_both_sides_get_the_same_four(
    secret: bytes, identity: Identity, hello: Hello, welcome: Welcome
) -> None:
    mine, other = (SessionKeys(secret, identity, hello, welcome) for _ in range(2))
    four = [getattr(mine, name) for name in SCHEDULE]
    assert four == [getattr(other, name) for name in SCHEDULE]
    assert len(set(four)) == len(SCHEDULE)
    assert [len(each) for each in four] == [size for size, _ in SCHEDULE.values()]


GREETINGS = st.tuples(SECRETS, message(Identity), message(Hello), message(Welcome))


@given(GREETINGS, GREETINGS, st.integers(0, 3))
def test_any_difference_makes_all_four_different(
    said: tuple[bytes, Identity, Hello, Welcome],
    others: tuple[bytes, Identity, Hello, Welcome],
    place: int,
) -> None:
    mine, changed = SessionKeys(*said), list(said)
    changed[place] = others[place]
    if changed != list(said):
        theirs = SessionKeys(*changed)  # type: ignore[arg-type]
        assert all(getattr(mine, name) != getattr(theirs, name) for name in SCHEDULE)


def test_the_keys_are_in_no_traceback() -> None:
    keys = SessionKeys(bytes(20), *greeting())
    assert all(getattr(keys, name).hex() not in repr(keys) for name in SCHEDULE)
    assert repr(keys.prove) not in repr(keys)


def greeting() -> tuple[Identity, Hello, Welcome]:
    identity = Identity(1, 1001, 1, 1, "")
    return identity, Hello(1, 1, Access.CLINICIAN, bytes(16)), Welcome(1, 1001, bytes(16), 0)


@pytest.mark.parametrize(
    ("lowest", "highest", "spoken"),
    [(1, 1, True), (1, 255, True), (2, 255, False), (2, 1, False), (255, 255, False)],
)
def test_a_version_that_both_speak(lowest: int, highest: int, spoken: bool) -> None:
    assert offers_our_version(Hello(lowest, highest, Access.OBSERVER, bytes(16))) is spoken


def test_proofs_and_tags_are_compared_in_constant_time() -> None:
    assert proof_matches(b"a" * 16, b"a" * 16)
    assert not proof_matches(b"a" * 16, b"a" * 15 + b"b")
    assert not proof_matches(b"", b"a" * 16)
    source = inspect.getsource(session)
    assert source.count("hmac.compare_digest(") == 2
    assert "== _tag" not in source


# -- the layout ----------------------------------------------------------------------------------


@given(KEYS, messages())
def test_the_seal_is_laid_out_as_it_is_declared(key: bytes, said: object) -> None:
    body = encode(said)  # type: ignore[arg-type]
    payload = Sealer(key).seal(body)
    seal, inside = split_seal(payload)
    assert seal is not None
    assert inside == body
    assert codec_for(Seal).encode(seal) + body == payload
    assert len(payload) - len(body) == SEAL_SIZE
    assert is_sealed(payload)
    assert claimed_number(payload) == body[0]


@given(messages())
def test_a_message_in_the_clear_is_not_taken_for_a_sealed_one(said: object) -> None:
    body = encode(said)  # type: ignore[arg-type]
    assert not is_sealed(body)
    assert split_seal(body) == (None, body)
    assert claimed_number(body) == body[0]


def test_no_message_has_the_number_that_says_sealed() -> None:
    assert session.SEALED not in CATALOGUE


@pytest.mark.parametrize("size", range(1, SEAL_SIZE))
def test_too_short_for_a_seal(size: int) -> None:
    with pytest.raises(DecodeError):
        split_seal(bytes(size))
    assert claimed_number(bytes(size)) == 0
