"""What a connection holds in the pump: a staged image that grows, and when to report next."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.peer import NO_DIGEST, Peer, Staging

INTERVALS = st.integers(1, 86_400)
ELAPSED = st.integers(0, 2**32 - 1)


@given(INTERVALS, ELAPSED)
def test_the_first_report_is_due_at_the_next_multiple(interval: int, elapsed: int) -> None:
    peer = Peer()
    peer.subscribe(interval, elapsed)
    assert peer.next_report % interval == 0
    assert elapsed < peer.next_report <= elapsed + interval


@given(st.integers(0, 86_400), ELAPSED)
def test_a_new_subscription_drops_what_the_last_one_left(interval: int, elapsed: int) -> None:
    peer = Peer(interval=7, next_report=7, pending=new_pump().report())
    peer.subscribe(interval, elapsed)
    assert peer.pending is None
    assert peer.interval == interval


@given(st.lists(st.binary(max_size=50), max_size=6), st.integers(0, 50))
def test_staging_grows_by_pieces(pieces: list[bytes], missing: int) -> None:
    whole = b"".join(pieces)
    staging = Staging(len(whole) + missing)
    for piece in pieces:
        staging.append(piece)
    assert staging.data == whole
    assert staging.missing == missing


def test_callers_share_nothing() -> None:
    first, second = Peer(), Peer()
    first.staging.append(b"mine")
    assert second.staging == Staging(0, NO_DIGEST, NO_DIGEST, b"")
    first.stage(Staging(3))
    assert first.staging == Staging(3)
