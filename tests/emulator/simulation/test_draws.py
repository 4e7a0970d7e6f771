"""What is drawn in a world: nobody's draws depend on anybody else's."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.simulation.world import ATTACKER, Draws
from mockpump.emulator.trace.format import PROGRAMMER, PUMP, RIVAL

SIDES = (PROGRAMMER, RIVAL, ATTACKER, PUMP)
KINDS: dict[str, Callable[[Draws, str], object]] = {
    "connection": Draws.connection,
    "transaction": Draws.transaction,
    "nonce": Draws.nonce,
    "key": lambda draws, who: draws.source(who, "key")(20),
}
WANTED = st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(SIDES)), max_size=30)


def drawn(seed: int, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], list[object]]:
    """What each side gets of each kind, in order."""
    draws = Draws(seed)
    told: dict[tuple[str, str], list[object]] = {}
    for kind, who in wanted:
        told.setdefault((kind, who), []).append(KINDS[kind](draws, who))
    return told


@given(st.integers(0, 10**6), WANTED, WANTED)
def test_one_more_draw_moves_no_other(
    seed: int, wanted: list[tuple[str, str]], more: list[tuple[str, str]]
) -> None:
    alone, together = drawn(seed, wanted), drawn(seed, more + wanted)
    for stream, values in alone.items():
        every = drawn(seed, [stream] * (len(values) + more.count(stream)))[stream]
        assert values == every[: len(values)]
        assert together[stream] == every


def test_streams_differ_and_so_do_seeds() -> None:
    wanted = [(kind, who) for kind in ("nonce", "key") for who in SIDES]
    values = [each for seed in range(50) for each in drawn(seed, wanted).values()]
    assert len({value for each in values for value in each}) == 50 * len(wanted)


def test_ids_and_transactions_may_be_anything() -> None:
    draws = Draws(0)
    ids = [draws.connection(PROGRAMMER) for _ in range(2_000)]
    transactions = [draws.transaction(PROGRAMMER) for _ in range(2_000)]
    assert {each >> 12 for each in ids} == set(range(16))
    assert {each >> 28 for each in transactions} == set(range(16))
    assert len(set(transactions)) == 2_000
