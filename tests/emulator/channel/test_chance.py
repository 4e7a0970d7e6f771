"""Draws by hash: the same everywhere, and none depends on what else was drawn."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.channel.fate import BLOCK_SIZE, Chance, Stream

SEEDS = st.integers(-(2**70), 2**70)
NAMES = st.text("abc/", max_size=4)


def test_these_bytes_on_every_platform_and_version() -> None:
    assert Chance(7, "fate").block(b"message").hex().startswith("2c45434daa38461f3fe7d2946e4e51d9")
    assert Stream(7, "pump/nonce").randbytes(16).hex() == "3cbb61a95cdc50aa912a4056d5eb7c40"


@given(SEEDS, NAMES, st.binary(max_size=200))
def test_a_block_depends_on_seed_name_and_message_alone(seed: int, name: str, data: bytes) -> None:
    one, other = Chance(seed, name), Chance(seed, name)
    other.block(b"something else")
    assert one.block(data) == other.block(data) == one.block(data)
    assert len(one.block(data)) == BLOCK_SIZE
    assert one.block(data) != one.block(data + b"\0")
    assert one.block(data) != Chance(seed + 1, name).block(data)
    assert one.block(data) != Chance(seed, name + "x").block(data)


@given(SEEDS, st.lists(st.integers(1, 64), min_size=1, max_size=8))
def test_a_draw_depends_on_its_number_and_not_on_the_sizes_before(
    seed: int, sizes: list[int]
) -> None:
    one, other = Stream(seed, "x"), Stream(seed, "x")
    short = [one.randbytes(1) for _ in sizes]
    long = [other.randbytes(size) for size in sizes]
    assert [each[:1] for each in long] == short
    assert [len(each) for each in long] == sizes


def test_the_draws_of_a_stream_differ() -> None:
    stream = Stream(0, "x")
    assert len({stream.randbytes(16) for _ in range(1_000)}) == 1_000
